import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// What a person who can read Vietnamese knows when they look at a message. The words come from `locales/vi` and the questions from
// `flows/`, so that a change of wording is no change of these programs.

export type Title = 'CDHT' | 'GDHT'

/** `also`: what the answer says of other questions, which are not asked then. */
type OptionFacts = { key: string; points: number | null; label: string; also?: Record<string, string> }

/** A criteria set as a judge needs it. */
export type SetFacts = {
  id: string
  title: Title
  pass: { total: number; min_each: number }
  questions: { key: string; asked: boolean; counts: boolean; options: OptionFacts[] }[]
}

/** What a message asks, as its reader understands it. */
export type Asked = {
  /** `consent`, `village`, `doc_cap_nhat`, `side_correct`, `review` … */
  ref: string
  kind: 'ask' | 'question' | 'review' | 'side'
  /** The set a question belongs to. */
  set?: SetFacts
  /** What stood in the places of the text: the answer to be changed, the number of the question. */
  words: Record<string, string>
  /** Labels by option key. */
  labels: Record<string, string>
}

export type Book = {
  /** The question a message puts, or nothing. `setId`: the citizen's set this reader is asked from. */
  read(text: string, setId?: string): Asked | undefined
  /** Whether a text under this key stands in the message. */
  says(text: string, key: string): boolean
  set(id: string): SetFacts
  sets: SetFacts[]
  label(key: string): string
}

type Pattern = { ref: string; kind: Asked['kind']; set?: SetFacts; matcher: Matcher; labels: Record<string, string> }
type Matcher = { anchor: string; regex: RegExp; weight: number }

// What the people of the trials come across; other flows ask some questions in the same words
const FLOWS_MET = new Set(['welcome', 'cong-dan-hoc-tap', 'gia-dinh-hoc-tap', 'profile', 'which-year', 'word-or-answer'])

export const GROUPS = { nguoi_dan: 'cdht-g1.1', lao_dong: 'cdht-g2.1', can_bo: 'cdht-g3.1' } as const

export function openBook(root: string): Book {
  const texts = readTexts(join(root, 'locales', 'vi'))
  const label = (key: string) => {
    const text = texts.get(key)
    if (text === undefined) throw new Error(`locales/vi has no text ${key}`)
    return text
  }
  const sets = readJsonFiles(join(root, 'flows', 'criteria')).map((file) => toSetFacts(file, label))
  const patterns: Pattern[] = []
  const matchers = new Map<string, Matcher>()
  const matcherOf = (key: string) => {
    const known = matchers.get(key) ?? toMatcher(label(key))
    matchers.set(key, known)
    return known
  }
  const add = (pattern: Omit<Pattern, 'matcher'>, ...keys: string[]) => {
    for (const key of keys) if (texts.has(key)) patterns.push({ ...pattern, matcher: matcherOf(key) })
  }

  for (const flow of readJsonFiles(join(root, 'flows')) as Flow[]) {
    if (!FLOWS_MET.has(flow.id)) continue
    for (const node of flow.nodes ?? []) {
      if (node.kind !== 'ask') continue
      const base = `${flow.id}.${node.id}`
      const labels = Object.fromEntries((node.input?.options ?? []).map(({ key }) => [key, texts.get(`${base}.${key}`) ?? '']))
      add({ ref: node.id, kind: 'ask', labels }, `${base}.ask`, `${base}.simple`)
    }
  }
  for (const set of sets) {
    for (const question of set.questions) {
      if (!question.asked) continue
      const base = `${set.id.replaceAll('.', '-')}.${question.key}`
      const labels = Object.fromEntries(question.options.map((option) => [option.key, option.label]))
      add({ ref: question.key, kind: 'question', set, labels }, `${base}.ask`, `${base}.simple`)
    }
  }
  const sideLabels = (base: string, keys: string[]) => Object.fromEntries(keys.map((key) => [key, label(`${base}.${key}`)]))
  add({ ref: 'review', kind: 'review', labels: sideLabels('engine.review', ['dung', 'sua']) }, 'engine.review')
  const resume = sideLabels('engine.resume', ['tiep_tuc', 'lam_lai'])
  add({ ref: 'side_resume', kind: 'side', labels: resume }, 'engine.resume', 'engine.resume_review')
  const correct = sideLabels('engine.correct', ['doi', 'giu'])
  add({ ref: 'side_correct', kind: 'side', labels: correct }, 'engine.correct', 'engine.correct_new', 'engine.correct_plain')
  add({ ref: 'side_which', kind: 'side', labels: {} }, 'engine.which')
  add({ ref: 'side_edit', kind: 'side', labels: {} }, 'engine.edit_which')

  return {
    sets,
    label,
    set(id) {
      const found = sets.find((set) => set.id === id)
      if (!found) throw new Error(`there is no criteria set ${id}`)
      return found
    },
    says: (text, key) => find(matcherOf(key), text.normalize('NFC')) !== undefined,
    read(message, setId) {
      const text = message.normalize('NFC')
      let best: { pattern: Pattern; end: number; words: Record<string, string> } | undefined
      for (const pattern of patterns) {
        // Two groups are asked some questions in the same words
        if (pattern.set?.title === 'CDHT' && setId !== undefined && pattern.set.id !== setId) continue
        const found = find(pattern.matcher, text)
        if (!found) continue
        if (best && (found.end < best.end || (found.end === best.end && pattern.matcher.weight <= best.pattern.matcher.weight))) continue
        best = { pattern, ...found }
      }
      if (!best) return undefined
      const { ref, kind, set, labels } = best.pattern
      return { ref, kind, ...(set && { set }), words: best.words, labels }
    },
  }
}

type Flow = { id: string; nodes?: { id: string; kind: string; input?: { options?: { key: string }[] } }[] }
type SetFile = {
  id: string
  title: Title
  pass: { total: number; min_each: number }
  questions: { key: string; source?: string; counts?: string; options: Omit<OptionFacts, 'label'>[] }[]
}

function toSetFacts(file: unknown, label: (key: string) => string): SetFacts {
  const { id, title, pass, questions } = file as SetFile
  return {
    id,
    title,
    pass,
    questions: questions.map(({ key, source, counts, options }) => ({
      key,
      asked: source !== 'computed',
      counts: counts !== undefined,
      options: options.map((option) => ({ ...option, label: label(`${id.replaceAll('.', '-')}.${key}.${option.key}`) })),
    })),
  }
}

function readTexts(dir: string): Map<string, string> {
  const texts = new Map<string, string>()
  for (const file of readJsonFiles(dir)) {
    for (const [key, text] of Object.entries(file as Record<string, string>)) texts.set(key, text.normalize('NFC'))
  }
  return texts
}

function readJsonFiles(dir: string): unknown[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')))
}

/** A text of the locales as something to look for: its places may hold anything. */
function toMatcher(text: string): Matcher {
  const parts: string[] = []
  const fixed: string[] = []
  let literal = ''
  let names = 0
  const flush = () => {
    if (literal === '') return
    fixed.push(literal)
    parts.push(literal.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/\s+/g, '\\s+'))
    literal = ''
  }
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '{') {
      literal += text[at]
      continue
    }
    let depth = 0
    const start = at
    for (; at < text.length; at++) {
      if (text[at] === '{') depth++
      if (text[at] === '}' && --depth === 0) break
    }
    flush()
    const name = /^\w+/.exec(text.slice(start + 1))?.[0] ?? 'x'
    parts.push(`(?<${name}_${names++}>[\\s\\S]*?)`)
  }
  flush()
  const anchor =
    fixed
      .toSorted((a, b) => b.length - a.length)[0]
      ?.split('\n')
      .toSorted((a, b) => b.length - a.length)[0] ?? ''
  return { anchor, regex: new RegExp(parts.join(''), 'g'), weight: fixed.join('').length }
}

function find(matcher: Matcher, text: string): { end: number; words: Record<string, string> } | undefined {
  // Most messages are not this one; a place at the very beginning would make the search of a long text slow
  if (!text.includes(matcher.anchor)) return undefined
  const last = [...text.matchAll(matcher.regex)].at(-1)
  if (!last) return undefined
  const words: Record<string, string> = {}
  for (const [name, value] of Object.entries(last.groups ?? {})) words[name.replace(/_\d+$/, '')] ??= value
  return { end: last.index + last[0].length, words }
}

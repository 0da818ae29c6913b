import { createHash } from 'node:crypto'
import { capitalise, type Language, type Texts } from '../content/texts.ts'
import { fold } from '../lib/fold.ts'
import { type CriteriaSet, criteriaTextKey } from '../model/criteria.ts'
import type { TextRef } from '../model/text.ts'

/** What a text may name, as an officer types it: with or without diacritics, with a capital for the beginning of a sentence. */
type Variable = 'name' | 'address' | 'village' | 'missing' | 'commune'

const NAMES: Readonly<Record<string, Variable>> = {
  ten: 'name',
  'ho ten': 'name',
  'ho va ten': 'name',
  'xung ho': 'address',
  goi: 'address',
  ban: 'village',
  thon: 'village',
  'con thieu': 'missing',
  thieu: 'missing',
  xa: 'commune',
}

type Part = { text: string } | { variable: Variable; capital: boolean }
/** A campaign's text, read once. */
export type Template = { parts: readonly Part[]; uses: ReadonlySet<Variable> }

export type TemplateOutcome = { type: 'read'; template: Template } | { type: 'refused'; problem: TextRef }

// Longest values worth allowing for: a name, "tổ dân phố …", three questions
const ROOM: Readonly<Record<Variable, number>> = { name: 40, address: 4, village: 45, missing: 160, commune: 30 }

/** Reads and checks a text; whatever is wrong is said in a sentence before anybody is written to. */
export function parseTemplate(text: string, maxChars: number): TemplateOutcome {
  const clean = text.normalize('NFC').trim()
  if (clean === '') return refused('campaign.problem.empty_text')
  const parts: Part[] = []
  const unknown: string[] = []
  let at = 0
  for (const match of clean.matchAll(/\{([^{}]*)\}/g)) {
    if (match.index > at) parts.push({ text: clean.slice(at, match.index) })
    const typed = (match[1] ?? '').trim()
    const variable = NAMES[fold(typed.replaceAll('_', ' '))]
    if (variable) parts.push({ variable, capital: /^\p{Lu}/u.test(typed) })
    else unknown.push(match[0])
    at = match.index + match[0].length
  }
  if (at < clean.length) parts.push({ text: clean.slice(at) })
  if (unknown.length > 0) return refused('campaign.problem.unknown_variable', { given: unknown.join(', ') })
  if (parts.some((part) => 'text' in part && /[{}]/.test(part.text))) return refused('campaign.problem.open_brace')
  const longest = parts.reduce((sum, part) => sum + ('text' in part ? part.text.length : ROOM[part.variable]), 0)
  if (longest > maxChars) return refused('campaign.problem.too_long', { chars: longest, max: maxChars })
  return { type: 'read', template: { parts, uses: new Set(parts.flatMap((part) => ('variable' in part ? [part.variable] : []))) } }
}

/** Of one recipient; absent where nobody is registered behind a chat. */
export type RecipientFacts = {
  language: Language
  name: string | null
  address: string | null
  village: string | null
  commune: string
  /** Undefined: never begun. */
  form?: { criteriaSet: string; answered: readonly string[]; finished: boolean }
}

const DOUBLED_LABEL = /(?<!\p{L})(bản|thôn|xóm|ấp|buôn|khu|khu phố|tổ dân phố) \1(?= )/giu
// Who lives in no known village is of the commune
const LABEL_OF_COMMUNE = /(?<!\p{L})(?:bản|thôn|xóm|ấp|buôn|khu|khu phố|tổ dân phố) (xã)(?= )/giu

/** The words one person reads. The same facts make the same words: an echo is recognised by their hash. */
export function render(
  template: Template,
  facts: RecipientFacts,
  { texts, sets }: { texts: Texts; sets: ReadonlyMap<string, CriteriaSet> },
): string {
  const values: Record<Variable, () => string> = {
    name: () => facts.name ?? '',
    address: () =>
      facts.name === null
        ? texts.format({ key: 'campaign.everybody' }, {})
        : texts.format({ key: `address.${facts.address ?? 'bac'}` }, {}),
    // Who has not said where they live lives in the commune
    village: () => facts.village ?? texts.format({ key: 'campaign.whole_commune', params: { commune: facts.commune } }, {}),
    commune: () => facts.commune,
    missing: () => missing(facts, texts, sets),
  }
  const words = template.parts.map((part) => {
    if ('text' in part) return part.text
    const value = values[part.variable]()
    return part.capital ? capitalise(value) : value
  })
  // Where a name is not known, no gap is left
  return (
    words
      .join('')
      .replace(/[^\S\n]{2,}/g, ' ')
      .replace(/[^\S\n]+([,.!?;:])/g, '$1')
      // "Bản {bản}": the place brings its own word along
      .replace(DOUBLED_LABEL, '$1')
      .replace(LABEL_OF_COMMUNE, (both, commune: string) => (/^\p{Lu}/u.test(both) ? capitalise(commune) : commune))
      .trim()
  )
}

const NAMED = 3

function missing({ form }: RecipientFacts, texts: Texts, sets: ReadonlyMap<string, CriteriaSet>): string {
  if (!form) return texts.format({ key: 'campaign.missing.all' }, {})
  if (form.finished) return texts.format({ key: 'campaign.missing.nothing' }, {})
  const set = sets.get(form.criteriaSet)
  const open = (set?.questions ?? []).filter((question) => question.source === 'asked' && !form.answered.includes(question.key))
  if (!set || open.length === 0) return texts.format({ key: 'campaign.missing.confirmation' }, {})
  const named = open.slice(0, NAMED).map((question) => texts.format({ key: criteriaTextKey(set.id, question.key, 'short') }, {}))
  const more = open.length - named.length
  return texts.format({ key: 'campaign.missing.questions', params: { list: named.join(', '), more } }, {})
}

/** Tells the same words from others without keeping them. */
export function hashContent(text: string): string {
  return createHash('sha256').update(text.normalize('NFC').trim()).digest('base64url').slice(0, 22)
}

const refused = (key: string, params?: TextRef['params']): TemplateOutcome => ({
  type: 'refused',
  problem: params ? { key, params } : { key },
})

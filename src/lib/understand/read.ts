import { amountEdges } from './amounts.ts'
import { findEdit } from './edits.ts'
import { type Explanation, explain } from './explain.ts'
import { createWordFinder } from './find-word.ts'
import { canon } from './letters.ts'
import type { LanguageLexicon, Lexicon } from './lexicon.ts'
import { type NumberAt, numbersAt } from './numbers.ts'
import { partsOf } from './parts.ts'
import { addPhrase, createPhraseGraph, type Edge, findPhrases, type LabelKind, type PhraseGraph, type Place } from './phrase-graph.ts'
import { readWords, type Token, toToken } from './tokens.ts'
import type { Offered, Understanding } from './types.ts'
import { type Candidate, createVocabulary, type VocabularyLayer } from './vocabulary.ts'
import type { WordUser } from './words.ts'

/** The answers of one question, made ready. */
export type Prepared = {
  offered: Offered
  /** @internal */
  graph: PhraseGraph
  /** @internal */
  vocabulary: VocabularyLayer
  /** Words of the question. @internal */
  asked: ReadonlySet<string>
}

const ROLES = [
  'light',
  'poison',
  'others',
  'negator',
  'stop',
  'question',
  'question_ends',
  'person',
  'perhaps_person',
  'regret',
  'truly',
  'mistook',
  'deny',
  'or',
  'edit',
  'wrong',
  'polite',
  'edit_becomes',
  'question_before',
] as const

/** Costs closer than this are equally good readings: the person is asked. */
const MARGIN = 0.3
const ROUNDING = 1e-6
const MAX_LIGHT_COST = 0.2
const MAX_TURNING_COST = 0.1
/** "chưa biết" is an answer where it can be one, else it asks for help. */
const PERHAPS_COST = 0.5
const MAX_NEGATIVE_TOPICS = 3
/** The closing word of "có … không". */
const FINAL: Edge = {
  start: 0,
  end: 0,
  label: { kind: 'question', option: -1, whole: false },
  cost: 0,
  mistakes: 0,
  words: 1,
  strength: 1,
  negative: false,
}
const ANSWER_KINDS: ReadonlySet<LabelKind> = new Set(['option', 'person', 'perhaps_person'])
const NONE: Understanding = { kind: 'none' }

type Reading = {
  tokens: readonly Token[]
  candidates: readonly (readonly Candidate[])[]
  numbers: readonly (readonly NumberAt[])[]
  edges: readonly Edge[]
  ending: string
  /** Small words. */
  light: readonly boolean[]
  /** "gì", "đâu" after a denial: no question. */
  vague: readonly boolean[]
  /** Small words and words of the question. */
  passable: readonly boolean[]
  prepared: Prepared
}

export function createReader(lexicon: Lexicon) {
  const { languages } = lexicon
  const words = createWordFinder(lexicon.words)
  const values = new Map(languages.flatMap((one) => Object.entries(one.numbers).map(([word, value]) => [canon(word), value] as const)))
  const lightWords = new Set(single('light'))
  const negators = new Set([...single('poison'), ...single('negators'), ...single('others')])
  const denials = new Set(single('negators'))
  const afterNegation = new Set(single('after_negation'))
  const around = languages.flatMap((one) => one.question_around.map(([first, last]) => [canon(first), canon(last)] as const))
  const abuse = phrasesOf('abuse').map(
    (phrase) =>
      ` ${phrase
        .split(' ')
        .map((word) => canon(word))
        .join(' ')} `,
  )
  const weights = { isLight: (word: string) => lightWords.has(word), isNegator: (word: string) => negators.has(word) }
  const base = createVocabulary()
  const lexical = createPhraseGraph()
  for (const role of ROLES) {
    for (const phrase of phrasesOf(role === 'negator' ? 'negators' : role))
      for (const word of addPhrase(lexical, phrase, { kind: role, option: -1 }, lexicon.phrases)) base.add(word)
  }
  for (const one of languages) {
    for (const list of [one.ordinal_before, one.more_than, one.at_least, one.at_least_after, one.less_than, one.at_most, one.about, one.to])
      for (const phrase of list) for (const word of phrase.split(' ')) base.add(canon(word))
    for (const [unit, others] of Object.entries(one.units))
      for (const word of [unit, ...others].flatMap((each) => each.split(' '))) base.add(canon(word))
  }
  for (const word of values.keys()) base.add(word)
  const abbreviations = new Map<string, string[]>()
  for (const [meant, others] of languages.flatMap((one) => Object.entries(one.spellings))) {
    for (const typed of others) {
      if (meant.includes(' ')) abbreviations.set(canon(typed), meant.split(' '))
      else base.addSpelling(canon(typed), canon(meant))
    }
  }

  return { prepare, understand }

  function phrasesOf(role: keyof LanguageLexicon): string[] {
    return languages.flatMap((one) => one[role] as string[])
  }

  function single(role: keyof LanguageLexicon): string[] {
    return phrasesOf(role).flatMap((phrase) => (phrase.includes(' ') ? [] : [canon(phrase)]))
  }

  /** "Đã học xong" is also "học xong". */
  function withoutOpening(text: string): string {
    const words = text.trim().split(/\s+/)
    const first = words.findIndex((word) => !lightWords.has(canon(word.toLowerCase())))
    return words.length - first >= 2 ? words.slice(Math.max(0, first)).join(' ') : text
  }

  function prepare(offered: Offered): Prepared {
    const vocabulary = createVocabulary(base)
    const graph = createPhraseGraph()
    const add = (phrases: readonly string[], kind: LabelKind, option: number, own = false) => {
      for (const phrase of phrases)
        for (const word of addPhrase(graph, phrase, { kind, option, own }, lexicon.phrases)) vocabulary.add(word)
    }
    const topics = readWords(offered.ask ?? '').tokens.filter(
      ({ canon: word, figure }) => figure === undefined && !negators.has(word) && !lightWords.has(word),
    )
    add(
      topics.map((token) => token.raw),
      'topic',
      -1,
    )
    offered.options.forEach((option, index) => {
      const parts = partsOf(option.text, offered, phrasesOf('village_before'))
      add([...parts, ...parts.map(withoutOpening)], 'option', index, true)
      add(option.phrases ?? [], 'option', index)
    })
    if (offered.kind === undefined || offered.kind === 'choice') {
      add(phrasesOf('first'), 'option', 0)
      add(phrasesOf('last'), 'option', offered.options.length - 1)
    }
    if (offered.kind === 'confirm') {
      add(phrasesOf('yes'), 'option', 0)
      add(phrasesOf('no'), 'option', 1)
    }
    const asked = new Set(readWords(offered.ask ?? '').tokens.map((token) => token.canon))
    return { offered, graph, vocabulary, asked }
  }

  function understand(text: string, prepared: Prepared, users: readonly WordUser[]): Understanding {
    const command = words.command(text, users)
    if (command !== undefined) return { kind: 'word', word: command.word, ...(command.arg === undefined ? {} : { arg: command.arg }) }
    const read = readWords(text)
    if (read.tokens.length === 0) return read.end.includes('?') ? { kind: 'question' } : NONE
    const written = ` ${read.tokens.map((token) => token.canon).join(' ')} `
    if (abuse.some((phrase) => written.includes(phrase))) return NONE
    const answer = understandTokens(read.tokens, read.end, read.marked, prepared)
    const word = words.whole(read.tokens, users) ?? words.whole(withoutFrame(read.tokens, read.marked, prepared), users)
    if (word === undefined) return answer
    const found: Understanding = { kind: 'word', word: word.word, ...(word.arg === undefined ? {} : { arg: word.arg }) }
    if (answer.kind === 'option') {
      if (word.outcome === 'ask') return { kind: 'which_word', word: word.word, key: answer.key }
      return answer
    }
    if (word.outcome === 'ask') return { kind: 'which_word', word: word.word }
    if (answer.kind === 'edit' || (answer.kind === 'which' && word.outcome === 'answer_first')) return answer
    return found
  }

  /** Without the polite words around it. */
  function withoutFrame(tokens: readonly Token[], marked: boolean, prepared: Prepared): Token[] {
    const places = tokens.map((token) => ({ candidates: prepared.vocabulary.find(token, marked), numbers: [], skippable: undefined }))
    const polite = findPhrases(lexical, places, weights).filter((edge) => edge.label.kind === 'polite' && edge.cost <= MAX_LIGHT_COST)
    let start = 0
    let end = tokens.length
    for (let edge: Edge | undefined; ; start = edge.end) {
      edge = polite.filter((one) => one.start === start).sort((a, b) => b.end - a.end)[0]
      if (edge === undefined) break
    }
    for (let edge: Edge | undefined; ; end = edge.start) {
      edge = polite.filter((one) => one.end === end && one.start >= start).sort((a, b) => a.start - b.start)[0]
      if (edge === undefined) break
    }
    return tokens.slice(start, end)
  }

  function understandTokens(typed: readonly Token[], ending: string, marked: boolean, prepared: Prepared): Understanding {
    const { offered, vocabulary } = prepared
    const tokens = typed.flatMap((token) => spellOut(token) ?? takeApart(token, vocabulary, marked))
    const candidates = tokens.map((token) => (token.figure === undefined ? vocabulary.find(token, marked) : []))
    const numbers = tokens.map((_, at) => numbersAt(at, tokens, candidates, values))
    let negated = false
    const vague: boolean[] = []
    const light = candidates.map((list) => {
      const isOneOf = (set: ReadonlySet<string>) =>
        list.some(({ word, cost }) => cost <= Math.min(MAX_LIGHT_COST, list[0]?.cost ?? 0) && set.has(word))
      vague.push(negated && isOneOf(afterNegation))
      const small = vague.at(-1) === true || isOneOf(lightWords)
      negated ||= isOneOf(denials)
      return small
    })
    const places: Place[] = candidates.map((list, at) => ({
      candidates: list,
      numbers: numbers[at] ?? [],
      skippable: light[at]
        ? 'small'
        : list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && prepared.asked.has(word))
          ? 'topic'
          : undefined,
    }))
    const edges = [...findPhrases(lexical, places, weights), ...findPhrases(prepared.graph, places, weights)]
    const passable = places.map((place) => place.skippable !== undefined)
    if (edges.some((edge) => edge.label.kind === 'stop' && edge.cost <= MAX_LIGHT_COST)) return NONE

    const edit = findEdit({ tokens, numbers, edges, offered, light })
    if (edit !== undefined) return edit

    const inside = (edge: Edge) =>
      edges.some(
        (one) =>
          one.label.kind === 'option' && one.strength >= 2 && one.words > edge.words && one.start <= edge.start && one.end >= edge.end,
      )
    const last = (kind: LabelKind) =>
      edges.filter((edge) => edge.label.kind === kind && edge.cost <= MAX_LIGHT_COST && !inside(edge)).sort((a, b) => b.end - a.end)[0]
    const truly = last('truly')
    if (truly !== undefined && tokens.slice(truly.end).every((_, i) => light[truly.end + i])) {
      let from = truly.start - 1
      while (from > 0 && tokens[from]?.gap === '') from--
      const meant = from < 0 ? NONE : understandTokens(tokens.slice(from, truly.start), '', marked, prepared)
      if (meant.kind === 'option') return meant
    }
    const regret = last('regret')
    if (regret !== undefined) {
      const after = tokens.slice(regret.end)
      if (!after.every((_, i) => light[regret.end + i])) return understandTokens(after, ending, marked, prepared)
      if (!tokens.slice(0, regret.start).every((_, i) => light[i])) return NONE
    }

    edges.push(...amountEdges({ tokens, candidates, numbers, offered, languages, light }))
    return decide({ tokens, candidates, numbers, edges, ending, light, vague, passable, prepared })
  }

  function spellOut(token: Token): Token[] | undefined {
    return abbreviations.get(token.canon)?.map((word, i) => toToken(word, i === 0 ? token.gap : ''))
  }

  function decide(args: Reading): Understanding {
    const { tokens, candidates, numbers, edges, ending, light, vague, passable, prepared } = args
    const { offered } = prepared
    const { length } = tokens
    const help = offered.options.length
    const isSmall = (at: number) =>
      light[at] === true || (numbers[at]?.length ?? 0) > 0 || edges.some(({ label, start }) => label.kind === 'or' && start === at)
    const alone = (edge: Edge) => tokens.every((_, at) => (edge.figure ? isSmall(at) : light[at]) || (at >= edge.start && at < edge.end))
    const answers = edges.flatMap((edge) => {
      const { kind, whole } = edge.label
      // a written figure beside other words may contradict them; a number word is then only a word
      if (whole && !alone(edge) && !(edge.figure && tokens[edge.start]?.figure !== undefined)) return []
      if (kind === 'option') return [edge]
      if (kind !== 'person' && kind !== 'perhaps_person') return []
      const ownAnswer = edges.some(({ label, start, end }) => label.own && start <= edge.start && end >= edge.end)
      const cost = edge.cost + (kind === 'person' && !ownAnswer ? 0 : PERHAPS_COST)
      return [{ ...edge, cost, label: { ...edge.label, kind: 'option' as const, option: help } }]
    })
    const denied: Edge[] = []
    for (const deny of edges) {
      const { kind } = deny.label
      if (kind !== 'deny' && kind !== 'mistook' && kind !== 'negator') continue
      let at = deny.end
      while (light[at] && kind !== 'negator') at++
      for (const edge of answers) {
        const follows = edge.start >= deny.end && edge.start <= at && edge.end > at
        if (follows && (kind === 'deny' || tokens[deny.end]?.gap === '')) denied.push({ ...edge, start: deny.start })
      }
    }
    const speaksOf = (edge: Edge) => candidates[edge.start]?.some(({ word, cost }) => cost === 0 && prepared.asked.has(word)) ?? false
    const turning = tokens.map(() => false)
    for (const edge of edges) {
      const { kind } = edge.label
      if (kind !== 'poison' && kind !== 'negator' && (kind !== 'others' || speaksOf(edge))) continue
      const readsSmall = edge.end - edge.start === 1 && light[edge.start]
      // "may" in a text with diacritics is not "mấy"; a denial is heard however it is spelled
      if (!readsSmall && (kind === 'negator' || edge.cost < MAX_TURNING_COST)) turning.fill(true, edge.start, edge.end)
    }
    const byStart: Edge[][] = Array.from({ length }, () => [])
    vague.forEach((isVague, at) => {
      if (isVague) byStart[at]?.push({ ...FINAL, label: { kind: 'light', option: -1, whole: false }, start: at, end: at + 1 })
    })
    for (const edge of edges) if (!ANSWER_KINDS.has(edge.label.kind)) byStart[edge.start]?.push(edge)
    for (const edge of answers) byStart[edge.start]?.push(edge)

    const explanations: Explanation[] = []
    for (const option of new Set(answers.map((edge) => edge.label.option))) {
      const one = explain({ length, option, byStart, turning, denied })
      if (one !== undefined) explanations.push(one)
    }
    const isDenied = (edge: Edge) =>
      denied.some((one) => one.label.option === edge.label.option && one.start <= edge.start && one.end >= edge.end)
    let lastWord = length
    while (lastWord > 0 && light[lastWord - 1] && !around.some(([, end]) => isWord(lastWord - 1, end))) lastWord--
    const isVague = (at: number) =>
      vague[at] === true || edges.some((edge) => edge.label.kind === 'light' && edge.words > 1 && edge.start <= at && edge.end > at)
    const asked = edges.filter(
      ({ label, start, end, cost }) =>
        cost <= MAX_LIGHT_COST &&
        (label.kind === 'question' || (label.kind === 'question_ends' && cost < MAX_TURNING_COST && end >= lastWord && !isVague(start))),
    )
    for (const [first, end] of around) {
      const opens = tokens.findIndex((_, at) => isWord(at, first))
      if (opens >= 0 && opens < lastWord - 1 && isWord(lastWord - 1, end)) asked.push({ ...FINAL, start: lastWord - 1, end: lastWord })
    }
    const conflicts = (one: Explanation) =>
      one.rivals > 0 ||
      answers.some((edge) => edge.label.option !== one.option && !edge.label.whole && !isDenied(edge) && uncovered(edge, one, passable))
    const complete = explanations.filter((one) => isEnough(one)).sort((a, b) => a.cost - b.cost)
    const whole = complete.filter((one) => !conflicts(one))
    const sure = whole.filter((one) => !whole.some((other) => says(other, one)))
    const best = sure[0]
    if (asked.some((edge) => best === undefined || uncovered(edge, best, []))) return { kind: 'question' }
    if (ending.includes('?')) return { kind: 'question' }
    if (best !== undefined) {
      const equal = sure.filter((one) => one.cost - best.cost < MARGIN)
      return equal.length === 1 ? named(best.option) : which(equal)
    }
    return complete.length > 1 ? which(complete) : NONE

    function isWord(at: number, word: string): boolean {
      return candidates[at]?.some((one) => one.word === word && one.cost <= MAX_LIGHT_COST) ?? false
    }
    function named(option: number): Understanding {
      const key = offered.options[option]?.key
      return key === undefined ? { kind: 'person' } : { kind: 'option', key }
    }
    function which(list: readonly Explanation[]): Understanding {
      const options = [...new Set(list.map((one) => one.option))].sort((a, b) => a - b)
      return { kind: 'which', keys: options.map((option) => offered.options[option]?.key ?? '0') }
    }
  }
}

/** `other` reads all that `one` reads and more words besides, at no greater distance: "không đều" says more than "không". */
function says(other: Explanation, one: Explanation): boolean {
  const words = (explanation: Explanation) => explanation.matches.reduce((sum, edge) => sum + edge.words, 0)
  return (
    other.option !== one.option &&
    other.cost <= one.cost &&
    words(other) > words(one) &&
    one.matches.every((edge) => !uncovered(edge, other, []))
  )
}

/** Enough of the text is explained by phrases of the answer, and nothing in it turns the meaning. */
function isEnough(one: Explanation): boolean {
  if (one.poison) return false
  const strong = one.matches.filter((edge) => !edge.label.whole)
  const strength = strong.reduce((sum, edge) => sum + edge.strength, 0)
  const mistakes = one.matches.reduce((sum, edge) => sum + edge.mistakes, 0)
  if (strength === 0) return one.unknown === 0 && one.topics === 0 && mistakes === 0
  if (mistakes > 0 && strength - mistakes < 1) return false
  if (strong.some((edge) => edge.negative) && one.topics > MAX_NEGATIVE_TOPICS) return false
  return one.unknown <= (strength === 1 ? 0 : Math.min(strength, 3))
}

/** Some word of the phrase that is not small stands outside the matches of the explanation. */
function uncovered(edge: Edge, one: Explanation, light: readonly boolean[]): boolean {
  for (let at = edge.start; at < edge.end; at++) {
    if (light[at]) continue
    if (![...one.matches, ...one.denied].some((match) => match.start <= at && match.end > at)) return true
  }
  return false
}

const MIN_JOINED_LETTERS = 5
const MAX_JOINED_WORDS = 4

/** "thuongxuyen" → thuong xuyen, "câu3" → câu 3, "5buổi" is already apart. */
function takeApart(token: Token, vocabulary: VocabularyLayer, marked: boolean): Token[] {
  if (token.figure !== undefined) return [token]
  const letters = /^(\p{L}[\p{L}\p{M}]*)(\d+)$/u.exec(token.raw)
  if (letters !== null && vocabulary.find(token, marked).length === 0)
    return [toToken(letters[1] ?? '', token.gap), toToken(letters[2] ?? '', '')]
  if (token.plain.length < MIN_JOINED_LETTERS || /\d/.test(token.plain) || vocabulary.find(token, marked).length > 0) return [token]
  const cut = cutJoined(token.raw.normalize('NFC'), vocabulary, MAX_JOINED_WORDS)
  return cut === undefined ? [token] : cut.map((piece, i) => toToken(piece, i === 0 ? token.gap : ''))
}

function cutJoined(text: string, vocabulary: VocabularyLayer, pieces: number): string[] | undefined {
  if (text === '') return []
  if (pieces === 0) return undefined
  for (let end = Math.min(text.length, 7); end >= 2; end--) {
    const piece = text.slice(0, end)
    const { canon: word, plain: bare, marked } = toToken(piece, '')
    if (marked ? !vocabulary.has(word) : !vocabulary.hasPlain(bare)) continue
    const rest = cutJoined(text.slice(end), vocabulary, pieces - 1)
    if (rest !== undefined) return [piece, ...rest]
  }
  return undefined
}

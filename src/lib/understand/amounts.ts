import { canon } from './letters.ts'
import type { LanguageLexicon } from './lexicon.ts'
import type { NumberAt } from './numbers.ts'
import type { Edge, Label } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { Offered } from './types.ts'
import type { Candidate } from './vocabulary.ts'

type Args = {
  tokens: readonly Token[]
  candidates: readonly (readonly Candidate[])[]
  numbers: readonly (readonly NumberAt[])[]
  offered: Offered
  amounts: AmountWords
  light: readonly boolean[]
}

/** Phrases cut into words. */
type Phrases = readonly (readonly string[])[]

/** What stands around a number, in all languages, ready to be compared. */
export type AmountWords = {
  ordinal: Phrases
  /** Before an amount: which of its bounds moves. */
  bounds: readonly { bound: 'more' | 'least' | 'less' | 'most' | 'about'; phrases: Phrases }[]
  leastAfter: Phrases
  to: Phrases
  units: ReadonlyMap<string, Phrases>
  /** One word of what is counted. */
  isUnit(word: string, counts: string): boolean
}

export function readAmountWords(languages: readonly LanguageLexicon[]): AmountWords {
  const cut = (phrases: readonly string[]) => phrases.map((phrase) => phrase.split(' ').map((word) => canon(word)))
  const of = (role: 'ordinal_before' | 'more_than' | 'at_least' | 'less_than' | 'at_most' | 'about' | 'at_least_after' | 'to') =>
    cut(languages.flatMap((one) => one[role]))
  const units = new Map<string, Phrases>()
  for (const [unit, others] of languages.flatMap((one) => Object.entries(one.units)))
    units.set(unit, [...(units.get(unit) ?? []), ...cut([unit, ...others])])
  return {
    ordinal: of('ordinal_before'),
    bounds: [
      { bound: 'least', phrases: of('at_least') },
      { bound: 'most', phrases: of('at_most') },
      { bound: 'more', phrases: of('more_than') },
      { bound: 'less', phrases: of('less_than') },
      { bound: 'about', phrases: of('about') },
    ],
    leastAfter: of('at_least_after'),
    to: of('to'),
    units,
    isUnit: (word, counts) => (units.get(counts) ?? [[canon(counts)]]).some((phrase) => phrase.length === 1 && phrase[0] === word),
  }
}

/** "tư" is four only after "thứ"; without its mark it is "tự" and "từ" as well. */
const ORDINAL_ONLY = new Set(['tu'])
/** More than so many times the highest bound is not counted any more: "30 tiếng" are hours. */
const PLAUSIBLE = 8
const MAX_COST = 0.3
/** A unit may be mistyped: the number beside it says what is meant. */
const MAX_UNIT_COST = 0.8
/** "số 2" is an answer beside an unknown word or two. */
const ORDINAL_STRENGTH = 2
const RANGE_SIGNS = /^[-–—~/.]{1,3}$/

/** What numbers of the text say: the number of an answer ("2", "số 2"), or an amount that falls to an answer ("5 buổi", "hơn 3 buổi"). */
export function amountEdges(args: Args): Edge[] {
  const { numbers, offered } = args
  const edges: Edge[] = []
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at]?.at(-1)
    if (number === undefined) continue
    const before = ordinalStart(at, args)
    if (before !== undefined) edges.push(...optionNumber(number.value, before, number.end, false, offered))
    else if (args.tokens[at]?.figure === undefined && ORDINAL_ONLY.has(args.tokens[at]?.plain ?? '')) continue
    else if (offered.kind !== 'village' || isAlone(at, number.end, args))
      edges.push(...optionNumber(number.value, at, number.end, true, offered))
    if (offered.counts !== undefined && before === undefined) edges.push(...amount(at, number, args))
  }
  return edges
}

/** "một buổi ở bản với một buổi ở xã", "ba hội nghị và một lớp": nobody has added them up. */
export function isSum(edges: readonly Edge[], isPlus: readonly boolean[], numbers: readonly (readonly NumberAt[])[]): boolean {
  const amounts = edges.filter((edge) => edge.amount)
  const isCounted = (at: number) => numbers[at]?.some(({ end }) => !isPlus[end]) ?? false
  return amounts.some(
    ({ label, start, end }) =>
      amounts.some((other) => other.start >= end && other.label.option === label.option && isPlus.slice(end, other.start).some(Boolean)) ||
      isPlus.some((is, plus) => is && plus === start - 1 && numbers.slice(0, plus).some((_, at) => isCounted(at))),
  )
}

/** Names of villages hold numbers: only a number by itself is the number of an answer. */
function isAlone(at: number, end: number, { light }: Args): boolean {
  return light.every((isLight, place) => isLight || (place >= at && place < end))
}

function optionNumber(value: number, start: number, end: number, whole: boolean, offered: Offered): Edge[] {
  if (value === 0 && offered.helpKey !== undefined) return [toEdge(start, end, { kind: 'person', option: -1, whole }, 1)]
  if (value < 1 || value > offered.options.length) return []
  return [toEdge(start, end, { kind: 'option', option: value - 1, whole }, whole ? 1 : ORDINAL_STRENGTH)]
}

function amount(at: number, number: NumberAt, args: Args): Edge[] {
  const { offered, amounts, numbers, tokens, light } = args
  let min = number.value
  let max = number.value
  let end = number.end
  const next = rangeEnd(end, args)
  const upper = next === undefined ? undefined : numbers[next]?.at(-1)
  if (upper !== undefined && upper.value > min) {
    max = upper.value
    end = upper.end
  } else if (
    at > 0 &&
    numbers.some(
      (list, place) => place < at && list.at(-1)?.end === at && list.at(-1)?.value === number.value - 1 && tokens[at]?.gap === '',
    )
  ) {
    return []
  }
  const signed = next !== undefined && RANGE_SIGNS.test(tokens[next]?.gap ?? '')
  const unit = phraseFrom(end, unitsOf(offered.counts ?? '', amounts), args, MAX_UNIT_COST)
  if (unit !== undefined) end = unit
  else if ((max > min && !signed) || hasOtherNumber(at, end, numbers)) return []
  let start = at
  let beforeAt = at - 1
  while (beforeAt >= 0 && light[beforeAt]) beforeAt--
  for (const place of new Set([at - 1, beforeAt])) {
    // the longest phrase speaks: "không dưới" before "dưới"
    let first: { bound: AmountWords['bounds'][number]['bound']; start: number } | undefined
    for (const { bound, phrases } of amounts.bounds) {
      const begins = phraseTo(place, phrases, args)
      if (begins !== undefined && begins < (first?.start ?? Number.POSITIVE_INFINITY)) first = { bound, start: begins }
    }
    if (first === undefined) continue
    start = first.start
    if (first.bound === 'least') max = max > min ? max : Number.POSITIVE_INFINITY
    else if (first.bound === 'most') min = 0
    else if (first.bound === 'more') [min, max] = [min + 1, Number.POSITIVE_INFINITY]
    else if (first.bound === 'less') [min, max] = [0, min - 1]
    break
  }
  const after = phraseFrom(end, amounts.leastAfter, args)
  if (after !== undefined) {
    end = after
    max = Number.POSITIVE_INFINITY
  }
  const bound = Math.max(...offered.options.map((option) => option.amount?.min ?? 0))
  if (min > PLAUSIBLE * Math.max(1, bound)) return []
  // an unknown word just before may change the number: "mpười hai buổi" is not "hai buổi"
  const before = start > 0 && tokens[start]?.gap === '' && (args.candidates[start - 1]?.[0]?.cost ?? 1) >= MAX_COST
  const strength = unit === undefined || before ? 1 : 2
  return offered.options.flatMap((option, index) => {
    if (option.amount === undefined) return []
    const fits = max >= (option.amount.min ?? 0) && min <= (option.amount.max ?? Number.POSITIVE_INFINITY)
    return fits ? [toEdge(start, end, { kind: 'option', option: index, whole: unit === undefined }, strength)] : []
  })
}

/** "2 hoặc 3": without a unit two figures are two answers, not amounts. */
function hasOtherNumber(at: number, end: number, numbers: Args['numbers']): boolean {
  return numbers.some((list, place) => list.length > 0 && (place < at || place >= end))
}

/** Where the second number of "2-3", "2 đến 3", "hai ba" begins. */
function rangeEnd(at: number, args: Args): number | undefined {
  const { tokens, numbers, amounts } = args
  const gap = tokens[at]?.gap ?? ''
  if (RANGE_SIGNS.test(gap) && (numbers[at]?.length ?? 0) > 0) return at
  const to = gap === '' ? phraseFrom(at, amounts.to, args) : undefined
  if (to !== undefined) return to
  const here = numbers[at]?.at(-1)
  const before = numbers[at - 1]?.at(-1)
  return gap === '' && here !== undefined && before !== undefined && here.value === before.value + 1 ? at : undefined
}

function unitsOf(counts: string, { units }: AmountWords): Phrases {
  return units.get(counts) ?? [[canon(counts)]]
}

/** The place after one of the phrases that begins at `at`. */
function phraseFrom(at: number, phrases: Phrases, { candidates }: Args, maxCost = MAX_COST): number | undefined {
  let best: number | undefined
  for (const words of phrases) {
    if (words.every((word, i) => isWord(candidates[at + i], word, maxCost))) best = Math.max(best ?? 0, at + words.length)
  }
  return best
}

/** The place where one of the phrases that end at `at` begins. */
function phraseTo(at: number, phrases: Phrases, args: Args): number | undefined {
  let best: number | undefined
  for (const phrase of phrases) {
    const start = at - phrase.length + 1
    if (start >= 0 && phraseFrom(start, [phrase], args) === at + 1) best = Math.min(best ?? start, start)
  }
  return best
}

/** "số", "câu số", "chọn đáp án": the words that make the number after them the number of an answer. */
function ordinalStart(at: number, args: Args): number | undefined {
  let start: number | undefined
  for (let place = at - 1; place >= 0; ) {
    const found = phraseTo(place, args.amounts.ordinal, args)
    if (found === undefined) break
    start = found
    place = found - 1
  }
  return start
}

function isWord(list: readonly Candidate[] | undefined, word: string, maxCost: number): boolean {
  return list?.some((one) => one.word === word && one.cost <= maxCost) ?? false
}

function toEdge(start: number, end: number, label: Label, strength: number): Edge {
  return {
    start,
    end,
    label,
    cost: 0,
    mistakes: 0,
    words: end - start,
    strength,
    negative: false,
    figure: label.whole,
    amount: strength > 1,
  }
}

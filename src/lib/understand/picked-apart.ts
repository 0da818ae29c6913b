import { type Context, wordsMeant } from './context.ts'
import { type Edge, findPhrases, type LabelKind, type Place } from './phrase-graph.ts'
import type { Token, Words } from './tokens.ts'
import { understandTokens } from './understand-tokens.ts'

const PAUSE = /[.,;:!?…()-]/
const MAX_COST = 0.2
/** "đáp án số 4 nhé cán bộ": longer parts tell something. */
const MAX_WORDS = 6
/** Beside one of these a picked answer may be taken back, or asked about. */
const UNSETTLING: ReadonlySet<LabelKind> = new Set([
  'regret',
  'mistook',
  'truly',
  'deny',
  'deny_after',
  'or',
  'stop',
  'edit',
  'wrong',
  'question',
  'question_ends',
  'person',
])

/**
 * The answer picked by its number at the beginning or the end of a text, a pause away from the rest: "4, nói ra buồn", "cuối cùng, số 4". The rest
 * tells why, and speaks of no other answer.
 */
export function pickedApart({ tokens: typed, end }: Words, context: Context): string | undefined {
  const { kind, options } = context.prepared.offered
  if ((kind !== undefined && kind !== 'choice') || options.length === 0 || end.includes('?')) return undefined
  const tokens = wordsMeant(typed, context)
  const cuts = tokens.flatMap(({ gap }, at) => (at > 0 && PAUSE.test(gap) && !isRange(tokens, at) ? [at] : []))
  const [first] = cuts
  const last = cuts.at(-1)
  if (first === undefined || last === undefined) return undefined
  const opening = { pick: tokens.slice(0, first), rest: tokens.slice(first) }
  const closing = { pick: tokens.slice(last), rest: tokens.slice(0, last) }
  for (const { pick, rest } of [opening, closing]) {
    const key = picked(pick, context)
    if (key !== undefined && isSettled(rest, key, context)) return key
  }
  return undefined
}

/** "2-3 lần" is one part. */
function isRange(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.figure !== undefined && tokens[at - 1]?.figure !== undefined
}

/** The answer whose number is all these words say. */
function picked(part: readonly Token[], context: Context): string | undefined {
  const { lists, prepared } = context
  if (part.length > MAX_WORDS) return undefined
  const isNumber = ({ figure, canon: word }: Token) => figure !== undefined || lists.values.has(word)
  const isAround = ({ canon: word }: Token) => lists.light.has(word) || lists.ordinals.has(word)
  // "bốn cháu, ba cháu lên": of a household's children it counts
  const counts = (token: Token, at: number) => isNumber(token) && lists.children.has(part[at + 1]?.canon ?? '')
  if (prepared.offered.asksPerson === false && part.some(counts)) return undefined
  if (part.filter(isNumber).length !== 1 || !part.every((token) => isNumber(token) || isAround(token))) return undefined
  const understood = understandTokens(part, '', context)
  return understood.kind === 'option' ? understood.key : undefined
}

/** Nothing in the rest speaks of another answer, takes one back or asks. */
function isSettled(rest: readonly Token[], key: string, context: Context): boolean {
  const { lists, prepared, lookup } = context
  if (rest.some(({ figure, gap }) => figure !== undefined || gap.includes('?'))) return false
  const understood = understandTokens(rest, '', context)
  if (understood.kind === 'option') return understood.key === key
  const places = rest.map((token): Place => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
  const isNear = ({ cost }: Edge) => cost <= MAX_COST
  if (findPhrases(lists.graph, places, lists.weights).some((edge) => isNear(edge) && UNSETTLING.has(edge.label.kind))) return false
  return findPhrases(prepared.graph, places, lists.weights).every(
    (edge) => !isNear(edge) || edge.label.kind !== 'option' || edge.label.whole || prepared.offered.options[edge.label.option]?.key === key,
  )
}

import type { Explanation } from './explain.ts'
import type { Edge } from './phrase-graph.ts'
import type { Offered } from './types.ts'

/** Differences of costs smaller than this come from adding floating numbers. */
const ROUNDING = 1e-6
/** "không đọc báo, xem ti vi …": a denial with much beside it denies less than it seems. */
const MAX_NEGATIVE_TOPICS = 3
/** A single word that must be the whole message must be written rightly. */
const MAX_WHOLE_COST = 0.2
/** A phrase whose words are further from what was typed was not meant. */
const MAX_COST_EACH = 0.5
const MAX_NEGATIVE_UNKNOWN = 3
const MAX_AMOUNT_UNKNOWN = 1
/** Unknown words beside each word of an answer that carries meaning. */
const MAX_UNKNOWN_EACH = 2
const MAX_UNKNOWN = 6

function matchCost(one: Explanation): number {
  return one.matches.reduce((sum, edge) => sum + edge.cost, 0)
}

/** Enough of the text is explained by phrases of the answer, and nothing in it turns the meaning. */
export function isEnough(one: Explanation, offered: Offered): boolean {
  if (one.poison) return false
  const strong = one.matches.filter((edge) => !edge.label.whole)
  if (strong.some((edge) => edge.cost > MAX_COST_EACH * edge.words)) return false
  const strength = strong.reduce((sum, edge) => sum + edge.strength, 0)
  const mistakes = one.matches.reduce((sum, edge) => sum + edge.mistakes, 0)
  if (strength === 0) {
    const evidence = one.matches.reduce((sum, edge) => sum + edge.strength, 0)
    return (
      one.unknown === 0 &&
      one.topics === 0 &&
      one.asides === 0 &&
      one.beside.length === 0 &&
      (evidence - mistakes >= 2 || matchCost(one) <= MAX_WHOLE_COST)
    )
  }
  // yes and no weigh more than the rest: nothing unknown may stand beside them
  if (offered.kind === 'confirm' && one.unknown > 0) return false
  if (mistakes > 0 && strength - mistakes < 1) return false
  if (strong.every((edge) => edge.amount)) return one.unknown <= MAX_AMOUNT_UNKNOWN
  if (strong.some((edge) => edge.negative))
    return one.topics <= MAX_NEGATIVE_TOPICS && one.unknown <= Math.min(strength, MAX_NEGATIVE_UNKNOWN)
  return one.unknown <= (strength === 1 ? 0 : Math.min(MAX_UNKNOWN_EACH * strength, MAX_UNKNOWN))
}

/**
 * `other` reads all that `one` reads and more words besides, or the same as one longer phrase, at no greater distance: "không đều" says more
 * than "không".
 */
export function saysMore(other: Explanation, one: Explanation): boolean {
  const words = (explanation: Explanation) => explanation.matches.reduce((sum, edge) => sum + edge.words, 0)
  if (other.option === one.option || other.cost > one.cost + ROUNDING) return false
  const more = words(other) > words(one) || (words(other) === words(one) && other.matches.length < one.matches.length)
  return more && one.matches.every((edge) => !isUncovered(edge, other, []))
}

/** Some word of the phrase stands outside the matches of the explanation; `passable` words do not count. */
export function isUncovered(edge: Edge, one: Explanation, passable: readonly boolean[]): boolean {
  for (let at = edge.start; at < edge.end; at++) {
    if (passable[at]) continue
    const isCovered = (match: Edge) => match.start <= at && match.end > at && match.holes?.includes(at) !== true
    if (!one.matches.some(isCovered) && !one.denied.some(isCovered)) return true
  }
  return false
}

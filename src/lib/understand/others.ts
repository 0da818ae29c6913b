import type { Context } from './context.ts'
import { type Edge, findPhrases, type Place } from './phrase-graph.ts'

const MAX_COST = 0.2

/** Somebody whose doings are no answer: none of those the question speaks of, and not named only as the one with whom or for whom. */
export function isOtherPerson(
  { start, end }: Pick<Edge, 'start' | 'end'>,
  words: readonly string[],
  { lists, prepared }: Context,
): boolean {
  return !lists.notActing.has(words[start - 1] ?? '') && !words.slice(start, end).every((word) => prepared.actors.has(word))
}

/** Other people stand in these words, and in no frame around an answer. */
export function speaksOfOthers(words: readonly string[], places: readonly Place[], context: Context): boolean {
  const edges = findPhrases(context.lists.graph, places, context.lists.weights).filter(({ cost }) => cost <= MAX_COST)
  const isFrame = ({ label, words: count }: Edge) => label.kind === 'aside' || (label.kind === 'light' && count > 1)
  return edges.some(
    (one) =>
      one.label.kind === 'others' &&
      isOtherPerson(one, words, context) &&
      !edges.some((edge) => isFrame(edge) && edge.start <= one.start && edge.end >= one.end),
  )
}

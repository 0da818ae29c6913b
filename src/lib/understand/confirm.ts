import { type Context, wordsMeant } from './context.ts'
import { isOtherPerson } from './others.ts'
import { type Edge, findPhrases, type Place } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { Understanding } from './types.ts'
import { unreadWords } from './unread.ts'
import type { Candidate } from './vocabulary.ts'
import type { WordLists } from './word-lists.ts'

const MAX_COST = 0.2
const NOTHING: ReadonlySet<string> = new Set()

/** An answer is taken only when every word beside it is accounted for; else it is offered: "is it this one?". */
export function confirmed(answer: Understanding, typed: readonly Token[], context: Context): Understanding {
  const { lists, prepared, lookup } = context
  const { offered } = prepared
  if (answer.kind !== 'option' || offered.kind === 'village') return answer
  const tokens = wordsMeant(typed, context)
  const candidates = tokens.map((token) =>
    token.figure === undefined ? lookup.find(token, (token.marked || lookup.marked) && lists.ordinary.has(token.canon)) : [],
  )
  if (isPick(tokens, candidates, lists)) return answer
  const places = candidates.map((list): Place => ({ candidates: list, numbers: [], skippable: undefined }))
  const written = tokens.map((token) => token.canon)
  let phrases: Edge[] | undefined
  const unread = unreadWords({
    tokens,
    candidates,
    edges: findPhrases(lists.graph, places, lists.weights),
    answer: () => {
      phrases ??= findPhrases(prepared.graph, places, lists.weights).filter(
        ({ label }) => offered.options[label.option]?.key === answer.key,
      )
      return phrases
    },
    subject: prepared.subject[offered.options.findIndex(({ key }) => key === answer.key)] ?? NOTHING,
    asked: prepared.asked,
    topics: prepared.topics,
    lists,
    isOther: (edge) =>
      isOtherPerson(edge, written, context) && !written.slice(edge.start, edge.end).every((word) => prepared.asked.has(word)),
    counts: offered.counts,
    asksPerson: offered.asksPerson !== false,
    withOthers: prepared.withOthers,
  })
  return unread.length === 0 ? answer : { kind: 'which', keys: [answer.key] }
}

/** Nothing but the number of an answer and the words around it: "e chon so 2", whatever else these could be without diacritics. */
function isPick(tokens: readonly Token[], candidates: readonly (readonly Candidate[])[], lists: WordLists): boolean {
  const isNumber = (at: number) => tokens[at]?.figure !== undefined
  const isAround = (at: number) =>
    candidates[at]?.some(({ word, cost }) => cost <= MAX_COST && (lists.light.has(word) || lists.ordinals.has(word))) ?? false
  return tokens.some((_, at) => isNumber(at)) && tokens.every((_, at) => isNumber(at) || isAround(at))
}

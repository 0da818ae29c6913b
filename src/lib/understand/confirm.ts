import { type Context, wordsMeant } from './context.ts'
import { isOtherPerson } from './others.ts'
import { type Edge, findPhrases, type Place } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { Understanding } from './types.ts'
import { unreadWords } from './unread.ts'

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
    asksPerson: offered.asksPerson !== false,
  })
  return unread.length === 0 ? answer : { kind: 'which', keys: [answer.key] }
}

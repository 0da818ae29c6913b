import type { Context } from './context.ts'
import type { FoundWord } from './find-word.ts'
import { type Edge, findPhrases, type Place } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { WordUser } from './words.ts'

const MAX_COST = 0.2

/** Nothing but greetings and polite words. */
export function isGreeting(tokens: readonly Token[], context: Context): boolean {
  const found = framing(tokens, context).filter(({ label }) => label.kind === 'greeting' || label.kind === 'polite')
  const covered = new Set<number>()
  for (const { start, end } of found) for (let at = start; at < end; at++) covered.add(at)
  return found.some(({ label }) => label.kind === 'greeting') && covered.size === tokens.length
}

/** A word with polite words around it. As few of them as possible are taken off the end: "trợ giúp ạ" ends in two. */
export function wordInFrame(tokens: readonly Token[], context: Context, users: readonly WordUser[]): FoundWord | undefined {
  const polite = framing(tokens, context).filter(({ label }) => label.kind === 'polite')
  let start = 0
  for (let edge: Edge | undefined; ; start = edge.end) {
    edge = polite.filter((one) => one.start === start).sort((a, b) => b.end - a.end)[0]
    if (edge === undefined) break
  }
  const ends = new Set([tokens.length])
  for (const end of ends) for (const one of polite) if (one.end === end && one.start >= start) ends.add(one.start)
  for (const end of [...ends].sort((a, b) => b - a)) {
    const word = context.lists.words.whole(tokens.slice(start, end), users)
    if (word !== undefined) return word
  }
  return undefined
}

function framing(tokens: readonly Token[], { lists, lookup }: Context): Edge[] {
  const places = tokens.map((token): Place => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
  return findPhrases(lists.graph, places, lists.weights).filter(({ cost }) => cost <= MAX_COST)
}

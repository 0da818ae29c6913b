import type { Edge } from './phrase-graph.ts'
import type { Token } from './tokens.ts'

/** Words `start` up to, not including, `end` of a text. `opened`: a word before it sets it against the rest. */
export type Clause = { start: number; end: number; opened: boolean }

const PAUSE = /[.,;:!?…]/

/** Cuts a text at its pauses and before the words that begin a clause: "bận nương suốt | nên ít xem". Those words stay outside. */
export function cutClauses(tokens: readonly Token[], edges: readonly Edge[]): Clause[] {
  const opening = new Set(edges.filter(({ label }) => label.kind === 'clause').map(({ start }) => start))
  const cuts = tokens.flatMap(({ gap }, at) => (at === 0 || opening.has(at) || PAUSE.test(gap) ? [at] : []))
  return cuts
    .map((at, i): Clause => ({ start: opening.has(at) ? at + 1 : at, end: cuts[i + 1] ?? tokens.length, opened: opening.has(at) }))
    .filter(({ start, end }) => end > start)
}

import type { Edge } from './phrase-graph.ts'

/** The cheapest way to read the whole text as one answer. */
export type Explanation = {
  option: number
  cost: number
  unknown: number
  /** The places of the unknown words. */
  unread: number[]
  /** Places, times and things beside the answer. */
  beside: number[]
  topics: number
  /** Words of reasons and circumstances. */
  asides: number
  /** Phrases of other answers stand beside the matches. */
  rivals: number
  poison: boolean
  matches: Edge[]
  /** Phrases of other answers that the text denies. */
  denied: Edge[]
}

const UNKNOWN_COST = 1
const POISON_COST = 10
const TOPIC_COST = 0.02
const BESIDE_COST = 0.1
const RIVAL_COST = 0.5
const DENIED_COST = 0.2
const WORD_BONUS = 0.02

type State = {
  cost: number
  from: number
  edge?: Edge
  kind: 'unknown' | 'beside' | 'light' | 'topic' | 'aside' | 'poison' | 'match' | 'denied' | 'rival'
}

/**
 * Reads words 0 to `length` as the answer `option`: its phrases, phrases denied for other answers, words that change nothing and words nobody
 * knows, at least cost. Undefined when none of its phrases is there.
 */
export function explain(args: {
  length: number
  option: number
  /** Answers that this one says, too: "hòa thuận, còn giúp hòa giải" and "hòa thuận". */
  included: ReadonlySet<number> | undefined
  byStart: readonly (readonly Edge[])[]
  /** Words that turn a meaning: they cannot pass as unknown or small. */
  turning: readonly boolean[]
  denied: readonly Edge[]
  /** A word that may stand beside the answer. */
  beside(at: number): boolean
}): Explanation | undefined {
  const { length, option, included, byStart, turning, denied, beside } = args
  const states: (State | undefined)[] = new Array(length + 1)
  states[0] = { cost: 0, from: -1, kind: 'light' }
  const reach = (to: number, state: State) => {
    const before = states[to]
    if (before === undefined || state.cost < before.cost) states[to] = state
  }
  for (let at = 0; at < length; at++) {
    const here = states[at]
    if (here === undefined) continue
    reach(
      at + 1,
      turning[at]
        ? { cost: here.cost + POISON_COST, from: at, kind: 'poison' }
        : beside(at)
          ? { cost: here.cost + BESIDE_COST, from: at, kind: 'beside' }
          : { cost: here.cost + UNKNOWN_COST, from: at, kind: 'unknown' },
    )
    for (const edge of byStart[at] ?? []) {
      const cost = here.cost + edge.cost
      const { kind } = edge.label
      if (kind === 'light' || kind === 'or') {
        if (edge.end - at > 1 || !turning[at]) reach(edge.end, { cost, from: at, edge, kind: 'light' })
      } else if (kind === 'topic') reach(edge.end, { cost: cost + TOPIC_COST, from: at, edge, kind: 'topic' })
      else if (kind === 'aside') {
        if (edge.end - at > 1 || !turning[at]) reach(edge.end, { cost: cost + TOPIC_COST, from: at, edge, kind: 'aside' })
      } else if (kind === 'contrary') {
        if (edge.label.option !== option) reach(edge.end, { cost: cost + RIVAL_COST, from: at, edge, kind: 'rival' })
      } else if (kind === 'option') {
        if (edge.label.option === option) reach(edge.end, { cost: cost - WORD_BONUS * (edge.end - at), from: at, edge, kind: 'match' })
        else if (!edge.figure && included?.has(edge.label.option))
          reach(edge.end, { cost: cost + TOPIC_COST, from: at, edge, kind: 'aside' })
        else reach(edge.end, { cost: cost + RIVAL_COST, from: at, edge, kind: 'rival' })
      }
    }
    for (const edge of denied) {
      if (edge.start === at && edge.label.option !== option)
        reach(edge.end, { cost: here.cost + edge.cost + DENIED_COST, from: at, edge, kind: 'denied' })
    }
  }
  const result: Explanation = {
    option,
    cost: states[length]?.cost ?? 0,
    unknown: 0,
    unread: [],
    beside: [],
    topics: 0,
    asides: 0,
    rivals: 0,
    poison: false,
    matches: [],
    denied: [],
  }
  for (let at = length; at > 0; ) {
    const state = states[at]
    if (state === undefined) return undefined
    if (state.kind === 'unknown') {
      result.unknown++
      result.unread.unshift(at - 1)
    } else if (state.kind === 'beside') result.beside.unshift(at - 1)
    else if (state.kind === 'topic') result.topics += at - state.from
    else if (state.kind === 'aside') result.asides += at - state.from
    else if (state.kind === 'rival') result.rivals++
    else if (state.kind === 'poison') result.poison = true
    else if (state.kind === 'denied' && state.edge !== undefined) result.denied.unshift(state.edge)
    else if (state.kind === 'match' && state.edge !== undefined) result.matches.unshift(state.edge)
    at = state.from
  }
  return result.matches.length > 0 ? result : undefined
}

import { canon } from './letters.ts'
import { readPhrase } from './phrase.ts'
import type { Candidate } from './vocabulary.ts'

/** The part a phrase plays in a text: the answer `option`, or what the lexicon says of it. */
export type Label = { kind: LabelKind; option: number; whole: boolean /** From the answer's own text. */; own?: boolean }
export type LabelKind =
  | 'option'
  /** Speaks against the other answers only. */
  | 'contrary'
  | 'light'
  | 'polite'
  | 'topic'
  | 'aside'
  | 'past'
  | 'present'
  | 'future'
  | 'clause'
  | 'self'
  | 'greeting'
  | 'deny_after'
  | 'poison'
  | 'others'
  | 'negator'
  | 'stop'
  | 'question'
  | 'question_ends'
  | 'person'
  | 'perhaps_person'
  | 'regret'
  | 'truly'
  | 'mistook'
  | 'deny'
  | 'or'
  | 'edit'
  | 'wrong'
  | 'edit_becomes'
  | 'question_before'

/** A phrase found in the text: words `start` up to, not including, `end`. */
export type Edge = {
  start: number
  end: number
  label: Label
  /** How far the words are from what was typed. */
  cost: number
  /** Words that were mistyped, not only short for the right ones. */
  mistakes: number
  /** Words of the text that are words of the phrase, small words between them not counted. */
  words: number
  /** Words that carry meaning: 1 is weak evidence. */
  strength: number
  /** Holds a negation. */
  negative: boolean
  /** A bare figure: may be the number of an answer. */
  figure?: boolean
  /** Words the phrase reaches over: others may still read them. */
  holes?: readonly number[]
  /** A number with its unit: "2 tiếng nữa" shows how easily it belongs to something else. */
  amount?: boolean
}

/** There are tens of thousands of them: what a node does not have costs nothing. */
type Node = {
  id: number
  words: readonly (readonly [string, Node])[]
  numbers: readonly { min: number; max: number; to: Node }[]
  free: readonly Node[]
  gaps: readonly Node[]
  label?: Label
}

/** Nodes that the same words reach: a text is read once for all phrases that begin alike. Made when a text first comes there. */
type State = {
  labels: readonly Label[]
  /** Where each word leads; `next` holds those a text has asked for. */
  words: ReadonlyMap<string, readonly Node[]>
  next: Map<string, State>
  numbers: readonly { min: number; max: number; to: State }[]
  /** After a gap. */
  gap: State | undefined
  /** After a small word between the phrase's words. */
  over: State | undefined
}

/** Phrases as one graph: a choice costs its branches, not their product. */
export type PhraseGraph = {
  root: Node
  /** One label for all phrases that mean the same. */
  labels: Map<string, Label>
  nodes: number
  states: Map<string, State>
}

/** A place of the text: a word with what it may stand for. */
export type Place = {
  candidates: readonly Candidate[]
  /** Numbers that begin here and the place after each. */
  numbers: readonly { value: number; end: number; cost: number }[]
  /** May stand between the words of a phrase without changing it: a small word ("em", "thì"), or one of the question's own. */
  skippable: 'small' | 'topic' | undefined
  /** May turn a meaning, so that no phrase reaches over it. */
  turns?: boolean
}

/** How words count in a phrase. */
export type Weights = { isLight(word: string): boolean; isNegator(word: string): boolean }

const NONE: readonly never[] = []
const MAX_DEPTH = 8
const MAX_SKIPS = 3
const SKIP_COST = 0.05
const MISTAKE_COST = 0.5
const LONG_PHRASE = 3
const MAX_GAP = 4
const GAP_COST = 0.08

export function createPhraseGraph(): PhraseGraph {
  return { root: createNode(0), labels: new Map(), nodes: 1, states: new Map() }
}

/** Adds a phrase and returns the words it uses. A phrase that is only a name adds the named ones, each with its own "=". */
export function addPhrase(
  graph: PhraseGraph,
  phrase: string,
  label: Omit<Label, 'whole'>,
  named: Readonly<Record<string, readonly string[]>>,
): Set<string> {
  const words = new Set<string>()
  const only = /^<(\w+)>$/.exec(phrase.trim())?.[1]
  if (only !== undefined) {
    for (const one of phrasesOf(only, phrase, named)) for (const word of addPhrase(graph, one, label, named)) words.add(word)
    return words
  }
  const whole = phrase.startsWith('=')
  const key = `${label.kind} ${label.option} ${whole} ${label.own === true}`
  const same = graph.labels.get(key) ?? { ...label, whole }
  graph.labels.set(key, same)
  const end: Node = { ...createNode(graph.nodes++), label: same }
  connect(whole ? phrase.slice(1) : phrase, graph.root, end, 0)
  return words

  function connect(text: string, from: Node, to: Node, depth: number): void {
    if (depth > MAX_DEPTH) throw new Error(`The phrase "${phrase}" refers to itself.`)
    const parts = readPhrase(text)
    if (parts.length === 0) from.free = push(from.free, to)
    parts.forEach((part, i) => {
      const next = i === parts.length - 1 ? to : createNode(graph.nodes++)
      if (part.kind === 'word') {
        const word = canon(part.word)
        words.add(word)
        from.words = push(from.words, [word, next])
      } else if (part.kind === 'number') from.numbers = push(from.numbers, { min: part.min, max: part.max, to: next })
      else if (part.kind === 'gap') from.gaps = push(from.gaps, next)
      else if (part.kind === 'name')
        for (const one of phrasesOf(part.name, phrase, named)) connect(one.replace(/^=/, ''), from, next, depth + 1)
      else {
        for (const choice of part.choices) connect(choice, from, next, depth + 1)
        if (part.optional) from.free = push(from.free, next)
      }
      from = next
    })
  }
}

function phrasesOf(name: string, phrase: string, named: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const phrases = named[name]
  if (phrases === undefined) throw new Error(`The phrase "${phrase}" uses <${name}>, which flows/lexicon/phrases.json does not name.`)
  return phrases
}

function createNode(id: number): Node {
  return { id, words: NONE, numbers: NONE, free: NONE, gaps: NONE }
}

/** With one more at the end. */
function push<T>(list: readonly T[], item: T): readonly T[] {
  if (list === NONE) return [item]
  const own = list as T[]
  own.push(item)
  return own
}

/** The state of these nodes and of all that are reached from them without a word. The graph is complete by now. */
function stateOf(graph: PhraseGraph, from: readonly Node[]): State | undefined {
  const nodes = new Set(from)
  for (const node of nodes) for (const next of node.free) nodes.add(next)
  if (nodes.size === 0) return undefined
  const key = [...nodes]
    .map(({ id }) => id)
    .sort((a, b) => a - b)
    .join()
  const known = graph.states.get(key)
  if (known !== undefined) return known
  const words = new Map<string, Node[]>()
  const labels = new Set<Label>()
  for (const node of nodes) {
    if (node.label !== undefined) labels.add(node.label)
    for (const [word, next] of node.words) {
      const nexts = words.get(word)
      if (nexts === undefined) words.set(word, [next])
      else nexts.push(next)
    }
  }
  const all = [...nodes]
  const reading = all.filter((node) => node.words.length > 0 || node.numbers.length > 0)
  const state: State = { labels: [...labels], words, next: new Map(), numbers: [], gap: undefined, over: undefined }
  graph.states.set(key, state)
  state.numbers = all.flatMap((node) => node.numbers.map(({ min, max, to }) => ({ min, max, to: stateOf(graph, [to]) ?? state })))
  state.gap = stateOf(
    graph,
    all.flatMap((node) => node.gaps),
  )
  state.over = reading.length === all.length ? state : stateOf(graph, reading)
  return state
}

function follow(graph: PhraseGraph, state: State, word: string): State | undefined {
  const known = state.next.get(word)
  if (known !== undefined) return known
  const nodes = state.words.get(word)
  if (nodes === undefined) return undefined
  const next = stateOf(graph, nodes)
  if (next !== undefined) state.next.set(word, next)
  return next
}

type Path = {
  start: number
  end: number
  words: number
  cost: number
  mistakes: number
  strength: number
  negative: boolean
  skips: number
  topics: number
  holes?: readonly number[]
}

/** Every phrase of the graph in the text, also with small words between its words. */
export function findPhrases(graph: PhraseGraph, places: readonly Place[], weights: Weights): Edge[] {
  const best = new Map<Label, Map<number, Edge>>()
  const root = stateOf(graph, [graph.root])
  if (root === undefined) return []
  for (let start = 0; start < places.length; start++)
    walk(root, start, { start, end: start, words: 0, cost: 0, mistakes: 0, strength: 0, negative: false, skips: 0, topics: 0 })
  return [...best.values()].flatMap((edges) => [...edges.values()])

  function walk(state: State, at: number, path: Path): void {
    if (path.end > path.start) for (const label of state.labels) found(label, path)
    const { gap, over } = state
    if (gap !== undefined) {
      for (let to = at; to <= at + MAX_GAP && to <= places.length; to++) {
        const holes = [...(path.holes ?? []), ...Array.from({ length: to - at }, (_, i) => at + i)]
        walk(gap, to, { ...path, cost: path.cost + (to - at) * GAP_COST, skips: MAX_SKIPS, holes })
        if (places[to]?.turns || path.end === path.start) break
      }
    }
    const place = places[at]
    if (place === undefined) return
    for (const { word, cost } of state.words.size > 0 ? place.candidates : []) {
      const next = follow(graph, state, word)
      if (next === undefined) continue
      walk(next, at + 1, {
        start: path.start,
        end: at + 1,
        words: path.words + 1,
        cost: path.cost + cost,
        mistakes: path.mistakes + (cost >= MISTAKE_COST ? 1 : 0),
        strength: path.strength + (weights.isLight(word) ? 0 : 1),
        negative: path.negative || weights.isNegator(word),
        skips: 0,
        topics: path.topics,
        ...(path.holes && { holes: path.holes }),
      })
    }
    for (const slot of state.numbers) {
      for (const number of place.numbers) {
        if (number.value < slot.min || number.value > slot.max) continue
        walk(slot.to, number.end, {
          ...path,
          end: number.end,
          words: path.words + 1,
          cost: path.cost + number.cost,
          strength: path.strength + 1,
          skips: 0,
        })
      }
    }
    if (at > path.start && place.skippable !== undefined && path.skips < MAX_SKIPS && over !== undefined)
      walk(over, at + 1, {
        ...path,
        cost: path.cost + SKIP_COST,
        skips: path.skips + 1,
        topics: path.topics + (place.skippable === 'topic' ? 1 : 0),
      })
  }

  function found(label: Label, path: Path): void {
    if (label.whole && path.topics > 0) return
    let edges = best.get(label)
    if (edges === undefined) {
      edges = new Map()
      best.set(label, edges)
    }
    const key = path.start * 64 + path.end
    const before = edges.get(key)
    const strength = Math.max(path.strength, path.words >= LONG_PHRASE ? 2 : 1)
    if (before !== undefined && (before.cost < path.cost || (before.cost === path.cost && before.strength >= strength))) return
    edges.set(key, {
      start: path.start,
      end: path.end,
      label,
      cost: path.cost,
      mistakes: path.mistakes,
      words: path.words,
      strength,
      negative: path.negative,
      ...(path.holes && { holes: path.holes }),
    })
  }
}

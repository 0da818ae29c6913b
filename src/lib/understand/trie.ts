import { isNumberSlot } from './patterns.ts'
import type { Candidate } from './vocabulary.ts'

/** What a phrase stands for. `option`: an index; the rest are roles a phrase plays in any text. */
export type Label = {
  kind: LabelKind
  option: number
  whole: boolean /** Words that carry meaning: 1 is weak evidence. */
  strength: number
  negative: boolean
}
export type LabelKind =
  | 'option'
  | 'light'
  | 'topic'
  | 'poison'
  | 'stop'
  | 'question'
  | 'person'
  | 'regret'
  | 'mistook'
  | 'deny'
  | 'or'
  | 'edit'
  | 'wrong'
  | 'polite'
  | 'edit_becomes'
  | 'question_before'

/** A phrase found in the text: words `start` up to, not including, `end`. */
export type Edge = { start: number; end: number; cost: number; mistakes: number; label: Label }

export type Trie = { next: Map<string, Trie>; slots: { min: number; max: number; trie: Trie }[]; labels: Label[] }

export function createTrie(): Trie {
  return { next: new Map(), slots: [], labels: [] }
}

export function insert(trie: Trie, words: readonly string[], label: Label): void {
  let node = trie
  for (const word of words) {
    if (isNumberSlot(word)) {
      const [min, max] = word.length === 1 ? [0, 1_000] : word.slice(1).split('-').map(Number)
      let slot = node.slots.find((one) => one.min === min && one.max === (max ?? min))
      if (slot === undefined) {
        slot = { min: min ?? 0, max: max ?? min ?? 0, trie: createTrie() }
        node.slots.push(slot)
      }
      node = slot.trie
    } else {
      let next = node.next.get(word)
      if (next === undefined) {
        next = createTrie()
        node.next.set(word, next)
      }
      node = next
    }
  }
  if (!node.labels.some((one) => one.kind === label.kind && one.option === label.option && one.whole === label.whole))
    node.labels.push(label)
}

export type Place = {
  candidates: readonly Candidate[]
  /** Numbers that begin here and the place after each. */
  numbers: readonly { value: number; end: number; cost: number }[]
  /** May stand between the words of a phrase without changing it ("em", "thì"). */
  skippable: boolean
}

const MAX_SKIPS = 3
const SKIP_COST = 0.05
export const MISTAKE_COST = 0.4

/** Every phrase of the trie in the text, also with small words between its words. */
export function findPhrases(trie: Trie, places: readonly Place[]): Edge[] {
  const best = new Map<string, Edge>()
  for (let start = 0; start < places.length; start++) walk(trie, start, { start, cost: 0, mistakes: 0, skips: 0 })
  return [...best.values()]

  function walk(node: Trie, at: number, path: { start: number; cost: number; mistakes: number; skips: number }): void {
    if (path.skips === 0)
      for (const label of node.labels) {
        const key = `${path.start} ${at} ${label.kind} ${label.option} ${label.whole}`
        const before = best.get(key)
        if (before === undefined || path.cost < before.cost)
          best.set(key, { start: path.start, end: at, cost: path.cost, mistakes: path.mistakes, label })
      }
    const place = places[at]
    if (place === undefined) return
    for (const { word, cost } of place.candidates) {
      const next = node.next.get(word)
      if (next !== undefined)
        walk(next, at + 1, { ...path, cost: path.cost + cost, mistakes: path.mistakes + (cost >= MISTAKE_COST ? 1 : 0), skips: 0 })
    }
    for (const slot of node.slots) {
      for (const number of place.numbers) {
        if (number.value >= slot.min && number.value <= slot.max)
          walk(slot.trie, number.end, { ...path, cost: path.cost + number.cost, skips: 0 })
      }
    }
    if (at > path.start && place.skippable && path.skips < MAX_SKIPS)
      walk(node, at + 1, { ...path, cost: path.cost + SKIP_COST, skips: path.skips + 1 })
  }
}

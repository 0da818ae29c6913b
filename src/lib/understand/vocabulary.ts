import { compareMarks, fromTelex, fromVni, isMarked, isSyllable, plain, regional, respellings } from './letters.ts'
import type { Token } from './tokens.ts'

/** A word the token may stand for, and how far it is from what was typed. */
export type Candidate = { word: string; cost: number }

/**
 * Costs of the ways in which a typed word differs from a known one. `forgotten`: a mark left out made another known word ("một thư"). `slip`: no Vietnamese word is written so, and only one known word is near.
 */
const COST = { unmarked: 0, missing: 0.1, keys: 0.09, soft: 0.2, slip: 0.2, regional: 0.4, typo: 0.8, forgotten: 0.5 } as const
const MIN_TYPO_LETTERS = 4
/** So many sounds meet here that an everyday word is taken for itself: "vay" is not "dạy". */
const MANY_SOUNDS = /^(d|gi|r|v)/
const MIN_TYPO_LETTERS_UNMARKED = 4

/** Finds known words for typed ones, with spelling as people type it. Words are canonical, see `letters.ts`. */
export type Vocabulary = {
  add(word: string): void
  /** Knows another spelling: "ko" → "không". */
  addSpelling(typed: string, word: string): void
  /** A word that changes a meaning, or none: as it is written it is never short for another ("mai" is not "mãi"). */
  keep(word: string): void
  isKept(word: string): boolean
  /** Best first by cost. `messageMarked`: the person writes with diacritics, so a bare word is less likely short for a marked one. `isOrdinary`: an everyday word, no mistyped one. */
  find(token: Token, messageMarked: boolean, isOrdinary?: boolean): Candidate[]
  has(word: string): boolean
  hasPlain(word: string): boolean
}

/** The vocabulary as one message needs it: each word is looked up once, however often the message is read. */
export type Lookup = {
  /** The person writes with diacritics. */
  marked: boolean
  find(token: Token, isOrdinary?: boolean): readonly Candidate[]
}

export function createLookup(vocabulary: Vocabulary, marked: boolean): Lookup {
  const known = new Map<string, readonly Candidate[]>()
  return {
    marked,
    find(token, isOrdinary = false) {
      const key = isOrdinary ? `${token.canon} ` : token.canon
      let candidates = known.get(key)
      if (candidates === undefined) {
        candidates = vocabulary.find(token, marked, isOrdinary)
        known.set(key, candidates)
      }
      return candidates
    },
  }
}

export function createVocabulary(base?: VocabularyLayer): VocabularyLayer {
  const words = new Set<string>()
  const kept = new Set<string>()
  const spellings = new Map<string, string[]>()
  const byPlain = new Map<string, string[]>()
  const byRegion = new Map<string, string[]>()
  const byDeletion = new Map<string, string[]>()

  const layer: VocabularyLayer = {
    add(word) {
      if (words.has(word) || base?.has(word) || /^[#\d]/.test(word)) return
      words.add(word)
      const letters = plain(word)
      push(byPlain, letters, word)
      push(byRegion, regional(word), word)
      if (isMarked(word)) push(byRegion, plain(regional(word)), word)
      if (letters.length >= MIN_TYPO_LETTERS - 1) for (const key of [letters, ...deletions(letters)]) push(byDeletion, key, letters)
    },
    addSpelling(typed, word) {
      push(spellings, typed, word)
    },
    keep(word) {
      kept.add(word)
    },
    isKept: (word) => kept.has(word) || (base?.isKept(word) ?? false),
    has: (word) => words.has(word) || (base?.has(word) ?? false),
    hasPlain: (word) => byPlain.has(word) || (base?.hasPlain(word) ?? false),
    spelled: (typed) => [...(base?.spelled(typed) ?? []), ...(spellings.get(typed) ?? [])],
    samePlain: (letters) => [...(base?.samePlain(letters) ?? []), ...(byPlain.get(letters) ?? [])],
    sameRegion: (key) => [...(base?.sameRegion(key) ?? []), ...(byRegion.get(key) ?? [])],
    near: (letters) => [...(base?.near(letters) ?? []), ...nearIn(byDeletion, letters)],
    find(token, messageMarked, isOrdinary = false) {
      const found = new Map<string, number>()
      const offer = (word: string, cost: number) => {
        const before = found.get(word)
        if (before === undefined || cost < before) found.set(word, cost)
      }
      if (layer.has(token.canon)) offer(token.canon, 0)
      for (const word of layer.spelled(token.canon)) offer(word, found.size > 0 ? COST.missing : 0)
      const exact = found.size > 0
      if (!exact || (!token.marked && !messageMarked)) {
        for (const word of layer.samePlain(token.plain)) {
          const marks = compareMarks(token.canon, word)
          if (marks === 'missing') offer(word, token.marked || messageMarked ? COST.missing : COST.unmarked)
          else if (marks === 'soft') offer(word, COST.soft)
          else if (marks === 'contrary' && !exact && !isOrdinary && token.plain.length >= 3) offer(word, COST.typo)
        }
      }
      if (exact && messageMarked && !layer.isKept(token.canon))
        for (const word of layer.samePlain(token.plain)) if (compareMarks(token.canon, word) === 'missing') offer(word, COST.forgotten)
      if (!exact) {
        for (const word of respellings(token.canon)) if (layer.has(word)) offer(word, COST.slip)
        for (const decoded of [fromTelex(token.canon), fromVni(token.canon)]) {
          if (decoded === undefined) continue
          for (const word of layer.spelled(decoded)) offer(word, COST.keys)
          if (layer.has(decoded)) offer(decoded, COST.keys)
          else
            for (const word of layer.samePlain(plain(decoded)))
              if (compareMarks(decoded, word) === 'missing') offer(word, COST.keys + COST.missing)
        }
      }
      if (!(exact && token.marked) && !(isOrdinary && MANY_SOUNDS.test(token.plain)))
        for (const word of layer.sameRegion(regional(token.canon))) if (plain(word) !== token.plain) offer(word, COST.regional)
      const nearest = Math.min(...found.values())
      if (!isOrdinary && nearest >= COST.typo && token.plain.length >= MIN_TYPO_LETTERS_UNMARKED - 1) {
        const decoded = fromTelex(token.canon) ?? fromVni(token.canon)
        for (const typed of decoded === undefined ? [token.canon] : [token.canon, decoded]) {
          const letters = plain(typed)
          if (/\d/.test(letters)) continue
          const nearby = new Set(
            layer.near(letters).filter((near) => near.length + letters.length >= 2 * MIN_TYPO_LETTERS - 1 || isExchanged(near, letters)),
          )
          const isSlip = nearby.size === 1 && !isSyllable(typed) && letters.length >= MIN_TYPO_LETTERS
          for (const near of nearby) {
            const words = layer.samePlain(near).filter((word) => !isSlip || agrees(token, word))
            for (const word of words) offer(word, isSlip && words.length === 1 ? COST.slip : COST.typo)
          }
        }
      }
      return [...found].map(([word, cost]) => ({ word, cost })).sort((a, b) => a.cost - b.cost)
    },
  }
  return layer
}

export type VocabularyLayer = Vocabulary & {
  spelled(typed: string): string[]
  samePlain(letters: string): string[]
  sameRegion(key: string): string[]
  near(letters: string): string[]
}

function push(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else if (!list.includes(value)) list.push(value)
}

function deletions(letters: string): string[] {
  const results: string[] = []
  for (let i = 0; i < letters.length; i++) results.push(letters.slice(0, i) + letters.slice(i + 1))
  return results
}

/** What is marked in a mistyped word must not speak against the word: "khôgn" is "không". */
function agrees(token: Token, word: string): boolean {
  return !token.marked || [...word].filter((sign) => token.canon.includes(sign)).length >= word.length - 2
}

/** Plain words one letter away: missing, added, other, or two neighbours exchanged. */
function nearIn(byDeletion: Map<string, string[]>, letters: string): string[] {
  const results = new Set<string>()
  for (const key of [letters, ...deletions(letters)]) {
    for (const word of byDeletion.get(key) ?? []) if (oneApart(letters, word)) results.add(word)
  }
  return [...results]
}

/** Two neighbours exchanged: "lna" for "lan". */
function isExchanged(a: string, b: string): boolean {
  return a.length === b.length && [...a].sort().join('') === [...b].sort().join('')
}

/** One letter missing, added or other, or two neighbours exchanged. */
export function oneApart(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const left = a.length - start - end
  const right = b.length - start - end
  if (left <= 1 && right <= 1) return true
  return left === 2 && right === 2 && a[start] === b[start + 1] && a[start + 1] === b[start]
}

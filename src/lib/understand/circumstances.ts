import type { Token } from './tokens.ts'
import type { Compound, WordLists } from './word-lists.ts'

/**
 * Where words of a place, a time, a thing, a feeling stand, in one word ("nương") or in several ("cơ quan"): they may surround a doing without
 * changing it. A word without diacritics counts only when none of its readings is another word.
 */
export function circumstancesIn(tokens: readonly Token[], lists: WordLists): boolean[] {
  const found = tokens.map((token) => isWritten(token, lists))
  mark(found, tokens, lists.compounds)
  mark(found, tokens, lists.moodCompounds)
  return found
}

/** Where several words together say how or why something is done, and change no answer: "tranh thủ", "nói thật". */
export function moodsIn(tokens: readonly Token[], lists: WordLists): boolean[] {
  const found = tokens.map(() => false)
  mark(found, tokens, lists.moodCompounds)
  return found
}

/** Where people are named, or institutions. */
export function namesIn(tokens: readonly Token[], names: ReadonlyMap<string, readonly Compound[]>): boolean[] {
  const found = tokens.map(() => false)
  mark(found, tokens, names)
  return found
}

function mark(found: boolean[], tokens: readonly Token[], compounds: ReadonlyMap<string, readonly Compound[]>): void {
  tokens.forEach(({ plain }, at) => {
    for (const compound of compounds.get(plain) ?? []) if (standsAt(compound, tokens, at)) found.fill(true, at, at + compound.length)
  })
}

function isWritten({ marked, canon, plain }: Token, { circumstances, moods, ordinary, ordinaryByPlain }: WordLists): boolean {
  const meanings = marked ? (ordinary.has(canon) ? [canon] : []) : (ordinaryByPlain.get(plain) ?? [])
  return meanings.length > 0 && meanings.every((word) => circumstances.has(word) || moods.has(word))
}

function standsAt(compound: Compound, tokens: readonly Token[], at: number): boolean {
  return compound.every(({ canon, plain }, i) => {
    const token = tokens[at + i]
    return token !== undefined && (i === 0 || token.gap === '') && (token.marked ? token.canon === canon : token.plain === plain)
  })
}

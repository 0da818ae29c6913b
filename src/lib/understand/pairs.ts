import { plain, regional } from './letters.ts'
import { readWords, type Token, toToken } from './tokens.ts'
import type { Offered } from './types.ts'
import { oneApart } from './vocabulary.ts'

/** Two neighbouring words of the question or of an answer: "thỉnh thoảng", "lên lớp". By each half, without tone and region. */
export type Pairs = ReadonlyMap<string, readonly (readonly [Token, Token])[]>

/** A shorter word is near too many others. */
const MIN_LETTERS = 4

export function pairsOf({ kind, ask, options }: Offered): Pairs {
  const pairs = new Map<string, [Token, Token][]>()
  if (kind !== undefined && kind !== 'choice') return pairs
  for (const text of [ask ?? '', ...options.map((option) => option.text)]) {
    const { tokens } = readWords(text)
    for (const [at, second] of tokens.entries()) {
      const first = tokens[at - 1]
      if (first === undefined || second.gap !== '' || first.figure !== undefined || second.figure !== undefined) continue
      for (const key of new Set([keyOf(first), keyOf(second)])) pairs.set(key, [...(pairs.get(key) ?? []), [first, second]])
    }
  }
  return pairs
}

/**
 * A word that is another by itself is known by its neighbour: "tỉnh thoảng" is "thỉnh thoảng", "nên nớp" is "lên lớp". `isEveryday`: says
 * something of its own as it is written.
 */
export function repairPairs(tokens: readonly Token[], pairs: Pairs, isEveryday: (token: Token) => boolean): readonly Token[] {
  if (pairs.size === 0) return tokens
  const repaired = [...tokens]
  for (const [at, second] of tokens.entries()) {
    const first = tokens[at - 1]
    if (first === undefined || second.gap !== '') continue
    const near = [...(pairs.get(keyOf(first)) ?? []), ...(pairs.get(keyOf(second)) ?? [])]
    const meant = near.find((pair) => isMeant([first, second], pair, isEveryday))
    if (meant === undefined) continue
    repaired[at - 1] = toToken(meant[0].raw, first.gap)
    repaired[at] = toToken(meant[1].raw, '')
  }
  return repaired
}

function isMeant([first, second]: readonly [Token, Token], pair: readonly [Token, Token], isEveryday: (token: Token) => boolean): boolean {
  const one = likeness(first, pair[0])
  const other = likeness(second, pair[1])
  if (one === 'same') return other === 'near' ? !isEveryday(first) : other === 'said' && !isEveryday(second)
  if (other === 'same') return one === 'near' ? !isEveryday(second) : one === 'said' && !isEveryday(first)
  // "nen nop": both as the region says them
  return one === 'said' && other === 'said' && !(first.marked && isEveryday(first) && isEveryday(second))
}

/** `said`: as some region says it. `near`: one letter away. */
function likeness(typed: Token, word: Token): 'same' | 'said' | 'near' | 'other' {
  if (typed.marked ? typed.canon === word.canon : typed.plain === word.plain) return 'same'
  if (typed.figure !== undefined || typed.plain === word.plain) return 'other'
  if (typed.marked ? regional(typed.canon) === regional(word.canon) : keyOf(typed) === keyOf(word)) return 'said'
  return typed.plain.length >= MIN_LETTERS && oneApart(typed.plain, word.plain) ? 'near' : 'other'
}

function keyOf(token: Token): string {
  return plain(regional(token.canon))
}

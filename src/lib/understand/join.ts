import { type Token, toToken } from './tokens.ts'
import type { Lookup, VocabularyLayer } from './vocabulary.ts'

const MIN_JOINED_LETTERS = 5
const MAX_JOINED_WORDS = 4
/** "B1" is a level and no answer's number; "câu3" is. */
const MIN_BEFORE_FIGURE = 2

/** "thuongxuyen" → thuong xuyen, "câu3" → câu 3, "5buổi" is already apart. */
export function takeApart(token: Token, vocabulary: VocabularyLayer, lookup: Lookup): Token[] {
  if (token.figure !== undefined) return [token]
  const letters = /^(\p{L}[\p{L}\p{M}]*)(\d+)$/u.exec(token.raw)
  if (letters !== null && (letters[1] ?? '').length >= MIN_BEFORE_FIGURE && lookup.find(token).length === 0)
    return [toToken(letters[1] ?? '', token.gap), toToken(letters[2] ?? '', '')]
  if (token.plain.length < MIN_JOINED_LETTERS || /\d/.test(token.plain) || lookup.find(token).length > 0) return [token]
  const cut = cutJoined(token.raw.normalize('NFC'), vocabulary, MAX_JOINED_WORDS)
  return cut === undefined ? [token] : cut.map((piece, i) => toToken(piece, i === 0 ? token.gap : ''))
}

function cutJoined(text: string, vocabulary: VocabularyLayer, pieces: number): string[] | undefined {
  if (text === '') return []
  if (pieces === 0) return undefined
  for (let end = Math.min(text.length, 7); end >= 2; end--) {
    const piece = text.slice(0, end)
    const { canon: word, plain: bare, marked } = toToken(piece, '')
    if (marked ? !vocabulary.has(word) : !vocabulary.hasPlain(bare)) continue
    const rest = cutJoined(text.slice(end), vocabulary, pieces - 1)
    if (rest !== undefined) return [piece, ...rest]
  }
  return undefined
}

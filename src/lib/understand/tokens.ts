import { canon, isMarked, plain } from './letters.ts'

/** One word or figure of what a person wrote. */
export type Token = {
  /** As typed, for codes and names. */
  raw: string
  /** Letters and tone, see `letters.ts`. */
  canon: string
  plain: string
  marked: boolean
  /** The value when the token is a figure. */
  figure?: number
  /** Signs between the token before and this one, without spaces: "," or "-" or "". */
  gap: string
}

/** What a person wrote, cut into words. */
export type Words = { tokens: readonly Token[] /** Signs after the last word. */; end: string }

/** Longer texts are a story, not an answer. */
const MAX_TOKENS = 60
const MAX_CHARS = 400
const KEYCAP = /\ufe0f?\u20e3/g
const PIECE = /[\p{L}\p{M}]+(?:\p{N}*[\p{L}\p{M}]+\p{N}*|\p{N}+)*|\p{N}+/gu
const CIRCLED_ONE = 0x2460

export function readWords(text: string): Words {
  const clean = text
    .slice(0, MAX_CHARS)
    .replace(KEYCAP, ' ')
    .replace(/[①-⑨]/g, (sign) => ` ${sign.charCodeAt(0) - CIRCLED_ONE + 1} `)
    .replace(/[\uff10-\uff19]/g, (sign) => String(sign.charCodeAt(0) - 0xff10))
    .replace(/\p{Cf}|\ufe0f/gu, '')
    .normalize('NFC')
  const tokens: Token[] = []
  let last = 0
  for (const match of clean.matchAll(PIECE)) {
    if (tokens.length === MAX_TOKENS) break
    const gap = clean.slice(last, match.index).replace(/\s+/g, '')
    last = match.index + match[0].length
    tokens.push(toToken(match[0], gap))
  }
  return { tokens, end: clean.slice(last).replace(/\s+/g, '') }
}

export function toToken(raw: string, gap: string): Token {
  if (/^\p{N}+$/u.test(raw)) return { raw, canon: raw, plain: raw, marked: false, figure: Number(raw), gap }
  const lower = raw.toLowerCase()
  const canonical = /\p{N}/u.test(lower) ? lower : canon(squeeze(lower))
  return { raw, canon: canonical, plain: plain(canonical), marked: !/\p{N}/u.test(lower) && isMarked(canonical), gap }
}

/** "rồiiii" → "rồi", "okkk" → "ok", "đúngg" → "đúng". Two equal letters stay in a word without diacritics: they may be Telex keys. */
function squeeze(word: string): string {
  const once = word.replace(/(\p{L}\p{M}*)\1{2,}/gu, '$1')
  return /[^a-z]/.test(once) ? once.replace(/(\p{L})\1$/u, '$1') : once
}

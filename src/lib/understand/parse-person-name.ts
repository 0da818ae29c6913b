import { canon, compareMarks, plain } from './letters.ts'
import type { Lexicon } from './lexicon.ts'

export type PersonName = { kind: 'name'; name: string } | { kind: 'none' }

const MAX_WORDS = 7
const MAX_CHARS = 60
const ENDINGS = new Set(['ạ', 'nhé', 'a', 'nha', 'đấy', 'đó'].map((word) => canon(word)))
const NO_NAME = new Set('không chưa có gì sao ai nào thế ok vâng dạ được rồi biết hỏi tại để làm hả'.split(' ').map((word) => canon(word)))

/** A person's name as written, without frames such as "tôi tên là", with capitals. Figures, questions and sentences are no names. */
export function parsePersonName(text: string, lexicon: Lexicon): PersonName {
  const clean = text
    .normalize('NFC')
    .trim()
    .replace(/[.!,;]+$/, '')
  if (clean.length > MAX_CHARS || /[\d?@/\\<>{}[\]=+*_#]/.test(clean)) return { kind: 'none' }
  const words = clean.split(/[\s,.]+/).filter(Boolean)
  const frames = lexicon.languages.flatMap((one) => one.name_before.map((frame) => frame.split(' '))).sort((a, b) => b.length - a.length)
  for (let frame = opening(words, frames); frame > 0; frame = opening(words, frames)) words.splice(0, frame)
  while (words.length > 1 && ENDINGS.has(canon(words.at(-1) ?? ''))) words.pop()
  const isName =
    words.length >= 1 && words.length <= MAX_WORDS && words.every((word) => /^[\p{L}\p{M}'’-]+$/u.test(word) && !NO_NAME.has(canon(word)))
  if (!isName || (words.length === 1 && (words[0]?.length ?? 0) < 2)) return { kind: 'none' }
  return { kind: 'name', name: words.map(capital).join(' ') }
}

/** How many words at the beginning are a frame; a name never vanishes whole into frames. */
function opening(words: readonly string[], frames: readonly (readonly string[])[]): number {
  const agrees = (typed: string, word: string) => {
    const [a, b] = [canon(typed.toLowerCase()), canon(word)]
    return plain(a) === plain(b) && (compareMarks(a, b) === 'same' || compareMarks(a, b) === 'missing')
  }
  const found = frames.find((frame) => frame.length < words.length && frame.every((word, i) => agrees(words[i] ?? '', word)))
  return found?.length ?? 0
}

function capital(word: string): string {
  const lower = word.toLocaleLowerCase('vi')
  return lower.replace(/(^|[-'’])(\p{L})/gu, (_all, before: string, letter: string) => before + letter.toLocaleUpperCase('vi'))
}

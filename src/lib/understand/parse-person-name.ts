import { fold } from '../fold.ts'
import { canon, compareMarks, plain } from './letters.ts'
import type { Lexicon } from './lexicon.ts'

/** `doubtful`: reads rather like something else, and is asked back once, for true names are of every kind. */
export type PersonName = { kind: 'name' | 'doubtful'; name: string } | { kind: 'none' }

const MAX_WORDS = 7
// Beyond that a name begins with a family's
const LONG_WORDS = 4
const MAX_CHARS = 60
const ENDINGS = new Set(['ạ', 'nhé', 'a', 'nha', 'đấy', 'đó'].map((word) => canon(word)))
const NONE: PersonName = { kind: 'none' }

/** A person's name as written, without frames such as "tôi tên là", with capitals. Figures, questions and sentences are no names. */
export type ReadPersonName = (text: string) => PersonName

export function createNameReader({ languages, names }: Lexicon): ReadPersonName {
  const frames = languages.flatMap((one) => one.name_before.map((frame) => frame.split(' '))).sort((a, b) => b.length - a.length)
  const neverBare = new Set(names.never_bare)
  const noName = new Set(names.no_name.map((word) => canon(word)))
  const noBeginning = new Set(names.no_beginning)
  const everyday = new Set(names.bare)
  const answers = new Set(names.answers.map(joined))
  const familyNames = new Set(names.family_names.map((word) => plain(canon(word))))

  return (text) => {
    const clean = text
      .normalize('NFC')
      .trim()
      .replace(/[.!,;]+$/, '')
    if (clean.length > MAX_CHARS || /[\d?@/\\<>{}[\]=+*_#]/.test(clean)) return NONE
    const words = clean.split(/[\s,.]+/).filter(Boolean)
    for (let frame = opening(words); frame > 0; frame = opening(words)) words.splice(0, frame)
    while (words.length > 1 && ENDINGS.has(canon(words.at(-1) ?? ''))) words.pop()
    const beginsAsName = words.length > 1 && familyNames.has(plain(canon((words[0] ?? '').toLowerCase())))
    const isName =
      words.length >= 1 &&
      words.length <= MAX_WORDS &&
      words.every((word) => /^[\p{L}\p{M}'’-]+$/u.test(word) && (beginsAsName || !noName.has(canon(word.toLowerCase()))))
    if (!isName || answers.has(joined(words.join(' '))) || (words.length === 1 && (words[0]?.length ?? 0) < 2)) return NONE
    const isLong = words.length > LONG_WORDS && !beginsAsName
    return { kind: isLong || isDoubtful(words) ? 'doubtful' : 'name', name: words.map(capital).join(' ') }
  }

  function isDoubtful(words: readonly string[]): boolean {
    const lower = words.map((word) => word.toLocaleLowerCase('vi'))
    const isBare = lower.every((word) => fold(word) === word)
    return isBare ? lower.every((word) => everyday.has(word)) : noBeginning.has(lower[0] ?? '')
  }

  /** How many words at the beginning are a frame; a name never vanishes whole into frames. */
  function opening(words: readonly string[]): number {
    const agrees = (typed: string, word: string) => {
      const [a, b] = [canon(typed.toLowerCase()), canon(word)]
      if (plain(a) !== plain(b)) return false
      const marks = compareMarks(a, b)
      return marks === 'same' || (marks === 'missing' && !neverBare.has(plain(a)))
    }
    const found = frames.find((frame) => frame.length < words.length && frame.every((word, i) => agrees(words[i] ?? '', word)))
    return found?.length ?? 0
  }
}

function joined(text: string): string {
  return text
    .toLowerCase()
    .split(' ')
    .map((word) => canon(word))
    .join(' ')
}

function capital(word: string): string {
  const lower = word.toLocaleLowerCase('vi')
  return lower.replace(/(^|[-'’])(\p{L})/gu, (_all, before: string, letter: string) => before + letter.toLocaleUpperCase('vi'))
}

import { canon, compareMarks, plain } from './letters.ts'
import type { Lexicon } from './lexicon.ts'

export type PersonName = { kind: 'name'; name: string } | { kind: 'none' }

const MAX_WORDS = 7
const MAX_CHARS = 60
const ENDINGS = new Set(['ạ', 'nhé', 'a', 'nha', 'đấy', 'đó'].map((word) => canon(word)))
const NO_NAME = new Set(
  'không chưa có gì sao ai nào thế ok vâng dạ được rồi biết hỏi tại để làm hả muốn giúp bấm xin'.split(' ').map((word) => canon(word)),
)
// Answers to the question before; each of the two words is a name elsewhere
const NO_NAMES = new Set(
  ['đồng ý', 'dong y', 'trợ giúp', 'cảm ơn', 'tiếp tục', 'bắt đầu'].map((words) => words.split(' ').map(canon).join(' ')),
)

// Family names met in the mountain communes and in the whole country. After one of them any word may be a given name: Sao, Được, Biết
const FAMILY_NAMES = new Set(
  `nguyễn trần lê phạm hoàng huỳnh phan vũ võ đặng bùi đỗ hồ ngô dương lý đinh mai cao chu đoàn trịnh tô tống tạ lương lưu hà vương
  đào phùng kiều quách thái tăng la lục ma nông triệu bế mạc ninh hứa lò lường lù lầu lừu lìm quàng cà tòng vàng giàng sùng thào mùa hạng
  cứ ly má chang tẩn phàn chẻo tao vừ hờ sìn mào đèo điêu bạc khoàng pờ lỳ vì vi hảng hầu thèn lùng thàng cháng chảo tráng lồ vù`
    .split(/\s+/)
    .map((word) => plain(canon(word))),
)
// "vang" is the family name Vàng far more often than a "vâng" before a name
const NEVER_BARE = new Set(['vang'])

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
  const beginsAsName = words.length > 1 && FAMILY_NAMES.has(plain(canon((words[0] ?? '').toLowerCase())))
  const isName =
    words.length >= 1 &&
    words.length <= MAX_WORDS &&
    words.every((word) => /^[\p{L}\p{M}'’-]+$/u.test(word) && (beginsAsName || !NO_NAME.has(canon(word.toLowerCase()))))
  if (NO_NAMES.has(words.map((word) => canon(word.toLowerCase())).join(' '))) return { kind: 'none' }
  if (!isName || (words.length === 1 && (words[0]?.length ?? 0) < 2)) return { kind: 'none' }
  return { kind: 'name', name: words.map(capital).join(' ') }
}

/** How many words at the beginning are a frame; a name never vanishes whole into frames. */
function opening(words: readonly string[], frames: readonly (readonly string[])[]): number {
  const agrees = (typed: string, word: string) => {
    const [a, b] = [canon(typed.toLowerCase()), canon(word)]
    if (plain(a) !== plain(b)) return false
    const marks = compareMarks(a, b)
    return marks === 'same' || (marks === 'missing' && !NEVER_BARE.has(plain(a)))
  }
  const found = frames.find((frame) => frame.length < words.length && frame.every((word, i) => agrees(words[i] ?? '', word)))
  return found?.length ?? 0
}

function capital(word: string): string {
  const lower = word.toLocaleLowerCase('vi')
  return lower.replace(/(^|[-'’])(\p{L})/gu, (_all, before: string, letter: string) => before + letter.toLocaleUpperCase('vi'))
}

/** Reads of what people type for a name, a year of birth or a count. */

const NAME_FRAME =
  /^(dạ|vâng|ạ|tôi tên là|tôi tên|tôi là|tên tôi là|tên em là|em tên là|em là|tên là|họ tên là|họ và tên|họ tên|tên)\s*[:,]?\s+/iu
const NAME = /^[\p{L}\p{M}'’.-]+(?: [\p{L}\p{M}'’.-]+){0,6}$/u

/** A person's name with capitals, without polite frames; undefined for what cannot be one. */
export function parsePersonName(text: string): string | undefined {
  let name = text
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[.!,]+$/u, '')
  for (let before = ''; before !== name; ) {
    before = name
    name = name.replace(NAME_FRAME, '').replace(/\s+ạ$/iu, '').trim()
  }
  if (name.length < 2 || name.length > 40 || !NAME.test(name)) return undefined
  return name
    .split(' ')
    .map((word) => word.charAt(0).toLocaleUpperCase('vi') + word.slice(1).toLocaleLowerCase('vi'))
    .join(' ')
}

/** "1967", "sinh năm 67", "58 tuổi"; undefined when there is none or it cannot be a living person's. */
export function parseBirthYear(text: string, thisYear: number): number | undefined {
  const found = text.match(/\d+/g)
  if (found?.length !== 1) return undefined
  const [digits = ''] = found
  const number = Number(digits)
  let year: number | undefined
  if (digits.length === 4) year = number
  else if (digits.length <= 3 && /tu[oổ]i|tuoi/iu.test(text)) year = thisYear - number
  else if (digits.length === 2) year = number > thisYear % 100 ? 1900 + number : undefined
  return year !== undefined && year > thisYear - 120 && year <= thisYear ? year : undefined
}

const NUMBER_WORDS = ['không', 'một', 'hai', 'ba', 'bốn', 'năm', 'sáu', 'bảy', 'tám', 'chín', 'mười']

/** A small count in figures or words; undefined for none or for more than one. */
export function parseCount(text: string): number | undefined {
  const figures = text.match(/\d+/g)
  if (figures) return figures.length === 1 ? Number(figures[0]) : undefined
  const words = text.normalize('NFC').toLowerCase().split(/\s+/)
  const found = words
    .map((word) => NUMBER_WORDS.indexOf(word === 'bẩy' ? 'bảy' : word === 'tư' ? 'bốn' : word))
    .filter((index) => index >= 0)
  return found.length === 1 ? found[0] : undefined
}

import { canon, plain } from './letters.ts'
import { readWords, type Token } from './tokens.ts'

/** A year of birth read from free text, or the years it may be, or nothing. */
export type BirthYear = { kind: 'year'; year: number } | { kind: 'which'; years: number[] } | { kind: 'none' }

const MIN_AGE = 14
// Written out, a child's year is one too: what becomes of children is not decided here
const MIN_AGE_WRITTEN = 3
const MAX_AGE = 105
const STEMS = ['canh', 'tân', 'nhâm', 'quý', 'giáp', 'ất', 'bính', 'đinh', 'mậu', 'kỷ'].map((word) => plain(canon(word)))
const BRANCHES = ['thân', 'dậu', 'tuất', 'hợi', 'tý', 'sửu', 'dần', 'mão', 'thìn', 'tỵ', 'ngọ', 'mùi'].map((word) => plain(canon(word)))
const WORDS = new Set(
  'tôi em e cháu mình bác sinh sn s n nsinh năm là dạ ạ a thưa vâng ngày tháng tuổi được rồi r nay hơn khoảng chừng độ gần con chị anh ông bà cô chú đẻ nhé nha nhá đấy đó thì bot ơi cán bộ ghi giấy tờ trong theo hộ khẩu căn cước'
    .split(' ')
    .map((word) => plain(canon(word))),
)
/** What stands before them was a mistake. */
const REGRETS = new Set('nhầm lộn quên'.split(' ').map((word) => canon(word)))
const OWNERS = new Set(['toi', 'em', 'minh', 'chi', 'anh', 'bac'])
const NUMBERS = new Map('không một hai ba bốn năm sáu bảy tám chín'.split(' ').map((word, value) => [plain(canon(word)), value]))
const OTHER_NUMBERS = new Map([...NUMBERS, ['lam', 5], ['tu', 4], ['bay', 7], ['mot', 1]])

/** Between the figures of a number written out. */
const TEN = 'muoi'
const HUNDRED = 'tram'
const THOUSANDS = new Set(['nghin', 'ngan'])
const JOINING = new Set(['linh', 'le'])
/** A number after one of these is a day or a month. */
const DATED = new Set(['ngay', 'thang', 'mung', 'mong'])

/** "1967", "67", "sinh năm 67", "58 tuổi", "năm mươi tám tuổi", "sáu bảy", "một nghìn chín trăm sáu bảy", "mậu thân". An age gives the year now minus the age. */
export function parseBirthYear(text: string, currentYear: number): BirthYear {
  const { tokens: all, end } = readWords(text)
  if (end.includes('?')) return none()
  const regret = all.findLastIndex((token) => REGRETS.has(token.canon))
  const tokens = withoutDates(all.slice(regret + 1))
  const isAge = tokens.some(({ plain: word }) => word === 'tuoi' || word === 'tui')
  if (tokens.some((token) => token.figure === undefined && !isKnown(token))) return none()
  // "con" alone is oneself
  if (tokens.some(({ plain: word }, at) => word === 'con' && OWNERS.has(tokens[at + 1]?.plain ?? ''))) return none()
  const lunar = lunarYears(tokens, currentYear)
  if (lunar !== undefined) return result(lunar)
  const said = regret < 0 ? text : text.slice(text.lastIndexOf(all[regret]?.raw ?? ''))
  const date = /(?:^|\D)\d{1,2}\s*[/.-]\s*\d{1,2}\s*[/.-]\s*(\d{4}|\d{2})(?!\d)/.exec(said)?.[1]
  const figures = date === undefined ? tokens.flatMap(({ figure }) => (figure === undefined ? [] : [figure])) : [Number(date)]
  if (figures.length === 0) figures.push(...spoken(tokens))
  if (figures.length !== 1) return none()
  const value = figures[0] ?? 0
  // A lone figure is a habit of answering by number, not a year
  if (!isAge && value < 10 && tokens.length === 1 && tokens[0]?.raw.length === 1) return none()
  if (isAge) return result(plausible([currentYear - value], currentYear, MIN_AGE_WRITTEN))
  if (value >= 1000) return result(plausible([value], currentYear, MIN_AGE_WRITTEN))
  // "67" is 1967; "05" and "sinh năm 5" are 2005
  return result(value > 99 ? [] : plausible([1900 + value, 2000 + value], currentYear))
}

function isKnown({ plain: word }: Token): boolean {
  return WORDS.has(word) || STEMS.includes(word) || BRANCHES.includes(word) || OTHER_NUMBERS.has(word) || word === 'tui' || isScale(word)
}

function isScale(word: string): boolean {
  return word === TEN || word === HUNDRED || THOUSANDS.has(word) || JOINING.has(word)
}

/** "ngày 3 tháng 4 năm 1980": the day and the month are no year. */
function withoutDates(tokens: readonly Token[]): readonly Token[] {
  const isNumber = (token: Token | undefined) => token !== undefined && (token.figure !== undefined || OTHER_NUMBERS.has(token.plain))
  return tokens.filter((token, at) => !(isNumber(token) && token.plain !== 'nam' && DATED.has(tokens[at - 1]?.plain ?? '')))
}

/** Two spoken figures are the last two of the year, four are the year. "Năm" is also "year": only between figures it is five. */
function spoken(tokens: readonly Token[]): number[] {
  if (tokens.some(({ plain: word }) => isScale(word))) return written(tokens)
  const values = tokens.map(({ plain: word, canon: marked }) => (word === 'nam' && marked !== 'lăm' ? undefined : OTHER_NUMBERS.get(word)))
  const digits = tokens.flatMap(({ plain: word }, at) => {
    const isFive = word === 'nam' && values[at - 1] !== undefined && values[at + 1] !== undefined
    const value = isFive ? 5 : values[at]
    return value === undefined ? [] : [value]
  })
  return digits.length === 2 || digits.length === 4 ? [Number(digits.join(''))] : []
}

/** "năm mươi tám", "một nghìn chín trăm sáu mươi ba", "chín trăm sáu ba": one number written out. */
function written(tokens: readonly Token[]): number[] {
  const scales = tokens.flatMap(({ plain: word }, at) => (isScale(word) ? [at] : []))
  const valueAt = (at: number) => OTHER_NUMBERS.get(tokens[at]?.plain ?? '')
  const isTen = (at: number) => tokens[at]?.plain === TEN
  let [start = 0] = scales
  // "năm mươi tám": the figure before the first of these belongs to the number
  if (valueAt(start - 1) !== undefined) start--
  let end = start
  while (end < tokens.length && (valueAt(end) !== undefined || isScale(tokens[end]?.plain ?? ''))) end++
  if (scales.some((at) => at >= end)) return []
  let total = 0
  let rest: number[] = []
  for (let at = start; at < end; at++) {
    const word = tokens[at]?.plain ?? ''
    const value = valueAt(at)
    const [last = 1] = rest.slice(-1)
    if (isTen(at)) {
      total += last * 10
      rest = []
    } else if (word === HUNDRED || THOUSANDS.has(word)) {
      total += last * (word === HUNDRED ? 100 : 1000)
      rest = []
    } else if (value !== undefined) rest.push(value)
  }
  return rest.length > 2 ? [] : [total + Number(rest.join('') || 0)]
}

function lunarYears(tokens: readonly Token[], currentYear: number): number[] | undefined {
  for (let at = 0; at + 1 < tokens.length; at++) {
    const stem = STEMS.indexOf(tokens[at]?.plain ?? '')
    const branch = BRANCHES.indexOf(tokens[at + 1]?.plain ?? '')
    if (stem < 0 || branch < 0 || stem % 2 !== branch % 2) continue
    const years: number[] = []
    for (let year = currentYear - MAX_AGE; year <= currentYear - MIN_AGE; year++)
      if (year % 10 === stem && year % 12 === branch) years.push(year)
    return years
  }
  return undefined
}

function plausible(years: readonly number[], currentYear: number, minAge = MIN_AGE): number[] {
  return years.filter((year) => currentYear - year >= minAge && currentYear - year <= MAX_AGE)
}

function result(years: number[]): BirthYear {
  const [year, ...others] = years
  if (year === undefined) return none()
  return others.length === 0 ? { kind: 'year', year } : { kind: 'which', years }
}

function none(): BirthYear {
  return { kind: 'none' }
}

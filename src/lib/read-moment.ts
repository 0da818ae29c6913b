import { fold } from './fold.ts'
import { vietnamTime } from './vietnam-time.ts'

const DAY_MS = 86_400_000
const WORDS = ['khong', 'mot', 'hai', 'ba', 'bon', 'nam', 'sau', 'bay', 'tam', 'chin', 'muoi', 'muoi mot', 'muoi hai']
const WEEKDAYS: Readonly<Record<string, number>> = {
  hai: 1,
  ba: 2,
  tu: 3,
  nam: 4,
  sau: 5,
  bay: 6,
  '2': 1,
  '3': 2,
  '4': 3,
  '5': 4,
  '6': 5,
  '7': 6,
}
// A date so long ago this year means the next one
const LONG_AGO_MS = 180 * DAY_MS

/**
 * A moment as people write one: "8 giờ sáng mai", "20/11 8:00", "chiều thứ sáu 3 rưỡi", "ngay". Undefined without a time of day or for
 * anything that could mean two things. Whether it is past is for the caller to say.
 */
export function readMoment(text: string, now: Date): Date | undefined {
  let rest = ` ${fold(text).replace(/[,;]/g, ' ')} `
  if (/^ ?(ngay|ngay bay gio|bay gio|luon|gui ngay|now)( a)? ?$/.test(rest)) return now

  const soon = inHowLong(rest.trim())
  if (soon !== undefined) return new Date(now.getTime() + soon)

  // "8.30 sáng mai" is a time; "8.12" alone is a day
  rest = rest.replace(/ (\d{1,2})\.(\d{2})(?= (?:sang|trua|chieu|toi|dem|hom|ngay|mai|thu|chu nhat))/, ' $1:$2')
  const today = vietnamTime(now)
  let date: { year: number; month: number; day: number } | undefined
  const take = (pattern: RegExp): RegExpMatchArray | undefined => {
    const match = rest.match(pattern)
    if (match) rest = rest.replace(match[0], ' ')
    return match ?? undefined
  }
  const dated = take(/(?:ngay )?(\d{1,2})\s*(?:[/.-]| thang )\s*(\d{1,2})(?:\s*(?:[/.-]| nam )\s*(\d{4}))?(?![\d:h])/)
  if (dated) {
    const [, day = '', month = '', year] = dated
    date = { year: year === undefined ? today.year : Number(year), month: Number(month), day: Number(day) }
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > new Date(Date.UTC(date.year, date.month, 0)).getUTCDate())
      return undefined
    if (year === undefined && now.getTime() - at(date, 23, 59).getTime() > LONG_AGO_MS) date.year += 1
  }
  const plain = (days: number) => {
    const { year, month, day } = vietnamTime(new Date(now.getTime() + days * DAY_MS))
    return { year, month, day }
  }
  const weekday = date ? undefined : take(/ (?:thu (hai|ba|tu|nam|sau|bay|[2-7])|(chu nhat))(?= )/)
  if (weekday) {
    const wanted = weekday[2] ? 7 : (WEEKDAYS[weekday[1] ?? ''] ?? 0)
    const current = new Date(Date.UTC(today.year, today.month - 1, today.day)).getUTCDay() || 7
    date = plain(((wanted - current + 7) % 7 || 7) + (take(/ tuan sau/) && wanted > current ? 7 : 0))
  } else if (!date) {
    if (take(/ (ngay )?kia(?= )/)) date = plain(2)
    else if (take(/ (ngay )?mai(?= )/)) date = plain(1)
    else if (take(/ (hom )?nay(?= )/)) date = plain(0)
  }

  const period = take(/ (sang|trua|chieu|toi|dem)(?= )/)?.[1]
  const clock =
    take(/(\d{1,2})\s*(?::|gio|h|g)\s*(\d{2})?(\s*ruoi)?(?= )/) ??
    take(new RegExp(` (${[...WORDS].reverse().join('|')})\\s*gio()(\\s*ruoi)?(?= )`)) ??
    take(/ (\d{1,2})()(\s*ruoi)(?= )/) ??
    (period ? take(/ (\d{1,2})()()(?= )/) : undefined)
  if (!clock || /\d| phut /.test(rest)) return undefined
  const [, hours = '', minutes, half] = clock
  const word = WORDS.indexOf(hours.trim())
  let hour = word >= 0 ? word : Number(hours)
  const minute = minutes ? Number(minutes) : half?.trim() ? 30 : 0
  if ((period === 'chieu' || period === 'toi') && hour < 12) hour += 12
  if (period === 'trua' && hour < 3) hour += 12
  if (period === 'dem') hour = hour === 12 ? 0 : hour >= 7 && hour < 12 ? hour + 12 : hour
  if (hour > 23 || minute > 59) return undefined
  return at(date ?? plain(0), hour, minute)
}

const MINUTE_MS = 60_000

/** "15 phút nữa", "sau 2 tiếng", "nửa tiếng nữa", ms. */
function inHowLong(text: string): number | undefined {
  const number = `\\d{1,3}|${WORDS.join('|')}`
  const [, after, minutes, hours, half, more] =
    new RegExp(`^(sau )?(?:(${number}) phut|(${number}|nua) (?:tieng|gio)( ruoi)?)( nua)?(?: a)?$`).exec(text) ?? []
  if (after === undefined && more === undefined) return undefined
  const count = (words: string) => (WORDS.includes(words) ? WORDS.indexOf(words) : Number(words))
  if (minutes !== undefined) return count(minutes) * MINUTE_MS
  if (hours === undefined) return undefined
  return (hours === 'nua' ? 30 : count(hours) * 60 + (half ? 30 : 0)) * MINUTE_MS
}

const at = ({ year, month, day }: { year: number; month: number; day: number }, hour: number, minute: number): Date =>
  new Date(Date.UTC(year, month - 1, day, hour - 7, minute))

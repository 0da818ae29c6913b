import { z } from 'zod'
import quietDaysFile from '../../flows/quiet-days.json' with { type: 'json' }
import { vietnamTime } from '../lib/vietnam-time.ts'

const Day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const QuietDays = z
  .object({
    status: z.enum(['official', 'proposed']),
    note: z.string(),
    quiet: z.array(z.object({ name: z.string(), from: Day, to: Day }).strict()),
    /** `09-02` of every year, `2027-04-16` of one. */
    holidays: z.array(z.string().regex(/^(\d{4}-)?\d{2}-\d{2}$/)),
  })
  .strict()
const quietDays = QuietDays.parse(quietDaysFile)

const DAY_MS = 86_400_000
const two = (value: number) => String(value).padStart(2, '0')

/** `2026-11-22` in Việt Nam. */
export function dayOf(at: Date): string {
  const { year, month, day } = vietnamTime(at)
  return `${year}-${two(month)}-${two(day)}`
}

/** A time of that day, `hhmm` as "07:00". */
export const atTime = (day: string, hhmm: string): Date => new Date(`${day}T${hhmm.padStart(5, '0')}:00+07:00`)

export const nextDay = (day: string): string => dayOf(new Date(atTime(day, '12:00').getTime() + DAY_MS))

const dayBefore = (day: string): string => dayOf(new Date(atTime(day, '12:00').getTime() - DAY_MS))

/** Monday is 1, Sunday 7. */
export const weekday = (day: string): number => new Date(`${day}T12:00:00Z`).getUTCDay() || 7

/** Days of mourning, Tết and whatever else an officer set: `extra` as "2026-12-01, 2026-12-03..2026-12-05". */
export function isQuietDay(day: string, extra = ''): boolean {
  if (quietDays.quiet.some((range) => range.from <= day && day <= range.to)) return true
  return rangesOf(extra).some(({ from, to }) => from <= day && day <= to)
}

const rangesOf = (days: string): { from: string; to: string }[] =>
  days
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
    .map((part) => {
      const [from = '', to = from] = part.split('..')
      return { from, to }
    })

/** A list of days as it is set, with so many quiet days more from `today` on, behind those that follow it already; `last`: their last. */
export function addQuietDays(days: string, today: string, count: number): { days: string; last: string } {
  let from = today
  while (isQuietDay(from, days)) from = nextDay(from)
  let last = from
  for (let n = 1; n < count; n++) last = nextDay(last)
  return { days: [...(days === '' ? [] : [days]), from === last ? from : `${from}..${last}`].join(', '), last }
}

/** The list without the silence `today` lies in; what was set for another time stays. */
export function endQuietDays(days: string, today: string): string {
  let end = today
  while (rangesOf(days).some(({ from, to }) => from <= nextDay(end) && nextDay(end) <= to)) end = nextDay(end)
  return rangesOf(days)
    .flatMap(({ from, to }) => (to < today || from > end ? [{ from, to }] : from < today ? [{ from, to: dayBefore(today) }] : []))
    .map(({ from, to }) => (from === to ? from : `${from}..${to}`))
    .join(', ')
}

/** Public holidays beside Tết. */
export const isHoliday = (day: string): boolean => quietDays.holidays.some((holiday) => holiday === day || holiday === day.slice(5))

const isWorkingDay = (day: string): boolean => weekday(day) <= 5 && !isQuietDay(day) && !isHoliday(day)

/** The same time of day so many working days later. */
export function addWorkingDays(at: Date, count: number): Date {
  let moved = at
  for (let left = count; left > 0; ) {
    moved = new Date(moved.getTime() + DAY_MS)
    if (isWorkingDay(dayOf(moved))) left -= 1
  }
  return moved
}

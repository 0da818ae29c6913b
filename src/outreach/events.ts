import { z } from 'zod'
import eventsFile from '../../flows/events.json' with { type: 'json' }
import { vietnamTime } from '../lib/vietnam-time.ts'
import { monthDay, type Settings } from '../registry/settings.ts'
import { dayOf } from './calendar.ts'

const Theme = z.union([z.string(), z.object({ text: z.string().optional(), status: z.enum(['unconfirmed', 'unknown']) }).strict()])
const Event = z
  .object({
    id: z.string(),
    /** `10-02`; or by a setting, where a province may move it. */
    on: z.string().optional(),
    from_setting: z.literal('event.week_from').optional(),
    days_ahead: z.number(),
    title: z.string(),
    /** By year, as far as known; a theme that is not confirmed is left out of the text. */
    themes: z.record(z.string(), Theme).optional(),
    text: z.string(),
    source: z.string(),
  })
  .strict()
/** An occasion of the year, with a text prepared for it. */
export type YearEvent = z.infer<typeof Event>
const yearFile = z
  .object({
    note: z.string(),
    /** How a theme is named within a text. */
    theme: z.string(),
    events: z.array(Event),
  })
  .strict()
  .parse(eventsFile)
const yearEvents: readonly YearEvent[] = yearFile.events

const DAY_MS = 86_400_000
const WEEK_DAYS = 7

export const findEvent = (place: number): YearEvent | undefined => yearEvents[place]

/** The day of an occasion in a year, `2026-10-01`. */
function eventDay(event: YearEvent, year: number, settings: Pick<Settings, 'get'>): string {
  return `${year}-${event.on ?? monthDay(settings.get('event.week_from'))}`
}

/** The prepared text for the next such occasion, with the Week's dates of this commune and its theme where one is confirmed. */
export function eventText(event: YearEvent, settings: Pick<Settings, 'get'>, now: Date): string {
  const { year: thisYear } = vietnamTime(now)
  const year = eventDay(event, thisYear, settings) < dayOf(now) ? thisYear + 1 : thisYear
  const from = new Date(`${eventDay(event, year, settings)}T05:00:00Z`)
  const to = new Date(from.getTime() + (WEEK_DAYS - 1) * DAY_MS)
  const theme = event.themes?.[year]
  const dayMonth = (at: Date) => `${vietnamTime(at).day}/${vietnamTime(at).month}`
  return event.text
    .replace('[[from]]', dayMonth(from))
    .replace('[[to]]', `${dayMonth(to)}/${year}`)
    .replace('[[theme]]', typeof theme === 'string' ? yearFile.theme.replace('[[theme]]', theme) : '')
}

/** Whether the theme of this year still has to be found out; the officer is told so. */
export const isThemeOpen = (event: YearEvent, now: Date): boolean =>
  event.themes !== undefined && typeof event.themes[vietnamTime(now).year] !== 'string'

/** Whether its text still speaks of what is to come, or of today: from the first day it is offered to the last of the occasion. */
export function isTimely(event: YearEvent, settings: Pick<Settings, 'get'>, now: Date): boolean {
  const { year } = vietnamTime(now)
  const today = dayOf(now)
  return [year, year + 1].some((inYear) => {
    const at = new Date(`${eventDay(event, inYear, settings)}T05:00:00Z`).getTime()
    const last = at + (event.from_setting ? WEEK_DAYS - 1 : 0) * DAY_MS
    return dayOf(new Date(at - event.days_ahead * DAY_MS)) <= today && today <= dayOf(new Date(last))
  })
}

/** Occasions whose text is to be offered on this day, with the day itself. */
export function dueEvents(now: Date, settings: Pick<Settings, 'get'>): { event: YearEvent; place: number; day: string }[] {
  const today = dayOf(now)
  const { year } = vietnamTime(now)
  return yearEvents.flatMap((event, place) =>
    [year, year + 1].flatMap((inYear) => {
      const day = eventDay(event, inYear, settings)
      const first = dayOf(new Date(new Date(`${day}T05:00:00Z`).getTime() - event.days_ahead * DAY_MS))
      return first <= today && today < day ? [{ event, place, day }] : []
    }),
  )
}

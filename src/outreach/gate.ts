import { vietnamTime } from '../lib/vietnam-time.ts'
import { atTime, dayOf, isQuietDay, nextDay } from './calendar.ts'

/**
 * Whether a message we start may go to one person at one moment (architecture, guarantee 7). Pure: campaigns, reminders and digests all
 * ask here, with what they know at the very moment of sending.
 */
export type StartFacts = {
  now: Date
  contact: {
    lastInboundAt: Date
    stoppedAt: Date | null
    erasedAt: Date | null
    unreachableClass: string | null
  }
  /** How long after a person's last word we may write, ms; null where the platform has no such window. */
  windowMs: number | null
  quiet: Quiet
  /** Most messages of this kind, and how many this person got in the period that counts. */
  ceiling?: { most: number; sent: number }
}

/**
 * Times of day "21:00" and "07:00" in Việt Nam between which nothing goes out; equal: no quiet hours. `days`: whole days of silence an
 * officer set ("2026-12-01, 2026-12-03..2026-12-05"), beside Tết; absent where no days are kept.
 */
export type Quiet = { from: string; to: string; days?: string }

export type StartRefusal = 'erased' | 'stopped' | 'unreachable' | 'ceiling' | 'window_closed' | 'quiet_hours'

export type StartAnswer =
  | { may: true }
  /** `until`: when it may be asked again, where waiting alone helps. */
  | { may: false; reason: StartRefusal; until?: Date }

const MINUTE_MS = 60_000
// Each step ends a night or a day of silence; longer silences than this are nobody's wish
const MOST_STEPS = 120
const DAY_MINUTES = 24 * 60

export function mayStart({ now, contact, windowMs, quiet, ceiling }: StartFacts): StartAnswer {
  if (contact.erasedAt) return { may: false, reason: 'erased' }
  if (contact.stoppedAt) return { may: false, reason: 'stopped' }
  if (contact.unreachableClass !== null) return { may: false, reason: 'unreachable' }
  if (ceiling && ceiling.sent >= ceiling.most) return { may: false, reason: 'ceiling' }
  const until = quietUntil(now, quiet)
  if (!isWindowOpen(contact.lastInboundAt, windowMs, until ?? now)) return { may: false, reason: 'window_closed' }
  if (until) return { may: false, reason: 'quiet_hours', until }
  return { may: true }
}

/** Whether the platform takes a message at this moment. What happened in the future (another clock) counts as now. */
export function isWindowOpen(lastInboundAt: Date, windowMs: number | null, at: Date): boolean {
  return windowMs === null || at.getTime() - lastInboundAt.getTime() < windowMs
}

/** The end of the quiet hours or days we are in; undefined outside of them. */
export function quietUntil(now: Date, quiet: Quiet): Date | undefined {
  let at = now
  for (let step = 0; step < MOST_STEPS; step++) {
    const day = dayOf(at)
    const until = quiet.days !== undefined && isQuietDay(day, quiet.days) ? atTime(nextDay(day), '00:00') : quietHoursUntil(at, quiet)
    if (!until) return at === now ? undefined : at
    at = until
  }
  return at
}

function quietHoursUntil(now: Date, { from, to }: Quiet): Date | undefined {
  const start = minuteOf(from)
  const end = minuteOf(to)
  if (start === end) return undefined
  const { hour, minute } = vietnamTime(now)
  const current = hour * 60 + minute
  const isQuiet = start < end ? current >= start && current < end : current >= start || current < end
  if (!isQuiet) return undefined
  const minutesLeft = (end - current + DAY_MINUTES) % DAY_MINUTES
  // To the full minute: the clock's seconds belong to the minute that is still quiet
  return new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS + minutesLeft * MINUTE_MS)
}

/** Milliseconds between two moments in which messages may go out. */
export function openTime(fromMs: number, untilMs: number, quiet: Quiet): number {
  let open = 0
  let at = fromMs
  while (at < untilMs) {
    const end = quietUntil(new Date(at), quiet)
    if (end) {
      at = end.getTime()
      continue
    }
    const next = Math.min(nextQuiet(at, quiet), untilMs)
    open += next - at
    at = next
  }
  return open
}

/** When so much open time has passed. */
export function afterOpenTime(fromMs: number, openMs: number, quiet: Quiet): Date {
  let at = fromMs
  let left = openMs
  for (;;) {
    const end = quietUntil(new Date(at), quiet)
    if (end) at = end.getTime()
    const next = nextQuiet(at, quiet)
    if (next - at >= left) return new Date(at + left)
    left -= next - at
    at = next
  }
}

function nextQuiet(atMs: number, { from, to }: Quiet): number {
  const start = minuteOf(from)
  if (start === minuteOf(to)) return Number.POSITIVE_INFINITY
  const { hour, minute } = vietnamTime(new Date(atMs))
  const minutes = (start - (hour * 60 + minute) + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS + minutes * MINUTE_MS
}

function minuteOf(time: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number)
  return hour * 60 + minute
}

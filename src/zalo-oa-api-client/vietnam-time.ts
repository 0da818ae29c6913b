const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
// The vendor never names a time zone; Asia/Ho_Chi_Minh is UTC+7 the whole year, without daylight saving, so arithmetic is enough
const OFFSET_MS = 7 * HOUR_MS

/** When to ask again. All clocks are Asia/Ho_Chi_Minh. */
export type Wait = 'next_minute' | 'six_in_the_morning' | 'next_day'

/** The first moment after `nowMs` (ms since 1970) at which the wait is over: a full minute, 06:00, or midnight. */
export function endOfWait(wait: Wait, nowMs: number): number {
  switch (wait) {
    case 'next_minute':
      return (Math.floor(nowMs / MINUTE_MS) + 1) * MINUTE_MS
    case 'six_in_the_morning':
      return nextDaily(6 * HOUR_MS, nowMs)
    case 'next_day':
      return nextDaily(0, nowMs)
    default:
      return wait satisfies never
  }
}

function nextDaily(timeOfDayMs: number, nowMs: number): number {
  const midnight = Math.floor((nowMs + OFFSET_MS) / DAY_MS) * DAY_MS - OFFSET_MS
  const today = midnight + timeOfDayMs
  return today > nowMs ? today : today + DAY_MS
}

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { vietnamTime } from '../../src/lib/vietnam-time.ts'
import { afterOpenTime, mayStart, openTime, quietUntil } from '../../src/outreach/gate.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const time = fc
  .record({ h: fc.integer({ min: 0, max: 23 }), m: fc.integer({ min: 0, max: 59 }) })
  .map(({ h, m }) => `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`)
const moment = fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2028, 0, 1) }).map((ms) => new Date(ms))
const maybe = fc.option(moment, { nil: null })
const quiet = fc.record({ from: time, to: time })
const facts = fc.record({
  now: moment,
  contact: fc.record({
    lastInboundAt: moment,
    stoppedAt: maybe,
    erasedAt: maybe,
    unreachableClass: fc.constantFrom(null, null, 'blocked'),
  }),
  windowMs: fc.constantFrom(null, 48 * HOUR, 168 * HOUR),
  quiet,
  ceiling: fc.record({ most: fc.integer({ min: 0, max: 4 }), sent: fc.integer({ min: 0, max: 6 }) }),
})

/** By counting minutes on the clock of Việt Nam, in another way than the gate does. */
function isQuiet(at: Date, { from, to }: { from: string; to: string }): boolean {
  const { hour, minute } = vietnamTime(at)
  const clock = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
  if (from === to) return false
  return from < to ? clock >= from && clock < to : clock >= from || clock < to
}

describe('a message we start', () => {
  test('never goes in quiet hours, after DỪNG, above the ceiling, outside the window, to the erased or unreachable', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const answer = mayStart(given)
        const forbidden =
          isQuiet(given.now, given.quiet) ||
          given.contact.stoppedAt !== null ||
          given.contact.erasedAt !== null ||
          given.contact.unreachableClass !== null ||
          given.ceiling.sent >= given.ceiling.most ||
          (given.windowMs !== null && given.now.getTime() - given.contact.lastInboundAt.getTime() >= given.windowMs)
        expect(answer.may).toBe(!forbidden)
      }),
      { numRuns: 20_000 },
    )
  })

  test('that only has to wait may go when the quiet hours end', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const answer = mayStart(given)
        if (answer.may || answer.until === undefined) return
        expect(answer.until.getTime()).toBeGreaterThan(given.now.getTime())
        expect(isQuiet(answer.until, given.quiet)).toBe(false)
        expect(isQuiet(new Date(answer.until.getTime() - 1), given.quiet)).toBe(true)
        expect(mayStart({ ...given, now: answer.until }).may).toBe(true)
      }),
      { numRuns: 5_000 },
    )
  })

  test('takes as long as its open time says', () => {
    fc.assert(
      fc.property(moment, fc.integer({ min: 0, max: 40 * 60 }), quiet, (from, minutes, hours) => {
        const end = afterOpenTime(from.getTime(), minutes * MINUTE, hours)
        expect(openTime(from.getTime(), end.getTime(), hours)).toBe(minutes * MINUTE)
        if (minutes > 0) expect(quietUntil(new Date(end.getTime() - 1), hours)).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
  })
})

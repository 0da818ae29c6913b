import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { vietnamTime } from '../../src/lib/vietnam-time.ts'
import { addQuietDays, addWorkingDays, dayOf, endQuietDays, isQuietDay } from '../../src/outreach/calendar.ts'
import { quietUntil } from '../../src/outreach/gate.ts'
import { dueAt, reminderRules } from '../../src/outreach/reminder-rules.ts'
import { mayStartNow, nextAllowed } from '../../src/outreach/started-gate.ts'
import { defaultSettings } from '../../src/registry/settings.ts'

const HOUR_MS = 3_600_000
const settings = defaultSettings()
const household = reminderRules.rules.filter((rule) => rule.to === 'household')
const anyTime = fc.integer({ min: Date.parse('2026-11-01T00:00:00Z'), max: Date.parse('2029-03-01T00:00:00Z') }).map((ms) => new Date(ms))

describe('when a reminder is due', () => {
  it('is never in quiet hours, on Tết, or outside the part of the window the rule may use', () => {
    fc.assert(
      fc.property(anyTime, fc.constantFrom(...household), (lastWord, rule) => {
        const due = dueAt(rule, lastWord, settings)
        if (!due) return
        const { hour } = vietnamTime(due)
        expect(hour >= 7 && hour < 21).toBe(true)
        expect(isQuietDay(dayOf(due))).toBe(false)
        const hours = (due.getTime() - lastWord.getTime()) / HOUR_MS
        expect(hours).toBeGreaterThanOrEqual(reminderRules.by_hand.least_hours)
        expect(hours).toBeLessThan(rule.billed ? 168 : 48)
      }),
      { numRuns: 2_000 },
    )
  })

  it('leaves at a moment the gate allows, whatever the clock says', () => {
    fc.assert(
      fc.property(anyTime, fc.integer({ min: 0, max: 200 }), fc.constantFrom('reminder', 'digest'), (lastInboundAt, hours, cause) => {
        const now = new Date(lastInboundAt.getTime() + hours * HOUR_MS)
        const contact = { lastInboundAt, stoppedAt: null, erasedAt: null, unreachableClass: null }
        const gate = mayStartNow({ contact, commune: undefined, abilities: { sendWindowMs: 168 * HOUR_MS }, cause, now })
        const at = gate.kind === 'go' ? now : gate.kind === 'later' ? gate.at : undefined
        if (!at) return
        const { hour } = vietnamTime(at)
        expect(hour >= 7 && hour < 21).toBe(true)
        expect(isQuietDay(dayOf(at))).toBe(false)
        expect(at.getTime() - lastInboundAt.getTime()).toBeLessThan((cause === 'reminder' ? 48 : 168) * HOUR_MS)
      }),
      { numRuns: 2_000 },
    )
  })

  it('never goes out after DỪNG, to the erased or the unreachable', () => {
    const now = new Date('2026-11-24T10:00:00+07:00')
    const open = { lastInboundAt: now, stoppedAt: null, erasedAt: null, unreachableClass: null }
    const ask = (contact: typeof open | { stoppedAt: Date }) =>
      mayStartNow({ contact: { ...open, ...contact }, commune: undefined, abilities: { sendWindowMs: null }, cause: 'digest', now })
    expect(ask(open)).toEqual({ kind: 'go' })
    expect(ask({ stoppedAt: now })).toEqual({ kind: 'no', reason: 'stopped' })
  })

  it('moves what falls on Tết to the first day after it', () => {
    expect(nextAllowed(new Date('2027-02-06T09:00:00+07:00'), settings)?.toISOString()).toBe(
      new Date('2027-02-11T07:00:00+07:00').toISOString(),
    )
  })
})

describe('days of silence', () => {
  const quiet = { from: '21:00', to: '07:00', days: '2026-12-01, 2026-12-03..2026-12-04' }
  it.each([
    ['2026-11-30T21:30:00+07:00', '2026-12-02T07:00:00+07:00'],
    ['2026-12-01T10:00:00+07:00', '2026-12-02T07:00:00+07:00'],
    ['2026-12-03T10:00:00+07:00', '2026-12-05T07:00:00+07:00'],
  ])('at %s nothing goes out before %s, for campaigns as for reminders', (now, until) => {
    expect(quietUntil(new Date(now), quiet)?.toISOString()).toBe(new Date(until).toISOString())
  })
  it('leaves other days alone', () => {
    expect(quietUntil(new Date('2026-12-02T10:00:00+07:00'), quiet)).toBeUndefined()
  })
})

describe('working days', () => {
  it.each([
    ['2026-11-23T09:00:00+07:00', '2026-11-25'],
    ['2026-11-26T09:00:00+07:00', '2026-11-30'],
    ['2026-12-31T09:00:00+07:00', '2027-01-05'],
    ['2027-02-03T09:00:00+07:00', '2027-02-12'],
  ])('two after %s is %s', (from, to) => {
    expect(dayOf(addWorkingDays(new Date(from), 2))).toBe(to)
  })
})

describe('days officers set for silence', () => {
  it.each([
    ['', '2026-12-07', 3, '2026-12-07..2026-12-09', '2026-12-09'],
    ['2026-12-07..2026-12-09', '2026-12-08', 3, '2026-12-07..2026-12-09, 2026-12-10..2026-12-12', '2026-12-12'],
    ['2026-11-01', '2026-12-31', 1, '2026-11-01, 2026-12-31', '2026-12-31'],
    // Behind Tết, which is quiet anyway
    ['', '2027-02-08', 2, '2027-02-11..2027-02-12', '2027-02-12'],
  ])('"%s" and on %s %i days more is "%s"', (days, today, count, expected, last) => {
    expect(addQuietDays(days, today, count)).toEqual({ days: expected, last })
  })

  it.each([
    ['2026-12-07..2026-12-09', '2026-12-07', ''],
    ['2026-12-07..2026-12-09, 2026-12-10..2026-12-12', '2026-12-08', '2026-12-07'],
    ['2026-12-01, 2026-12-07, 2026-12-20..2026-12-21', '2026-12-07', '2026-12-01, 2026-12-20..2026-12-21'],
    ['2026-12-20', '2026-12-07', '2026-12-20'],
  ])('"%s" that end on %s leave "%s"', (days, today, expected) => {
    expect(endQuietDays(days, today)).toBe(expected)
    expect(isQuietDay(today, endQuietDays(days, today))).toBe(false)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atTime, dayOf, isHoliday, isQuietDay, nextDay, weekday } from '../../src/outreach/calendar.ts'
import { dueEvents, eventText } from '../../src/outreach/events.ts'
import { defaultSettings } from '../../src/registry/settings.ts'

// Another way to the lunar calendar than the list of days: new moons and the sun's place by Meeus' series, as the astronomers of Việt Nam
// reckon them, at 7 hours east

const DAY_MS = 86_400_000
const RADIANS = Math.PI / 180
const EAST_DAYS = 7 / 24

/** Julian day of the new moon so many months after that of 1 January 1900. */
function newMoon(k: number): number {
  const t = k / 1236.85
  const sin = (degrees: number) => Math.sin(degrees * RADIANS)
  const mean =
    2415020.75933 + 29.53058868 * k + 0.0001178 * t ** 2 - 0.000000155 * t ** 3 + 0.00033 * sin(166.56 + 132.87 * t - 0.009173 * t ** 2)
  const sun = 359.2242 + 29.10535608 * k - 0.0000333 * t ** 2 - 0.00000347 * t ** 3
  const moon = 306.0253 + 385.81691806 * k + 0.0107306 * t ** 2 + 0.00001236 * t ** 3
  const node = 21.2964 + 390.67050646 * k - 0.0016528 * t ** 2 - 0.00000239 * t ** 3
  const shift =
    (0.1734 - 0.000393 * t) * sin(sun) +
    0.0021 * sin(2 * sun) -
    0.4068 * sin(moon) +
    0.0161 * sin(2 * moon) -
    0.0004 * sin(3 * moon) +
    0.0104 * sin(2 * node) -
    0.0051 * sin(sun + moon) -
    0.0074 * sin(sun - moon) +
    0.0004 * sin(2 * node + sun) -
    0.0004 * sin(2 * node - sun) -
    0.0006 * sin(2 * node + moon) +
    0.001 * sin(2 * node - moon) +
    0.0005 * sin(2 * moon + sun)
  const deltaT = -0.000278 + 0.000265 * t + 0.000262 * t ** 2
  return mean + shift - deltaT
}

/** Number of the day in Việt Nam on which it falls. */
const localDay = (julian: number) => Math.floor(julian + 0.5 + EAST_DAYS)
const isoDay = (number: number) => new Date((number - 2440588) * DAY_MS).toISOString().slice(0, 10)

/** Twelfths of its circle the sun has gone at the beginning of a day. */
function sunPlace(day: number): number {
  const t = (day - 0.5 - EAST_DAYS - 2451545) / 36525
  const m = (357.5291 + 35999.0503 * t) * RADIANS
  const equation = (1.9146 - 0.004817 * t) * Math.sin(m) + 0.019993 * Math.sin(2 * m) + 0.00029 * Math.sin(3 * m)
  return Math.floor(((((280.46645 + 36000.76983 * t + equation) % 360) + 360) % 360) / 30)
}

/** First days of the months of a year from the first one on, leap months left out. */
function lunarMonths(year: number): string[] {
  const near = Math.floor((Date.UTC(year - 1, 10, 15) / DAY_MS + 2440587.5 - 2415021.077) / 29.530588853)
  const moons = [...Array(18).keys()].map((n) => localDay(newMoon(near + n)))
  // The eleventh month holds the winter solstice, when the sun passes its ninth twelfth; the first is the second regular month after it
  const holds = (n: number, place: number) =>
    moons[n + 1] !== undefined && sunPlace(moons[n]!) !== sunPlace(moons[n + 1]!) && sunPlace(moons[n + 1]!) === place
  const eleventh = moons.findIndex((_, n) => holds(n, 9))
  const regular = moons
    .slice(eleventh)
    .filter((_, n) => sunPlace(moons[eleventh + n]!) !== sunPlace(moons[eleventh + n + 1] ?? moons[eleventh + n]!))
  return regular.slice(2).map(isoDay)
}

const shifted = (day: string, days: number) => dayOf(new Date(atTime(day, '12:00').getTime() + days * DAY_MS))
const YEARS = [2026, 2027, 2028, 2029, 2030]

describe('the days of the moon', () => {
  it('are reckoned rightly here', () => {
    expect(lunarMonths(2025)[0]).toBe('2025-01-29')
    // The Chinese new year of 2030 is a day later
    expect(lunarMonths(2030)[0]).toBe('2030-02-02')
  })

  it.each(YEARS)('Tết %i: quiet from the last two days of the old year to the fifth of the new, and on no day beside', (year) => {
    const first = lunarMonths(year)[0]!
    for (let days = -30; days <= 30; days++) {
      const day = shifted(first, days)
      if (days >= -1 && days <= 4) expect(isQuietDay(day), `${day}, day ${days + 1} of Tết`).toBe(true)
      if (days < -2 || days > 4) expect(isQuietDay(day), `${day}, day ${days + 1} of Tết`).toBe(false)
    }
  })

  it.each(YEARS)('Giỗ Tổ %i, the tenth of the third month, is no working day', (year) => {
    expect(isHoliday(shifted(lunarMonths(year)[2]!, 9))).toBe(true)
  })
})

describe('the year’s occasions', () => {
  const settings = defaultSettings()
  const anyDay = fc
    .integer({ min: Date.parse('2026-01-01T00:00:00+07:00'), max: Date.parse('2028-12-31T23:00:00+07:00') })
    .map((ms) => new Date(ms))

  it('are offered on every day of the time ahead, never on the day itself or after it, and each under one key', () => {
    fc.assert(
      fc.property(anyDay, (now) => {
        const today = dayOf(now)
        for (const { event, day } of dueEvents(now, settings)) {
          const ahead = Math.round((atTime(day, '12:00').getTime() - atTime(today, '12:00').getTime()) / DAY_MS)
          expect(ahead).toBeGreaterThan(0)
          expect(ahead).toBeLessThanOrEqual(event.days_ahead)
          expect(eventText(event, settings, atTime(day, '12:00'))).not.toContain('[[')
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([2026, 2027, 2028])('of %i are four, each offered under one key, however many days it is looked', (year) => {
    const keys = new Set<string>()
    for (let day = `${year}-01-01`; day < `${year + 1}-01-01`; day = nextDay(day))
      for (const { event, day: of } of dueEvents(atTime(day, '09:00'), settings)) keys.add(`${event.id} ${of}`)
    expect([...keys].sort()).toEqual([
      `promotion_day ${year}-10-02`,
      `reading_day ${year}-04-21`,
      `teachers_day ${year}-11-20`,
      `week ${year}-10-01`,
    ])
  })

  it('speak of the year of the occasion, also when they are looked at in the year before', () => {
    const early = { get: (key: string) => (key === 'event.week_from' ? '5/1' : settings.get(key as 'quiet.from')) } as unknown as Pick<
      typeof settings,
      'get'
    >
    const [found] = dueEvents(atTime('2026-12-28', '09:00'), early)
    expect(found).toMatchObject({ event: { id: 'week' }, day: '2027-01-05' })
    expect(eventText(found!.event, early, atTime('2026-12-28', '09:00'))).toContain('từ ngày 5/1 đến ngày 11/1/2027')
  })

  it('has weekdays as the calendar has them', () => {
    expect(['2026-11-22', '2026-11-23', '2028-02-29'].map(weekday)).toEqual([7, 1, 2])
  })
})

// Vietnam has had UTC+7 without summer time since 1975, so a fixed offset is exact
const OFFSET_MS = 7 * 3_600_000

function parts(at: number) {
  const local = new Date(at + OFFSET_MS)
  const two = (n: number) => String(n).padStart(2, '0')
  return { year: local.getUTCFullYear(), month: two(local.getUTCMonth() + 1), day: two(local.getUTCDate()), hour: local.getUTCHours() }
}

/** `22/11/2026` */
export function localDate(at: number): string {
  const { day, month, year } = parts(at)
  return `${day}/${month}/${year}`
}

/** `2026_11_22`, the platform's spelling in list periods */
export function localDay(at: number): string {
  const { day, month, year } = parts(at)
  return `${year}_${month}_${day}`
}

/** `2026-11`: months in which quotas are counted */
export function localMonth(at: number): string {
  const { month, year } = parts(at)
  return `${year}-${month}`
}

/** 22:00–05:59, when broadcasts are refused with -234. */
export function isNight(at: number): boolean {
  const { hour } = parts(at)
  return hour >= 22 || hour < 6
}

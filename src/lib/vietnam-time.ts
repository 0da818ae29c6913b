// Việt Nam keeps one zone the year round
const OFFSET_MS = 7 * 3_600_000

/** The date and time of day in Asia/Ho_Chi_Minh. `month` counts from 1. */
export function vietnamTime(at: Date): { year: number; month: number; day: number; hour: number; minute: number } {
  const shifted = new Date(at.getTime() + OFFSET_MS)
  return {
    year: shifted.getUTCFullYear(),
    month: shifted.getUTCMonth() + 1,
    day: shifted.getUTCDate(),
    hour: shifted.getUTCHours(),
    minute: shifted.getUTCMinutes(),
  }
}

const two = (value: number) => String(value).padStart(2, '0')

/** "21/11/2026" */
export function formatDate(at: Date): string {
  const { day, month, year } = vietnamTime(at)
  return `${two(day)}/${two(month)}/${year}`
}

/** "07:05 ngày 21/11/2026" without the word between: the locale adds it. */
export function formatTime(at: Date): string {
  const { hour, minute } = vietnamTime(at)
  return `${two(hour)}:${two(minute)}`
}

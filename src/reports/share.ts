/** A part of a whole. Figures are always shown as x/y, a percentage only beside it. */
export type Share = { x: number; y: number }

export type Rounding = { rule: 'half_up' | 'cut'; decimals: number }

/** "61,5": the percentage with decimal comma, without decimals when whole; undefined of nothing. */
export function printPercent({ x, y }: Share, { rule, decimals }: Rounding): string | undefined {
  if (y === 0) return undefined
  // Whole numbers throughout: 25/35 must not depend on how a fraction is stored
  const scale = 10 ** decimals
  const scaled = x * 100 * scale
  const rounded = rule === 'cut' ? Math.floor(scaled / y) : Math.floor((2 * scaled + y) / (2 * y))
  return printDecimal(rounded, scale)
}

/** "8,6": a figure in whole steps of 1/scale. */
function printDecimal(steps: number, scale: number): string {
  const rest = steps % scale
  if (rest === 0) return String(steps / scale)
  return `${Math.floor(steps / scale)},${String(rest).padStart(String(scale).length - 1, '0')}`
}

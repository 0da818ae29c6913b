import { expect, test } from 'vitest'
import { printPercent } from '../../src/reports/share.ts'

const HALF_UP = { rule: 'half_up', decimals: 1 } as const

test.each<[number, number, Parameters<typeof printPercent>[1], string | undefined]>([
  // The commune's own papers
  [25, 35, HALF_UP, '71,4'],
  [32, 58, HALF_UP, '55,2'],
  [5217, 8480, HALF_UP, '61,5'],
  [22, 35, { rule: 'cut', decimals: 1 }, '62,8'],
  [22, 35, HALF_UP, '62,9'],
  [12, 12, HALF_UP, '100'],
  [1, 2000, HALF_UP, '0,1'],
  [1, 2001, HALF_UP, '0'],
  [1, 3, { rule: 'half_up', decimals: 2 }, '33,33'],
  [201, 10_000, { rule: 'half_up', decimals: 2 }, '2,01'],
  [2, 3, { rule: 'half_up', decimals: 0 }, '67'],
  [0, 7, HALF_UP, '0'],
  [0, 0, HALF_UP, undefined],
])('%d/%d is %j', (x, y, rounding, printed) => {
  expect(printPercent({ x, y }, rounding)).toBe(printed)
})

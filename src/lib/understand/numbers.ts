import type { Token } from './tokens.ts'
import type { Candidate } from './vocabulary.ts'

/** A number written at a place of the text; `end` is the place after it. */
export type NumberAt = { value: number; end: number; cost: number /** In figures, not words. */; figures: boolean }

const TEN = 10
const TENS_WORDS = new Set(['mươi', 'mưi'])

/** Numbers that begin at word `at`: figures, "hai", "mười hai", "hai mươi", "ba mươi lăm". */
export function numbersAt(
  at: number,
  tokens: readonly Token[],
  candidates: readonly (readonly Candidate[])[],
  values: ReadonlyMap<string, number>,
): NumberAt[] {
  const token = tokens[at]
  if (token === undefined) return []
  if (token.figure !== undefined) return [{ value: token.figure, end: at + 1, cost: 0, figures: true }]
  const first = valueAt(at)
  if (first === undefined) return []
  const results: NumberAt[] = [{ value: first.value, end: at + 1, cost: first.cost, figures: false }]
  const second = candidates[at + 1]
  if (first.value >= 2 && first.value < TEN && second?.some(({ word }) => TENS_WORDS.has(word))) {
    results.push({ value: first.value * TEN, end: at + 2, cost: first.cost, figures: false })
    const unit = valueAt(at + 2)
    if (unit !== undefined && unit.value < TEN)
      results.push({ value: first.value * TEN + unit.value, end: at + 3, cost: first.cost + unit.cost, figures: false })
  } else if (first.value === TEN) {
    const unit = valueAt(at + 1)
    if (unit !== undefined && unit.value < TEN)
      results.push({ value: TEN + unit.value, end: at + 2, cost: first.cost + unit.cost, figures: false })
  }
  return results.slice(-1)

  function valueAt(place: number): { value: number; cost: number } | undefined {
    for (const { word, cost } of candidates[place] ?? []) {
      const value = values.get(word)
      // a mistyped number word is not a number: "hay" is not "hai"
      if (value !== undefined && cost < 0.4) return { value, cost }
    }
    return undefined
  }
}

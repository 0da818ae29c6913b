import { canon, plain } from './letters.ts'
import type { Lexicon } from './lexicon.ts'
import { readWords } from './tokens.ts'

/** How many people, or nothing certain: then it is asked for as a figure. */
export type Count = { kind: 'count'; count: number } | { kind: 'ask' } | { kind: 'none' }

const MAX_COUNT = 30
const FRAME = 'nhà tôi em mình cháu có được là dạ ạ thưa cả tất gồm khoảng thôi nhé đủ hiện nay năm bây giờ trong người lớn'
  .split(' ')
  .map((word) => canon(word))

/** "4", "bốn người", "nhà có 4 người lớn". Sums and doubts ("2 vợ chồng và 1 con lớn", "3 hay 4") are asked. */
export function parseCount(text: string, lexicon: Lexicon): Count {
  const { tokens, end } = readWords(text)
  const values = new Map(
    lexicon.languages.flatMap((one) => Object.entries(one.numbers).map(([word, value]) => [canon(word), value] as const)),
  )
  const units = new Set(lexicon.languages.flatMap((one) => one.count_units.flatMap((unit) => unit.split(' ').map((word) => canon(word)))))
  const plainValues = new Map([...values].map(([word, value]) => [plain(word), value]))
  const known = new Set([...FRAME, ...units])
  const plainKnown = new Set([...known].map(plain))
  const isFramed = (word: string, marked: boolean) => known.has(word) || (!marked && plainKnown.has(word))
  const numbers: number[] = []
  let isOther = end.includes('?')
  for (const token of tokens) {
    const next = tokens[tokens.indexOf(token) + 1]
    const isYear = token.plain === 'nam' && next !== undefined && ['nay'].includes(next.plain)
    const value = token.figure ?? values.get(token.canon) ?? (token.marked ? undefined : plainValues.get(token.plain))
    if (value !== undefined && !isYear) numbers.push(value)
    else if (!isFramed(token.canon, token.marked)) isOther = true
  }
  if (numbers.length === 0) return { kind: 'none' }
  const [count] = numbers
  if (numbers.length > 1 || isOther || count === undefined) return { kind: 'ask' }
  return count >= 1 && count <= MAX_COUNT ? { kind: 'count', count } : { kind: 'none' }
}

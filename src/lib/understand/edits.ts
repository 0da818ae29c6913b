import type { NumberAt } from './numbers.ts'
import type { Edge, LabelKind } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { Offered, Understanding } from './types.ts'

type Args = {
  tokens: readonly Token[]
  numbers: readonly (readonly NumberAt[])[]
  edges: readonly Edge[]
  offered: Offered
  light: readonly boolean[]
}

const MAX_QUESTION = 100
const MAX_COST = 0.3
const ASKING: readonly LabelKind[] = ['question', 'question_ends']
const COVERING: readonly LabelKind[] = [
  'question_before',
  'edit',
  'wrong',
  'light',
  'regret',
  'edit_becomes',
  'mistook',
  'negator',
  'poison',
]

/** "sửa câu 3", "câu 3 sai", "câu 3 là 2": wants another answer to an earlier question. */
export function findEdit({ tokens, numbers, edges, offered, light }: Args): Understanding | undefined {
  const before = edges.filter((edge) => edge.label.kind === 'question_before')
  const edits = edges.filter((edge) => edge.label.kind === 'edit')
  const wrong = edges.filter((edge) => edge.label.kind === 'wrong')
  const becomes = edges.filter((edge) => edge.label.kind === 'edit_becomes')
  for (let at = 0; at < tokens.length; at++) {
    const number = numbers[at]?.at(-1)
    if (number === undefined || number.value < 1 || number.value > MAX_QUESTION) continue
    const named = before.some((edge) => edge.end === at)
    const told = edits.some((edge) => edge.end === at)
    if (!named && !told) continue
    const word = edits.find((edge) => edge.end <= at || edge.start >= number.end) ?? wrong.find((edge) => named && edge.start >= number.end)
    // "nhầm câu 3 rồi" takes back an earlier answer; "nhầm, câu 3" corrects this one
    const name = before.find((edge) => edge.end === at)
    const mistaken = wrong.some(({ start, end }) => {
      const between = tokens.slice(end, (name?.start ?? end) + 1)
      return (
        between.length > 0 &&
        light.slice(0, start).every(Boolean) &&
        between.every(({ gap }, i) => gap === '' && (end + i === name?.start || light[end + i]))
      )
    })
    if (named && mistaken && isAll(edges, [at, number.end], tokens.length, light)) return { kind: 'edit', number: number.value }
    const link = becomes.find((edge) => edge.start === number.end || edge.start === word?.end)
    // "câu 2 là gì" asks about it
    if (edges.some((edge) => ASKING.includes(edge.label.kind) && edge.start >= number.end && edge.cost === 0)) return undefined
    const rest = tokens.slice(link?.end ?? tokens.length)
    const hasRest = rest.some((_, i) => !light[(link?.end ?? 0) + i])
    const rawRest = rest.map((token) => token.raw).join(' ')
    if (hasRest && link !== undefined && named) return { kind: 'edit', number: number.value, rest: rawRest }
    if (hasRest && link !== undefined && told) return { kind: 'edit', number: number.value, rest: rawRest }
    if (word !== undefined && isAll(edges, [at, number.end], tokens.length, light)) return { kind: 'edit', number: number.value }
    // "câu 3" alone is the third answer; only under a read-back it is a question of the form
    const isReadBack = offered.kind === 'confirm'
    if (named && isReadBack && isAll(edges, [at, number.end], tokens.length, light)) return { kind: 'edit', number: number.value }
  }
  return undefined
}

/** Nothing stands in the text but the question's number and words of editing. */
function isAll(edges: readonly Edge[], [from, to]: [number, number], length: number, light: readonly boolean[]): boolean {
  const covered = new Array<boolean>(length).fill(false).map((_, at) => light[at] === true || (at >= from && at < to))
  for (const edge of edges) if (COVERING.includes(edge.label.kind) && edge.cost <= MAX_COST) covered.fill(true, edge.start, edge.end)
  return covered.every(Boolean)
}

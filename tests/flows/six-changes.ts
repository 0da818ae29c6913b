import { join } from 'node:path'
import { type Content, loadContent } from '../../src/content/load.ts'
import { createTexts, type Texts } from '../../src/content/texts.ts'
import { CriteriaSet, criteriaTextKey } from '../../src/model/criteria.ts'
import { FlowFile } from '../../src/model/flow.ts'

// A form whose questions and answers are told apart by what they mean, not by their keys: `m4` is the same question in every version, and
// `m4.b` the same answer. Keys, order and numbers change between versions; what people mean does not.

type Question = { key: string; meaning: string; options: { key: string; meaning: string }[] }
type Mapping = { questions: Record<string, string | null>; options: Record<string, Record<string, string | null>> }
export type Change = { name: string; questions: Question[]; mapping: Mapping }

const LETTERS = ['a', 'b', 'c', 'd']
const NONE: Mapping = { questions: {}, options: {} }
const question = (n: number | string): Question => ({
  key: `q${n}`,
  meaning: `m${n}`,
  options: LETTERS.map((letter) => ({ key: `o_${letter}`, meaning: `m${n}.${letter}` })),
})

export const FIRST: Question[] = Array.from({ length: 10 }, (_, index) => question(index + 1))

const changed = (key: string, to: Partial<Question>) => FIRST.map((item) => (item.key === key ? { ...item, ...to } : item))
const find = (key: string) => FIRST.find((item) => item.key === key) ?? question(0)

/** The six kinds of change to a form that people are in the middle of. */
export const CHANGES: Change[] = [
  { name: 'insert', questions: [...FIRST.slice(0, 2), question('new'), ...FIRST.slice(2)], mapping: NONE },
  { name: 'delete', questions: FIRST.filter(({ key }) => key !== 'q4'), mapping: { questions: { q4: null }, options: {} } },
  {
    name: 'reorder',
    questions: FIRST.toReversed().map((item) => ({ ...item, options: item.options.toReversed() })),
    mapping: NONE,
  },
  {
    name: 'rename',
    questions: changed('q5', { key: 'q5b', options: find('q5').options.map((option) => ({ ...option, key: `${option.key}_x` })) }),
    mapping: { questions: { q5: 'q5b' }, options: { q5: Object.fromEntries(LETTERS.map((letter) => [`o_${letter}`, `o_${letter}_x`])) } },
  },
  {
    name: 're-point',
    // Two questions take each other's key, and two answers of a third do
    questions: FIRST.map((item) => {
      if (item.key === 'q2') return { ...find('q2'), key: 'q7' }
      if (item.key === 'q7') return { ...find('q7'), key: 'q2' }
      if (item.key !== 'q6') return item
      const swap: Record<string, string> = { o_a: 'o_b', o_b: 'o_a' }
      return { ...item, options: item.options.map((option) => ({ ...option, key: swap[option.key] ?? option.key })) }
    }),
    mapping: { questions: { q2: 'q7', q7: 'q2' }, options: { q6: { o_a: 'o_b', o_b: 'o_a' } } },
  },
  {
    name: 'new option',
    questions: changed('q6', { options: [{ key: 'o_e', meaning: 'm6.e' }, ...find('q6').options] }),
    mapping: NONE,
  },
]

const ROOT = join(import.meta.dirname, '../..')
const own = loadContent(ROOT)
const POINTS = [10, 8, 5, 2, 2]

function setOf(version: number, questions: Question[], mapping?: Mapping): CriteriaSet {
  const origin = { subject: 'proposed', wording: 'proposed', points: 'proposed' }
  return CriteriaSet.parse({
    id: `thu.${version}`,
    title: 'CDHT',
    legal_basis: ['thử'],
    status: 'proposed',
    pass: { total: 50, min_each: 0, max_total: questions.length * 10 },
    questions: questions.map(({ key, options }) => ({
      key,
      indicator: key,
      section: 'thử',
      origin,
      max_points: 10,
      options: options.map((option, index) => ({ key: option.key, points: POINTS[index] })),
    })),
    mapping: mapping ? [{ from: `thu.${version - 1}`, ...mapping }] : [],
  })
}

function textsOf(texts: Texts, sets: { set: CriteriaSet; questions: Question[] }[]): Texts {
  const messages = Object.fromEntries([...texts.keys()].map((key) => [key, texts.raw(key) ?? '']))
  for (const { set, questions } of sets) {
    for (const { key, meaning, options } of questions) {
      for (const part of ['ask', 'simple', 'example', 'short', 'advice'])
        messages[criteriaTextKey(set.id, key, part)] = `${part} ${meaning}`
      for (const option of options) messages[criteriaTextKey(set.id, key, option.key)] = option.meaning
    }
  }
  return createTexts(texts.language, messages)
}

/** The bot's own content with this form for everybody: in its first version, or with a change published. */
export function contentWith(change?: Change & { mustMove: boolean }): Content {
  const versions = [{ set: setOf(1, FIRST), questions: FIRST }]
  if (change) versions.push({ set: setOf(2, change.questions, change.mapping), questions: change.questions })
  const flow = own.flows.find((item) => item.id === 'cong-dan-hoc-tap')
  const flows = versions.map(({ set }, index) =>
    FlowFile.parse({
      ...flow,
      version: index + 1,
      must_move: index > 0 && change?.mustMove === true,
      nodes: flow?.nodes.map((node) =>
        node.kind === 'form' ? { ...node, set: { ...node.set, of: { nguoi_dan: set.id, lao_dong: set.id, can_bo: set.id } } } : node,
      ),
    }),
  )
  return {
    ...own,
    flows: [...own.flows.filter((item) => item.id !== 'cong-dan-hoc-tap'), ...flows],
    sets: new Map([...own.sets, ...versions.map(({ set }) => [set.id, set] as const)]),
    texts: { vi: textsOf(own.texts.vi, versions), en: textsOf(own.texts.en, versions) },
  }
}

/** The key a meaning has in a version: question and option. */
export function keysOf(questions: readonly Question[], optionMeaning: string): { question: string; option: string } | undefined {
  for (const item of questions) {
    const option = item.options.find((one) => one.meaning === optionMeaning)
    if (option) return { question: item.key, option: option.key }
  }
  return undefined
}

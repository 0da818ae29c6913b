import { describe, expect, test } from 'vitest'
import { type LoadedFlow, loadFlow } from '../../src/engine/flow.ts'
import type { Input } from '../../src/engine/input.ts'
import { createAnswerReader, findMapping } from '../../src/engine/mapping.ts'
import { move } from '../../src/engine/move.ts'
import { type StepResult, step } from '../../src/engine/step.ts'
import { asked, flowWith, NODES, option, QUESTIONS, type QuestionShape, START, setWith, value, walk } from './small-flow.ts'

type Newer = { questions: QuestionShape[]; mapping?: object; nodes?: unknown[]; nodes_from?: object }

const v1 = setWith('thu.1', QUESTIONS)

/** Version 2 of the small flow, and of its set. */
function second({ questions, mapping = {}, nodes = NODES, nodes_from = {} }: Newer): LoadedFlow {
  const sets = new Map([
    ['thu.1', v1],
    ['thu.2', setWith('thu.2', questions, [{ from: 'thu.1', ...mapping }])],
  ])
  const moved = JSON.parse(JSON.stringify(nodes).replaceAll('thu.1', 'thu.2')) as unknown[]
  return loadFlow(flowWith(moved, 2, { must_move: true, nodes_from }), sets)
}
const first = loadFlow(flowWith(NODES), new Map([['thu.1', v1]]))

/** What was said before, then one thing more while the newer version is there. */
function moved(before: Input[], to: LoadedFlow, input: Input): StepResult {
  const at = move([to], walk(first, before).session, input)
  return step(to, JSON.parse(JSON.stringify(at.session)), at.input)
}

const IN_FORM = [START, option('co'), value(4)]
const INSERTED: Newer = {
  questions: [
    ['q1', 'a', 'b'],
    ['neu', 'x', 'y'],
    ['q2', 'a', 'b'],
    ['q3', 'a', 'b'],
  ],
}
const DELETED: Newer = {
  questions: [
    ['q1', 'a', 'b'],
    ['q3', 'a', 'b'],
  ],
  mapping: { questions: { q2: null } },
}
const REORDERED: Newer = {
  questions: [
    ['q3', 'b', 'a'],
    ['q2', 'b', 'a'],
    ['q1', 'b', 'a'],
  ],
}
const RENAMED: Newer = {
  questions: [
    ['q1', 'a', 'b'],
    ['zwei', 'a2', 'b2'],
    ['q3', 'a', 'b'],
  ],
  mapping: { questions: { q2: 'zwei' }, options: { q2: { a: 'a2', b: 'b2' } } },
}
const REPOINTED: Newer = {
  questions: [
    ['q2', 'a', 'b'],
    ['q1', 'a', 'b'],
    ['q3', 'b', 'a'],
  ],
  mapping: { questions: { q1: 'q2', q2: 'q1' }, options: { q3: { a: 'b', b: 'a' } } },
}
const NEW_OPTION: Newer = {
  questions: [
    ['q1', 'c', 'a', 'b'],
    ['q2', 'a', 'b'],
    ['q3', 'a', 'b'],
  ],
  mapping: { options: { q3: { b: null } } },
}

type Case = [name: string, newer: Newer, before: Input[], input: Input, asked: string, answers: Record<string, string>]
const cases: Case[] = [
  ['insert: the answer counts, then what is new', INSERTED, [...IN_FORM, option('a')], option('b'), 'neu', { q1: 'a', q2: 'b' }],
  [
    'insert, at the read-back: not confirmed before it is asked',
    INSERTED,
    [...IN_FORM, option('a'), option('a'), option('a')],
    option('dung'),
    'neu',
    { q1: 'a', q2: 'a', q3: 'a' },
  ],
  ['insert, not understood: the same question again', INSERTED, [...IN_FORM, option('a')], { type: 'not_understood' }, 'q2', { q1: 'a' }],
  ['delete: its answer has no place', DELETED, [...IN_FORM, option('a')], option('b'), 'q3', { q1: 'a' }],
  ['delete of an answered one', DELETED, [...IN_FORM, option('a'), option('b')], option('b'), 'review', { q1: 'a', q3: 'b' }],
  ['reorder: in the new order', REORDERED, [...IN_FORM, option('a')], option('b'), 'q3', { q1: 'a', q2: 'b' }],
  ['rename: question and options', RENAMED, [...IN_FORM, option('a')], option('b'), 'q3', { q1: 'a', zwei: 'b2' }],
  ['re-point: two questions change keys', REPOINTED, [...IN_FORM, option('a')], option('b'), 'q3', { q2: 'a', q1: 'b' }],
  ['re-point: two options do', REPOINTED, [...IN_FORM, option('a'), option('b')], option('a'), 'review', { q2: 'a', q1: 'b', q3: 'b' }],
  ['a new option changes nothing for the others', NEW_OPTION, IN_FORM, option('b'), 'q2', { q1: 'b' }],
  [
    'an option that is gone is asked again',
    NEW_OPTION,
    [...IN_FORM, option('a'), option('a'), option('b')],
    { type: 'again' },
    'q3',
    { q1: 'a', q2: 'a' },
  ],
  [
    'in the middle of an edit: back to what is missing',
    INSERTED,
    [...IN_FORM, option('a'), option('a'), { type: 'edit', number: 1 }],
    option('b'),
    'q3',
    { q1: 'b', q2: 'a' },
  ],
  [
    'an edit of a question that is gone',
    DELETED,
    [...IN_FORM, option('a'), option('a'), { type: 'edit', number: 2 }],
    option('b'),
    'q3',
    { q1: 'a' },
  ],
  [
    'SỬA is counted as they saw it',
    REORDERED,
    [...IN_FORM, option('a'), option('a')],
    { type: 'edit', number: 1 },
    'q1',
    { q1: 'a', q2: 'a' },
  ],
  [
    '"sửa", then the number',
    REORDERED,
    [...IN_FORM, option('a'), option('a'), option('a'), option('sua')],
    value(1),
    'q1',
    { q1: 'a', q2: 'a', q3: 'a' },
  ],
  [
    'a yes to an earlier answer',
    RENAMED,
    [...IN_FORM, option('a'), option('a'), { type: 'edit', number: 2, key: 'b' }],
    option('doi'),
    'q3',
    { q1: 'a', zwei: 'b2' },
  ],
  [
    'a yes about a question that is gone',
    DELETED,
    [...IN_FORM, option('a'), option('a'), { type: 'edit', number: 2, key: 'b' }],
    option('doi'),
    'q3',
    { q1: 'a' },
  ],
  [
    'which of two',
    REPOINTED,
    [...IN_FORM, option('a'), option('a'), { type: 'which', keys: ['a', 'b'] }],
    option('b'),
    'review',
    { q2: 'a', q1: 'a', q3: 'a' },
  ],
  ['put aside stays aside', RENAMED, [...IN_FORM, option('a'), { type: 'person' }], option('a'), 'zwei', { q1: 'a', q3: 'a' }],
  ['comes back', INSERTED, [...IN_FORM, option('a')], { type: 'resume' }, 'side_resume', { q1: 'a' }],
]

test.each(cases)('%s', (_name, newer, before, input, place, answers) => {
  const result = moved(before, second(newer), input)
  expect(asked(result)).toBe(place)
  expect(result.session.form?.answers).toEqual(answers)
  expect(result.session).toMatchObject({ version: 2 })
})

describe('ask nodes', () => {
  const phone = { id: 'phone', kind: 'ask', var: 'phone', input: { type: 'name' }, next: 'adults' }
  const withPhone = NODES.map((node) =>
    node.id === 'head'
      ? {
          ...node,
          input: {
            type: 'choice',
            options: [
              { key: 'co', next: 'phone' },
              { key: 'khong', next: 'head_name' },
            ],
          },
        }
      : node,
  )
  const asks = { questions: QUESTIONS, nodes: [...withPhone.slice(0, 2), phone, ...withPhone.slice(2)] }

  test('a new one before the place is asked, then one is back', () => {
    const to = second(asks)
    const result = moved([START, option('co')], to, value(4))
    expect(asked(result)).toBe('phone')
    expect(asked(walk(to, [value('không có')], result.session))).toBe('q1')
  })

  test('in a form it is asked before the form goes on', () => {
    const to = second(asks)
    const result = moved([...IN_FORM, option('a')], to, option('b'))
    expect(asked(result)).toBe('phone')
    expect(asked(walk(to, [value('không có')], result.session))).toBe('q3')
  })

  test('a renamed one is the same place', () => {
    const nodes = JSON.parse(
      JSON.stringify(NODES).replaceAll('"adults"', '"people"').replace('"var":"people"', '"var":"adults"'),
    ) as unknown[]
    const to = second({ questions: QUESTIONS, nodes, nodes_from: { adults: 'people' } })
    const result = moved([START, option('co')], to, value(4))
    expect(asked(result)).toBe('q1')
    expect(result.session.vars.adults).toBe(4)
  })

  test('where one stood is gone: on at what was never answered', () => {
    const nodes = NODES.filter((node) => node.id !== 'adults').map((node) =>
      node.id === 'head'
        ? { ...node, next: 'form', input: { type: 'choice', options: [{ key: 'co' }, { key: 'khong', next: 'head_name' }] } }
        : node,
    )
    const result = moved([START, option('co')], second({ questions: QUESTIONS, nodes }), value(4))
    expect(asked(result)).toBe('q1')
  })
})

describe('several versions', () => {
  const sets = new Map([
    ['thu.1', v1],
    [
      'thu.2',
      setWith(
        'thu.2',
        [
          ['q1', 'a', 'b'],
          ['zwei', 'a', 'b'],
          ['q3', 'a', 'b'],
        ],
        [{ from: 'thu.1', questions: { q2: 'zwei' } }],
      ),
    ],
    [
      'thu.3',
      setWith(
        'thu.3',
        [
          ['q1', 'a', 'b'],
          ['two', 'a', 'c'],
          ['q3', 'a', 'b'],
        ],
        [{ from: 'thu.2', questions: { zwei: 'two' }, options: { zwei: { b: 'c' } } }],
      ),
    ],
    [
      'thu.4',
      setWith(
        'thu.4',
        [
          ['q1', 'a', 'b'],
          ['q2', 'a', 'b'],
        ],
        [{ from: 'thu.3', questions: { two: null, q3: null } }],
      ),
    ],
  ])

  test.each([
    ['thu.1', 'thu.3', 'q2', 'b', 'two', 'c'],
    ['thu.1', 'thu.2', 'q2', 'b', 'zwei', 'b'],
    ['thu.1', 'thu.4', 'q2', 'b', undefined, undefined],
    ['thu.1', 'thu.4', 'q1', 'a', 'q1', 'a'],
    ['thu.3', 'thu.3', 'two', 'c', 'two', 'c'],
  ])('%s → %s: %s %s is %s %s', (from, to, question, key, newQuestion, newKey) => {
    const map = findMapping(sets, from, to)
    expect(map?.question(question)).toBe(newQuestion)
    expect(map?.option(question, key)).toBe(newKey)
  })

  test('nothing leads back', () => expect(findMapping(sets, 'thu.3', 'thu.1')).toBeUndefined())

  test('a table names all answers as the newest does; what has no place keeps its own name', () => {
    const node = { id: 'form', kind: 'form', set: { by: 'x', of: { x: 'thu.4' } }, next: 'end' }
    const read = createAnswerReader({ flows: [flowWith([node, { id: 'end', kind: 'end', outcome: 'x' }], 4)], sets })
    expect(read({ criteriaSet: 'thu.1', question: 'q1', option: 'b' })).toEqual({ criteriaSet: 'thu.4', question: 'q1', option: 'b' })
    // Not the question of that name in the newest set
    expect(read({ criteriaSet: 'thu.1', question: 'q2', option: 'b' })).toEqual({ criteriaSet: 'thu.1', question: 'thu.1/q2', option: 'b' })
    expect(read({ criteriaSet: 'khac.1', question: 'q1', option: 'b' })).toEqual({ criteriaSet: 'khac.1', question: 'q1', option: 'b' })
  })
})

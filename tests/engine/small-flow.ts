import { type LoadedFlow, loadFlow } from '../../src/engine/flow.ts'
import type { Input } from '../../src/engine/input.ts'
import { newSession, type Session } from '../../src/engine/session.ts'
import { type StepResult, step } from '../../src/engine/step.ts'
import { CriteriaSet } from '../../src/model/criteria.ts'
import { FlowFile } from '../../src/model/flow.ts'

// A flow with one of everything: a branching choice, free values, a form, an action, and an edit that comes back.

const origin = { subject: 'proposed', wording: 'proposed', points: 'proposed' }
export type QuestionShape = [key: string, ...options: string[]]

export function setWith(id: string, questions: QuestionShape[], mapping: unknown[] = []): CriteriaSet {
  return CriteriaSet.parse({
    id,
    title: 'CDHT',
    legal_basis: ['thử'],
    status: 'proposed',
    pass: { total: 1, min_each: 0, max_total: questions.length * 10 },
    questions: questions.map(([key, ...options]) => ({
      key,
      indicator: key,
      section: 'thử',
      origin,
      max_points: 10,
      options: options.map((option, index) => ({ key: option, points: 10 - index })),
    })),
    mapping,
  })
}

export const QUESTIONS: QuestionShape[] = [
  ['q1', 'a', 'b'],
  ['q2', 'a', 'b'],
  ['q3', 'a', 'b'],
]

export function flowWith(nodes: unknown[], version = 1, more: object = {}): FlowFile {
  return FlowFile.parse({ id: 'thu', version, start: (nodes[0] as { id: string }).id, nodes, ...more })
}

export const NODES = [
  { id: 'hello', kind: 'say', next: 'head' },
  {
    id: 'head',
    kind: 'ask',
    var: 'head',
    input: {
      type: 'choice',
      options: [
        { key: 'co', next: 'adults' },
        { key: 'khong', next: 'head_name' },
      ],
    },
    next: 'adults',
  },
  { id: 'adults', kind: 'ask', var: 'adults', input: { type: 'count', min: 1, max: 30 }, next: 'form' },
  { id: 'head_name', kind: 'ask', var: 'head_name', input: { type: 'name' }, next: 'form' },
  { id: 'form', kind: 'form', set: { by: 'head', of: { co: 'thu.1', khong: 'thu.1' } }, next: 'check' },
  {
    id: 'check',
    kind: 'ask',
    var: 'check',
    input: {
      type: 'choice',
      options: [
        { key: 'dung', next: 'store' },
        { key: 'ten', edit: 'head_name' },
      ],
    },
    next: 'check',
    settled: true,
  },
  { id: 'store', kind: 'do', action: 'store', args: {}, next: 'end' },
  { id: 'end', kind: 'end', outcome: 'done' },
]

export const SETS = new Map([['thu.1', setWith('thu.1', QUESTIONS)]])
export const LOADED: LoadedFlow = loadFlow(flowWith(NODES), SETS)

/** A form in which an answer says something of other questions: whoever has no child is not asked about children. */
export const IMPLYING: LoadedFlow = (() => {
  const set = setWith('thu.1', [
    ['kids', 'yes', 'none'],
    ['school', 'yes', 'none'],
    ['manners', 'yes', 'none'],
    ['books', 'yes', 'no'],
  ])
  const about = ['kids', 'school', 'manners']
  for (const question of set.questions)
    for (const item of question.options)
      if (item.key === 'none') item.also = Object.fromEntries(about.filter((key) => key !== question.key).map((key) => [key, 'none']))
  return loadFlow(flowWith(NODES), new Map([['thu.1', set]]))
})()

export const option = (key: string): Input => ({ type: 'option', key })
export const value = (given: string | number): Input => ({ type: 'value', value: given })
export const START: Input = { type: 'start' }

export const begin = (loaded: LoadedFlow): Session => newSession(loaded.flow.id, loaded.flow.version, loaded.flow.start)

/** Feeds inputs one after the other; the session is saved and read back before each. */
export function walk(loaded: LoadedFlow, inputs: readonly Input[], from: Session = begin(loaded)): StepResult {
  let result: StepResult = { session: from, effects: [] }
  for (const input of inputs) result = step(loaded, JSON.parse(JSON.stringify(result.session)) as Session, input)
  return result
}

/** What is asked after a step: `q2`, `head`, `review`, `side_correct`; `store!` for something to be done, `end` when it is over. */
export function asked({ effects, session }: StepResult): string {
  const prompt = effects.findLast((effect) => effect.type === 'prompt')
  const todo = effects.find((effect) => effect.type === 'do' && effect.wait)
  if (session.waiting === 'ended') return 'end'
  if (todo?.type === 'do') return `${todo.action}!`
  return prompt?.type === 'prompt' ? prompt.prompt.ref : 'nothing'
}

/** Keys of the remarks made, the lead of the prompt included. */
export function remarks({ effects }: StepResult): string[] {
  return effects.flatMap((effect) => {
    if (effect.type === 'note') return [effect.text.key]
    return effect.type === 'prompt' && effect.prompt.lead ? [effect.prompt.lead.key] : []
  })
}

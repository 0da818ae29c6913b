import { expect, test } from 'vitest'
import { checkSet } from '../../src/content/check/criteria.ts'
import { loadFlow } from '../../src/engine/flow.ts'
import { newSession, type Session } from '../../src/engine/session.ts'
import { step } from '../../src/engine/step.ts'
import { measureEngine } from '../bench/engine.ts'
import { flowWith, type QuestionShape, setWith } from './small-flow.ts'

const MOST_BYTES = 2_048

test('what is kept of somebody in a form of 100 questions fits 2 KB', () => {
  expect(measureEngine(100, 10).stateBytes).toBeLessThanOrEqual(MOST_BYTES)
})

/** A form of 100 questions whose question and option keys are this long. */
const hundred = (questionChars: number, optionChars: number) => {
  const name = (n: number, chars: number) => `k${String(n).padStart(chars - 1, '0')}`
  const shapes = Array.from(
    { length: 100 },
    (_, index): QuestionShape => [name(index, questionChars), name(1, optionChars), name(2, optionChars)],
  )
  return setWith('thu.1', shapes)
}
const tooLong = (set: ReturnType<typeof hundred>) =>
  checkSet('flows/criteria/thu.1.json', set, new Map()).filter(({ wrong }) => wrong.includes('bytes'))

test('the longest keys the check lets pass fit, whichever way the form is gone through; longer ones are refused', () => {
  const set = hundred(5, 5)
  expect(tooLong(set)).toEqual([])
  expect(tooLong(hundred(5, 6))).toHaveLength(1)
  const flow = flowWith([
    { id: 'form', kind: 'form', set: { by: 'group', of: { nguoi_dan: 'thu.1' } }, next: 'end' },
    { id: 'end', kind: 'end', outcome: 'done' },
  ])
  const loaded = loadFlow(flow, new Map([['thu.1', set]]))
  let { session } = step(loaded, newSession('thu', 1, 'form', { group: 'nguoi_dan', year: 2026 }), { type: 'start' })
  let most = 0
  const go = (...inputs: Parameters<typeof step>[2][]) => {
    for (const input of inputs) {
      session = step(loaded, session, input).session
      most = Math.max(most, Buffer.byteLength(JSON.stringify(session satisfies Session)))
    }
  }
  // Every question is put aside, asked once more and answered, then changed
  for (let n = 0; n < 100; n++) go({ type: 'person' })
  for (let n = 0; n < 100; n++) go({ type: 'option', key: 'k0001' })
  for (let n = 1; n <= 100; n++) go({ type: 'edit', number: n }, { type: 'option', key: 'k0002' })
  expect(Object.keys(session.form?.answers ?? {})).toHaveLength(100)
  expect(most).toBeLessThanOrEqual(MOST_BYTES)
})

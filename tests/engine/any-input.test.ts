import fc from 'fast-check'
import { expect, test } from 'vitest'
import { askedQuestions } from '../../src/engine/form.ts'
import type { Input } from '../../src/engine/input.ts'
import { openPrompt } from '../../src/engine/prompt.ts'
import type { Session } from '../../src/engine/session.ts'
import { step } from '../../src/engine/step.ts'
import type { CriteriaSet } from '../../src/model/criteria.ts'
import { begin, IMPLYING, LOADED, START } from './small-flow.ts'

// Whatever comes in: nothing is thrown, no answer is lost, and somebody who is not at the end is always asked something.

const key = fc.constantFrom(
  'a',
  'b',
  'co',
  'khong',
  'dung',
  'sua',
  'ten',
  'doi',
  'giu',
  'tiep_tuc',
  'lam_lai',
  'zz',
  '0',
  'yes',
  'none',
  'no',
)
const ref = fc.constantFrom(
  'q1',
  'q2',
  'q3',
  'kids',
  'school',
  'head',
  'adults',
  'head_name',
  'check',
  'review',
  'side_correct',
  'side_which',
  'side_edit',
  'zz',
)
const anyInput: fc.Arbitrary<Input> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('option' as const), key }) },
  fc.record({ type: fc.constant('value' as const), value: fc.oneof(fc.integer({ min: -1, max: 40 }), key) }),
  fc.record({ type: fc.constant('earlier' as const), ref, key, repeat: fc.boolean() }),
  fc.record({ type: fc.constant('which' as const), keys: fc.uniqueArray(key, { maxLength: 3 }) }),
  fc.record({ type: fc.constant('edit' as const), number: fc.integer({ min: -1, max: 5 }), key }, { requiredKeys: ['type'] }),
  fc.record({ type: fc.constant('done' as const), vars: fc.constant({ stored: true }) }),
  fc.constantFrom<Input>(
    { type: 'explain' },
    { type: 'not_understood' },
    { type: 'not_understood', media: 'voice' },
    { type: 'person' },
    { type: 'resume' },
    { type: 'again' },
    { type: 'back' },
    START,
  ),
)

test.each([
  ['a plain form', LOADED],
  ['a form whose answers say something of other questions', IMPLYING],
])('random inputs never throw, never lose an answer, and leave something open until the end: %s', (_name, loaded) => {
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
      let session: Session = begin(loaded)
      const inForce = new Map<string, string>()
      for (const input of [START, ...inputs]) {
        const result = step(loaded, JSON.parse(JSON.stringify(session)) as Session, input)
        session = result.session
        for (const effect of result.effects) {
          if (effect.type === 'fault') throw new Error(`${effect.node}: ${effect.reason}`)
          if (effect.type !== 'answer') continue
          if (effect.option === null) inForce.delete(effect.question)
          else inForce.set(effect.question, effect.option)
        }
        // Nobody confirms a form with a gap in it
        if (session.form?.confirmed) expect(inForce.size).toBe(askedQuestions(loaded.sets.get('thu.1') as CriteriaSet).length)
        // What the effects say is what the session knows
        expect(new Map(Object.entries(session.form?.answers ?? {}))).toEqual(inForce)
        if (session.waiting === 'input') {
          const prompt = openPrompt(loaded, session)
          expect(prompt).toBeDefined()
          expect(prompt?.input !== 'choice' || prompt.options.length > 0).toBe(true)
        }
      }
    }),
    { numRuns: 3_000 },
  )
})

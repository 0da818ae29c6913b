import { describe, expect, test } from 'vitest'
import type { Input } from '../../src/engine/input.ts'
import { asked, IMPLYING, option, remarks, START, value, walk } from './small-flow.ts'

const edit = (number: number): Input => ({ type: 'edit', number })
const earlier = (ref: string, key: string): Input => ({ type: 'earlier', ref, key, repeat: false })
const FORM = [START, option('co'), value(4)]
const CHILDLESS = [...FORM, option('none')]

const reply = (...inputs: Input[]) => {
  const result = walk(IMPLYING, inputs)
  return {
    asked: asked(result),
    remarks: remarks(result),
    answers: result.session.form?.answers,
    stored: result.effects.flatMap((effect) => (effect.type === 'answer' ? [[effect.question, effect.option]] : [])),
  }
}

describe('an answer that says something of other questions', () => {
  test('answers them too, says so, and they are not asked', () => {
    expect(reply(...CHILDLESS)).toEqual({
      asked: 'books',
      remarks: ['engine.noted', 'engine.noted_also'],
      answers: { kids: 'none', school: 'none', manners: 'none' },
      stored: [
        ['kids', 'none'],
        ['school', 'none'],
        ['manners', 'none'],
      ],
    })
  })

  test('leaves what was answered in person', () => {
    expect(reply(...FORM, option('yes'), option('none'))).toMatchObject({
      asked: 'books',
      answers: { kids: 'yes', school: 'none', manners: 'none' },
    })
  })

  test('changed in the middle takes it back: the others are asked, and then it goes on where it was', () => {
    expect(reply(...CHILDLESS, edit(1), option('yes'))).toEqual({
      asked: 'books',
      remarks: ['engine.noted', 'engine.asked_again'],
      answers: { kids: 'yes' },
      stored: [
        ['kids', 'yes'],
        ['school', null],
        ['manners', null],
      ],
    })
    expect(reply(...CHILDLESS, edit(1), option('yes'), option('yes')).asked).toBe('school')
  })

  test('changed at the read-back opens the gap before anything is confirmed', () => {
    const atReview = [...CHILDLESS, option('yes')]
    expect(reply(...atReview).asked).toBe('review')
    expect(reply(...atReview, earlier('kids', 'yes'), option('doi')).asked).toBe('school')
    expect(reply(...atReview, edit(1), option('yes')).asked).toBe('school')
    expect(reply(...atReview, edit(1), option('yes'), option('yes'), option('yes')).asked).toBe('review')
  })

  test('one of the implied changed takes the others back, for they cannot all be so', () => {
    expect(reply(...CHILDLESS, option('yes'), edit(2), option('yes'))).toMatchObject({
      asked: 'kids',
      answers: { school: 'yes', books: 'yes' },
      remarks: ['engine.noted', 'engine.asked_again'],
    })
  })

  test('given again changes nothing', () => {
    expect(reply(...CHILDLESS, edit(1), option('none'))).toMatchObject({
      asked: 'books',
      remarks: ['engine.noted'],
      stored: [['kids', 'none']],
    })
  })

  test('given late answers the question that stands open', () => {
    expect(reply(...FORM, option('yes'), earlier('kids', 'none'), option('doi'))).toMatchObject({
      asked: 'books',
      answers: { kids: 'none', school: 'none', manners: 'none' },
    })
  })

  test('an implied question put aside before waits no more', () => {
    expect(
      reply(...FORM, option('yes'), { type: 'person' }, option('yes'), earlier('kids', 'none'), option('doi'), option('yes')),
    ).toMatchObject({
      asked: 'review',
      answers: { kids: 'none', school: 'none', manners: 'yes' },
    })
  })
})

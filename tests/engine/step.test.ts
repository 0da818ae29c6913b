import { expect, test } from 'vitest'
import { loadFlow } from '../../src/engine/flow.ts'
import type { Input } from '../../src/engine/input.ts'
import { step } from '../../src/engine/step.ts'
import { asked, flowWith, LOADED, NODES, option, remarks, SETS, START, value, walk } from './small-flow.ts'

const edit = (number?: number, key?: string): Input => ({
  type: 'edit',
  ...(number === undefined ? {} : { number }),
  ...(key === undefined ? {} : { key }),
})
const earlier = (ref: string, key: string, repeat = false): Input => ({ type: 'earlier', ref, key, repeat })
const PERSON: Input = { type: 'person' }
const NOT: Input = { type: 'not_understood' }
const IN_FORM = [START, option('co'), value(4)]
const AT_REVIEW = [...IN_FORM, option('a'), option('b'), option('a')]
const AT_CHECK = [...AT_REVIEW, option('dung')]

type Case = [name: string, inputs: Input[], asked: string, remark?: string]

// Where one stands and what is remarked after the last input
const cases: Case[] = [
  ['begins at the first thing asked', [START], 'head', 'thu.hello.say'],
  ['a choice goes its own way', [START, option('khong')], 'head_name'],
  ['a choice that is not offered is asked again', [START, option('zz')], 'head'],
  ['a value where a choice is open counts when it is one', [START, value('khong')], 'head_name'],
  ['a value where a choice is open is not kept unread', [START, value('bừa')], 'head'],
  ['a value is kept and goes on', IN_FORM, 'q1'],
  ['an option where a value is open is asked again', [START, option('co'), option('a')], 'adults'],
  ['an answer goes to the next question', [...IN_FORM, option('a')], 'q2', 'engine.noted'],
  ['a foreign option stays', [...IN_FORM, option('zz')], 'q1'],
  ['all answered is read back', AT_REVIEW, 'review', 'engine.noted'],
  ['the read-back confirmed goes on', AT_CHECK, 'check'],
  ['the read-back refused asks what to change', [...AT_REVIEW, option('sua')], 'side_edit'],
  ['a number there opens the question', [...AT_REVIEW, option('sua'), value(2)], 'q2'],
  ['and comes back to the read-back', [...AT_REVIEW, option('sua'), value(2), option('a')], 'review'],
  ['a number beyond the form', [...AT_REVIEW, edit(9)], 'review', 'engine.no_such_question'],
  ['SỬA 1 in the middle comes back to where one was', [...IN_FORM, option('a'), edit(1), option('b')], 'q2'],
  ['SỬA of an edit still comes back there', [...IN_FORM, option('a'), option('a'), edit(1), edit(2), option('b')], 'q3'],
  ['SỬA 3 before question 3 was reached', [...IN_FORM, edit(3)], 'q1', 'engine.no_such_question'],
  ['SỬA outside a form', [START, edit(1)], 'head', 'engine.nothing_to_edit'],
  ['SỬA 1 with its answer asks whether', [...IN_FORM, option('a'), edit(1, 'b')], 'side_correct'],
  ['SỬA 1 with a foreign answer opens the question', [...IN_FORM, option('a'), edit(1, 'zz')], 'q1'],
  ['yes corrects', [...IN_FORM, option('a'), edit(1, 'b'), option('doi')], 'q2', 'engine.corrected'],
  ['no keeps', [...IN_FORM, option('a'), edit(1, 'b'), option('giu')], 'q2', 'engine.kept'],
  ['an old button asks whether', [...IN_FORM, option('a'), earlier('q1', 'b')], 'side_correct'],
  ['the same button again says it is noted', [...IN_FORM, option('a'), earlier('q1', 'a')], 'q2', 'engine.already'],
  ['a double tap is no news', [...IN_FORM, option('a'), earlier('q1', 'a', true)], 'nothing'],
  ['an answer of the open question beats the side question', [...IN_FORM, option('a'), edit(1, 'b'), earlier('q2', 'a')], 'q3'],
  ['a settled answer stays', [...AT_CHECK, earlier('check', 'dung')], 'store!'],
  ['0 puts a question aside', [...IN_FORM, PERSON], 'q2', 'engine.person_asked_next'],
  ['it is asked once more at the end', [...IN_FORM, PERSON, option('a'), option('a')], 'q1'],
  ['a second 0 waits there', [...IN_FORM, PERSON, option('a'), option('a'), PERSON], 'q1', 'engine.parked'],
  ['two put aside take turns', [...IN_FORM, PERSON, PERSON, option('a'), PERSON], 'q2', 'engine.parked'],
  ['and turns again', [...IN_FORM, PERSON, PERSON, option('a'), PERSON, PERSON], 'q1', 'engine.parked'],
  ['the last one alone has nowhere to go', [...IN_FORM, option('a'), option('a'), PERSON], 'q3', 'engine.parked'],
  ['0 while changing an answer gives the change up', [...AT_REVIEW, edit(1), PERSON], 'review', 'engine.person_asked_next'],
  ['0 at the read-back', [...AT_REVIEW, PERSON], 'review', 'engine.person_asked'],
  ['0 at a value', [START, option('co'), PERSON], 'adults', 'engine.person_asked'],
  ['which of two', [...IN_FORM, { type: 'which', keys: ['a', 'b'] }], 'side_which'],
  ['that one', [...IN_FORM, { type: 'which', keys: ['a', 'b'] }, option('b')], 'q2', 'engine.noted'],
  ['whether it is this one', [...IN_FORM, { type: 'which', keys: ['b'] }], 'side_which'],
  ['this one', [...IN_FORM, { type: 'which', keys: ['b'] }, option('b')], 'q2', 'engine.noted'],
  ['not this one', [...IN_FORM, { type: 'which', keys: ['b'] }, option('y_khac')], 'q1'],
  ['which of nothing offered', [...IN_FORM, { type: 'which', keys: ['zz'] }], 'q1', 'engine.missed'],
  ['which while a yes is awaited', [...IN_FORM, option('a'), edit(1, 'b'), { type: 'which', keys: ['doi', 'giu'] }], 'side_correct'],
  ['which, then 0', [...IN_FORM, { type: 'which', keys: ['a', '0'] }, PERSON], 'q2', 'engine.person_asked_next'],
  ['comes back with answers', [...IN_FORM, option('a'), { type: 'resume' }], 'side_resume'],
  ['comes back without', [...IN_FORM, { type: 'resume' }], 'q1'],
  ['goes on', [...IN_FORM, option('a'), { type: 'resume' }, option('tiep_tuc')], 'q2'],
  ['starts over', [...IN_FORM, option('a'), { type: 'resume' }, option('lam_lai')], 'q1', 'engine.started_over'],
  ['back to the question before', [...IN_FORM, option('a'), { type: 'back' }], 'q1'],
  ['back from the read-back', [...AT_REVIEW, { type: 'back' }], 'q3'],
  ['back from the first', [...IN_FORM, { type: 'back' }], 'q1', 'engine.no_way_back'],
  ['explains', [...IN_FORM, { type: 'explain' }], 'q1', 'thu-1.q1.example'],
  ['explains the read-back', [...AT_REVIEW, { type: 'explain' }], 'review', 'engine.explain_review'],
  ['not understood', [...IN_FORM, NOT], 'q1', 'engine.missed'],
  ['not understood twice', [...IN_FORM, NOT, NOT], 'q1', 'engine.missed_again'],
  ['three times calls a person', [...IN_FORM, NOT, NOT, NOT], 'q1', 'engine.missed_person'],
  ['once a person was asked, more misses ask for no second one', [...IN_FORM, NOT, NOT, NOT, NOT], 'q1', 'engine.missed_waiting'],
  ['an answer between forgets the misses', [...IN_FORM, NOT, NOT, option('a'), NOT], 'q2', 'engine.missed'],
  ['a picture', [...IN_FORM, { type: 'not_understood', media: 'image' }], 'q1', 'engine.media.image'],
  ['again', [...IN_FORM, { type: 'again' }], 'q1'],
  ['an ask node edited comes back', [...AT_CHECK, option('ten'), value('Lò Thị Mai')], 'check'],
  ['what is to be done waits', [...AT_CHECK, option('dung')], 'store!'],
  ['nothing but done goes on', [...AT_CHECK, option('dung'), option('a')], 'nothing'],
  ['done goes on', [...AT_CHECK, option('dung'), { type: 'done', vars: { stored: true } }], 'end'],
  ['an end is an end', [...AT_CHECK, option('dung'), { type: 'done', vars: {} }, option('a')], 'end'],
  ['a late tap on another branch asks what that branch asks', [...AT_CHECK, earlier('head', 'khong'), option('doi')], 'head_name'],
  ['and then one is back', [...AT_CHECK, earlier('head', 'khong'), option('doi'), value('Lò Thị Mai')], 'check'],
  ['a late tap at a value that branch never asks', [START, option('co'), earlier('head', 'khong'), option('doi')], 'head_name'],
]

test.each(cases)('%s', (_name, inputs, place, remark) => {
  const result = walk(LOADED, inputs)
  expect(asked(result)).toBe(place)
  if (remark !== undefined) expect(remarks(result)).toContain(remark)
})

test('the session given is not changed', () => {
  const before = walk(LOADED, IN_FORM).session
  const copy = structuredClone(before)
  step(LOADED, before, option('a'))
  expect(before).toEqual(copy)
})

test('starting over withdraws every answer', () => {
  const { effects } = walk(LOADED, [...IN_FORM, option('a'), option('b'), { type: 'resume' }, option('lam_lai')])
  expect(effects.filter((effect) => effect.type === 'answer')).toEqual([
    { type: 'answer', question: 'q1', option: null },
    { type: 'answer', question: 'q2', option: null },
  ])
})

test('a flow that goes round without waiting is stopped, and says where', () => {
  const round = loadFlow(
    flowWith([
      { id: 'one', kind: 'say', next: 'two' },
      { id: 'two', kind: 'say', next: 'one' },
    ]),
    SETS,
  )
  const result = walk(round, [START])
  expect(result.session.waiting).toBe('ended')
  expect(result.effects).toContainEqual({ type: 'fault', node: 'one', reason: 'more than 50 nodes without waiting' })
})

test.each([
  ['a node that is not there', [{ id: 'one', kind: 'say', next: 'nowhere' }], 'no such node'],
  ['a set that is not there', [{ id: 'form', kind: 'form', set: { by: 'x', of: {} }, next: 'form' }], 'no criteria set for x'],
])('%s is a fault, not an exception', (_name, nodes, reason) => {
  const { effects } = walk(loadFlow(flowWith(nodes), SETS), [START])
  expect(effects.some((effect) => effect.type === 'fault' && effect.reason === reason)).toBe(true)
})

test.each([
  ['in', { var: 'head', in: ['co'] }, 'yes'],
  ['set', { var: 'head', set: true }, 'yes'],
  ['not set', { var: 'head', set: false }, 'no'],
  ['at least', { var: 'n', gte: 3 }, 'yes'],
  ['below', { var: 'n', lt: 3 }, 'no'],
  ['a number asked of words', { var: 'head', lt: 3 }, 'no'],
])('a branch by "%s"', (_name, when, outcome) => {
  const nodes = [
    { id: 'which', kind: 'branch', cases: [{ when, next: 'yes' }], else: 'no' },
    { id: 'yes', kind: 'end', outcome: 'yes' },
    { id: 'no', kind: 'end', outcome: 'no' },
  ]
  const session = { flow: 'thu', version: 1, node: 'which', vars: { head: 'co', n: 3 }, misses: 0, waiting: 'input' as const }
  const { effects } = step(loadFlow(flowWith(nodes), SETS), session, START)
  expect(effects).toContainEqual({ type: 'end', outcome })
})

test('nodes are all there', () => expect(LOADED.nodes.size).toBe(NODES.length))

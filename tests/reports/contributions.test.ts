import { describe, expect, test } from 'vitest'
import { type NominationFacts, nominationContributions, personContributions } from '../../src/reports/contributions.ts'

const NEW: NominationFacts = { status: 'dang_tu_danh_gia', group: 1, channel: 'zalo', selfPassed: null, flags: [], helperPersonId: null }
const DONE: NominationFacts = { ...NEW, status: 'da_tu_danh_gia', selfPassed: true, flags: ['digital_basic'] }
const ANSWER = { criteriaSet: 'cdht-g1.1', question: 'cntt', option: 'tu_lam' }

describe('a form adds to', () => {
  test.each<[string, NominationFacts, string[]]>([
    ['what was begun', NEW, ['state begun', 'group 1:begun', 'channel zalo:begun', 'question cdht-g1.1/cntt:tu_lam']],
    [
      'what was finished and passes',
      DONE,
      [
        'state begun',
        'state finished',
        'state self_passed',
        'group 1:begun',
        'group 1:finished',
        'group 1:self_passed',
        'channel zalo:begun',
        'channel zalo:finished',
        'channel zalo:self_passed',
        'flag digital_basic',
        'question cdht-g1.1/cntt:tu_lam',
      ],
    ],
    [
      'what was finished and does not pass: no flags',
      { ...DONE, selfPassed: false, group: null, channel: null },
      ['state begun', 'state finished', 'state self_not_passed', 'question cdht-g1.1/cntt:tu_lam'],
    ],
    [
      'a later status as finished',
      { ...DONE, status: 'binh_xet_dat', group: null, channel: null, flags: [] },
      ['state begun', 'state finished', 'state self_passed', 'question cdht-g1.1/cntt:tu_lam'],
    ],
    ['help', { ...NEW, helperPersonId: 7, group: null, channel: null }, ['state begun', 'state helped', 'question cdht-g1.1/cntt:tu_lam']],
    ['withdrawal and nothing else', { ...DONE, status: 'rut_lai', helperPersonId: 7 }, ['state withdrawn']],
  ])('%s', (_, facts, expected) => {
    expect(nominationContributions(facts, [ANSWER]).map(({ dimension, key }) => `${dimension} ${key}`)).toEqual(expected)
  })
})

test('a person of a roster is known, one who came by chat or was helped also registered', () => {
  const keys = (source: 'roster' | 'chat' | 'helper') => personContributions({ group: 2, source }).map(({ key }) => key)
  expect(keys('roster')).toEqual(['known', 'group_2'])
  expect(keys('chat')).toEqual(['known', 'registered', 'group_2'])
  expect(keys('helper')).toEqual(['known', 'registered', 'group_2'])
})

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadContent } from '../../src/content/load.ts'
import { capitalise, commonParams, createTexts } from '../../src/content/texts.ts'

const texts = createTexts('vi', {
  plain: 'Dạ, được rồi ạ.',
  year: 'Năm {year}',
  left: '{n, plural, =0 {không còn câu nào} other {còn # câu}}',
  head: '{head, select, co {chủ hộ, {adults} người lớn} other {chủ hộ là {name}}}',
  address: '{Goi} trả lời giúp {xung} nhé, {goi}.',
  deep: '{who, select, we {{n, plural, one {# nhà} other {# nhà}}} other {}}',
  nested: 'Đã ghi: {answer}.',
  angle: 'THỐNG KÊ <bản>',
})

test.each([
  ['without parameters', 'plain', {}, 'Dạ, được rồi ạ.'],
  ['a number is not grouped', 'year', { year: 2026 }, 'Năm 2026'],
  ['plural, none', 'left', { n: 0 }, 'không còn câu nào'],
  ['plural, some', 'left', { n: 3 }, 'còn 3 câu'],
  ['select, with a number inside', 'head', { head: 'co', adults: 4, name: '' }, 'chủ hộ, 4 người lớn'],
  ['select, other', 'head', { head: 'khong', adults: 0, name: 'Lò Văn Pâng' }, 'chủ hộ là Lò Văn Pâng'],
  ['a plural inside a select', 'deep', { who: 'we', n: 3 }, '3 nhà'],
  ['a text in a text', 'nested', { answer: { key: 'left', params: { n: 2 } } }, 'Đã ghi: còn 2 câu.'],
  ['angle brackets are words', 'angle', {}, 'THỐNG KÊ <bản>'],
])('%s', (_name, key, params, words) => expect(texts.format({ key, params }, {})).toBe(words))

test('words of address stand in every text', () => {
  const common = commonParams({ goi: 'ông', xung: 'cháu' })
  expect(texts.format({ key: 'address' }, common)).toBe('Ông trả lời giúp cháu nhé, ông.')
})

test('capitals with diacritics', () => expect(['ông', 'đồng', ''].map(capitalise)).toEqual(['Ông', 'Đồng', '']))

test('a missing text names its key and place', () =>
  expect(() => texts.format({ key: 'nowhere' }, {})).toThrow('text nowhere is missing in locales/vi'))

test('a missing parameter is an error, not an empty place', () => expect(() => texts.format({ key: 'year' }, {})).toThrow())

describe.each(['vi', 'en'] as const)('locales/%s', (language) => {
  const { texts: all } = loadContent(join(import.meta.dirname, '../..'))
  test.each(['ong', 'ba', 'bac', 'co', 'chu', 'anh', 'chi'])('%s has words of address', (address) => {
    for (const key of [`address.${address}`, `address.${address}.self`]) expect(all[language].format({ key }, {})).not.toBe('')
  })
})

import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createIntents } from '../../src/conversation/intents.ts'
import { createUnderstanding } from '../../src/lib/understand.ts'
import type { CorpusLine } from '../understand/corpus.ts'
import { loadLexicon, readJson } from '../understand/lexicon.ts'

const understanding = createUnderstanding(loadLexicon())
const intent = createIntents(understanding)

describe('a sentence that asks for what a word does', () => {
  test.each([
    ['tôi muốn khai cho bà nội', 'assist'],
    ['toi muon khai cho ba noi', 'assist'],
    ['khai hộ mẹ', 'assist'],
    ['em muốn làm hộ bà ngoại ạ', 'assist'],
    ['cho tôi khai hộ bà hàng xóm', 'assist'],
    ['muốn trả lời thay chồng', 'assist'],
    ['đăng ký cho chồng tôi', 'assist'],
    ['khai cho cả nhà', 'family'],
    ['tôi được mấy điểm rồi', 'result'],
    ['tôi muốn xem lại câu trả lời', 'view'],
    ['tôi muốn đăng ký', 'start'],
  ])('%s → %s', (text, word) => expect(intent(text)).toEqual({ word, sure: true }))

  test.each([
    // An elder who calls herself so may want it done for her
    ['khai hộ bà', 'assist'],
    ['chị khai hộ em với', 'assist'],
    ['bà tôi không biết chữ tôi khai hộ nhé', 'assist'],
    // Nobody is silenced or erased by a sentence
    ['đừng nhắn tin cho tôi nữa', 'stop'],
    ['xóa tên tôi đi', 'erase'],
  ])('%s is asked back: %s?', (text, word) => expect(intent(text)).toEqual({ word, sure: false }))

  test.each([
    '1',
    'ý đầu tiên',
    'số 2',
    'mẹ tôi khai hộ tôi',
    'không khai hộ ai cả',
    'tôi chưa khai cho mẹ',
    'hôm qua tôi khai hộ mẹ rồi',
    'tôi không muốn xóa',
    'nhờ cán bộ khai hộ',
    'hôm nay trời đẹp',
    'Lò Văn Pâng',
  ])('%s asks for none', (text) => expect(intent(text)).toBeUndefined())

  test('what people answer is surely none', () => {
    const folder = new URL('../understand/', import.meta.url)
    const lines = readdirSync(folder)
      .filter((name) => name.endsWith('.json') && name !== 'villages.json')
      .flatMap((name) => readJson(new URL(name, folder)) as CorpusLine[])
    const surely = lines.filter(({ text, expect: expected }) => !String(expected).startsWith('!') && intent(text)?.sure)
    expect(lines.length).toBeGreaterThan(4_000)
    expect(surely).toEqual([])
  })
})

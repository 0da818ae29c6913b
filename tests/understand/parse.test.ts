import { describe, expect, test } from 'vitest'
import { parseBirthYear } from '../../src/lib/understand/parse-birth-year.ts'
import { parseCount } from '../../src/lib/understand/parse-count.ts'
import { parsePersonName } from '../../src/lib/understand/parse-person-name.ts'
import { loadLexicon } from './lexicon.ts'

const lexicon = loadLexicon()

describe('year of birth', () => {
  test.each([
    ['1967', 1967],
    ['67', 1967],
    ['sinh nam 67', 1967],
    ['dạ em sinh năm 1985 ạ', 1985],
    ['58 tuổi', 1968],
    ['58 tuoi roi', 1968],
    ['12/5/1970', 1970],
    ['05', 2005],
    ['sáu bảy', 1967],
    ['năm mậu thân', 1968],
    ['kỷ mùi', 1979],
  ])('%s', (text, year) => {
    expect(parseBirthYear(text, 2026)).toEqual({ kind: 'year', year })
  })
  test.each(['2025', '1800', '5 người', 'không nhớ', '67 hay 68', '300', 'hai bò', ''])('nothing from "%s"', (text) => {
    expect(parseBirthYear(text, 2026)).toEqual({ kind: 'none' })
  })
  test('asks where the sixty years of the calendar leave two', () => {
    expect(parseBirthYear('ất sửu', 2026)).toEqual({ kind: 'which', years: [1925, 1985] })
  })
})

describe('name', () => {
  test.each([
    ['Lò Văn Páo', 'Lò Văn Páo'],
    ['tôi tên là lò thị mai', 'Lò Thị Mai'],
    ['dạ em là VÀNG A SÚA ạ', 'Vàng A Súa'],
    ['ten toi la giang a chu', 'Giang A Chu'],
    ["h'mai", "H'Mai"],
  ])('%s', (text, name) => {
    expect(parsePersonName(text, lexicon)).toEqual({ kind: 'name', name })
  })
  test.each(['tên gì cơ?', '1967', 'tôi không biết', 'để làm gì', 'a', 'tôi không muốn cho biết tên vì tôi sợ lắm các bác ạ'])(
    'nothing from "%s"',
    (text) => {
      expect(parsePersonName(text, lexicon)).toEqual({ kind: 'none' })
    },
  )
})

describe('how many', () => {
  test.each([
    ['4', 4],
    ['bốn người', 4],
    ['nhà tôi có 5 người lớn ạ', 5],
    ['ba nguoi', 3],
  ])('%s', (text, count) => {
    expect(parseCount(text, lexicon)).toEqual({ kind: 'count', count })
  })
  test.each(['2 vợ chồng và 1 con lớn', '3 hay 4', 'hai vợ chồng', '4 con trâu'])('asks at "%s"', (text) => {
    expect(parseCount(text, lexicon)).toEqual({ kind: 'ask' })
  })
  test.each(['đông lắm', '0', '500'])('nothing from "%s"', (text) => {
    expect(parseCount(text, lexicon)).toEqual({ kind: 'none' })
  })
})

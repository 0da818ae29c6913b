import { describe, expect, test } from 'vitest'
import { parseBirthYear } from '../../src/lib/understand/parse-birth-year.ts'
import { createUnderstanding } from '../../src/lib/understand.ts'
import { loadLexicon } from './lexicon.ts'

const { personName, count } = createUnderstanding(loadLexicon())

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
    ['sn 75 ạ', 1975],
    ['e sinh nam 1988 a', 1988],
    ['một chín năm tám', 1958],
    ['1962 à nhầm 1963', 1963],
    ['sinh ngày 2/9/1969 ạ', 1969],
    ['sinh ngày 5 tháng 6 năm 1971', 1971],
    ['năm mươi chín tuổi', 1967],
    ['sau muoi tuoi', 1966],
    ['sinh năm một nghìn chín trăm bảy mươi lăm', 1975],
    ['một ngàn chín trăm sáu tám', 1968],
    ['sinh năm năm mươi ba', 1953],
    ['s n 1980', 1980],
  ])('%s', (text, year) => {
    expect(parseBirthYear(text, 2026)).toEqual({ kind: 'year', year })
  })
  test.each(['2025', '1800', '5 người', 'không nhớ', '67 hay 68', '300', 'hai bò', '', '1970?', 'con tôi sinh 1990', '1', '5'])(
    'nothing from "%s"',
    (text) => {
      expect(parseBirthYear(text, 2026)).toEqual({ kind: 'none' })
    },
  )
  test('asks where the sixty years of the calendar leave two', () => {
    expect(parseBirthYear('ất sửu', 2026)).toEqual({ kind: 'which', years: [1925, 1985] })
  })
})

describe('name', () => {
  test.each([
    ['Lò Văn Páo', 'Lò Văn Páo'],
    ['vang a chu', 'Vang A Chu'],
    ['nguyen van duoc', 'Nguyen Van Duoc'],
    ['Lò Thị Sao', 'Lò Thị Sao'],
    ['tôi tên là lò thị mai', 'Lò Thị Mai'],
    ['dạ em là VÀNG A SÚA ạ', 'Vàng A Súa'],
    ['ten toi la giang a chu', 'Giang A Chu'],
    ["h'mai", "H'Mai"],
  ])('%s', (text, name) => {
    expect(personName(text)).toEqual({ kind: 'name', name })
  })
  test.each([
    'tên gì cơ?',
    '1967',
    'tôi không biết',
    'để làm gì',
    'a',
    'đồng ý',
    'Dong y ạ',
    'em muốn trợ giúp',
    'tôi không muốn cho biết tên vì tôi sợ lắm các bác ạ',
  ])('nothing from "%s"', (text) => {
    expect(personName(text)).toEqual({ kind: 'none' })
  })
})

describe('how many', () => {
  test.each([
    ['4', 4],
    ['bốn người', 4],
    ['nhà tôi có 5 người lớn ạ', 5],
    ['ba nguoi', 3],
  ])('%s', (text, number) => {
    expect(count(text)).toEqual({ kind: 'count', count: number })
  })
  test.each(['2 vợ chồng và 1 con lớn', '3 hay 4', 'hai vợ chồng', '4 con trâu'])('asks at "%s"', (text) => {
    expect(count(text)).toEqual({ kind: 'ask' })
  })
  test.each(['đông lắm', '0', '500'])('nothing from "%s"', (text) => {
    expect(count(text)).toEqual({ kind: 'none' })
  })
})

describe('what is given as a name', () => {
  test.each([
    'Nhầm',
    'nham',
    'Tiếng Anh Hàn Nhật Lun',
    'Khong Biet',
    'Đang Đi Làm',
    'Hôm Nay Trời Đẹp',
    'Con Gà Nhà Tôi',
    'Mẹ Cháu',
    'Facebook',
  ])('%s is asked back', (name) => expect(personName(name).kind).not.toBe('name'))

  test.each([
    'Lò Văn Nhầm',
    'Sùng Thị Không',
    'Cứ A Của',
    'Mai',
    'Mỷ',
    'Lam Van Hoa',
    'lan anh',
    'Vì Văn Lún',
    'Ma Seo Pháo',
    'Giàng A Páo',
    'Tao Văn Bun',
    'Chu Thị Thu',
    'Mùa A Sáng',
    "H'Nga Niê",
    'Y Moan',
    'Nguyễn Thị Tiếng',
    'Công Tằng Tôn Nữ',
    'Mary Lo',
  ])('%s is a name', (name) => expect(personName(name).kind).toBe('name'))
})

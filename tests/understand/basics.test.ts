import { describe, expect, test } from 'vitest'
import { fold } from '../../src/lib/fold.ts'
import { createUnderstanding } from '../../src/lib/understand.ts'
import { loadLexicon } from './lexicon.ts'

const { prepare, understand, word } = createUnderstanding(loadLexicon())
const confirm = prepare({
  kind: 'confirm',
  options: [
    { key: 'co', text: 'Đúng' },
    { key: 'khong', text: 'Sửa' },
  ],
})
const sessions = prepare({
  counts: 'buổi',
  helpKey: '0',
  ask: 'Năm nay bác đã dự mấy buổi tập huấn ạ?',
  options: [
    { key: 'many', text: 'Từ 4 buổi trở lên', amount: { min: 4 } },
    { key: 'some', text: '2–3 buổi', amount: { min: 2, max: 3 } },
    { key: 'one', text: '1 buổi', amount: { min: 1, max: 1 } },
    { key: 'none', text: 'Chưa buổi nào', amount: { min: 0, max: 0 } },
  ],
})

describe('a word that works in every chat', () => {
  test('acts only as the whole message', () => {
    expect(word('dừng')).toEqual({ kind: 'word', word: 'stop' })
    expect(word('Dạ cho em DỪNG ạ')).toEqual({ kind: 'word', word: 'stop' })
    expect(word('dừng xe ở đâu')).not.toHaveProperty('word')
  })
  test('"dung" is asked about, so that a yes never unsubscribes anyone', () => {
    expect(understand('dung', confirm)).toEqual({ kind: 'which_word', word: 'stop', key: 'co' })
    expect(understand('đúng', confirm)).toEqual({ kind: 'option', key: 'co' })
    expect(understand('dừng', confirm)).toEqual({ kind: 'word', word: 'stop' })
  })
  test('keeps the argument as typed', () => {
    expect(word('mã AbC123')).toEqual({ kind: 'word', word: 'code', arg: 'AbC123' })
    expect(word('/ma AbC123')).toEqual({ kind: 'word', word: 'code', arg: 'AbC123' })
    expect(word('Thống kê bản Nà Đa', ['officer'])).toEqual({ kind: 'word', word: 'tally', arg: 'bản Nà Đa' })
  })
  test('of another role is an unknown text', () => {
    expect(word('thống kê')).toEqual({ kind: 'none' })
  })
})

describe('every word and form, whatever is around it', () => {
  const table = loadLexicon().words
  const asked = table.collisions.filter(({ outcome }) => outcome === 'ask' || outcome === 'never').map(({ text }) => text)
  const users = ['officer', 'village_lead'] as const
  test.each(table.words.flatMap(({ word: name, title, forms }) => [title, ...forms].map((form) => ({ name, form }))))(
    '$form',
    ({ name, form }) => {
      const written = name === 'code' ? `${form} AB7-K9D-XYZ` : form
      const upper = written.toLocaleUpperCase('vi')
      const around = [upper, upper.normalize('NFD'), `  ${written.replaceAll(' ', '   ')} `, `dạ ${written} ạ`, `${written} ạ`]
      const polite = [`cho tôi ${written}`, `em ${written}`, `dạ cho em ${written} ạ`, `"${written}".`]
      const bare = [fold(written), `da ${fold(written)} a`]
      const texts = [...around, ...polite, ...bare].filter(
        (text) => !asked.includes(fold(text).replace(/^da | a$/g, '')) || fold(text) !== text,
      )
      for (const text of texts) {
        const found = word(text, users)
        expect([text, found.kind, found.kind === 'word' && found.word]).toEqual([text, 'word', name])
      }
    },
  )
})

describe('figures on a counting question', () => {
  test('are asked back when their two readings differ', () => {
    expect(understand('4', sessions)).toEqual({ kind: 'which', keys: ['many', 'none'] })
    expect(understand('0', sessions)).toEqual({ kind: 'which', keys: ['none', '0'] })
    expect(understand('2', sessions)).toEqual({ kind: 'option', key: 'some' })
    expect(understand('số 4', sessions)).toEqual({ kind: 'option', key: 'none' })
    expect(understand('dự 5 buổi rồi', sessions)).toEqual({ kind: 'option', key: 'many' })
  })
})

describe('beside answers', () => {
  test.each(['chào', 'alo', 'dạ chào cán bộ ạ', 'xin chào'])('"%s" only greets', (text) => {
    expect(understand(text, sessions)).toEqual({ kind: 'greeting' })
  })
  test('the name of a village wins over abuse', () => {
    const villages = prepare({
      kind: 'village',
      options: [
        { key: '1', text: 'Bản Nậm Ngù' },
        { key: '2', text: 'Bản Nà Đa' },
      ],
    })
    expect(understand('nam ngu', villages)).toEqual({ kind: 'option', key: '1' })
  })
  test('of what was before and what is now, only now counts', () => {
    expect(understand('năm ngoái đi 4 buổi, năm nay được 1 buổi', sessions)).toEqual({ kind: 'option', key: 'one' })
  })
})

describe('a figure', () => {
  const often = prepare({
    helpKey: '0',
    asksPerson: true,
    ask: 'Bác có hay nhắc con cháu đi học không ạ?',
    options: [
      { key: 'often', text: 'Thường xuyên' },
      { key: 'uneven', text: 'Có, chưa đều' },
      { key: 'sometimes', text: 'Thỉnh thoảng' },
      { key: 'no', text: 'Chưa' },
    ],
  })
  test.each([
    ['4, nói ra buồn', 'no'],
    ['xấu hổ lắm, số 4', 'no'],
    ['3 chứ không phải 2, gõ nhầm', 'sometimes'],
    ['không phải 2, là 3', 'sometimes'],
    ['nhầm rồi, câu 3', 'sometimes'],
    ['so 2 chau oi', 'uneven'],
  ])('"%s" is heard beside what is told', (text, key) => {
    expect(understand(text, often)).toEqual({ kind: 'option', key })
  })
  test.each(['nhầm câu 3 rồi', 'tôi trả lời sai câu 3', 'em nhầm ở câu 3 ạ', 'câu 3 sai rồi'])(
    '"%s" takes an earlier answer back',
    (text) => {
      expect(understand(text, often)).toEqual({ kind: 'edit', number: 3 })
    },
  )
  test.each(['2, 3 gì đó', '2, à mà thôi', '3, hay là 2', '1, chưa nhắc bao giờ'])(
    '"%s" is not taken when the rest takes it back',
    (text) => {
      expect(understand(text, often)).not.toMatchObject({ kind: 'option' })
    },
  )
  test.each(['vợ tôi nhắc suốt', 'học sinh nhắc nhau suốt', 'thường xuyên tăng ca', 'không phải là chưa nhắc'])(
    '"%s" is nobody\'s answer',
    (text) => {
      expect(understand(text, often)).not.toMatchObject({ kind: 'option' })
    },
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitText } from '../../src/zalo-oa-api-client/index.ts'

test.each<[string, string, number, string[]]>([
  ['short', ' Chào bà con. ', 20, ['Chào bà con.']],
  ['blank', ' \n ', 20, []],
  ['exactly full', 'x'.repeat(20), 20, ['x'.repeat(20)]],
  ['a paragraph before a line', 'Một hai ba.\n\nBốn\nnăm sáu bảy tám', 20, ['Một hai ba.', 'Bốn\nnăm sáu bảy tám']],
  ['a line before a sentence', 'Một hai ba\nbốn. Năm sáu bảy', 20, ['Một hai ba', 'bốn. Năm sáu bảy']],
  ['a sentence before a word', 'Một hai ba. Bốn năm sáu bảy', 20, ['Một hai ba.', 'Bốn năm sáu bảy']],
  ['a quoted sentence', 'Hỏi "bao giờ?" Trả lời mai nhé', 20, ['Hỏi "bao giờ?"', 'Trả lời mai nhé']],
  ['a word', 'một hai ba bốn năm sáu bảy', 20, ['một hai ba bốn năm', 'sáu bảy']],
  ['a break right behind the limit', `${'x'.repeat(20)} yy`, 20, ['x'.repeat(20), 'yy']],
  [
    'an early paragraph is no reason for a tiny part',
    `A.\n\n${'một '.repeat(10)}`,
    20,
    ['A.\n\nmột một một một', 'một một một một một', 'một'],
  ],
  ['no break at all', 'x'.repeat(45), 20, ['x'.repeat(20), 'x'.repeat(20), 'x'.repeat(5)]],
  ['an early space in a long word', `a ${'x'.repeat(30)}`, 20, ['a', 'x'.repeat(20), 'x'.repeat(10)]],
  ['a surrogate pair', `${'x'.repeat(19)}😀😀`, 20, ['x'.repeat(19), '😀😀']],
  ['a family of emoji', `${'x'.repeat(15)}👨‍👩‍👧`, 20, ['x'.repeat(15), '👨‍👩‍👧']],
])('%s', (_name, text, maxChars, parts) => {
  expect(splitText(text, { maxChars })).toEqual(parts)
})

test('the default leaves room below 2,000 and the text is in NFC', () => {
  const parts = splitText('tiếng Việt '.normalize('NFD').repeat(1000))
  expect(Math.max(...parts.map((part) => part.length))).toBeLessThanOrEqual(1900)
  expect(Math.min(...parts.slice(0, -1).map((part) => part.length))).toBeGreaterThan(1850)
  expect(parts.join(' ')).toBe('tiếng Việt '.normalize('NFC').repeat(1000).trim())
})

test('a limit that cannot hold a surrogate pair is refused', () => {
  for (const maxChars of [0, 1, 1.5, Number.NaN]) expect(() => splitText('x', { maxChars })).toThrow(RangeError)
})

test('whatever the text: parts fit, nothing but blank space is lost, nothing is cut in half', () => {
  const piece = fc.constantFrom('a', 'ế', 'e\u0302\u0301', '😀', '👨‍👩‍👧', ' ', '\n', '\n\n', '. ', '? ', '…', '\t', '\u0301')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), fc.integer({ min: 12, max: 60 }), (pieces, maxChars) => {
      const text = pieces.join('')
      const parts = splitText(text, { maxChars })
      const solid = (value: string) => value.replace(/\s/g, '')
      expect(solid(parts.join(''))).toBe(solid(text.normalize('NFC')))
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(maxChars)
        expect(part).not.toBe('')
        expect(part.isWellFormed()).toBe(true)
      }
    }),
  )
})

test('a grapheme longer than a part still ends, pairs whole', () => {
  const parts = splitText(`x${'\u{1D165}'.repeat(30)}`, { maxChars: 12 })
  expect(parts.join('')).toBe(`x${'\u{1D165}'.repeat(30)}`.normalize('NFC'))
  for (const part of parts) expect(part.isWellFormed()).toBe(true)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createInvitationCode, createJoinCode, parseInvitationCode, parseJoinCode } from '../../src/registry/codes.ts'
import { seeded } from './seeded.ts'

const ALPHABET = 'BCFGHJKMNPQRSTVXZ23456789'
const seed = fc.integer()

describe('a village code', () => {
  test('has five characters without look-alikes, a letter and a digit, and is read back', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const code = createJoinCode(seeded(from))
        expect(code).toMatch(/^(?=.*[A-Z])(?=.*[2-9])[BCFGHJKMNPQRSTVXZ2-9]{5}$/)
        expect(parseJoinCode(code)).toBe(code)
        expect(parseJoinCode(` ${code.slice(0, 2).toLowerCase()}-${code.slice(2)} `)).toBe(code)
      }),
    )
  })

  test('is refused with any one character wrong, or two neighbours swapped', () => {
    fc.assert(
      fc.property(seed, (from) => {
        const code = createJoinCode(seeded(from))
        for (let place = 0; place < code.length; place += 1) {
          for (const other of ALPHABET) {
            const typed = code.slice(0, place) + other + code.slice(place + 1)
            if (typed !== code) expect(parseJoinCode(typed)).toBeUndefined()
          }
          const swapped = code.slice(0, place) + (code[place + 1] ?? '') + code[place] + code.slice(place + 2)
          if (swapped !== code) expect(parseJoinCode(swapped)).toBeUndefined()
        }
      }),
    )
  })

  test.each(['', 'NGHE', '23456', 'BCFGH', '1', 'B2C', 'tôi đồng ý', 'B2C3D4E5'])('is not %j', (text) => {
    expect(parseJoinCode(text)).toBeUndefined()
  })
})

describe('an invitation code', () => {
  test('is shown in groups and read however it is typed', () => {
    const code = createInvitationCode(seeded(1))
    expect(code).toMatch(/^[BCFGHJKMNPQRSTVXZ2-9]{3}(-[BCFGHJKMNPQRSTVXZ2-9]{3}){2}$/)
    const stored = code.replaceAll('-', '')
    for (const typed of [code, code.toLowerCase(), stored, stored.split('').join(' '), code.replaceAll('-', '–')]) {
      expect(parseInvitationCode(typed)).toBe(stored)
    }
  })

  test.each(['', 'ABC', 'BK7-QX4-T9', 'BK7-QX4-T9Đ', '000-000-000'])('is not %j', (text) => {
    expect(parseInvitationCode(text)).toBeUndefined()
  })
})

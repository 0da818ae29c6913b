import { readdirSync, readFileSync } from 'node:fs'
import { IntlMessageFormat } from 'intl-messageformat'
import { describe, expect, it } from 'vitest'
import { CriteriaSet, criteriaTextKey } from '../../src/model/criteria.ts'

const root = new URL('../../', import.meta.url)
const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'))
const files = readdirSync(new URL('flows/criteria/', root))
const sets = files.map((file) => ({ file, set: CriteriaSet.parse(readJson(`flows/criteria/${file}`)) }))
const locales = ['vi', 'en'].map((name) => ({ name, texts: readJson(`locales/${name}/criteria.json`) as Record<string, string> }))

const PARTS = ['ask', 'example', 'simple', 'short', 'advice']
const OPTIONAL_PARTS = ['evidence']
const MAX_CHARS: Record<string, number> = { ask: 300, example: 400, simple: 300, short: 40, advice: 300, evidence: 300 }
const MAX_OPTION_CHARS = 80
const ADDRESS = new Set(['goi', 'Goi', 'xung', 'Xung'])
// words of the decision that a villager does not use (domain facts 18.4)
const AVOIDED = ['chỉ số', 'năng lực', 'tương tác', 'biện chứng', 'minh chứng']

const fold = (text: string): string => text.toLowerCase().replaceAll('đ', 'd').normalize('NFD').replace(/\p{M}/gu, '')

/** Every text key the sets may use, and for each whether it must be there. */
function expectedKeys(): Map<string, boolean> {
  const keys = new Map<string, boolean>()
  for (const { set } of sets) {
    for (const question of set.questions) {
      for (const part of PARTS) keys.set(criteriaTextKey(set.id, question.key, part), true)
      for (const part of OPTIONAL_PARTS) keys.set(criteriaTextKey(set.id, question.key, part), false)
      for (const option of question.options) keys.set(criteriaTextKey(set.id, question.key, option.key), true)
    }
  }
  return keys
}

it('has the three citizen sets and the family set', () => {
  expect(files.sort()).toEqual(['cdht-g1.1.json', 'cdht-g2.1.json', 'cdht-g3.1.json', 'gdht.1.json'])
})

describe.each(sets)('$file', ({ file, set }) => {
  it('is named after its id, proposed until approved, with its legal basis', () => {
    expect(file).toBe(`${set.id}.json`)
    expect(set.status).toBe('proposed')
    for (const basis of set.legal_basis) expect(basis).toMatch(/^Quyết định \d+\/QĐ-(TTg|KHVN) (ngày \d+\/\d+\/\d{4}|năm \d{4}) /)
  })

  it('adds up to its maximum, and the best answer of each question gives its maximum', () => {
    expect(set.questions.reduce((sum, question) => sum + question.max_points, 0)).toBe(set.pass.max_total)
    for (const question of set.questions) {
      const points = question.options.flatMap((option) => option.points ?? [])
      expect(Math.max(...points), question.key).toBe(question.max_points)
      expect(points, `${question.key}: best answer first`).toEqual([...points].sort((a, b) => b - a))
    }
  })

  it('has unique keys that no text part takes', () => {
    const keys = set.questions.map((question) => question.key)
    expect(new Set(keys).size).toBe(keys.length)
    for (const question of set.questions) {
      const options = question.options.map((option) => option.key)
      expect(new Set(options).size, question.key).toBe(options.length)
      for (const option of options) expect([...PARTS, ...OPTIONAL_PARTS]).not.toContain(option)
    }
    for (const flag of set.flags) expect(keys).toContain(flag.question)
  })

  it('counts without gaps or overlaps where an amount decides', () => {
    for (const question of set.questions) {
      if (question.counts === undefined && question.computed_from === undefined) {
        expect(
          question.options.every((option) => option.amount === undefined),
          question.key,
        ).toBe(true)
        continue
      }
      const top = question.computed_from === undefined ? 20 : 100
      for (let amount = 0; amount <= top; amount++) {
        const covering = question.options.filter(
          (option) => option.amount && amount >= (option.amount.min ?? 0) && amount <= (option.amount.max ?? Number.POSITIVE_INFINITY),
        )
        expect(covering.length, `${question.key} ${amount}`).toBe(1)
      }
    }
  })

  it('gives each phrase to one answer only, without digits or polite frames, also when diacritics are left out', () => {
    for (const question of set.questions) {
      const owners = new Map<string, string>()
      for (const option of question.options) {
        const labels = locales.map(({ texts }) => texts[criteriaTextKey(set.id, question.key, option.key)] ?? '')
        if (question.source === 'asked') expect(option.phrases.length, `${question.key}.${option.key}`).toBeGreaterThanOrEqual(3)
        for (const phrase of [...labels, ...option.phrases]) {
          expect(owners.get(fold(phrase)) ?? option.key, `${question.key}: ${phrase}`).toBe(option.key)
          owners.set(fold(phrase), option.key)
        }
        for (const phrase of option.phrases) {
          expect(phrase).not.toMatch(/\d|^(dạ|thưa|vâng) | (ạ|nhé)$/u)
          expect(phrase).toBe(phrase.normalize('NFC'))
        }
      }
    }
  })
})

describe('the citizen sets', () => {
  const citizen = sets.filter(({ set }) => set.title === 'CDHT').map(({ set }) => set)

  it('ask the same ten subjects in the same order', () => {
    const order = 'doc_cap_nhat ke_hoach tham_gia dong_vien cntt ngoai_ngu tinh_toan phan_bien hoa_thuan hop_tac'.split(' ')
    for (const set of citizen) expect(set.questions.map((question) => question.key)).toEqual(order)
    expect(citizen.map((set) => set.group)).toEqual([1, 2, 3])
  })

  it('give 10, 8, 5 and 2 points, and pass at 80 with no answer below 5', () => {
    for (const set of citizen) {
      expect(set.pass).toEqual({ total: 80, min_each: 5, max_total: 100, rescale: false, min_citizens: 0 })
      for (const question of set.questions) expect(question.options.map((option) => option.points)).toEqual([10, 8, 5, 2])
    }
  })

  it('flag digital skills by the phone question', () => {
    for (const set of citizen) {
      expect(set.flags).toEqual([
        { key: 'digital_basic', question: 'cntt', min_points: 8 },
        { key: 'digital_proficient', question: 'cntt', min_points: 10 },
      ])
    }
  })
})

describe('the family set', () => {
  const set = sets.find((entry) => entry.set.title === 'GDHT')!.set

  it('leaves out the children where there are none, and scales the rest', () => {
    const skippable = set.questions.filter((question) => question.options.some((option) => option.points === null))
    expect(skippable.map((question) => question.section)).toEqual(['Trẻ em', 'Trẻ em', 'Trẻ em'])
    expect(set.pass).toEqual({ total: 80, min_each: 1, max_total: 100, rescale: true, min_citizens: 1 })
  })

  it('computes one question from the citizens of the family', () => {
    expect(set.questions.filter((question) => question.source === 'computed').map((question) => question.computed_from)).toEqual([
      'citizens_share',
    ])
  })

  it('never fails a family for being poor alone', () => {
    expect(set.questions.find((question) => question.key === 'cho_hoc')!.options.map((option) => option.points)).toEqual([10, 8, 5, 5])
  })
})

describe.each(locales)('locales/$name/criteria.json', ({ name, texts }) => {
  it('has every text of every set and nothing else', () => {
    const expected = expectedKeys()
    expect([...expected].filter(([key, required]) => required && texts[key] === undefined)).toEqual([])
    expect(Object.keys(texts).filter((key) => !expected.has(key))).toEqual([])
    expect(Object.keys(texts)).toEqual(Object.keys(locales[0]!.texts))
  })

  it('fits the screen of a cheap phone', () => {
    for (const [key, text] of Object.entries(texts)) {
      const part = key.split('.').at(-1) ?? ''
      expect(text.length, key).toBeLessThanOrEqual(MAX_CHARS[part] ?? MAX_OPTION_CHARS)
      expect(text, key).toBe(text.normalize('NFC').trim())
      if (part === 'short') expect(text.split(' ').length, key).toSatisfy((words: number) => words >= 3 && words <= 5)
    }
  })

  it('is ICU MessageFormat with words of address as its only parameters', () => {
    for (const [key, text] of Object.entries(texts)) {
      const format = new IntlMessageFormat(text, name)
      const shown = format.format({ goi: 'bác', Goi: 'Bác', xung: 'cháu', Xung: 'Cháu' })
      expect(shown, key).not.toMatch(/[{}]|''/)
      expect(text.replaceAll("''", ''), `${key}: an apostrophe is written twice in ICU`).not.toContain("'")
      for (const [, parameter] of text.matchAll(/\{(\w+)\}/g)) expect(ADDRESS, key).toContain(parameter)
      // a sentence begins with the capitalised word of address, and only a sentence does
      expect(text, key).not.toMatch(/(^|[.?!] )\{(goi|xung)\}/)
      expect(text, key).not.toMatch(/[^.?!:] \{(Goi|Xung)\}/)
    }
  })
})

it('speaks to villagers in their own words', () => {
  for (const [key, text] of Object.entries(locales[0]!.texts)) {
    for (const word of AVOIDED) expect(text.toLowerCase(), key).not.toContain(word)
    expect(text, `${key}: the word of address is a parameter`).not.toMatch(/(?<!\p{L})(bác|cháu hỏi|cháu ghi)(?!\p{L})/iu)
  }
})

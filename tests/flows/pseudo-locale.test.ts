import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { GoldenTalk } from '../../src/cli/golden-talk.ts'
import { createTalk } from '../../src/cli/talk.ts'
import { outside, pseudoContent } from './pseudo-locale.ts'

const pseudo = pseudoContent()

test.each([
  ['⟦a⟧ b', ' b'],
  ['⟦a ⟦b⟧ c⟧', ''],
  ['a ⟪b⟫', 'a '],
])('outside of %s', (message, left) => expect(outside(message)).toBe(left))

const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.talk.json'))
describe.each(files)('%s', (file) => {
  const { head, lines } = GoldenTalk.parse(JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')))
  test.each(['vi', 'en'] as const)('says nothing of its own in %s', (language) => {
    const talk = createTalk({ content: pseudo, ...head, language, now: new Date(head.now) })
    for (const { person } of lines) {
      const bot = person === undefined ? talk.begin() : talk.say(person)
      // The terminal's own remarks about words it cannot carry out stand in brackets
      expect(outside(bot).replace(/\[[^\]]*\]/g, ''), `after ${person ?? 'the beginning'}: ${bot}`).not.toMatch(/\p{L}/u)
    }
  })
})

/** Where Vietnamese may stand in code: what is understood, what is invented. */
const NOT_SAID = [
  /^lib\/(understand|fold)/,
  /^simulator\//,
  /^zalo-oa-api-client\//,
  /^sample\.ts$/,
  /^registry\/sample\.ts$/,
  /^cli\//,
  /^start\.ts$/,
]
// The unit importer and settings quote Vietnamese words in English sentences for the technician
const FOR_TECHNICIANS = [/^registry\/(units|settings|table-file)\.ts$/, /^conversation\/offer\.ts$/]
const VIETNAMESE = /[ăâđêôơưàáạảãằắặẳẵầấậẩẫèéẹẻẽềếệểễìíịỉĩòóọỏõồốộổỗờớợởỡùúụủũừứựửữỳýỵỷỹ]/iu

test('no words for people stand in the code', () => {
  const source = join(import.meta.dirname, '../../src')
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && ![...NOT_SAID, ...FOR_TECHNICIANS].some((allowed) => allowed.test(path)))
    .flatMap((path) => {
      const code = readFileSync(join(source, path), 'utf8')
        .replace(/\/\*[\s\S]*?\*\//g, '')
        .replace(/(^|\s)(\/\/|-- ).*$/gm, '')
      return [...code.matchAll(/'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g)]
        .filter(([text]) => VIETNAMESE.test(text))
        .map(([text]) => `${path}: ${text}`)
    })
  expect(found).toEqual([])
})

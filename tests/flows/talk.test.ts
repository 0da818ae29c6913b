import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GoldenTalk, printGolden } from '../../src/cli/golden-talk.ts'
import { createTalk } from '../../src/cli/talk.ts'
import { loadContent } from '../../src/content/load.ts'

// Whole conversations as data. Each is held anew with the lines a person wrote; the session is saved and read back at every line.
// `npm test -- --update tests/flows` writes down what is said now: read the difference before it is committed.

const content = loadContent(join(import.meta.dirname, '../..'))
const files = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.talk.json'))

test.each(files)('%s', async (file) => {
  const path = join(import.meta.dirname, file)
  const golden = GoldenTalk.parse(JSON.parse(readFileSync(path, 'utf8')))
  const { head } = golden
  const talk = createTalk({ content, ...head, now: new Date(head.now) })
  const lines = golden.lines.map(({ person }) => ({
    ...(person === undefined ? {} : { person }),
    bot: (person === undefined ? talk.begin() : talk.say(person)).split('\n'),
  }))
  await expect(printGolden({ head, lines })).toMatchFileSnapshot(path)
})

test('there are conversations to hold', () => expect(files.length).toBeGreaterThan(0))

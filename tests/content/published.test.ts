import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CODE_FACTS } from '../../src/cli/flow.ts'
import { checkContent, publishContent } from '../../src/content/check/content.ts'
import { printProblem } from '../../src/content/check/problem.ts'

const PROJECT = join(import.meta.dirname, '../..')
const problemsOf = (root: string) => checkContent(root, CODE_FACTS).problems.map(printProblem)

test('nothing is wrong with the flows, criteria sets and texts of this project', () => expect(problemsOf(PROJECT)).toEqual([]))

describe('a published version', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'published-'))
    for (const folder of ['flows', 'locales']) cpSync(join(PROJECT, folder), join(root, folder), { recursive: true })
    rmSync(join(root, 'flows/published.json'), { force: true })
    expect(publishContent(root)).toContain(SET)
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const SET = 'flows/criteria/cdht-g1.1.json'
  const FLOW = 'flows/language.1.json'
  /** Puts one text in the place of another in a file, which must hold it. */
  function change(file: string, from: string, to: string, as = file): void {
    const before = readFileSync(join(root, file), 'utf8')
    expect(before).toContain(from)
    writeFileSync(join(root, as), before.replace(from, to))
  }

  test('may be laid out anew, understand more words and be approved', () => {
    change(SET, '"ngày nào cũng xem",', '"ngày nào cũng xem", "sáng nào cũng nghe đài",')
    change(SET, '"status": "proposed"', '"status": "approved"')
    change(FLOW, '"id": "language",\n  "version": 1,', '"version":1,"id":"language",')
    expect(problemsOf(root)).toEqual([])
  })

  test.each([
    ['other points', SET, '"points": 8', '"points": 7'],
    ['another answer', SET, '"key": "hang_tuan"', '"key": "moi_tuan"'],
    ['another way on', FLOW, '"next": "stored"', '"next": "voices"'],
  ])('with %s is refused in one line', (_what, file, from, to) => {
    change(file, from, to)
    expect(problemsOf(root).filter((line) => line.includes('published'))).toEqual([
      `${file}: was published and has changed; put it back as it was and make the change in a new version`,
    ])
  })

  test('is refused when it is gone', () => {
    rmSync(join(root, FLOW))
    expect(problemsOf(root)).toContain(`${FLOW}: was published and is gone or cannot be read; put it back as it was`)
  })

  test('stays as it is while a new version beside it changes what it likes, until that one is published too', () => {
    const next = 'flows/language.2.json'
    change(FLOW, '"version": 1,', '"version": 2, "must_move": true,', next)
    expect(problemsOf(root)).toEqual([])
    expect(publishContent(root)).toEqual([next])
    change(next, '"must_move": true', '"must_move": false')
    expect(problemsOf(root)).toEqual([`${next}: was published and has changed; put it back as it was and make the change in a new version`])
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeProblem } from '../../src/registry/table-file.ts'
import { parseUnitRows } from '../../src/registry/units.ts'
import { createXlsx } from './xlsx.ts'

const GOOD = `code,level,label,name,parent_code,predecessor_codes
lai-chau,tinh,tỉnh,Lai Châu,,
binh-lu,xa,xã,Bình Lư,lai-chau,"ban-bo son-binh"
binh-lu-01,thon_ban,bản,Nà Đa,binh-lu,
`
const read = async (text: string | Buffer) => parseUnitRows(Buffer.from(text))

async function rowsOf(text: string | Buffer) {
  const outcome = await read(text)
  if (outcome.type === 'refused') throw new Error(outcome.problems.map(describeProblem).join('\n'))
  return outcome.rows
}

describe('a unit file is read', () => {
  test('as CSV', async () => {
    expect(await rowsOf(GOOD)).toEqual([
      { row: 2, code: 'lai-chau', level: 'tinh', label: 'tỉnh', name: 'Lai Châu', predecessorCodes: [] },
      {
        row: 3,
        code: 'binh-lu',
        level: 'xa',
        label: 'xã',
        name: 'Bình Lư',
        parentCode: 'lai-chau',
        predecessorCodes: ['ban-bo', 'son-binh'],
      },
      { row: 4, code: 'binh-lu-01', level: 'thon_ban', label: 'bản', name: 'Nà Đa', parentCode: 'binh-lu', predecessorCodes: [] },
    ])
  })

  test.each<[string, (text: string) => string | Buffer]>([
    ['with a byte order mark', (text) => `\ufeff${text}`],
    ['with semicolons', (text) => text.replaceAll(',', ';')],
    ['with Windows line ends', (text) => text.replaceAll('\n', '\r\n')],
    ['without the last line end', (text) => text.trimEnd()],
    ['in the decomposed Unicode form', (text) => text.normalize('NFD')],
    ['with stray spaces and capital codes', (text) => text.replaceAll(',', ' , ').replace('binh-lu,xa', 'BINH-LU,XA').replaceAll('"', '')],
    ['with nameless columns on the right', (text) => text.replaceAll('\n', ',,\n')],
    [
      'as a spreadsheet',
      (text) =>
        createXlsx(
          text
            .trimEnd()
            .split('\n')
            .map((line) => line.replaceAll('"', '').split(',')),
        ),
    ],
  ])('%s, to the same rows', async (_, change) => {
    expect(await rowsOf(change(GOOD))).toEqual(await rowsOf(GOOD))
  })

  test('with empty rows between, counting them', async () => {
    const rows = await rowsOf(GOOD.replace('binh-lu,xa', '\n,,,,,\nbinh-lu,xa'))
    expect(rows.map(({ row }) => row)).toEqual([2, 5, 6])
  })
})

type BadCase = { name: string; file: string; problems: string[] }
const cases: BadCase[] = JSON.parse(readFileSync(join(import.meta.dirname, 'bad-unit-files.json'), 'utf8'))

describe('a unit file is refused', () => {
  test.each(cases)('$name', async ({ file, problems }) => {
    const outcome = await read(file)
    expect(outcome.type === 'refused' && outcome.problems.map(describeProblem)).toEqual(problems)
  })

  test.each<[string, Buffer, string]>([
    [
      'Latin-1',
      Buffer.from('code,level\nxã', 'latin1'),
      'row 1: the file is not UTF-8; in Excel choose "CSV UTF-8" when saving, or save as .xlsx',
    ],
    ['old Excel', Buffer.from('d0cf11e0a1b11ae1', 'hex'), 'row 1: this is an old .xls file; save it as .xlsx'],
    [
      'a damaged spreadsheet',
      Buffer.from('PK\x03\x04 and nothing'),
      'row 1: the spreadsheet is damaged or protected; open it in Excel and save it anew as .xlsx',
    ],
  ])('%s', async (_, bytes, problem) => {
    const outcome = await parseUnitRows(bytes)
    expect(outcome.type === 'refused' && outcome.problems.map(describeProblem)).toEqual([problem])
  })
})

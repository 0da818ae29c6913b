import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { createSealer } from '../../src/lib/crypto.ts'
import { listAccounts } from '../../src/registry/accounts.ts'
import { findUnitByCode } from '../../src/registry/units.ts'
import { createFormBook } from '../reports/form-book.ts'
import { createTestDatabase } from '../support/postgres.ts'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')
const secretKey = randomBytes(32)
// The embedded server's own user must be able to come this far
const folder = mkdtempSync(join(tmpdir(), 'cli-test-'))
chmodSync(folder, 0o711)
let environment: Record<string, string>
let database: Database
beforeAll(async () => {
  const url = await createTestDatabase()
  environment = { DATABASE_URL: url, SECRET_KEY: secretKey.toString('base64') }
  database = createDb(url, { max: 2 })
})
afterAll(async () => {
  await database.close()
  rmSync(folder, { recursive: true, force: true })
})

type Ran = { code: number; out: string; err: string }

function run(words: string[], options: { input?: string; env?: Record<string, string> } = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, LANG: 'C', ...(options.env ?? environment) }
    const child = execFile(process.execPath, [MAIN, ...words], { env }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
    child.stdin?.end(options.input ?? '')
  })
}

async function runJson(words: string[]) {
  const { code, out, err } = await run([...words, '--json'])
  expect(err).toBe('')
  expect(code).toBe(0)
  return JSON.parse(out.trimEnd().split('\n').at(-1) ?? '')
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const UNITS = `code,level,label,name,parent_code,predecessor_codes
c,xa,xã,Xê,,
v1,thon_ban,bản,Một,c,
v2,thon_ban,bản,Hai,c,
`

test('unit import brings in a commune and prints the codes of its villages', async () => {
  const { created, villages } = await runJson(['unit', 'import', file('units.csv', UNITS)])
  expect(created).toBe(3)
  expect(villages).toEqual([
    { code: 'v1', name: 'bản Một', join_code: expect.stringMatching(/^\w{5}$/) },
    { code: 'v2', name: 'bản Hai', join_code: expect.stringMatching(/^\w{5}$/) },
  ])
  const again = await run(['unit', 'import', file('units.csv', UNITS)])
  expect(again).toMatchObject({ code: 0, err: '' })
  expect(again.out).toContain(`v1  bản Một  ${villages[0].join_code}`)
  expect(again.out).toContain('0 units created, 0 updated, 3 unchanged')
})

test('unit import names bad rows and imports nothing', async () => {
  const { code, out, err } = await run(['unit', 'import', file('bad.csv', `${UNITS}v3,ap,ấp,Ba,c,\nv4,thon_ban,bản,,c,\n`)])
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err.trimEnd().split('\n')).toEqual([
    'row 5, column level: "ap" is no level; write tinh, xa or thon_ban',
    'row 6, column name: is empty; write the name without the word before it',
    'error: nothing was imported: 2 problems',
  ])
  expect(await run(['unit', 'import', join(folder, 'absent.csv')])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^error: .* cannot be read \(ENOENT\)\n$/),
  })
})

test('setting: set, get, list, and back to the default', async () => {
  expect(await run(['setting', 'set', 'reminder.per_week', '2', '--unit', 'c'])).toMatchObject({ code: 0, out: 'reminder.per_week is 2\n' })
  expect(await run(['setting', 'get', 'reminder.per_week', '--unit', 'v1'])).toMatchObject({ code: 0, out: '2\n' })
  expect(await runJson(['setting', 'get', 'reminder.per_week'])).toMatchObject({ value: 1, set_for: null, status: 'proposed' })
  expect((await run(['setting', 'list', '--unit', 'v1'])).out).toMatch(
    /reminder\.per_week +2 +reminders per person and 7 days +set for c\n/,
  )
  await run(['setting', 'set', 'denominator.CDHT', '8480', '--unit', 'c', '--as-of', '2026-06-30', '--source', 'BC 12'])
  expect(await runJson(['setting', 'get', 'denominator.CDHT', '--unit', 'c'])).toMatchObject({
    value: { value: 8480, as_of: '2026-06-30', source: 'BC 12' },
  })
  expect(await run(['setting', 'set', 'reminder.per_week', 'default', '--unit', 'c'])).toMatchObject({ code: 0 })
  expect(await run(['setting', 'get', 'reminder.per_week', '--unit', 'v1'])).toMatchObject({ out: '1\n' })
})

test('invite prints a code and the text to send', async () => {
  const { code, text, expires_at } = await runJson(['invite', '--role', 'village_lead', '--unit', 'v1'])
  expect(code).toMatch(/^\w{3}-\w{3}-\w{3}$/)
  expect(text).toContain(`MÃ ${code}`)
  expect(text).toContain('trưởng bản (bản Một)')
  expect(new Date(expires_at).getTime()).toBeGreaterThan(Date.now())
  expect((await run(['invite', '--role', 'technician', '--unit', 'c'])).out).toMatch(/^\w{3}-\w{3}-\w{3}\n\n.*MÃ/)
  expect(await run(['invite', '--role', 'village_lead', '--unit', 'c'])).toMatchObject({
    code: 1,
    err: 'error: village_lead is a role for a unit of level thon_ban; "c" is none\n',
  })
})

test('tally shows the figures, its tables, and finds a counter that differs', async () => {
  const commune = (await findUnitByCode(database.db, 'c'))!
  const village = (await findUnitByCode(database.db, 'v1'))!
  const book = createFormBook(database.db, commune.id)
  const subjectId = await book.addPerson({ villageId: village.id, group: 1, source: 'chat' })
  const form = await book.begin({ villageId: village.id, year: 2026, title: 'CDHT', subjectId, group: 1, channel: 'zalo' })
  await book.answer(form, 'cntt', 'tu_dung')
  await book.update(form, { status: 'da_tu_danh_gia', selfPassed: true })

  expect(await runJson(['tally', '--unit', 'c', '--year', '2026'])).toMatchObject({
    citizens: { known: 1, finished: { x: 1, y: 1 }, self_passed: { x: 1, y: 1 }, target: { share: { x: 1, y: 8480 } } },
    furthest_behind: [{ code: 'v2', finished: { x: 0, y: 0 } }],
  })
  expect((await run(['tally', '--unit', 'c', '--year', '2026'])).out).toMatch(/finished +1\/1 \(100%\)\n/)
  expect(await runJson(['tally', '--unit', 'v1', '--year', '2026', '--by', 'question'])).toMatchObject({
    rows: [{ key: 'cntt', figures: { tu_dung: 1 } }],
  })
  expect((await run(['tally', '--unit', 'c', '--year', '2026', '--by', 'village'])).out).toMatch(/v1 +bản Một +1 +1 +1 +1 +1 +0 +0 +0\n/)
  expect(await run(['tally', '--unit', 'c', '--check'])).toMatchObject({ code: 0, out: 'the counters equal the rows\n' })
  await database.sql`UPDATE tally SET n = n + 1 WHERE dimension = 'flag' OR key = 'finished'`
  expect(await run(['tally', '--unit', 'c', '--check'])).toMatchObject({ code: 1, err: 'error: 1 counters differ from the rows\n' })
  await database.sql`UPDATE tally SET n = n - 1 WHERE dimension = 'flag' OR key = 'finished'`

  const out = join(folder, 'answers.csv')
  expect(await runJson(['export', 'answers', '--unit', 'c', '--year', '2026', '--out', out])).toEqual({ file: out, rows: 1 })
  expect(readFileSync(out, 'utf8').split('\n')).toHaveLength(3)
})

test('zalo account add and token set take secrets from standard input and never show them', async () => {
  const secrets = ['ZALO_APP_ID=2543', 'ZALO_APP_SECRET=app-made-up', 'ZALO_OA_SECRET_KEY=oa-made-up']
  const add = (input: string) => run(['zalo', 'account', 'add', '--unit', 'c', '--oa-id', '4318'], { input })
  expect(await add(secrets.slice(1).join('\n'))).toMatchObject({
    code: 2,
    err: 'error: ZALO_APP_ID missing on standard input; write one NAME=value a line\n',
  })
  const added = await add(secrets.join('\n'))
  expect(added).toEqual({ code: 0, out: 'the account 4318 belongs to xã Xê; it cannot send before "zalo token set"\n', err: '' })
  expect(await run(['zalo', 'token', 'set'], { input: 'refresh-made-up\n' })).toEqual({
    code: 0,
    out: 'the account 4318 has a new token\n',
    err: '',
  })
  const again = await run(['zalo', 'token', 'set'], { input: 'refresh-made-up\n' })
  expect(again.code).toBe(1)
  expect(again.err).toMatch(/^error: this refresh token was brought in before/)
  expect(JSON.stringify([added, again])).not.toContain('made-up')
  const [account] = await listAccounts(database.db, createSealer(secretKey))
  expect(account).toMatchObject({ externalId: '4318', secrets: { appSecret: 'app-made-up', oaSecretKey: 'oa-made-up' } })
})

describe('exit codes', () => {
  test.each<[number, string[], RegExp]>([
    [0, ['--help'], /^$/],
    [0, ['setting', 'set', '--help'], /^$/],
    [0, ['flow', '--help'], /^$/],
    [2, [], /^Usage: /],
    [2, ['setting', 'set', 'reminder.per_week', 'many'], /^error: reminder\.per_week: write a whole number\n$/],
    [2, ['setting', 'get', 'nothing'], /^error: there is no setting "nothing"; "setting list" names them all\n$/],
    [2, ['invite', '--role', 'citizen', '--unit', 'c'], /^error: nobody is invited to be citizen/],
    [1, ['tally', '--unit', 'nowhere'], /^error: there is no unit with the code "nowhere"; import it with "unit import"\n$/],
  ])('%d for %j', async (code, words, err) => {
    const ran = await run(words)
    expect(ran.code).toBe(code)
    expect(ran.err).toMatch(err)
  })

  test('1 where the key or the database is not the right one', async () => {
    const otherKey = { ...environment, SECRET_KEY: randomBytes(32).toString('base64') }
    expect(await run(['setting', 'list'], { env: otherKey })).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^error: SECRET_KEY is not the key/),
    })
    const noServer = { ...environment, DATABASE_URL: 'postgres://nobody:secret-made-up@127.0.0.1:1/none' }
    const refused = await run(['setting', 'list'], { env: noServer })
    expect(refused).toMatchObject({
      code: 1,
      out: '',
      err: 'error: DATABASE_URL leads to no PostgreSQL that answers (ECONNREFUSED): start it, or put host and port right\n',
    })
  })
})

test('without DATABASE_URL the commands start the embedded server, or join it, and leave nothing running', async () => {
  const env = { DATA_DIR: join(folder, 'data') }
  const both = await Promise.all([run(['setting', 'get', 'quiet.from'], { env }), run(['setting', 'get', 'quiet.to'], { env })])
  expect(both.map(({ code, out }) => [code, out])).toEqual([
    [0, '21:00\n'],
    [0, '07:00\n'],
  ])
  expect(await run(['unit', 'import', file('units.csv', UNITS)], { env })).toMatchObject({ code: 0 })
  expect(await run(['tally', '--unit', 'v1', '--check'], { env })).toMatchObject({ code: 0 })
})

test.each([
  ['nosuch', "unknown command 'nosuch'", 'cli --help'],
  ['setting get', "missing required argument 'key'", 'cli setting get --help'],
  ['setting set reminder.per_week', "missing required argument 'value'", 'cli setting set --help'],
  ['tally --unit c --year abc', "option '--year <year>' argument 'abc' is invalid. write a year such as 2026", 'cli tally --help'],
  ['tally --unit c --by nope', "argument 'nope' is invalid. Allowed choices are village, question, status, group", 'cli tally --help'],
  ['export answers --unit c --year 2026', "required option '--out <file>' not specified", 'cli export answers --help'],
  ['export ledger --campaign x --out y', 'write the number of a campaign, such as 3', 'cli export ledger --help'],
  ['invite --unit c', "required option '--role <role>' not specified", 'cli invite --help'],
  ['voice import', "missing required argument 'folder'", 'cli voice import --help'],
  ['unit import', "missing required argument 'file'", 'cli unit import --help'],
  ['flow diff welcome.1', "missing required argument 'new'", 'cli flow diff --help'],
  ['flow check extra', 'too many arguments', 'cli flow check --help'],
  ['report', "unknown command 'report' (Did you mean export?)", 'cli --help'],
])('wrong usage, %s: one line with what is wrong and where the way stands, and code 2', async (words, wrong, help) => {
  const { code, out, err } = await run(words.split(' '))
  expect({ code, out }).toEqual({ code: 2, out: '' })
  expect(err).toMatch(/^error: .*\n$/)
  expect(err).toContain(wrong)
  expect(err).toContain(`; see "${help}"`)
})

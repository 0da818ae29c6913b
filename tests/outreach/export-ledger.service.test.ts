import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { certificate } from '../../src/outreach/certificate.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
import { createTestDatabase } from '../support/postgres.ts'
import {
  createFakePlatform,
  createTestOutreach,
  MORNING,
  runCampaigns,
  type Seeded,
  seedCommune,
  seedPeople,
  startTestCampaign,
  type TestOutreach,
} from './commune.ts'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')
const COLUMNS = ['channel', 'channel_user_id', 'person', 'village_code', 'status', 'class_or_reason', 'attempts', 'sent_at', 'seen_at']
const folder = mkdtempSync(join(tmpdir(), 'export-ledger-'))
const file = join(folder, 'ledger.csv')

let url: string
let database: Database
let seeded: Seeded
let deps: TestOutreach
let campaignId: number
let ids: { refused: string; lost: string }

beforeAll(async () => {
  url = await createTestDatabase()
  database = createDb(url)
  seeded = await seedCommune(database)
  await seedPeople(database, seeded, { n: 60, closed: 30, without: 10 })
  const open = await database.sql<{ id: string }[]>`
    SELECT person_id AS id FROM contact WHERE last_inbound_at > ${MORNING.toISOString()}::timestamptz - interval '1 day' AND person_id % 2 = 0 ORDER BY id`
  for (const [place, name] of ["=cmd|'/c calc'!A1", 'Giàng Thị Én, "bà"'].entries())
    await database.sql`UPDATE person SET name = ${name} WHERE id = ${open[place]?.id ?? ''}`
  const [refused, lost] = await database.sql<{ user_id: string }[]>`
    SELECT channel_user_id AS user_id FROM contact WHERE person_id = ANY (${open.slice(2, 4).map((one) => one.id)}::bigint[]) ORDER BY id`
  ids = { refused: refused!.user_id, lost: lost!.user_id }
  const platform = createFakePlatform(() => deps.now().getTime())
  platform.answer = (userId) => {
    if (userId === ids.refused) return { outcome: { kind: 'failed', class: 'not_a_follower' } }
    if (userId === ids.lost) return { outcome: { kind: 'uncertain', class: 'timeout' } }
    return undefined
  }
  deps = await createTestOutreach(url, () => platform.channel, { now: MORNING, database })
  campaignId = await startTestCampaign(deps, seeded, 'Kính gửi {tên}')
  await runCampaigns(deps)
  await database.sql`UPDATE recipient SET seen_at = sent_at + interval '90 seconds' WHERE status = 'sent' AND person_id % 2 = 0`
})
afterAll(async () => {
  await deps.close()
  await database.close()
  rmSync(folder, { recursive: true })
})

const cli = (...words: string[]) =>
  promisify(execFile)(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env.PATH, DATABASE_URL: url, SECRET_KEY: Buffer.alloc(32, 7).toString('base64') },
  })
const exported = () => parse(readFileSync(file, 'utf8'), { columns: true }) as Record<string, string>[]

test('the command writes one row a recipient, whole, for its owner only, and the audit trail knows', async () => {
  const { stdout } = await cli('export', 'ledger', '--campaign', String(campaignId), '--out', file, '--json')
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toEqual({ file, rows: 60 })
  const rows = exported()
  expect(Object.keys(rows[0]!)).toEqual(COLUMNS)
  expect(rows).toHaveLength(60)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['ledger.csv'])
  const [audit] = await database.sql`SELECT actor, subject, detail FROM audit WHERE action = 'export.ledger'`
  expect(audit).toEqual({ actor: 'cli', subject: `campaign:${campaignId}`, detail: { rows: 60 } })
})

test('its statuses add up to what the officer is shown, with every reason', async () => {
  const rows = exported()
  const statuses: Record<string, number> = {}
  for (const row of rows) statuses[row.status!] = (statuses[row.status!] ?? 0) + 1
  const progress = (await campaignProgress(deps, campaignId))!
  expect(statuses).toEqual(Object.fromEntries(Object.entries(progress.statuses).filter(([, n]) => n > 0)))
  expect(rows.find((row) => row.channel_user_id === ids.refused)).toMatchObject({
    status: 'failed',
    class_or_reason: 'not_a_follower',
    attempts: '1',
    sent_at: '',
  })
  expect(rows.find((row) => row.channel_user_id === ids.lost)).toMatchObject({
    status: 'uncertain',
    class_or_reason: 'timeout',
    sent_at: '',
  })
  expect(rows.filter((row) => row.status === 'waiting').every((row) => row.class_or_reason === 'next_contact')).toBe(true)
  expect(rows.filter((row) => row.channel === '').every((row) => row.status === 'skipped' && row.class_or_reason === 'no_chat')).toBe(true)
  const sent = rows.find((row) => row.person?.startsWith('Giàng'))
  expect(sent).toMatchObject({
    channel: 'zalo',
    person: 'Giàng Thị Én, "bà"',
    sent_at: '2026-10-05T08:00:00+07:00',
    seen_at: '2026-10-05T08:01:30+07:00',
  })
  // A spreadsheet takes it for text
  expect(rows.filter((row) => row.person === "'=cmd|'/c calc'!A1")).toHaveLength(1)
})

test('the checksum of the certificate is counted again from the file alone, and one changed cell is found out', async () => {
  const count = (rows: Record<string, string>[]) =>
    createHash('sha256')
      .update(
        rows
          .map((row) => `${[row.channel, row.channel_user_id, row.status, row.class_or_reason, row.attempts, row.sent_at].join('\t')}\n`)
          .join(''),
      )
      .digest('hex')
  const rows = exported()
  const { checksum } = (await certificate(deps, campaignId))!
  expect(checksum).toBe(count(rows))
  expect(checksum).not.toBe(count(rows.map((row) => (row.channel_user_id === ids.lost ? { ...row, status: 'sent' } : row))))
  // A name that is put right is no other result
  await database.sql`UPDATE person SET name = 'Giàng Thị Ên' WHERE name LIKE 'Giàng%'`
  expect((await certificate(deps, campaignId))!.checksum).toBe(checksum)
})

test('what cannot be done is said in one line, and leaves no half file', async () => {
  await expect(cli('export', 'ledger', '--campaign', '999', '--out', join(folder, 'none.csv'))).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('there is no campaign 999'),
  })
  await expect(cli('export', 'ledger', '--campaign', 'x', '--out', join(folder, 'none.csv'))).rejects.toMatchObject({ code: 2 })
  expect(readdirSync(folder)).toEqual(['ledger.csv'])
})

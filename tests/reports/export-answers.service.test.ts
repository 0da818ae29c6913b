import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { account, contact, household } from '../../src/db/schema.ts'
import { findUnitByCode, type Unit } from '../../src/registry/units.ts'
import { exportAnswers } from '../../src/reports/export-answers.ts'
import { importTestUnits } from '../registry/test-units.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { createFormBook } from './form-book.ts'

const now = new Date('2026-11-21T02:00:00Z')
const answeredAt = new Date('2026-06-01T20:30:05Z')
const folder = mkdtempSync(join(tmpdir(), 'export-answers-'))
let database: Database
let commune: Unit
let first: Unit
beforeAll(async () => {
  database = createDb(await createTestDatabase())
  await importTestUnits(database.db)
  commune = (await findUnitByCode(database.db, 'c'))!
  first = (await findUnitByCode(database.db, 'v1'))!
  const second = (await findUnitByCode(database.db, 'v2'))!
  const book = createFormBook(database.db, commune.id)
  const [zalo] = await database.db
    .insert(account)
    .values({ communeId: commune.id, channel: 'zalo', externalId: '1', secretsEnc: Buffer.from('') })
    .returning()
  const [chat] = await database.db
    .insert(contact)
    .values({ communeId: commune.id, accountId: zalo!.id, channelUserId: '4318', firstSeenAt: now, lastInboundAt: now })
    .returning()
  const contactId = chat!.id
  const register = (villageId: number, name: string) => book.addPerson({ villageId, group: 1, source: 'chat' }, name)
  const begin = (villageId: number, subjectId: number, title: 'CDHT' | 'GDHT' = 'CDHT', year = 2026) =>
    book.begin({ villageId, subjectId, title, year })
  const own = await register(first.id, '=cmd|"/c calc"!A1')
  const helped = await register(second.id, 'Giàng Thị Én, bà')
  const gone = await register(second.id, 'Lý A Đi')
  const home = await book.addHousehold(first.id)
  await database.db.update(household).set({ headPersonId: own, headName: '=cmd' }).where(eq(household.id, home))
  await book.answer(await begin(first.id, own), 'cntt', 'tu_dung', { contactId, answeredAt })
  await book.answer(await begin(first.id, own, 'CDHT', 2025), 'cntt', 'chua', { contactId, answeredAt })
  await book.answer(await begin(second.id, helped), 'cntt', 'chua', {
    contactId,
    helperPersonId: own,
    source: 'helper',
    points: 2,
    answeredAt,
  })
  await book.answer(await begin(first.id, home, 'GDHT'), 'cong_dan', 'tat_ca', { source: 'computed', points: null, answeredAt })
  const left = await begin(second.id, gone)
  await book.answer(left, 'cntt', 'chua', { contactId, answeredAt })
  await book.update(left, { status: 'rut_lai' })
})
afterAll(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

test('one row an answer in force, no cell a formula, and the audit trail knows', async () => {
  const path = join(folder, 'answers.csv')
  expect(await exportAnswers(database, { unit: commune, year: 2026, path, actor: 'cli', now })).toBe(3)
  expect(readFileSync(path, 'utf8').split('\n')).toEqual([
    'channel,channel_user_id,person,birth_year,village_code,title,question,option,points,helper,answered_at',
    `zalo,4318,"'=cmd|""/c calc""!A1",1980,v1,CDHT,cntt,tu_dung,8,,2026-06-02T03:30:05+07:00`,
    `,,'=cmd,1980,v1,GDHT,cong_dan,tat_ca,,,2026-06-02T03:30:05+07:00`,
    `zalo,4318,"Giàng Thị Én, bà",1980,v2,CDHT,cntt,chua,2,"'=cmd|""/c calc""!A1",2026-06-02T03:30:05+07:00`,
    '',
  ])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const rows = await database.sql`SELECT actor, subject, detail FROM audit WHERE action = 'export.answers'`
  expect(rows).toEqual([{ actor: 'cli', subject: `unit:${commune.id}`, detail: { year: 2026, rows: 3 } }])
})

test('a village exports its own; a year without answers has only the header', async () => {
  const path = join(folder, 'village.csv')
  expect(await exportAnswers(database, { unit: first, year: 2026, path, actor: 'cli', now })).toBe(2)
  expect(await exportAnswers(database, { unit: commune, year: 2020, path, actor: 'cli', now })).toBe(0)
  expect(readFileSync(path, 'utf8')).toMatch(/^channel,.*answered_at\n$/)
})

test('a folder that is not there is named, and nothing half-written stays', async () => {
  const path = join(folder, 'nowhere', 'answers.csv')
  await expect(exportAnswers(database, { unit: commune, year: 2026, path, actor: 'cli', now })).rejects.toThrow(
    `${path} cannot be written (ENOENT)`,
  )
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
})

import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadContent } from '../../src/content/load.ts'
import { createDb, type Database } from '../../src/db/connect.ts'
import { createSampleCommune, SAMPLE_COMMUNE } from '../../src/registry/sample.ts'
import { findUnitByCode, listVillages } from '../../src/registry/units.ts'
import { recount } from '../../src/reports/recount.ts'
import { loadStatistics } from '../../src/reports/statistics.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { seeded } from './seeded.ts'

const now = new Date('2026-11-21T02:00:00Z')
const { sets } = loadContent(join(import.meta.dirname, '../..'))
let database: Database
beforeAll(async () => {
  database = createDb(await createTestDatabase())
})
afterAll(() => database.close())

const create = () => createSampleCommune({ db: database.db, sets: sets.values(), randomInt: seeded(35) }, { now })

test('the sample commune is made once, also by two processes at once', async () => {
  const outcomes = await Promise.all([create(), create()])
  expect(outcomes.map(({ type }) => type).sort()).toEqual(['created', 'present'])
  const commune = (await findUnitByCode(database.db, SAMPLE_COMMUNE))!
  const villages = await listVillages(database.db, commune.id)
  expect(villages).toHaveLength(35)
  expect(villages[0]).toMatchObject({ code: 'binh-lu-01', label: 'bản', name: 'Nà Đa', sample: true })
  expect(villages[34]).toMatchObject({ code: 'binh-lu-35', position: 35 })
  expect(new Set(villages.map(({ name }) => name)).size).toBe(35)
})

test('its figures are believable and equal a recount', async () => {
  const commune = (await findUnitByCode(database.db, SAMPLE_COMMUNE))!
  expect(await recount(database.db, commune)).toEqual([])
  const { citizens, families, furthestBehind } = await loadStatistics(database.db, commune, { year: 2026, now })
  expect(citizens.known).toBeGreaterThan(250)
  for (const { x, y } of [citizens.registered, citizens.finished, citizens.selfPassed, families.finished, families.selfPassed]) {
    expect(x / y).toBeGreaterThan(0.1)
    expect(x / y).toBeLessThan(0.95)
  }
  expect(citizens.target).toMatchObject({ percent: 60, source: expect.stringContaining('Bình Lư') })
  expect(furthestBehind).toHaveLength(10)
})

test('every household has a head who lives in it', async () => {
  const [row] =
    await database.sql`SELECT count(*)::int AS n FROM household h LEFT JOIN person p ON p.id = h.head_person_id AND p.household_id = h.id
    WHERE p.id IS NULL OR p.name <> h.head_name`
  expect(row!.n).toBe(0)
})

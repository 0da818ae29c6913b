import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { getSetting, INSTALLATION, listSettings, loadSettings, type SettingKey, setSetting } from '../../src/registry/settings.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { importTestUnits } from './test-units.ts'

const now = new Date('2026-11-21T02:00:00Z')
let database: Database
let units: Record<string, number>
beforeAll(async () => {
  database = createDb(await createTestDatabase())
  units = await importTestUnits(database.db)
})
afterAll(() => database.close())

const set = (unitId: number, key: SettingKey, value: unknown) => setSetting(database.db, { unitId, key, value, actor: 'cli', now })

test('the nearest unit upwards counts, down to the default', async () => {
  const read = async () =>
    Promise.all([units.v1, units.c, units.t, units.d].map((unitId) => getSetting(database.db, unitId!, 'reminder.per_week')))
  expect(await read()).toEqual([1, 1, 1, 1])
  await set(INSTALLATION, 'reminder.per_week', 2)
  expect(await read()).toEqual([2, 2, 2, 2])
  await set(units.t!, 'reminder.per_week', 3)
  expect(await read()).toEqual([3, 3, 3, 2])
  await set(units.c!, 'reminder.per_week', 4)
  await set(units.v1!, 'reminder.per_week', 5)
  expect(await read()).toEqual([5, 4, 3, 2])
  await set(units.v1!, 'reminder.per_week', undefined)
  expect(await read()).toEqual([4, 4, 3, 2])
})

test('a denominator counts for its own unit only', async () => {
  const value = { value: 8480, as_of: '2026-06-30', source: 'Báo cáo' }
  await set(units.c!, 'denominator.CDHT', value)
  expect(await getSetting(database.db, units.c!, 'denominator.CDHT')).toEqual(value)
  expect(await getSetting(database.db, units.v1!, 'denominator.CDHT')).toBeUndefined()
})

test('a pass rule is replaced for one criteria set and says so', async () => {
  await set(units.c!, 'pass.total.cdht-g1.1', 75)
  await set(units.c!, 'account.package', 'comprehensive')
  const settings = await loadSettings(database.db, units.v1!)
  const pass = { total: 80, min_each: 5, max_total: 100, rescale: false, min_citizens: 0 }
  const criteria = {
    id: 'cdht-g1.1',
    title: 'CDHT' as const,
    legal_basis: ['-'],
    status: 'proposed' as const,
    pass,
    flags: [],
    questions: [],
    mapping: [],
  }
  expect(settings.passRule(criteria)).toEqual({ total: 75, min_each: 5, min_citizens: 0 })
  expect(settings.passRule({ ...criteria, id: 'cdht-g2.1' })).toEqual({ total: 80, min_each: 5, min_citizens: 0 })
  expect(settings.perMinute()).toEqual({ limit: 2000, assumed: false })

  const rows = await listSettings(database.db, units.v1!)
  expect(rows.find(({ key }) => key === 'pass.total.cdht-g1.1')).toMatchObject({ value: 75, setFor: 'c' })
  expect(rows.find(({ key }) => key === 'reminder.per_round')).toMatchObject({ value: 3, status: 'proposed' })
  expect(rows.find(({ key }) => key === 'reminder.per_round')).not.toHaveProperty('setFor')
})

test('each change is in the audit trail of its commune', async () => {
  const rows =
    await database.sql`SELECT actor, subject, detail FROM audit WHERE action = 'setting.set' AND commune_id = ${units.c!} ORDER BY id LIMIT 1`
  expect(rows[0]).toEqual({ actor: 'cli', subject: `unit:${units.c}`, detail: { key: 'reminder.per_week', value: 4 } })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { setSetting } from '../../src/registry/settings.ts'
import { findUnitByCode, type Unit } from '../../src/registry/units.ts'
import { notDone } from '../../src/reports/not-done.ts'
import { loadStatistics } from '../../src/reports/statistics.ts'
import { readTally } from '../../src/reports/tally.ts'
import { importTestUnits } from '../registry/test-units.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { createFormBook } from './form-book.ts'

const now = new Date('2026-11-21T02:00:00Z')
let database: Database
let province: Unit
let commune: Unit
let first: Unit
let second: Unit
beforeAll(async () => {
  database = createDb(await createTestDatabase())
  await importTestUnits(database.db)
  const get = async (code: string) => (await findUnitByCode(database.db, code))!
  province = await get('t')
  commune = await get('c')
  first = await get('v1')
  second = await get('v2')

  // v1: An finished and passes, Bình finished and does not, Cúc is at 3, Dung withdrew; v2: Én has not begun, Giang is on the roster only
  const book = createFormBook(database.db, commune.id)
  const register = (villageId: number, name: string, source: 'chat' | 'roster' = 'chat') =>
    book.addPerson({ villageId, group: 1, source }, name)
  const begin = (villageId: number, subjectId: number, title: 'CDHT' | 'GDHT' = 'CDHT') =>
    book.begin({ villageId, subjectId, title, year: 2026, group: title === 'CDHT' ? 1 : null, channel: 'zalo' })
  const an = await begin(first.id, await register(first.id, 'lo van an'))
  const binh = await begin(first.id, await register(first.id, 'ha thi binh'))
  const cuc = await begin(first.id, await register(first.id, 'vang a cuc'))
  const dung = await begin(first.id, await register(first.id, 'vang a dung'))
  await register(second.id, 'ly thi en')
  await register(second.id, 'ly a giang', 'roster')
  for (const form of [an, binh]) await book.answer(form, 'cntt', form === an ? 'tu_lam' : 'chua')
  await book.answer(cuc, 'cntt', 'chua')
  await book.update(an, { status: 'da_tu_danh_gia', selfPassed: true, flags: ['digital_basic'] })
  await book.update(binh, { status: 'da_tu_danh_gia', selfPassed: false })
  await book.update(cuc, { answered: 3 })
  await book.update(dung, { status: 'rut_lai' })
  const family = await begin(first.id, await book.addHousehold(first.id), 'GDHT')
  await book.update(family, { status: 'da_tu_danh_gia', selfPassed: true })
})
afterAll(() => database.close())

test('the statistics of a commune, always x of y', async () => {
  const figures = await loadStatistics(database.db, commune, { year: 2026, now })
  expect(figures).toMatchObject({
    unit: { code: 'c', label: 'xã' },
    year: 2026,
    asOf: now,
    citizens: {
      known: 6,
      registered: { x: 5, y: 6 },
      finished: { x: 2, y: 5 },
      selfPassed: { x: 1, y: 2 },
      target: { percent: 60, share: { x: 1, y: 6 }, denominator: { kind: 'known' } },
    },
    families: { households: 1, finished: { x: 1, y: 1 }, selfPassed: { x: 1, y: 1 }, target: { percent: 70, share: { x: 1, y: 1 } } },
  })
  expect(figures.furthestBehind.map(({ village, finished }) => `${village.code} ${finished.x}/${finished.y}`)).toEqual(['v2 0/2', 'v1 2/4'])
})

test('a denominator that was set is used and named', async () => {
  const value = { value: 8480, as_of: '2026-06-30', source: 'Báo cáo' }
  await setSetting(database.db, { unitId: commune.id, key: 'denominator.CDHT', value, actor: 'cli', now })
  expect((await loadStatistics(database.db, commune, { year: 2026, now })).citizens.target).toMatchObject({
    share: { x: 1, y: 8480 },
    denominator: { kind: 'set', asOf: '2026-06-30', source: 'Báo cáo' },
  })
})

test('a village shows itself, a province the sum, another year nothing', async () => {
  const village = await loadStatistics(database.db, first, { year: 2026, now })
  expect(village.citizens).toMatchObject({
    known: 4,
    finished: { x: 2, y: 4 },
    target: { share: { x: 1, y: 4 }, denominator: { kind: 'known' } },
  })
  expect(village.furthestBehind).toEqual([])
  expect((await loadStatistics(database.db, province, { year: 2026, now })).citizens).toMatchObject({ known: 6, finished: { x: 2, y: 5 } })
  expect((await loadStatistics(database.db, commune, { year: 2025, now })).citizens).toMatchObject({ known: 6, finished: { x: 0, y: 5 } })
})

test('who has not finished: by village and given name, with how far they are', async () => {
  const { total, people } = await notDone(database.db, { unitId: commune.id, year: 2026 })
  expect(total).toBe(2)
  expect(people.map(({ name, village, begun }) => ({ name, village: village.code, ...(begun && { answered: begun.answered }) }))).toEqual([
    { name: 'vang a cuc', village: 'v1', answered: 3 },
    { name: 'ly thi en', village: 'v2' },
  ])
  expect((await notDone(database.db, { unitId: second.id, year: 2026 })).people).toHaveLength(1)
  expect(await notDone(database.db, { unitId: province.id, year: 2026, limit: 1, offset: 1 })).toMatchObject({
    total: 2,
    people: [{ name: 'ly thi en' }],
  })
})

test('the tally by village, question, status and group', async () => {
  const read = (by: 'village' | 'question' | 'status' | 'group', at = commune) =>
    readTally(database.db, at, { year: 2026, title: 'CDHT', by })
  const states = { begun: 3, finished: 2, self_passed: 1, self_not_passed: 1, helped: 0, withdrawn: 1 }
  expect(await read('village')).toEqual({
    unit: { code: 'c', label: 'xã', name: 'Xê' },
    year: 2026,
    title: 'CDHT',
    by: 'village',
    rows: [
      { key: 'v1', name: 'bản Một', figures: { known: 4, registered: 4, ...states } },
      {
        key: 'v2',
        name: 'bản Hai',
        figures: { known: 2, registered: 1, begun: 0, finished: 0, self_passed: 0, self_not_passed: 0, helped: 0, withdrawn: 0 },
      },
    ],
    total: { known: 6, registered: 5, ...states },
  })
  expect((await read('question')).rows).toEqual([{ key: 'cntt', figures: { tu_lam: 1, chua: 2 } }])
  expect((await read('status')).rows).toEqual(Object.entries(states).map(([key, n]) => ({ key, figures: { n } })))
  expect((await read('group')).rows).toEqual([{ key: '1', figures: { begun: 3, finished: 2, self_passed: 1 } }])
  expect((await read('status', second)).rows.every(({ figures }) => figures.n === 0)).toBe(true)
})

test('answers of an older criteria set are read through its mapping', async () => {
  const table = await readTally(database.db, commune, {
    year: 2026,
    title: 'CDHT',
    by: 'question',
    readAnswer: ({ criteriaSet, option }) =>
      criteriaSet === 'cdht-g1.1' && option === 'chua' ? { question: 'ky_nang_so', option: 'khong' } : undefined,
  })
  expect(table.rows).toEqual([{ key: 'ky_nang_so', figures: { khong: 2 } }])
})

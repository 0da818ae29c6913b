import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { describeProblem } from '../../src/registry/table-file.ts'
import {
  findUnitByCode,
  findUnitByJoinCode,
  getCommune,
  importUnits,
  listVillages,
  parseUnitRows,
  unitPath,
  unitTitle,
} from '../../src/registry/units.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { seeded } from './seeded.ts'

const now = new Date('2026-11-21T02:00:00Z')
let database: Database
beforeAll(async () => {
  database = createDb(await createTestDatabase())
})
afterAll(() => database.close())

const HEADER = 'code,level,label,name,parent_code,predecessor_codes'

async function importText(lines: string, seed = 1) {
  const read = await parseUnitRows(Buffer.from(`${HEADER}\n${lines}`))
  if (read.type === 'refused') throw new Error(read.problems.map(describeProblem).join('\n'))
  const outcome = await importUnits(database.db, { rows: read.rows, actor: 'cli', now, randomInt: seeded(seed) })
  return outcome.type === 'refused' ? outcome.problems.map(describeProblem) : outcome
}

const COMMUNE = `v2,thon_ban,bản,Hai,c,
c,xa,xã,Xê,t,
t,tinh,tỉnh,Tê,,
v1,thon_ban,bản,Một,c,old-1 old-2
v3,thon_ban,tổ dân phố,Ba,c,`

test('units are made whatever their order, numbered by it, and found', async () => {
  expect(await importText(COMMUNE)).toEqual({ type: 'imported', created: 5, updated: 0, unchanged: 0 })
  const commune = await findUnitByCode(database.db, 'C')
  expect(commune).toMatchObject({ communeId: commune!.id, level: 'xa', joinCode: null, sample: false })
  expect(await getCommune(database.db, commune!.id)).toEqual(commune)
  const villages = await listVillages(database.db, commune!.id)
  expect(villages.map(({ code, position, communeId }) => ({ code, position, communeId }))).toEqual([
    { code: 'v2', position: 1, communeId: commune!.id },
    { code: 'v1', position: 2, communeId: commune!.id },
    { code: 'v3', position: 3, communeId: commune!.id },
  ])
  expect(villages[1]).toMatchObject({ predecessorCodes: ['old-1', 'old-2'] })
  expect((await unitPath(database.db, villages[2]!.id)).map(unitTitle)).toEqual(['tổ dân phố Ba', 'xã Xê', 'tỉnh Tê'])
  expect((await unitPath(database.db, villages[2]!.id)).at(-1)).toMatchObject({ communeId: 0, parentId: null })
  expect(await findUnitByJoinCode(database.db, villages[0]!.joinCode!.toLowerCase())).toEqual(villages[0])
})

test('a second import updates names and order and keeps ids and join codes', async () => {
  const commune = await findUnitByCode(database.db, 'c')
  const before = await listVillages(database.db, commune!.id)
  expect(await importText(COMMUNE, 2)).toEqual({ type: 'imported', created: 0, updated: 0, unchanged: 5 })
  expect(await importText('v1,thon_ban,bản,Một,c,\nv2,thon_ban,thôn,Hai Mới,c,\nv3,thon_ban,tổ dân phố,Ba,c,', 3)).toEqual({
    type: 'imported',
    created: 0,
    updated: 2,
    unchanged: 1,
  })
  const after = await listVillages(database.db, commune!.id)
  expect(after.map(unitTitle)).toEqual(['bản Một', 'thôn Hai Mới', 'tổ dân phố Ba'])
  expect(after.map(({ id, joinCode }) => ({ id, joinCode })).sort((a, b) => a.id - b.id)).toEqual(
    before.map(({ id, joinCode }) => ({ id, joinCode })).sort((a, b) => a.id - b.id),
  )
})

test('a file with only some villages leaves the numbers of the others alone', async () => {
  const commune = await findUnitByCode(database.db, 'c')
  await importText('v4,thon_ban,bản,Bốn,c,\nv3,thon_ban,bản,Ba,c,', 4)
  const villages = await listVillages(database.db, commune!.id)
  expect(villages.map(({ code, position }) => `${position} ${code}`)).toEqual(['1 v1', '2 v2', '3 v3', '4 v4'])
})

test('a bad row anywhere: nothing is imported', async () => {
  const problems = await importText(`d,xa,xã,Đê,t,
w1,thon_ban,bản,Mới,nowhere,
w2,thon_ban,bản,Mới,t,
c,thon_ban,bản,Xê,d,
v1,thon_ban,bản,Một,d,
e,xa,xã,E,d,`)
  expect(problems).toEqual([
    'row 3, column parent_code: "nowhere" is neither in this file nor imported before; add a row for it',
    'row 4, column parent_code: "t" is of level tinh; the parent of a thon_ban is a xa',
    'row 5, column level: "c" is there as xa; a unit keeps its level, use another code',
    'row 6, column parent_code: "v1" belongs to another commune; its people do not move with a file: give the new village a new code and name "v1" among its predecessor_codes',
    'row 7, column parent_code: "d" is of level xa; the parent of a xa is a tinh',
  ])
  expect(await findUnitByCode(database.db, 'd')).toBeUndefined()
})

test('two thousand villages have two thousand codes', async () => {
  const lines = Array.from({ length: 2_000 }, (_, n) => `m${n},thon_ban,thôn,Số ${n},big,`)
  expect(await importText(['big,xa,xã,Lớn,,', ...lines].join('\n'))).toMatchObject({ created: 2_001 })
  const commune = await findUnitByCode(database.db, 'big')
  const villages = await listVillages(database.db, commune!.id)
  expect(new Set(villages.map(({ joinCode }) => joinCode)).size).toBe(2_000)
})

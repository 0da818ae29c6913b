import type { Db } from '../../src/db/connect.ts'
import { unit } from '../../src/db/schema.ts'
import { importUnits, type UnitRow } from '../../src/registry/units.ts'
import { seeded } from './seeded.ts'

const ROWS: Omit<UnitRow, 'row' | 'predecessorCodes'>[] = [
  { code: 't', level: 'tinh', label: 'tỉnh', name: 'Tê' },
  { code: 'c', level: 'xa', label: 'xã', name: 'Xê', parentCode: 't' },
  { code: 'v1', level: 'thon_ban', label: 'bản', name: 'Một', parentCode: 'c' },
  { code: 'v2', level: 'thon_ban', label: 'bản', name: 'Hai', parentCode: 'c' },
  { code: 'd', level: 'xa', label: 'phường', name: 'Đê' },
  { code: 'w1', level: 'thon_ban', label: 'tổ dân phố', name: 'Số 1', parentCode: 'd' },
]

/** A province `t` with commune `c` and villages `v1`, `v2`; a commune `d` without province with `w1`. Ids by code. */
export async function importTestUnits(db: Db): Promise<Record<string, number>> {
  const rows = ROWS.map((row, index) => ({ ...row, row: index + 2, predecessorCodes: [] }))
  await importUnits(db, { rows, actor: 'test', now: new Date('2026-01-01T00:00:00Z'), randomInt: seeded(7) })
  const units = await db.select({ id: unit.id, code: unit.code }).from(unit)
  return Object.fromEntries(units.map(({ id, code }) => [code, id]))
}

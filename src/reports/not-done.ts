import { sql } from 'drizzle-orm'
import type { DbOrTx } from '../db/connect.ts'
import { getUnit } from '../registry/units.ts'

/** A registered person who has not finished this year's form. */
export type NotDone = {
  personId: number
  name: string
  birthYear: number
  village: { id: number; code: string; label: string; name: string }
  /** Questions answered so far; the set says of how many. Absent: not begun. */
  begun?: { answered: number; criteriaSet: string }
}

export type NotDoneArgs = { unitId: number; year: number; limit?: number; offset?: number }

/** Who of a unit is registered and has not finished, by village and given name, and how many they are in all. Whoever withdrew is not asked again. */
export async function notDone(
  db: DbOrTx,
  { unitId, year, limit = 1_000, offset = 0 }: NotDoneArgs,
): Promise<{ total: number; people: NotDone[] }> {
  const at = await getUnit(db, unitId)
  const communes = at.level === 'tinh' ? sql`(SELECT id FROM unit WHERE parent_id = ${at.id})` : sql`(${at.communeId}::bigint)`
  const rows = await db.execute<{
    id: string
    name: string
    birth_year: number
    village_id: string
    village_code: string
    village_label: string
    village_name: string
    answered: number | null
    criteria_set: string | null
    total: number
  }>(sql`
    SELECT p.id, p.name, p.birth_year, v.id AS village_id, v.code AS village_code, v.label AS village_label, v.name AS village_name,
      n.answered, n.criteria_set, count(*) OVER ()::int AS total
    FROM person p
    JOIN unit v ON v.id = p.village_id
    LEFT JOIN nomination n ON n.commune_id = p.commune_id AND n.year = ${year} AND n.title = 'CDHT' AND n.subject_id = p.id
    WHERE p.commune_id IN ${communes} ${at.level === 'thon_ban' ? sql`AND p.village_id = ${at.id}` : sql``}
      AND p.source <> 'roster' AND (n.id IS NULL OR n.status = 'dang_tu_danh_gia')
    -- Vietnamese lists go by the given name, the last word
    ORDER BY p.commune_id, v.position, split_part(p.name_key, ' ', -1), p.name_key, p.id
    LIMIT ${limit} OFFSET ${offset}`)
  const people = rows.map(
    (row): NotDone => ({
      personId: Number(row.id),
      name: row.name,
      birthYear: row.birth_year,
      village: { id: Number(row.village_id), code: row.village_code, label: row.village_label, name: row.village_name },
      ...(row.criteria_set !== null && { begun: { answered: row.answered ?? 0, criteriaSet: row.criteria_set } }),
    }),
  )
  return { total: rows[0]?.total ?? 0, people }
}

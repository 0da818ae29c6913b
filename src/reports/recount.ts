import { sql } from 'drizzle-orm'
import type { Db } from '../db/connect.ts'
import type { TallyAt } from './tally.ts'

/** A counter that is not what the rows say. */
export type Difference = {
  communeId: number
  villageId: number
  year: number
  title: string
  dimension: string
  key: string
  kept: number
  counted: number
}

/**
 * Counts a unit's people, nominations and answers anew from their rows and names every counter that differs; none should.
 * Written apart from `contributions.ts`, in SQL, so that a mistake in one shows.
 */
export async function recount(db: Db, at: TallyAt): Promise<Difference[]> {
  const communes =
    at.level === 'tinh' ? sql`(SELECT id FROM unit WHERE parent_id = ${at.id} AND level = 'xa')` : sql`(${at.communeId}::bigint)`
  const within = (alias: string) =>
    sql`${sql.raw(alias)}.commune_id IN ${communes} ${at.level === 'thon_ban' ? sql`AND ${sql.raw(alias)}.village_id = ${at.id}` : sql``}`
  // One snapshot for rows and counters, so that what arrives meanwhile makes no difference
  const rows = await db.transaction(
    (tx) =>
      tx.execute<
        Record<'commune_id' | 'village_id', string> &
          Record<'year' | 'kept' | 'counted', number> &
          Record<'title' | 'dimension' | 'key', string>
      >(sql`
        WITH form AS (
          SELECT n.*, n.status <> 'dang_tu_danh_gia' AS finished, n.status <> 'dang_tu_danh_gia' AND n.self_passed AS passing
          FROM nomination n WHERE ${within('n')}
        ), here AS (
          SELECT * FROM form WHERE status <> 'rut_lai'
        ), reached AS (
          SELECT here.*, state FROM here, LATERAL (
            SELECT 'begun' AS state UNION ALL SELECT 'finished' WHERE finished UNION ALL SELECT 'self_passed' WHERE passing
          ) states
        ), counted AS (
          SELECT commune_id, village_id, 0 AS year, '' AS title, 'people' AS dimension, key, count(*)::int AS n
          FROM person p, LATERAL (
            SELECT 'known' AS key UNION ALL SELECT 'registered' WHERE source <> 'roster' UNION ALL SELECT 'group_' || group_no
          ) keys WHERE ${within('p')} GROUP BY 1, 2, key
          UNION ALL
          SELECT commune_id, village_id, 0, '', 'people', 'households', count(*)::int FROM household h WHERE ${within('h')} GROUP BY 1, 2
          UNION ALL
          SELECT commune_id, village_id, year, title, 'state', state, count(*)::int FROM reached GROUP BY 1, 2, 3, 4, state
          UNION ALL
          SELECT commune_id, village_id, year, title, 'state', 'self_not_passed', count(*)::int FROM here WHERE finished AND NOT self_passed GROUP BY 1, 2, 3, 4
          UNION ALL
          SELECT commune_id, village_id, year, title, 'state', 'helped', count(*)::int FROM here WHERE helper_person_id IS NOT NULL GROUP BY 1, 2, 3, 4
          UNION ALL
          SELECT commune_id, village_id, year, title, 'state', 'withdrawn', count(*)::int FROM form WHERE status = 'rut_lai' GROUP BY 1, 2, 3, 4
          UNION ALL
          SELECT commune_id, village_id, year, title, 'group', group_no || ':' || state, count(*)::int
          FROM reached WHERE group_no IS NOT NULL GROUP BY 1, 2, 3, 4, group_no, state
          UNION ALL
          SELECT commune_id, village_id, year, title, 'channel', channel || ':' || state, count(*)::int
          FROM reached WHERE channel IS NOT NULL GROUP BY 1, 2, 3, 4, channel, state
          UNION ALL
          SELECT commune_id, village_id, year, title, 'flag', flag, count(*)::int
          FROM here, unnest(flags) AS flag WHERE passing GROUP BY 1, 2, 3, 4, flag
          UNION ALL
          SELECT h.commune_id, h.village_id, h.year, h.title, 'question', a.criteria_set || '/' || a.question || ':' || a.option, count(*)::int
          FROM here h JOIN answer a ON a.commune_id = h.commune_id AND a.nomination_id = h.id
          GROUP BY 1, 2, 3, 4, a.criteria_set, a.question, a.option
        ), kept AS (
          SELECT commune_id, village_id, year, title, dimension, key, n FROM tally t WHERE ${within('t')}
        )
        SELECT commune_id, village_id, year, title, dimension, key, coalesce(kept.n, 0) AS kept, coalesce(counted.n, 0) AS counted
        FROM kept FULL JOIN counted USING (commune_id, village_id, year, title, dimension, key)
        WHERE coalesce(kept.n, 0) <> coalesce(counted.n, 0)
        ORDER BY 1, 2, 3, 4, 5, 6`),
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  )
  return rows.map((row) => ({
    communeId: Number(row.commune_id),
    villageId: Number(row.village_id),
    year: row.year,
    title: row.title,
    dimension: row.dimension,
    key: row.key,
    kept: row.kept,
    counted: row.counted,
  }))
}

import type { PendingQuery, Row, Sql, TransactionSql } from 'postgres'
import type { OutboundStatus } from '../model/outbound.ts'

/**
 * Changes of the ledger. Every change of rows moves the counts in the same transaction, so the seven statuses add up at every moment.
 * Locks are taken in one order everywhere: campaign, recipients, counts, lane, pace.
 */
type Sqlish = Sql | TransactionSql
type Fragment = PendingQuery<Row[]>

const STATUSES: readonly OutboundStatus[] = ['waiting', 'sent', 'failed', 'skipped', 'expired', 'cancelled', 'uncertain']

/** Changes the rows of one campaign that `where` names (as `r`); `set` may use `old`, the row before. Returns how many. */
export async function moveRows(
  sql: Sqlish,
  { communeId, campaignId, where, set }: { communeId: number; campaignId: number; where: Fragment; set: Fragment },
): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    WITH old AS MATERIALIZED (
      SELECT r.person_id, r.status, r.route, r.class FROM recipient r
      WHERE r.commune_id = ${communeId} AND r.campaign_id = ${campaignId} AND (${where})
      ORDER BY r.person_id FOR UPDATE
    ), changed AS (
      UPDATE recipient r SET ${set} FROM old
      WHERE r.commune_id = ${communeId} AND r.campaign_id = ${campaignId} AND r.person_id = old.person_id
      RETURNING old.status AS old_status, old.route AS old_route, old.class AS old_class, r.status, r.route, r.class
    ), counted AS (${countChanges(sql, communeId, sql`SELECT ${campaignId}::int AS campaign_id, * FROM changed`)})
    SELECT count(*)::int AS n FROM changed`
  return row?.n ?? 0
}

/** Moves the counts by rows (campaign_id, old_status, old_route, old_class, status, route, class). A statement of its own or a part of one. */
export function countChanges(sql: Sqlish, communeId: number, changes: Fragment): Fragment {
  return sql`
    INSERT INTO recipient_count (commune_id, campaign_id, status, route, class, n)
    SELECT ${communeId}::int, campaign_id, status, route, class, sum(n)::int
    FROM (
      SELECT campaign_id, old_status AS status, old_route AS route, coalesce(old_class, '') AS class, -1 AS n FROM (${changes}) before
      UNION ALL
      SELECT campaign_id, status, route, coalesce(class, ''), 1 FROM (${changes}) after
    ) moves
    GROUP BY campaign_id, status, route, class HAVING sum(n) <> 0
    ORDER BY campaign_id, status, route, class
    ON CONFLICT (commune_id, campaign_id, status, route, class) DO UPDATE SET n = recipient_count.n + excluded.n`
}

export type LedgerCounts = {
  recipients: number
  statuses: Record<OutboundStatus, number>
  rows: { status: OutboundStatus; route: string; class: string; n: number }[]
}

/** The counts as they stand; one snapshot, exact. */
export async function readCounts(sql: Sqlish, communeId: number, campaignId: number): Promise<LedgerCounts> {
  const rows = await sql<{ status: OutboundStatus; route: string; class: string; n: number }[]>`
    SELECT status, route, class, n FROM recipient_count
    WHERE commune_id = ${communeId} AND campaign_id = ${campaignId} AND n <> 0 ORDER BY n DESC, status, route, class`
  const statuses = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<OutboundStatus, number>
  for (const row of rows) statuses[row.status] += row.n
  return { recipients: rows.reduce((sum, row) => sum + row.n, 0), statuses, rows: [...rows] }
}

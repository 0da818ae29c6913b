import type { PendingQuery, Row, Sql, TransactionSql } from 'postgres'
import type { OutboundStatus } from '../model/outbound.ts'

/**
 * Changes of the ledger. Every change of rows moves the counts in the same transaction, so the seven statuses add up at every moment.
 * Locks are taken in one order everywhere: campaign, recipients, counts, lane, pace.
 */
type Sqlish = Sql | TransactionSql
type Fragment = PendingQuery<Row[]>

/**
 * A message whose file needs a request of its own may have its words in the chat while the file still waits. Its row then waits with a class
 * that says so, only the file is sent when its turn comes, and whatever becomes of that, the row ends as `sent`: nobody reads the words twice.
 */
const WORDS_ONLY = 'words_only_'
export const wordsOnly = (why: string): string => WORDS_ONLY + why
/** What became of the file of a message whose words arrived; undefined for every other class. */
export const whyWordsOnly = (name: string): string | undefined => (name.startsWith(WORDS_ONLY) ? name.slice(WORDS_ONLY.length) : undefined)
/** Whether a row `r` waits for its file only. */
export const hasWords = (sql: Sqlish): Fragment => sql`coalesce(starts_with(r.class, ${WORDS_ONLY}), false)`

const STATUSES: readonly OutboundStatus[] = ['waiting', 'sent', 'failed', 'skipped', 'expired', 'cancelled', 'uncertain']

/** Changes the rows of one campaign that `where` names (as `r`); `set` may use `old`, the row before. Returns how many. */
export async function moveRows(
  tx: TransactionSql,
  { communeId, campaignId, where, set }: { communeId: number; campaignId: number; where: Fragment; set: Fragment },
): Promise<number> {
  const named = tx`FROM recipient r WHERE r.commune_id = ${communeId} AND r.campaign_id = ${campaignId} AND (${where})`
  // Locked by a statement of its own: the next one sees every row as it stands and finds it by its place. A join by key is planned by what
  // PostgreSQL knows of the table, and of a campaign that has just begun it knows nothing: it read the whole campaign for each row
  await tx`SELECT count(*) FROM (SELECT 1 ${named} ORDER BY r.person_id FOR UPDATE) held`
  const [row] = await tx<{ n: number }[]>`
    WITH old AS MATERIALIZED (
      SELECT r.ctid AS place, r.status, r.route, r.class ${named}
    ), changed AS (
      UPDATE recipient r SET ${set} FROM old WHERE r.ctid = old.place
      RETURNING old.status AS old_status, old.route AS old_route, old.class AS old_class, r.status, r.route, r.class
    ), moves AS (
      SELECT old_status AS status, old_route AS route, coalesce(old_class, '') AS class, -1 AS n FROM changed
      UNION ALL
      SELECT status, route, coalesce(class, ''), 1 FROM changed
    ), counted AS (${addCounts(tx, communeId, tx`SELECT ${campaignId}::int AS campaign_id, status, route, class, n FROM moves`)})
    SELECT count(*)::int AS n FROM changed`
  return row?.n ?? 0
}

/** Adds rows (campaign_id, status, route, class, n) to the counts. A statement of its own or a part of one. */
export function addCounts(sql: Sqlish, communeId: number, moves: Fragment): Fragment {
  return sql`
    INSERT INTO recipient_count (commune_id, campaign_id, status, route, class, n)
    SELECT ${communeId}::int, campaign_id, status, route, class, sum(n)::int FROM (${moves}) moved
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

import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'

/** A chat as the ledger knows it: under its person, or under itself while nobody is registered on it. */
export type Met = { id: number; communeId: number; accountId: number; personId: number | null }

// The reply goes first
const AFTER_REPLY_MS = 1_000

/**
 * Whose rows are this chat's: its person's, and its own from before anybody was registered on it. Each is asked for by a statement of its
 * own: for one person PostgreSQL takes the whole key, for a choice of two it read all of a campaign it knows nothing of yet.
 */
export const subjects = ({ id, personId }: Met): readonly number[] => (personId === null ? [-id] : [personId, -id])

/**
 * This person has just written: notices that waited for it leave now, once, through this chat. `met` is a way of its own: a second word
 * finds nothing to do while the first notice is on its way, and its life does not end while it waits for the morning.
 */
export async function meetNotices(tx: Tx, met: Met, now: Date): Promise<void> {
  for (const personId of subjects(met)) await meetNoticesOf(tx, met, personId, now)
}

async function meetNoticesOf(tx: Tx, met: Met, personId: number, now: Date): Promise<void> {
  await tx.execute(sql`
    WITH old AS MATERIALIZED (
      SELECT r.commune_id, r.campaign_id, r.person_id, coalesce(r.class, '') AS class
      FROM campaign c JOIN recipient r ON r.commune_id = c.commune_id AND r.campaign_id = c.id AND r.person_id = ${personId}
      WHERE c.commune_id = ${met.communeId} AND c.state IN ('running', 'paused') AND c.next_contact_until > ${now.toISOString()}::timestamptz
        AND r.status = 'waiting' AND r.route = 'next'
      ORDER BY r.campaign_id, r.person_id FOR UPDATE OF r
    ), due AS (
      UPDATE recipient r SET route = 'met', class = NULL, not_before = ${new Date(now.getTime() + AFTER_REPLY_MS).toISOString()}::timestamptz,
        contact_id = ${met.id}, account_id = ${met.accountId}::int
      FROM old WHERE r.commune_id = old.commune_id AND r.campaign_id = old.campaign_id AND r.person_id = ${personId}
      RETURNING r.campaign_id, old.class
    ), lanes AS (
      INSERT INTO campaign_lane (campaign_id, account_id, commune_id, cursor, exhausted, served_at)
      SELECT DISTINCT campaign_id, ${met.accountId}::int, ${met.communeId}::int, 0, true, ${now.toISOString()}::timestamptz FROM due
      ON CONFLICT DO NOTHING
    )
    INSERT INTO recipient_count (commune_id, campaign_id, status, route, class, n)
    SELECT ${met.communeId}::int, campaign_id, 'waiting', route, class, sum(n)::int
    FROM (SELECT campaign_id, 'next' AS route, class, -1 AS n FROM due UNION ALL SELECT campaign_id, 'met', '', 1 FROM due) moves
    GROUP BY campaign_id, route, class ORDER BY campaign_id, route, class
    ON CONFLICT (commune_id, campaign_id, status, route, class) DO UPDATE SET n = recipient_count.n + excluded.n`)
}

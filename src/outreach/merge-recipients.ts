import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import type { recipient } from '../db/schema.ts'

type Status = (typeof recipient.$inferSelect)['status']
type Row = { campaign_id: number; person_id: string; status: Status; route: string; class: string | null; in_flight: boolean }
type Merged = { communeId: number; kept: number; others: readonly number[]; now: Date }

/** How much a row says of whether the person has it: of two, the one that says more is the person's. */
const SAYS: Record<Status, number> = { sent: 4, uncertain: 3, waiting: 2, failed: 1, expired: 1, cancelled: 1, skipped: 0 }

// Ways on which a row waits for its turn only; it is behind the cursor of its lane when its id changes
const BY_TURN = sql`('now', 'telegram', 'zbs', 'met')`
// The place of a row while two change theirs; nobody's id
const NOBODY = 0

/**
 * Several ids turned out to be one person: the campaigns under way reach them once, and their ledgers say so. Where only one id has a row
 * it becomes the person's; of two, the one that says more. What is left over and still waited is `skipped` as `merged`, so that the rows
 * add up as before. A row being sent at this moment keeps its id until its result is there, and the other is not sent any more.
 */
export async function mergeRecipients(tx: Tx, merged: Merged): Promise<void> {
  const rows = await lockRows(tx, merged)
  for (const [campaignId, ofCampaign] of Map.groupBy(rows, (row) => row.campaign_id)) {
    await mergeInCampaign(tx, merged, campaignId, ofCampaign)
  }
}

async function lockRows(tx: Tx, { communeId, kept, others }: Merged): Promise<Row[]> {
  const ids = sql.param([kept, ...others])
  // Locked first: who is in a batch is asked when nobody can claim these rows any more
  await tx.execute(sql`
    SELECT 1 FROM campaign c JOIN recipient r ON r.commune_id = c.commune_id AND r.campaign_id = c.id AND r.person_id = ANY (${ids}::bigint[])
    WHERE c.commune_id = ${communeId} ORDER BY r.campaign_id, r.person_id FOR UPDATE OF r`)
  return tx.execute<Row>(sql`
    SELECT r.campaign_id, r.person_id, r.status, r.route, r.class,
      EXISTS (SELECT 1 FROM recipient_batch b WHERE b.campaign_id = r.campaign_id AND r.person_id = ANY (b.person_ids)) AS in_flight
    FROM campaign c JOIN recipient r ON r.commune_id = c.commune_id AND r.campaign_id = c.id AND r.person_id = ANY (${ids}::bigint[])
    WHERE c.commune_id = ${communeId} ORDER BY r.campaign_id, r.person_id`)
}

async function mergeInCampaign(tx: Tx, merged: Merged, campaignId: number, rows: readonly Row[]): Promise<void> {
  const { kept } = merged
  const rename = (from: number, to: number) =>
    tx.execute(sql`
      UPDATE recipient SET person_id = ${to}, not_before = CASE
        WHEN status = 'waiting' AND route IN ${BY_TURN} THEN coalesce(not_before, ${merged.now.toISOString()}::timestamptz) ELSE not_before END
      WHERE commune_id = ${merged.communeId} AND campaign_id = ${campaignId} AND person_id = ${from}`)
  let own = rows.find((row) => Number(row.person_id) === kept)
  const others = rows.filter((row) => row !== own)
  const isBeingSent = others.some((row) => row.in_flight)
  for (const row of others) {
    if (row.in_flight) continue
    const id = Number(row.person_id)
    if (!own) {
      await rename(id, kept)
      own = row
      continue
    }
    let left: Row = row
    if (!own.in_flight && SAYS[row.status] > SAYS[own.status]) {
      await rename(id, NOBODY)
      await rename(kept, id)
      await rename(NOBODY, kept)
      left = own
      own = row
    }
    if (left.status === 'waiting') await skip(tx, merged, { ...left, person_id: String(id) })
  }
  if (isBeingSent && own && own.status === 'waiting' && !own.in_flight) await skip(tx, merged, { ...own, person_id: String(kept) })
}

async function skip(tx: Tx, { communeId }: Merged, { campaign_id, person_id, route, class: before }: Row): Promise<void> {
  await tx.execute(sql`
    WITH skipped AS (
      UPDATE recipient SET status = 'skipped', class = 'merged', not_before = NULL
      WHERE commune_id = ${communeId} AND campaign_id = ${campaign_id} AND person_id = ${person_id} AND status = 'waiting' RETURNING 1
    )
    INSERT INTO recipient_count (commune_id, campaign_id, status, route, class, n)
    SELECT ${communeId}::int, ${campaign_id}::int, moves.* FROM (VALUES ('waiting', ${route}, ${before ?? ''}, -1), ('skipped', ${route}, 'merged', 1)) moves, skipped
    ON CONFLICT (commune_id, campaign_id, status, route, class) DO UPDATE SET n = recipient_count.n + excluded.n`)
}

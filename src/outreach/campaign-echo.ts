import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { LIVING_INSTANCES } from '../db/instance.ts'
import { type Met, subjects } from './meet.ts'
import { hashContent } from './template.ts'

// Guarantee 4: an echo belongs to a send of the last ten minutes
const ECHO_MS = 10 * 60_000
// An article reaches its readers after a review of about half an hour (zalo.md 4.7)
const REVIEW_MS = 24 * 3_600_000
// Clocks of the platform and ours may differ by so much
const CLOCK_SLACK_MS = 30_000

type Open = { campaign_id: number; person_id: string; hash: string; claimed_ms: number; status: string; route: string; has_file: boolean }

/** Messages of one person that nobody alive knows the end of. What a living process is sending it records itself, many at a time. */
async function openOf(tx: Tx, met: Met, personId: number, at: Date): Promise<Open[]> {
  return tx.execute<Open>(sql`
    SELECT r.campaign_id, r.person_id, r.status, r.route, c.attachment IS NOT NULL AS has_file, coalesce(held.hash, r.content_hash) AS hash,
      extract(epoch FROM coalesce(held.claimed_at, r.claimed_at))::float8 * 1000 AS claimed_ms
    FROM campaign c
    JOIN recipient r ON r.commune_id = c.commune_id AND r.campaign_id = c.id AND r.person_id = ${personId}
    LEFT JOIN LATERAL (
      SELECT one.hash, b.claimed_at FROM recipient_batch b, unnest(b.person_ids, b.content_hashes) AS one (id, hash)
      WHERE b.campaign_id = r.campaign_id AND one.id = r.person_id AND b.claimed_by NOT IN (${LIVING_INSTANCES}) LIMIT 1
    ) held ON r.status = 'waiting'
    WHERE c.commune_id = ${met.communeId} AND c.started_at IS NOT NULL
      AND (c.finished_at IS NULL OR c.finished_at > ${new Date(at.getTime() - 2 * ECHO_MS).toISOString()}::timestamptz)
      AND (r.status = 'uncertain' OR (r.status = 'waiting' AND held.hash IS NOT NULL))`)
}

/**
 * The platform reports a message of ours. One whose sending was in flight when its process died, or was answered ambiguously, is settled by
 * it: same chat, same words, after the claim, within ten minutes. It is `sent`, whatever a late answer says. Returns whether there was one.
 */
export async function settleCampaignEcho(
  tx: Tx,
  met: Met,
  echo: { messageId: string; text?: string; isList?: true },
  at: Date,
): Promise<boolean> {
  const open: Open[] = []
  for (const personId of subjects(met)) open.push(...(await openOf(tx, met, personId, at)))
  const rows = open.sort((a, b) => a.claimed_ms - b.claimed_ms)
  const hash = hashContent(echo.text ?? '')
  const match = rows.find((row) => {
    const sinceMs = at.getTime() - row.claimed_ms
    const isArticle = row.route === 'article'
    // A picture's echo may come without words; an article's says nothing of a message
    const isOfRow = isArticle ? echo.isList : !echo.isList && (row.hash === hash || (row.has_file && echo.text === undefined))
    return isOfRow && sinceMs > -CLOCK_SLACK_MS && sinceMs < (isArticle ? REVIEW_MS : ECHO_MS)
  })
  if (!match) return echo.isList ? markArticle(tx, met, echo.messageId, at) : false
  // Of what a process died over the result is recorded as that process would have
  const [moved] = await tx.execute<{ status: string; route: string; class: string; settled: string }>(sql`
    UPDATE recipient r SET status = 'sent', not_before = NULL,
      class = CASE WHEN old.status = 'uncertain' THEN 'settled_by_echo' WHEN old.route = 'article' THEN 'article_broadcast' END,
      attempts = r.attempts + CASE WHEN old.status = 'waiting' THEN 1 ELSE 0 END, platform_message_id = ${echo.messageId},
      sent_at = ${at.toISOString()}::timestamptz, claimed_at = to_timestamp(${match.claimed_ms}::float8 / 1000), content_hash = NULL
    FROM (
      SELECT commune_id, campaign_id, person_id, status, route, coalesce(class, '') AS class FROM recipient
      WHERE commune_id = ${met.communeId} AND campaign_id = ${match.campaign_id} AND person_id = ${match.person_id} AND status IN ('uncertain', 'waiting')
      FOR UPDATE
    ) old
    WHERE r.commune_id = ${met.communeId} AND r.campaign_id = ${match.campaign_id} AND r.person_id = ${match.person_id}
    RETURNING old.status, old.route, old.class, coalesce(r.class, '') AS settled`)
  if (!moved) return false
  const changes = [
    { status: moved.status, route: moved.route, class: moved.class, n: -1 },
    { status: 'sent', route: moved.route, class: moved.settled, n: 1 },
  ]
  await tx.execute(sql`
    INSERT INTO recipient_count (commune_id, campaign_id, status, route, class, n)
    SELECT ${met.communeId}::int, ${match.campaign_id}::int, * FROM json_to_recordset(${JSON.stringify(changes)}::text::json) AS given (status text, route text, class text, n int)
    ORDER BY 3, 4, 5
    ON CONFLICT (commune_id, campaign_id, status, route, class) DO UPDATE SET n = recipient_count.n + excluded.n`)
  return true
}

/** The article has reached this follower, as a message of its own: what is said of that one later counts for the row. */
async function markArticle(tx: Tx, met: Met, messageId: string, at: Date): Promise<boolean> {
  for (const personId of subjects(met)) {
    const marked = await tx.execute(sql`
    UPDATE recipient r SET platform_message_id = ${messageId}, received_at = coalesce(r.received_at, ${at.toISOString()}::timestamptz)
    FROM campaign c
    WHERE c.commune_id = ${met.communeId} AND c.started_at > ${new Date(at.getTime() - REVIEW_MS).toISOString()}::timestamptz
      AND r.commune_id = c.commune_id AND r.campaign_id = c.id AND r.person_id = ${personId}
      AND r.route = 'article' AND r.status = 'sent' AND r.platform_message_id = c.article_message_id
    RETURNING 1`)
    if (marked.length > 0) return true
  }
  return false
}

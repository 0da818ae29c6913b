import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { keysOf, type Recent } from './unsettled.ts'
import type { WaitingReport } from './waiting-reports.ts'

/**
 * The articles of campaigns have reached these readers, as a message of its own to each: what is said of that one later counts for the row.
 * Waits for no row that somebody holds. Returns the echoes that told so; the others are no lists, or lists of something else.
 */
export async function markArticles(tx: Tx, reports: readonly WaitingReport[], campaigns: readonly Recent[]): Promise<Set<WaitingReport>> {
  const lists = reports.flatMap((report) =>
    report.content.kind === 'echo' && report.content.isList ? [{ report, message_id: report.content.messageId }] : [],
  )
  const keys = lists.flatMap(({ report, message_id }) =>
    keysOf(report, campaigns).map((key) => ({ ...key, message_id, at: report.at.toISOString() })),
  )
  if (keys.length === 0) return new Set()
  const rows = await tx.execute<{ message_id: string }>(sql`
    WITH held AS MATERIALIZED (
      SELECT given.*, found.place
      FROM json_to_recordset(${JSON.stringify(keys)}::text::json)
        AS given (commune_id int, campaign_id int, person_id bigint, message_id text, at timestamptz), LATERAL (
        SELECT r.ctid AS place FROM recipient r JOIN campaign c ON c.id = r.campaign_id
        WHERE r.commune_id = given.commune_id AND r.campaign_id = given.campaign_id AND r.person_id = given.person_id
          AND r.route = 'article' AND r.status = 'sent' AND r.platform_message_id = c.article_message_id
        FOR UPDATE OF r SKIP LOCKED
      ) found
    )
    UPDATE recipient m SET platform_message_id = held.message_id, received_at = coalesce(m.received_at, held.at)
    FROM held WHERE m.ctid = held.place RETURNING held.message_id`)
  const marked = new Set(rows.map((row) => row.message_id))
  return new Set(lists.flatMap(({ report, message_id }) => (marked.has(message_id) ? [report] : [])))
}

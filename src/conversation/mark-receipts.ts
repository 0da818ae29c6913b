import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { atCampaigns, atTalk, type Of } from './find-recorded.ts'
import type { Recent } from './unsettled.ts'
import type { WaitingReport } from './waiting-reports.ts'

/** When a message arrived or was read, as a receipt says. */
export type Mark = Of & { received_at: string | null; seen_at: string | null }

/** What a receipt says of each message it is of; nothing for an echo. */
export function marksOf(report: WaitingReport): Mark[] {
  const { content } = report
  if (content.kind === 'echo') return []
  const at = report.at.toISOString()
  const times = content.kind === 'received' ? { received_at: at, seen_at: null } : { received_at: null, seen_at: at }
  return content.messageIds.map((message_id) => ({ report, message_id, ...times }))
}

/**
 * Writes down when messages of the talk and of campaigns arrived and were read: once, the first time. Waits for no row that somebody holds.
 * Returns those whose message was not found or not free.
 */
export async function markReceipts(tx: Tx, marks: readonly Mark[], campaigns: readonly Recent[]): Promise<Mark[]> {
  if (marks.length === 0) return []
  const times = sql`received_at = coalesce(m.received_at, held.received_at), seen_at = coalesce(m.seen_at, held.seen_at)`
  const oneEach = sql`min(received_at) AS received_at, min(seen_at) AS seen_at`
  const talk = await tx.execute<{ message_id: string }>(sql`
    WITH given AS MATERIALIZED (
      SELECT contact_id, message_id, ${oneEach}
      FROM json_to_recordset(${JSON.stringify(marks.map(atTalk))}::text::json)
        AS given (contact_id bigint, message_id text, received_at timestamptz, seen_at timestamptz)
      GROUP BY contact_id, message_id
    ), held AS MATERIALIZED (
      SELECT given.*, found.id FROM given, LATERAL (
        SELECT o.id FROM contact c JOIN outbound_message o ON o.account_id = c.account_id AND o.platform_message_id = given.message_id
        WHERE c.id = given.contact_id FOR UPDATE OF o SKIP LOCKED
      ) found
    )
    UPDATE outbound_message m SET ${times} FROM held WHERE m.id = held.id RETURNING held.message_id`)
  const found = new Set(talk.map((row) => row.message_id))
  const keys = marks.flatMap((mark) => (found.has(mark.message_id) ? [] : atCampaigns(mark, campaigns)))
  if (keys.length > 0) {
    const sent = await tx.execute<{ message_id: string }>(sql`
      WITH given AS MATERIALIZED (
        SELECT commune_id, campaign_id, person_id, message_id, ${oneEach}
        FROM json_to_recordset(${JSON.stringify(keys)}::text::json)
          AS given (commune_id int, campaign_id int, person_id bigint, message_id text, received_at timestamptz, seen_at timestamptz)
        GROUP BY commune_id, campaign_id, person_id, message_id
      ), held AS MATERIALIZED (
        SELECT given.*, found.place FROM given, LATERAL (
          SELECT ctid AS place FROM recipient
          WHERE commune_id = given.commune_id AND campaign_id = given.campaign_id AND person_id = given.person_id AND platform_message_id = given.message_id
          FOR UPDATE SKIP LOCKED
        ) found
      )
      UPDATE recipient m SET ${times} FROM held WHERE m.ctid = held.place RETURNING held.message_id`)
    for (const row of sent) found.add(row.message_id)
  }
  return marks.filter((mark) => !found.has(mark.message_id))
}

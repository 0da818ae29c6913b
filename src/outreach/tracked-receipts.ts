import type { Sql } from 'postgres'
import { moveRows } from './ledger.ts'

/** A template that went to a phone number has no chat: the platform's receipt names the row of the ledger by this (zalo.md 6.4, 8.1). */
export const trackingIdOf = (campaignId: number, personId: number): string => `c${campaignId}-${personId}`

/** `at`: when it was delivered, by the platform's clock. */
export type TrackedReceipt = { accountId: number; trackingId: string; messageId: string; at: Date }

/** Keeps when templates arrived, once, the first time; also of those whose sending is still under way. Safe to repeat. */
export async function markTrackedReceipts(sql: Sql, receipts: readonly TrackedReceipt[]): Promise<void> {
  const given = receipts.flatMap(({ accountId, trackingId, messageId, at }) => {
    const [, campaignId, personId] = /^c(\d{1,9})-(\d{1,15})$/.exec(trackingId) ?? []
    return campaignId
      ? [{ account_id: accountId, campaign_id: campaignId, person_id: personId, message_id: messageId, at: at.toISOString() }]
      : []
  })
  if (given.length === 0) return
  // Locked in the order of the key, as everywhere
  await sql`
    WITH held AS MATERIALIZED (
      SELECT r.commune_id, r.campaign_id, r.person_id, given.message_id, given.at
      FROM json_to_recordset(${JSON.stringify(given)}::text::json)
        AS given (account_id int, campaign_id int, person_id bigint, message_id text, at timestamptz)
      JOIN account a ON a.id = given.account_id
      JOIN recipient r ON r.commune_id = a.commune_id AND r.campaign_id = given.campaign_id AND r.person_id = given.person_id
      WHERE r.route = 'zbs' AND r.received_at IS NULL
      ORDER BY r.campaign_id, r.person_id FOR UPDATE OF r
    )
    UPDATE recipient r SET received_at = held.at, platform_message_id = coalesce(r.platform_message_id, held.message_id)
    FROM held WHERE r.commune_id = held.commune_id AND r.campaign_id = held.campaign_id AND r.person_id = held.person_id`
}

/** Templates nobody knew the end of, of which the platform says that they arrived, are `sent`. Safe to repeat. */
export async function settleByReceipts(sql: Sql): Promise<void> {
  const open = await sql<{ commune_id: number; campaign_id: number }[]>`
    SELECT DISTINCT commune_id::int AS commune_id, campaign_id::int AS campaign_id FROM recipient_count WHERE status = 'uncertain' AND route = 'zbs' AND n > 0`
  for (const { commune_id: communeId, campaign_id: campaignId } of open) {
    await sql.begin((tx) =>
      moveRows(tx, {
        communeId,
        campaignId,
        where: tx`r.status = 'uncertain' AND r.route = 'zbs' AND r.received_at IS NOT NULL`,
        set: tx`status = 'sent', class = 'settled_by_receipt', not_before = NULL, sent_at = r.claimed_at`,
      }),
    )
  }
}

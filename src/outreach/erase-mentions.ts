import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'

/**
 * What was said of somebody to others: their words passed on to an officer, the notice of their request, the leader's list with their
 * name. Gone from the ledger with the person; the rows stay as ids. What was not sent yet is not sent any more.
 */
export async function eraseMentions(
  tx: Tx,
  { communeId, contactId, villageId }: { communeId: number; contactId: number; villageId: number | undefined },
): Promise<void> {
  await tx.execute(sql`
    UPDATE outbound_message SET body_enc = NULL, status = CASE WHEN status = 'waiting' THEN 'cancelled' ELSE status END
    WHERE contact_id <> ${contactId} AND id IN (
      SELECT m.outbound_id FROM ticket_message m JOIN ticket t ON t.id = m.ticket_id WHERE t.contact_id = ${contactId}
      UNION
      SELECT d.outbound_id FROM digest d JOIN ticket t ON d.kind = 'ticket:' || t.id
      WHERE d.commune_id = ${communeId} AND t.contact_id = ${contactId} AND d.outbound_id IS NOT NULL
      UNION
      -- Names of households that have left, and of staff
      SELECT d.outbound_id FROM digest d WHERE d.commune_id = ${communeId} AND d.kind = 'summary' AND d.outbound_id IS NOT NULL
      UNION
      SELECT d.outbound_id FROM digest d JOIN digest v ON v.commune_id = d.commune_id AND v.contact_id = d.contact_id AND v.day = d.day
      WHERE d.commune_id = ${communeId} AND d.kind = 'leader' AND v.kind = ${`leader:${villageId ?? 0}`} AND d.outbound_id IS NOT NULL
    )`)
}

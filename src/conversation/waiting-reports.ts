import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import type { Sealer } from '../lib/crypto.ts'
import { REPORT_KINDS, type Report } from '../model/inbound.ts'

/** A report that is not kept yet, of the chat it came through. */
export type WaitingReport = {
  id: number
  contactId: number
  communeId: number
  personId: number | null
  /** When it happened, by the platform's clock. */
  at: Date
  /** When it was stored here. */
  storedAt: Date
  content: Report
}

// What is in flight has its end within these: a send that nobody knew the end of is settled by its echo within ten minutes, or by nobody
// but an officer (architecture, guarantee 4). A report that has found no message by then is of none of ours
const WAITS_MS = 10 * 60_000

/** Whether a report has waited long enough for its message to be known: it is closed, whatever it was of. */
export const isOverdue = ({ storedAt }: WaitingReport, now: Date): boolean => now.getTime() - storedAt.getTime() > WAITS_MS

/** Takes the reports of these contacts that nobody else is keeping at this moment, in the order they were stored, for this transaction. */
export async function takeReports(
  tx: Tx,
  sealer: Sealer,
  { contactIds, kinds = REPORT_KINDS }: { contactIds: readonly number[]; kinds?: readonly Report['kind'][] },
): Promise<WaitingReport[]> {
  const rows = await tx.execute<{
    id: number
    contact_id: number
    commune_id: number
    person_id: number | null
    at_ms: number
    stored_ms: number
    body_enc: Buffer | null
  }>(sql`
    SELECT e.id::float8 AS id, c.id::float8 AS contact_id, c.commune_id::int AS commune_id, c.person_id::float8 AS person_id,
      extract(epoch FROM e.at)::float8 * 1000 AS at_ms, extract(epoch FROM e.received_at)::float8 * 1000 AS stored_ms, e.body_enc
    FROM json_array_elements_text(${JSON.stringify(contactIds)}::text::json) AS given (id)
      JOIN contact c ON c.id = given.id::bigint JOIN inbound_event e ON e.contact_id = c.id
    WHERE e.handled_at IS NULL AND e.kind IN (SELECT json_array_elements_text(${JSON.stringify(kinds)}::text::json))
    ORDER BY e.id FOR UPDATE OF e SKIP LOCKED`)
  return rows.map((row) => ({
    id: row.id,
    contactId: row.contact_id,
    communeId: row.commune_id,
    personId: row.person_id,
    at: new Date(row.at_ms),
    storedAt: new Date(row.stored_ms),
    // Of somebody erased nothing is left of it but that it came
    content: row.body_enc ? sealer.openJson<Report>(row.body_enc) : { kind: 'seen', messageIds: [] },
  }))
}

/** Closes reports: what they said is kept at the messages they were of, and nowhere else. */
export async function closeReports(tx: Tx, reports: readonly WaitingReport[], now: Date): Promise<void> {
  if (reports.length === 0) return
  await tx.execute(sql`
    UPDATE inbound_event SET handled_at = ${now.toISOString()}::timestamptz, body_enc = NULL
    WHERE id IN (SELECT id::bigint FROM json_array_elements_text(${JSON.stringify(reports.map(({ id }) => id))}::text::json) AS given (id))`)
}

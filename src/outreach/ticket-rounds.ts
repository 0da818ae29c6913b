import { and, eq, isNull, lt, ne, or, sql } from 'drizzle-orm'
import type { Turn } from '../conversation/turn.ts'
import type { Tx } from '../db/connect.ts'
import { ticket } from '../db/schema.ts'
import { findReader, note, post, tap } from './post.ts'
import { staffFor } from './staff.ts'
import { describe, loadFacts, type TicketRow, ticketRules } from './ticket-row.ts'

const HOUR_MS = 3_600_000

/**
 * Warns before a clock runs out, closes what was answered and has been quiet, and tells officers whose answer did not arrive. Safe to
 * run at any time, twice, in several processes: each thing is marked in the transaction that says it. Returns whom to look at.
 */
export async function runTickets(deps: Turn['deps'], now: Date): Promise<number[]> {
  const { db } = deps.database
  const wake = new Set<number>()
  await db.transaction(async (tx) => {
    await closeQuiet(tx, now)
    for (const row of await warnSoon(tx, now)) {
      const facts = await loadFacts(tx, row)
      const units = [row.communeId, ...(row.villageId === null ? [] : [row.villageId])]
      for (const { contactId } of await staffFor(tx, 'tickets', units)) {
        const to = await findReader(tx, contactId)
        if (!to) continue
        const said = [note('ticket.warn'), ...describe({ deps }, row, facts), tap(`ticket_${row.id}`, 'reply', 'ticket.reply')]
        await post(deps, tx, { to, cause: 'digest', said, now })
        wake.add(contactId)
      }
    }
    for (const failed of await takeFailures(tx, now)) {
      const to = await findReader(tx, failed.byContactId)
      const [row] = await tx.select().from(ticket).where(eq(ticket.id, failed.ticketId))
      if (!to || !row) continue
      const facts = await loadFacts(tx, row)
      await post(deps, tx, { to, cause: 'staff', said: [note('ticket.not_arrived', { who: facts.who, status: failed.status })], now })
      wake.add(failed.byContactId)
    }
  })
  for (const id of wake) deps.wake(id)
  return [...wake]
}

async function closeQuiet(tx: Tx, now: Date): Promise<void> {
  const before = new Date(now.getTime() - ticketRules.closed_after_quiet_hours * HOUR_MS).toISOString()
  await tx.execute(sql`
    UPDATE ticket SET status = 'closed', closed_at = ${now.toISOString()}::timestamptz
    WHERE status = 'answered' AND kind = 'help' AND answered_at < ${before}::timestamptz
      AND NOT EXISTS (SELECT 1 FROM ticket_message m WHERE m.ticket_id = ticket.id AND m.at >= ${before}::timestamptz)`)
}

/** Tickets whose next clock runs out soon and nobody was warned of, marked as warned. */
async function warnSoon(tx: Tx, now: Date): Promise<TicketRow[]> {
  const soon = new Date(now.getTime() + ticketRules.warn_hours_before * HOUR_MS)
  return tx
    .update(ticket)
    .set({ warnedAt: now })
    .where(
      and(
        isNull(ticket.warnedAt),
        or(
          and(eq(ticket.status, 'open'), lt(ticket.firstAnswerDueAt, soon)),
          and(eq(ticket.status, 'answered'), ne(ticket.kind, 'help'), lt(ticket.doneDueAt, soon)),
        ),
      ),
    )
    .returning()
}

async function takeFailures(tx: Tx, now: Date): Promise<{ ticketId: number; byContactId: number; status: string }[]> {
  const rows = await tx.execute<{ ticket_id: string; by_contact_id: string; status: string }>(sql`
    UPDATE ticket_message m SET failure_told_at = ${now.toISOString()}::timestamptz
    FROM outbound_message o
    WHERE o.id = m.outbound_id AND m.by_contact_id IS NOT NULL AND m.failure_told_at IS NULL
      AND o.status IN ('failed', 'expired', 'uncertain', 'skipped')
    RETURNING m.ticket_id, m.by_contact_id, o.status`)
  return rows.map((row) => ({ ticketId: Number(row.ticket_id), byContactId: Number(row.by_contact_id), status: row.status }))
}

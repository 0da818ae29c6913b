import { and, eq, sql } from 'drizzle-orm'
import type { Turn } from '../conversation/turn.ts'
import type { Tx } from '../db/connect.ts'
import { digest } from '../db/schema.ts'
import { dayOf } from './calendar.ts'
import { findReader, post, tap } from './post.ts'
import { staffFor } from './staff.ts'
import { describe, loadFacts, type TicketRow, ticketRules } from './ticket-row.ts'

/**
 * Tells the officers of the person's village and commune, and of a request about personal data whoever looks after those; each of them
 * once, however often it is called. Who may not be written to now finds it in the next digest.
 */
export async function tellStaff(turn: Turn, row: TicketRow): Promise<void> {
  const { tx, deps, now } = turn
  const kind = `ticket:${row.id}`
  const units = [row.communeId, ...(row.villageId === null ? [] : [row.villageId])]
  const action = row.kind === 'help' ? 'tickets' : 'data_requests'
  const staff = [...(await staffFor(tx, 'tickets', units)), ...(action === 'tickets' ? [] : await staffFor(tx, action, units))]
  const told = await tx
    .select({ contactId: digest.contactId })
    .from(digest)
    .where(and(eq(digest.communeId, row.communeId), eq(digest.kind, kind)))
  const knowing = new Set([row.contactId, turn.contact.id, ...told.map((one) => one.contactId)])
  const facts = await loadFacts(tx, row)
  for (const contactId of new Set(staff.map((member) => member.contactId))) {
    if (knowing.has(contactId) || (await noticesToday(tx, contactId, now)) >= ticketRules.notices_per_day) continue
    const to = await findReader(tx, contactId)
    if (!to) continue
    const said = [
      ...describe(turn, row, facts),
      tap(`ticket_${row.id}`, 'reply', 'ticket.reply'),
      tap('tickets_0', 'list', 'ticket.waiting'),
    ]
    const outboundId = await post(deps, tx, { to, cause: 'digest', said, now })
    await tx
      .insert(digest)
      .values({
        communeId: row.communeId,
        contactId,
        kind,
        day: dayOf(now),
        outboundId: outboundId ?? null,
        createdAt: now,
      })
      .onConflictDoNothing()
    turn.wake.add(contactId)
  }
}

async function noticesToday(tx: Tx, contactId: number, now: Date): Promise<number> {
  const rows = await tx
    .select({ kind: digest.kind })
    .from(digest)
    .where(and(eq(digest.contactId, contactId), eq(digest.day, dayOf(now)), sql`kind LIKE 'ticket:%'`))
  return rows.length
}

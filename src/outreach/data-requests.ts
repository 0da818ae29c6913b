import { and, eq, ne } from 'drizzle-orm'
import { offer, say, type Turn } from '../conversation/turn.ts'
import { audit, ticket } from '../db/schema.ts'
import { formatDate } from '../lib/vietnam-time.ts'
import { tellStaff } from './ticket-notice.ts'
import { LOOKED_INTO, type TicketRow, ticketRules } from './ticket-row.ts'

const DAY_MS = 86_400_000

/** What somebody may ask for about their own data. */
type Right = Exclude<TicketRow['kind'], 'help'>
const RIGHTS: readonly Right[] = ['access', 'correction', 'restriction', 'erasure']

export const isRight = (act: string): act is Right => RIGHTS.some((right) => right === act)

/** People ask in their own words: which of their requests is one about their data, an officer says. */
export const mayBeDataRequest = (row: TicketRow) => row.kind === 'help' && !LOOKED_INTO.includes(row.question ?? '')

/** Asks the officer which right it is about. */
export function askRight(turn: Turn, row: TicketRow): void {
  say(turn, 'ticket.rights_ask')
  for (const right of RIGHTS) offer(turn, `ticket_${row.id}`, right, 'ticket.right', { kind: right })
}

/**
 * From now on the request is one about personal data: its clocks run from the moment it was made, it waits until an officer closes it, and
 * whoever looks after such requests is told. Tapped again it changes nothing; said of one already filed, the right is put right.
 */
export async function fileDataRequest(turn: Turn, row: TicketRow, right: Right): Promise<void> {
  if (row.kind === 'help' && !mayBeDataRequest(row)) return say(turn, 'tap.over')
  const { tx, now, contact } = turn
  const doneDueAt = new Date(row.openedAt.getTime() + (ticketRules.done_days[right] ?? 0) * DAY_MS)
  const [filed] = await tx
    .update(ticket)
    .set({ kind: right, doneDueAt, warnedAt: null })
    .where(and(eq(ticket.id, row.id), ne(ticket.status, 'closed'), ne(ticket.kind, right)))
    .returning()
  if (filed) {
    await tx.insert(audit).values({
      communeId: row.communeId,
      at: now,
      actor: `contact:${contact.id}`,
      action: 'ticket.file',
      subject: `ticket:${row.id}`,
      detail: { kind: right },
    })
    await tellStaff(turn, filed)
  }
  say(turn, 'ticket.filed', {
    kind: right,
    opened: formatDate(row.openedAt),
    due: row.status === 'open' ? formatDate(row.firstAnswerDueAt) : 'none',
    done: formatDate(doneDueAt),
  })
  offer(turn, `ticket_${row.id}`, 'reply', 'ticket.reply')
  offer(turn, `ticket_${row.id}`, 'done', 'ticket.done')
}

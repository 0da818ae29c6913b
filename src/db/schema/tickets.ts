import { index, pgTable, text } from 'drizzle-orm/pg-core'
import { at, id, ref, sealed } from './columns.ts'

/** Someone asked for a person, or exercised a right over their data; the clocks are legal ones (facts 13.1). */
export const ticket = pgTable(
  'ticket',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    villageId: ref('village_id'),
    contactId: ref('contact_id').notNull(),
    personId: ref('person_id'),
    kind: text('kind', { enum: ['help', 'access', 'correction', 'erasure', 'restriction'] }).notNull(),
    /** Where in the conversation it was asked, e.g. `cntt`. */
    question: text('question'),
    wordsEnc: sealed('words_enc'),
    status: text('status', { enum: ['open', 'answered', 'closed'] })
      .notNull()
      .default('open'),
    openedAt: at('opened_at').notNull(),
    firstAnswerDueAt: at('first_answer_due_at').notNull(),
    doneDueAt: at('done_due_at').notNull(),
    answeredAt: at('answered_at'),
    answeredBy: ref('answered_by'),
    closedAt: at('closed_at'),
    /** The officer's contact that answers it, so that two do not answer at once. */
    takenBy: ref('taken_by'),
    takenAt: at('taken_at'),
    /** The officers were told that a clock runs out. */
    warnedAt: at('warned_at'),
  },
  (t) => [index('ticket_open').on(t.communeId, t.status, t.openedAt), index('ticket_contact').on(t.contactId)],
)

/** What was said about a ticket between a person and an officer; the words themselves are in the ledger's row only. */
export const ticketMessage = pgTable(
  'ticket_message',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    ticketId: ref('ticket_id').notNull(),
    outboundId: ref('outbound_id').notNull(),
    /** Officer's contact who wrote it; null: the person's words on their way to the officer. */
    byContactId: ref('by_contact_id'),
    at: at('at').notNull(),
    /** The officer was told that it did not arrive. */
    failureToldAt: at('failure_told_at'),
  },
  (t) => [index('ticket_message_ticket').on(t.ticketId), index('ticket_message_outbound').on(t.outboundId)],
)

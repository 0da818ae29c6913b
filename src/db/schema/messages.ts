import { sql } from 'drizzle-orm'
import { bigint, index, integer, pgTable, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, id, ref, sealed } from './columns.ts'

/** What reached us, once each. The body is a person's words: encrypted, dropped after 90 days. */
export const inboundEvent = pgTable(
  'inbound_event',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    accountId: ref('account_id').notNull(),
    contactId: ref('contact_id').notNull(),
    dedupeKey: text('dedupe_key').notNull(),
    kind: text('kind').notNull(),
    bodyEnc: sealed('body_enc'),
    at: at('at').notNull(),
    order: bigint('chat_order', { mode: 'number' }).notNull(),
    receivedAt: at('received_at').notNull(),
    handledAt: at('handled_at'),
    attempts: smallint('attempts').notNull().default(0),
    failedClass: text('failed_class'),
  },
  (t) => [
    uniqueIndex('inbound_event_once').on(t.accountId, t.dedupeKey),
    index('inbound_event_waiting').on(t.contactId, t.order, t.id).where(sql`handled_at IS NULL`),
    index('inbound_event_unhandled').on(t.receivedAt).where(sql`handled_at IS NULL`),
  ],
)

/** The ledger of sends: one row is one request to a platform, and has one status (architecture, guarantee 4). */
export const outboundMessage = pgTable(
  'outbound_message',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    accountId: ref('account_id').notNull(),
    contactId: ref('contact_id').notNull(),
    /** Why it is sent: an answer to the person, or something we start. */
    cause: text('cause', { enum: ['reply', 'staff', 'reminder', 'digest', 'campaign'] }).notNull(),
    /** Session and prompt it opens, so that what was sent before it is not taken for its answer. */
    sessionId: ref('session_id'),
    prompt: text('prompt'),
    bodyEnc: sealed('body_enc'),
    status: text('status', { enum: ['waiting', 'sent', 'failed', 'skipped', 'expired', 'cancelled', 'uncertain'] })
      .notNull()
      .default('waiting'),
    class: text('class'),
    attempts: smallint('attempts').notNull().default(0),
    notBefore: at('not_before'),
    /** Instance of the process that is sending it (db/instance.ts); when that process is gone, the row was in flight as it died. */
    claimedBy: integer('claimed_by'),
    claimedAt: at('claimed_at'),
    platformMessageId: text('platform_message_id'),
    order: bigint('chat_order', { mode: 'number' }),
    createdAt: at('created_at').notNull(),
    sentAt: at('sent_at'),
    receivedAt: at('received_at'),
    seenAt: at('seen_at'),
  },
  (t) => [
    index('outbound_message_waiting').on(t.contactId, t.id).where(sql`status = 'waiting'`),
    index('outbound_message_contact').on(t.contactId, t.id),
    index('outbound_message_due').on(t.notBefore).where(sql`status = 'waiting'`),
    index('outbound_message_platform').on(t.accountId, t.platformMessageId).where(sql`platform_message_id IS NOT NULL`),
  ],
)

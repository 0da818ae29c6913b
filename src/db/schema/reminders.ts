import { index, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { at, id, ref } from './columns.ts'

/** Reminders by what they are about: rule, household (`h12`, or `p34` for a person without one) and the day it was due. Written once each. */
export const reminder = pgTable(
  'reminder',
  {
    communeId: ref('commune_id').notNull(),
    rule: text('rule').notNull(),
    subject: text('subject').notNull(),
    /** `2026-11-22`, in Việt Nam. */
    dueOn: text('due_on').notNull(),
    year: smallint('year').notNull(),
    villageId: ref('village_id').notNull(),
    contactId: ref('contact_id').notNull(),
    outboundId: ref('outbound_id'),
    createdAt: at('created_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.communeId, t.rule, t.subject, t.dueOn] }),
    index('reminder_subject').on(t.communeId, t.subject, t.createdAt),
    index('reminder_outbound').on(t.outboundId),
  ],
)

/** What a leader or officer gets by the day: the kind, whom, and the day it stands for. Written once each. */
export const digest = pgTable(
  'digest',
  {
    communeId: ref('commune_id').notNull(),
    contactId: ref('contact_id').notNull(),
    kind: text('kind').notNull(),
    day: text('day').notNull(),
    outboundId: ref('outbound_id'),
    createdAt: at('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.communeId, t.contactId, t.kind, t.day] })],
)

/** What a leader did about a household that stays silent; it stops the ladder for that household. */
export const householdStep = pgTable(
  'household_step',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    villageId: ref('village_id').notNull(),
    subject: text('subject').notNull(),
    year: smallint('year').notNull(),
    act: text('act', { enum: ['visited', 'again', 'assist', 'gone'] }).notNull(),
    byContactId: ref('by_contact_id').notNull(),
    at: at('at').notNull(),
  },
  (t) => [index('household_step_subject').on(t.communeId, t.year, t.subject)],
)

import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, id, ref } from './columns.ts'

/** A conversation under way. One is active per contact; others wait paused, for ever if need be. */
export const session = pgTable(
  'session',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    contactId: ref('contact_id').notNull(),
    flow: text('flow').notNull(),
    flowVersion: integer('flow_version').notNull(),
    /** `moved`: it goes on as another session, of a newer version of its flow. */
    status: text('status', { enum: ['active', 'paused', 'ended', 'moved'] }).notNull(),
    state: jsonb('state').notNull(),
    nominationId: ref('nomination_id'),
    /** The person it is about when that is not the one who writes: somebody answers for another. */
    subjectPersonId: ref('subject_person_id'),
    startedAt: at('started_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [
    uniqueIndex('session_active').on(t.contactId).where(sql`status = 'active'`),
    index('session_contact').on(t.communeId, t.contactId, t.status),
    index('session_subject').on(t.communeId, t.subjectPersonId).where(sql`subject_person_id IS NOT NULL`),
  ],
)

/** A person or household standing for a title in a year. */
export const nomination = pgTable(
  'nomination',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    villageId: ref('village_id').notNull(),
    year: smallint('year').notNull(),
    title: text('title', { enum: ['CDHT', 'GDHT'] }).notNull(),
    /** Person or household by title. */
    subjectId: ref('subject_id').notNull(),
    group: smallint('group_no'),
    status: text('status', { enum: ['dang_tu_danh_gia', 'da_tu_danh_gia', 'rut_lai'] }).notNull(),
    criteriaSet: text('criteria_set').notNull(),
    /** Channel it was begun on; absent where it did not begin in a chat. */
    channel: text('channel', { enum: ['zalo', 'telegram'] }),
    /** Points so far; final once `confirmed_at` is there. */
    total: integer('total').notNull().default(0),
    answered: smallint('answered').notNull().default(0),
    /** Self-assessed as passing; null until confirmed. */
    selfPassed: boolean('self_passed'),
    flags: text('flags').array().notNull().default(sql`'{}'`),
    helperPersonId: ref('helper_person_id'),
    openedAt: at('opened_at').notNull(),
    confirmedAt: at('confirmed_at'),
  },
  (t) => [
    uniqueIndex('nomination_subject').on(t.communeId, t.year, t.title, t.subjectId),
    index('nomination_village').on(t.communeId, t.villageId, t.year, t.title),
  ],
)

/** The answer in force to each question. */
export const answer = pgTable(
  'answer',
  {
    communeId: ref('commune_id').notNull(),
    nominationId: ref('nomination_id').notNull(),
    question: text('question').notNull(),
    criteriaSet: text('criteria_set').notNull(),
    option: text('option').notNull(),
    points: smallint('points'),
    contactId: ref('contact_id'),
    source: text('source', { enum: ['self', 'helper', 'computed'] }).notNull(),
    helperPersonId: ref('helper_person_id'),
    /** When it was said, ms by the platform's clock: what was said earlier and arrives late never replaces a newer answer. */
    eventOrder: bigint('event_order', { mode: 'number' }).notNull().default(0),
    answeredAt: at('answered_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.communeId, t.nominationId, t.question] })],
)

/** Answers that were in force once. */
export const answerHistory = pgTable(
  'answer_history',
  {
    id: id(),
    communeId: ref('commune_id').notNull(),
    nominationId: ref('nomination_id').notNull(),
    question: text('question').notNull(),
    criteriaSet: text('criteria_set').notNull(),
    option: text('option').notNull(),
    points: smallint('points'),
    source: text('source').notNull(),
    helperPersonId: ref('helper_person_id'),
    answeredAt: at('answered_at').notNull(),
    replacedAt: at('replaced_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.communeId, t.nominationId, t.id] })],
)

/** Counts per village, changed in the transaction that changes what they count; `reports/recount.ts` derives them anew and must agree. */
export const tally = pgTable(
  'tally',
  {
    communeId: ref('commune_id').notNull(),
    villageId: ref('village_id').notNull(),
    year: smallint('year').notNull(),
    title: text('title').notNull(),
    dimension: text('dimension').notNull(),
    key: text('key').notNull(),
    n: integer('n').notNull(),
  },
  (t) => [primaryKey({ columns: [t.communeId, t.year, t.title, t.dimension, t.villageId, t.key] })],
)

import { sql } from 'drizzle-orm'
import { boolean, index, pgTable, smallint, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, id, ref, sealed } from './columns.ts'

/** One chat on one account. Whoever is behind it may or may not be a registered person. */
export const contact = pgTable(
  'contact',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    accountId: ref('account_id').notNull(),
    channelUserId: text('channel_user_id').notNull(),
    personId: ref('person_id'),
    language: text('language', { enum: ['vi', 'en'] })
      .notNull()
      .default('vi'),
    /** Language of voice prompts: hints at ethnic origin, so encrypted and in no report. */
    voiceLanguageEnc: sealed('voice_language_enc'),
    /** Village whose code was typed or scanned before registration. */
    cameByUnitId: ref('came_by_unit_id'),
    follows: boolean('follows'),
    firstSeenAt: at('first_seen_at').notNull(),
    lastInboundAt: at('last_inbound_at').notNull(),
    /** After DỪNG: no message we start. */
    stoppedAt: at('stopped_at'),
    /** A send failed for good: blocked, deactivated, unknown. */
    unreachableClass: text('unreachable_class'),
    /** Erasure was asked for and done; the chat's own id goes as soon as the farewell is out. */
    erasedAt: at('erased_at'),
    /** A human is answering: the bot keeps quiet until then. */
    staffUntil: at('staff_until'),
    /** Wrong invitation codes lately, against guessing. */
    wrongCodes: smallint('wrong_codes').notNull().default(0),
    wrongCodeAt: at('wrong_code_at'),
  },
  (t) => [
    uniqueIndex('contact_channel_user').on(t.accountId, t.channelUserId),
    index('contact_person').on(t.communeId, t.personId),
    index('contact_erased').on(t.erasedAt).where(sql`erased_at IS NOT NULL`),
  ],
)

export const household = pgTable(
  'household',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    villageId: ref('village_id').notNull(),
    headPersonId: ref('head_person_id'),
    headName: text('head_name'),
    /** `headName` folded (lib/fold.ts): members find their household by it. */
    headNameKey: text('head_name_key'),
    adults: smallint('adults'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [index('household_head').on(t.communeId, t.villageId, t.headNameKey)],
)

export const person = pgTable(
  'person',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    villageId: ref('village_id').notNull(),
    householdId: ref('household_id'),
    name: text('name').notNull(),
    /** `name` folded: found without diacritics, de-duplicated with year of birth and village. */
    nameKey: text('name_key').notNull(),
    birthYear: smallint('birth_year').notNull(),
    /** ông, bà, bác, cô, chú, anh, chị. */
    address: text('address').notNull(),
    group: smallint('group_no').notNull(),
    phoneEnc: sealed('phone_enc'),
    phoneHash: text('phone_hash'),
    /** How the person came in: own chat, another's help, a roster. */
    source: text('source', { enum: ['chat', 'helper', 'roster'] }).notNull(),
    registeredBy: ref('registered_by'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [index('person_village').on(t.communeId, t.villageId, t.nameKey), index('person_household').on(t.communeId, t.householdId)],
)

/** Proof of consent: what text, when, through which channel, who helped. Kept after erasure without the person. */
export const consent = pgTable(
  'consent',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    contactId: ref('contact_id').notNull(),
    personId: ref('person_id'),
    textVersion: text('text_version').notNull(),
    decision: text('decision', { enum: ['given', 'declined', 'withdrawn'] }).notNull(),
    channel: text('channel').notNull(),
    helperPersonId: ref('helper_person_id'),
    decidedAt: at('decided_at').notNull(),
  },
  (t) => [index('consent_contact').on(t.communeId, t.contactId)],
)

/** Who may do what, where. One contact may hold many. */
export const roleGrant = pgTable(
  'role_grant',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    unitId: ref('unit_id').notNull(),
    contactId: ref('contact_id').notNull(),
    role: text('role').notNull(),
    grantedAt: at('granted_at').notNull(),
    revokedAt: at('revoked_at'),
  },
  (t) => [uniqueIndex('role_grant_once').on(t.contactId, t.role, t.unitId)],
)

export const invitation = pgTable('invitation', {
  id: id().primaryKey(),
  communeId: ref('commune_id').notNull(),
  unitId: ref('unit_id').notNull(),
  role: text('role').notNull(),
  codeHash: text('code_hash').notNull().unique(),
  invitedByContactId: ref('invited_by_contact_id'),
  createdAt: at('created_at').notNull(),
  expiresAt: at('expires_at').notNull(),
  usedAt: at('used_at'),
  usedByContactId: ref('used_by_contact_id'),
})

/** A code by which a person brings a further chat to their registration: single use, some minutes. */
export const linkCode = pgTable('link_code', {
  id: id().primaryKey(),
  communeId: ref('commune_id').notNull(),
  personId: ref('person_id').notNull(),
  /** The chat it was asked for in. */
  contactId: ref('contact_id').notNull(),
  codeHash: text('code_hash').notNull().unique(),
  createdAt: at('created_at').notNull(),
  expiresAt: at('expires_at').notNull(),
  usedAt: at('used_at'),
  usedByContactId: ref('used_by_contact_id'),
})

import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'

/**
 * The tables. Every row belongs to a commune: large tables carry `commune_id` first in their key and no query of the hot path crosses
 * communes. The exceptions are named where they stand. A column ending in `_enc` is encrypted (lib/crypto.ts), one ending in `_hash` is a
 * keyed hash to look it up by. Foreign keys are kept where rows are few; the ledger and the events do without for speed.
 */

const id = () => bigint('id', { mode: 'number' }).generatedAlwaysAsIdentity()
const ref = (name: string) => bigint(name, { mode: 'number' })
const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' })
/** Sealed bytes; see lib/crypto.ts. */
const sealed = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
const bytes = sealed

/** Commune 0 holds what reached an account that belongs to no commune yet. */
export const NO_COMMUNE = 0

/** Administrative units: tỉnh → xã/phường → thôn/bản/tổ dân phố. A commune's own row has `commune_id = id`; a province's has 0. */
export const unit = pgTable(
  'unit',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    parentId: ref('parent_id'),
    code: text('code').notNull().unique(),
    level: text('level', { enum: ['tinh', 'xa', 'thon_ban'] }).notNull(),
    /** Local word for it: "bản", "thôn", "tổ dân phố". */
    label: text('label').notNull(),
    name: text('name').notNull(),
    /** Order in lists, and the number a person may type for a village. */
    position: integer('position').notNull(),
    /** What a village's QR code carries and a person may type. */
    joinCode: text('join_code').unique(),
    predecessorCodes: text('predecessor_codes').array().notNull().default(sql`'{}'`),
    validFrom: at('valid_from'),
    validTo: at('valid_to'),
    sample: boolean('sample').notNull().default(false),
  },
  (t) => [index('unit_commune').on(t.communeId, t.level, t.position)],
)

/** Settings by unit; unit 0 is the installation. The nearest one upwards counts (registry/settings.ts). */
export const setting = pgTable(
  'setting',
  {
    unitId: ref('unit_id').notNull(),
    key: text('key').notNull(),
    value: jsonb('value').notNull(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.unitId, t.key] })],
)

/** Facts about the installation itself: fingerprint of the secret key, whether the sample commune was made. */
export const installation = pgTable('installation', { key: text('key').primaryKey(), value: text('value').notNull() })

/** Accounts on platforms. `commune_id` is 0 while an account waits to be attached. */
export const account = pgTable(
  'account',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    channel: text('channel', { enum: ['zalo', 'telegram'] }).notNull(),
    /** Zalo: OA id. Telegram: bot id. */
    externalId: text('external_id').notNull(),
    appId: text('app_id'),
    /** JSON of the platform's secrets. */
    secretsEnc: sealed('secrets_enc').notNull(),
    /** What was learnt or set about it: type, endpoint, buttons, package, pace. */
    traits: jsonb('traits').$type<AccountTraits>().notNull().default({}),
    pausedClass: text('paused_class'),
    pausedAt: at('paused_at'),
    createdAt: at('created_at').notNull().defaultNow(),
  },
  (t) => [uniqueIndex('account_external').on(t.channel, t.externalId)],
)

export type AccountTraits = {
  name?: string
  oaType?: number
  endpoint?: 'v3' | 'v2'
  buttons?: 'accepted' | 'refused'
  package?: string
  perMinute?: number
  simulated?: boolean
  /** Telegram: what stands after t.me/. */
  username?: string
}

/** The rotating token pair of an account. Written and committed before its first use. */
export const accountToken = pgTable('account_token', {
  accountId: ref('account_id').primaryKey(),
  communeId: ref('commune_id').notNull(),
  pairEnc: sealed('pair_enc').notNull(),
  previousPairEnc: sealed('previous_pair_enc'),
  /** Counts refreshes: a refresh token is spent once. */
  generation: integer('generation').notNull().default(0),
  expiresAt: at('expires_at').notNull(),
  refreshedAt: at('refreshed_at').notNull(),
  deadClass: text('dead_class'),
  deadAt: at('dead_at'),
})

/** Hashes of refresh tokens that were once brought in from outside, so that an old one is not imported again. */
export const importedToken = pgTable(
  'imported_token',
  {
    accountId: ref('account_id').notNull(),
    communeId: ref('commune_id').notNull(),
    tokenHash: text('token_hash').notNull(),
    importedAt: at('imported_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.tokenHash] })],
)

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

export type CampaignState = 'draft' | 'scheduled' | 'running' | 'paused' | 'done' | 'cancelled'

/** Whom a campaign is for; frozen into rows of `recipient` at its start, kept as it was said. */
export type AudienceRule = {
  /** Communes or villages; everybody of the commune where absent. */
  unitIds?: number[]
  /** `question_open`: has begun and not answered `question`. */
  state?: 'not_registered' | 'not_begun' | 'not_finished' | 'question_open' | 'finished'
  /** Year of assessment the state is about. */
  year?: number
  question?: string
  groups?: number[]
  channel?: 'zalo' | 'telegram'
  exclude?: {
    unitIds?: number[]
    personIds?: number[]
    groups?: number[] /** Whoever received one of these campaigns. */
    campaignIds?: number[]
  }
  /** One message per household: its head, else the member who can be reached best. */
  perHousehold?: boolean
}

/** Ways a person may be reached besides an open window. */
export type CampaignRoutes = {
  /** Days a notice waits for a person's next word; 0: it does not wait. */
  nextContactDays: number
  /** Whether the billed part of the window (48 hours to 7 days) is used. */
  billedWindow: boolean
  /** A notice to pass on goes to each village's leader, for those no message reaches. */
  villageNotice: boolean
  /** An article of the account, already published, sent to all followers. */
  articleId?: string
  /** A registered template by phone. */
  template?: { id: string; development: boolean }
}

/** A broadcast ("campaign" everywhere; a year's assessment is a "round"). */
export const campaign = pgTable(
  'campaign',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    authorContactId: ref('author_contact_id'),
    state: text('state', { enum: ['draft', 'scheduled', 'running', 'paused', 'done', 'cancelled'] })
      .notNull()
      .default('draft'),
    /** With variables such as {tên}; see outreach/template.ts. */
    text: text('text').notNull(),
    attachment: jsonb('attachment').$type<{ kind: 'image' | 'file' | 'voice'; name: string; contentType: string; path: string }>(),
    rule: jsonb('rule').$type<AudienceRule>().notNull(),
    routes: jsonb('routes').$type<CampaignRoutes>().notNull(),
    /** How many people the officer was shown: what has to be typed to confirm. */
    shownPeople: integer('shown_people'),
    /** Rows of the ledger; set at the start and never changed. */
    recipients: integer('recipients'),
    scheduledAt: at('scheduled_at'),
    startedAt: at('started_at'),
    /** Until then a notice waits for its person's next word. */
    nextContactUntil: at('next_contact_until'),
    finishedAt: at('finished_at'),
    /** Why it stands still: by hand, failures piling up, an account out of service. */
    pauseClass: text('pause_class'),
    pauseDetail: text('pause_detail'),
    /** Failures before this moment were seen by whoever resumed it. */
    failuresFrom: at('failures_from'),
    /** Message of the article broadcast, once it is out. */
    articleMessageId: text('article_message_id'),
    articleClass: text('article_class'),
    checksum: text('checksum'),
    createdAt: at('created_at').notNull(),
    updatedAt: at('updated_at').notNull(),
  },
  (t) => [
    index('campaign_commune').on(t.communeId, t.id),
    index('campaign_open').on(t.state).where(sql`state IN ('scheduled', 'running', 'paused')`),
  ],
)

/**
 * The ledger of campaigns: one row is one person, once. Made in one statement and changed once or twice, so it is narrow, has no second
 * index that covers every row, and no foreign key (1,000,000 rows in tests/bench/recipients.ts). Whoever looks for a person's row comes
 * by the key; `status` stands in no index, so that a change of it stays inside its page.
 */
export const recipient = pgTable(
  'recipient',
  {
    communeId: integer('commune_id').notNull(),
    campaignId: integer('campaign_id').notNull(),
    /** The person; for a chat nobody has registered on, minus the contact's id. */
    personId: ref('person_id').notNull(),
    contactId: ref('contact_id'),
    accountId: integer('account_id'),
    status: text('status', { enum: ['waiting', 'sent', 'failed', 'skipped', 'expired', 'cancelled', 'uncertain'] }).notNull(),
    /** `next` waits for the person's word; `met`: the word came. */
    route: text('route', { enum: ['now', 'next', 'met', 'village', 'article', 'zbs', 'telegram', 'none'] }).notNull(),
    /** Class of a failure or reason of a skip. */
    class: text('class'),
    attempts: smallint('attempts').notNull().default(0),
    /** A second try; or, while uncertain, when the chat is asked. */
    notBefore: at('not_before'),
    claimedAt: at('claimed_at'),
    platformMessageId: text('platform_message_id'),
    /** Of the words, while it is uncertain whether they arrived: an echo is recognised by it. */
    contentHash: text('content_hash'),
    sentAt: at('sent_at'),
    receivedAt: at('received_at'),
    seenAt: at('seen_at'),
  },
  (t) => [
    primaryKey({ columns: [t.communeId, t.campaignId, t.personId] }),
    // Few rows ever have a time to wait for
    index('recipient_later').on(t.accountId, t.notBefore).where(sql`not_before IS NOT NULL`),
  ],
)

/** How many rows of a campaign have which status, route and class; changed in the transaction that changes the rows. */
export const recipientCount = pgTable(
  'recipient_count',
  {
    communeId: integer('commune_id').notNull(),
    campaignId: integer('campaign_id').notNull(),
    status: text('status').notNull(),
    route: text('route').notNull(),
    class: text('class').notNull().default(''),
    n: integer('n').notNull(),
  },
  (t) => [primaryKey({ columns: [t.communeId, t.campaignId, t.status, t.route, t.class] })],
)

/** Where the sending of a campaign through one account stands. Rows up to the cursor were claimed once. */
export const campaignLane = pgTable(
  'campaign_lane',
  {
    campaignId: integer('campaign_id').notNull(),
    accountId: integer('account_id').notNull(),
    communeId: integer('commune_id').notNull(),
    cursor: bigint('cursor', { mode: 'number' }).notNull(),
    exhausted: boolean('exhausted').notNull().default(false),
    /** Of the last results, the latest at the end: 1 failed, 0 did not. */
    recent: text('recent').notNull().default(''),
    /** The lane that waited longest is served next. */
    servedAt: at('served_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.campaignId] })],
)

/** Rows a process is sending right now. Gone once every result is recorded; if the process is gone first, these were in flight. */
export const recipientBatch = pgTable(
  'recipient_batch',
  {
    /** Made by the claiming process, so that it finds out whether a commit it lost sight of took place. */
    id: text('id').primaryKey(),
    communeId: integer('commune_id').notNull(),
    campaignId: integer('campaign_id').notNull(),
    accountId: integer('account_id').notNull(),
    claimedBy: integer('claimed_by').notNull(),
    claimedAt: at('claimed_at').notNull(),
    personIds: bigint('person_ids', { mode: 'number' }).array().notNull(),
    contentHashes: text('content_hashes').array().notNull(),
  },
  (t) => [index('recipient_batch_campaign').on(t.campaignId)],
)

/** What an account or app may still send: how many requests went out lately, shared by all processes (outreach/pace.ts). */
export const paceBucket = pgTable('pace_bucket', {
  /** `account:12`, `app:1234567890`. */
  key: text('key').primaryKey(),
  /** Requests by slot of the sliding window, a ring. */
  slots: integer('slots').array().notNull(),
  /** Number since 1970 of the slot that was written last. */
  slot: bigint('slot', { mode: 'number' }).notNull(),
  /** When the next campaign message is due if all came evenly, ms. */
  campaignAtMs: doublePrecision('campaign_at_ms').notNull(),
  /** When the last reply that has to wait will have its turn, ms. */
  replyAtMs: doublePrecision('reply_at_ms').notNull(),
  /** Nothing before: the platform said so. */
  holdUntilMs: doublePrecision('hold_until_ms').notNull(),
})

/** The notice a village's leader passes on, for people no message of ours reaches. */
export const villageNotice = pgTable(
  'village_notice',
  {
    communeId: ref('commune_id').notNull(),
    campaignId: integer('campaign_id').notNull(),
    villageId: ref('village_id').notNull(),
    leaderContactId: ref('leader_contact_id').notNull(),
    /** People of the village it is for. */
    people: integer('people').notNull(),
    outboundMessageId: ref('outbound_message_id'),
    sentAt: at('sent_at'),
    /** The leader's tap "đã chuyển". */
    forwardedAt: at('forwarded_at'),
  },
  (t) => [primaryKey({ columns: [t.campaignId, t.villageId] })],
)

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

/**
 * Recorded prompts by language and text key. Like flows they belong to the installation, not to a commune. The sound itself is kept here and
 * not in a folder: any process of several can serve it, and a backup of the database is whole. All of it is a few megabytes.
 */
export const voiceClip = pgTable(
  'voice_clip',
  {
    /** ISO 639-3, one of `flows/voice-languages.json`. */
    language: text('language').notNull(),
    textKey: text('text_key').notNull(),
    /** SHA-256 of the sound, hex: its name in addresses and caches. */
    digest: text('digest').notNull(),
    contentType: text('content_type').notNull(),
    fileName: text('file_name').notNull(),
    sound: bytes('sound').notNull(),
    /** Absent where the file does not say. */
    durationMs: integer('duration_ms'),
    /** Made by a machine to try things with; a real recording takes its place. */
    sample: boolean('sample').notNull().default(false),
    importedAt: at('imported_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.language, t.textKey] }), index('voice_clip_digest').on(t.digest)],
)

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

/** Who did what when; ids and figures, never words. Append only. */
export const audit = pgTable(
  'audit',
  {
    id: id(),
    communeId: ref('commune_id').notNull(),
    at: at('at').notNull(),
    /** `contact:12`, `cli`, `system`. */
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    subject: text('subject'),
    detail: jsonb('detail'),
  },
  (t) => [primaryKey({ columns: [t.communeId, t.id] })],
)

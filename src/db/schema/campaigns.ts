import { sql } from 'drizzle-orm'
import { bigint, boolean, doublePrecision, index, integer, jsonb, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { at, id, ref } from './columns.ts'

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

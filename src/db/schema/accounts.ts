import { integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { at, id, ref, sealed } from './columns.ts'

/** Commune 0 holds what reached an account that belongs to no commune yet. */
export const NO_COMMUNE = 0

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

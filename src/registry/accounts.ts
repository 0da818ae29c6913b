import { createHash } from 'node:crypto'
import { and, asc, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Db, DbOrTx, Tx } from '../db/connect.ts'
import {
  type AccountTraits,
  account,
  accountToken,
  audit,
  contact,
  importedToken,
  inboundEvent,
  NO_COMMUNE,
  outboundMessage,
} from '../db/schema.ts'
import type { Sealer } from '../lib/crypto.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { findUnitByCode, listCommunes, type Unit } from './units.ts'

const ZaloSecrets = z.object({ appSecret: z.string(), oaSecretKey: z.string() })
const TelegramSecrets = z.object({ botToken: z.string(), webhookSecret: z.string().optional() })

type AccountRow = typeof account.$inferSelect
type Common = Omit<AccountRow, 'secretsEnc' | 'channel' | 'appId'>

/** An account with its secrets opened. Never log it. */
export type ZaloAccount = Common & { channel: 'zalo'; appId: string; secrets: z.infer<typeof ZaloSecrets> }
export type TelegramAccount = Common & { channel: 'telegram'; secrets: z.infer<typeof TelegramSecrets> }
export type Account = ZaloAccount | TelegramAccount

// Two processes that start together bring in one account
const ACCOUNT_LOCK = 7_301_004
const NAMED_COMMUNES = 10

function openAccount(sealer: Sealer, { secretsEnc, channel, appId, ...common }: AccountRow): Account {
  const secrets: unknown = sealer.openJson(secretsEnc)
  return channel === 'zalo'
    ? { ...common, channel, appId: appId ?? '', secrets: ZaloSecrets.parse(secrets) }
    : { ...common, channel, secrets: TelegramSecrets.parse(secrets) }
}

export async function listAccounts(db: DbOrTx, sealer: Sealer): Promise<Account[]> {
  const rows = await db.select().from(account).orderBy(asc(account.id))
  return rows.map((row) => openAccount(sealer, row))
}

export async function findAccount(db: DbOrTx, sealer: Sealer, accountId: number): Promise<Account | undefined> {
  const [row] = await db.select().from(account).where(eq(account.id, accountId))
  return row && openAccount(sealer, row)
}

/** The Official Accounts connected through one app: a webhook names the app first. */
export async function findAccountsByAppId(db: DbOrTx, sealer: Sealer, appId: string): Promise<ZaloAccount[]> {
  const rows = await db
    .select()
    .from(account)
    .where(and(eq(account.channel, 'zalo'), eq(account.appId, appId)))
    .orderBy(asc(account.id))
  return rows.map((row) => openAccount(sealer, row)).filter((found) => found.channel === 'zalo')
}

/** As in the environment (contract, section 2). */
type ZaloCredentials = { oaId: string; appId: string; appSecret: string; oaSecretKey: string }

export type ImportAccountArgs = {
  zalo: ZaloCredentials & { refreshToken?: string }
  /** Code of the commune; absent: the one the account has, else the only one there is. */
  commune?: string
  simulated?: boolean
  now: Date
}

type AccountDeps = { db: Db; sealer: Sealer }

/**
 * Brings in the account of the environment, or what changed of it. Without any commune yet it waits unattached (`communeId` 0). Throws an
 * OperatorError where the operator must choose. A refresh token that was never imported before replaces the stored pair.
 */
export async function importAccountFromEnvironment(
  deps: AccountDeps,
  { zalo, commune, simulated, now }: ImportAccountArgs,
): Promise<{ account: ZaloAccount; refreshToken: 'imported' | 'known_before' | 'none' }> {
  const brought = await importAccount(deps, {
    channel: 'zalo',
    externalId: zalo.oaId,
    appId: zalo.appId,
    secrets: { appSecret: zalo.appSecret, oaSecretKey: zalo.oaSecretKey } satisfies z.infer<typeof ZaloSecrets>,
    traits: simulated ? { simulated } : {},
    chooseCommune: (tx, present) => chooseCommune(tx, present, commune),
    actor: 'system',
    now,
  })
  if (brought.channel !== 'zalo') throw new Error('a Zalo account became another')
  const refreshToken = zalo.refreshToken
    ? await importRefreshToken(deps, { accountId: brought.id, refreshToken: zalo.refreshToken, actor: 'system', now })
    : 'none'
  return { account: brought, refreshToken }
}

export type ImportTelegramArgs = { telegram: { botToken: string; webhookSecret?: string }; commune?: string; now: Date }

export async function importTelegramAccount(deps: AccountDeps, { telegram, commune, now }: ImportTelegramArgs): Promise<TelegramAccount> {
  const { botToken, webhookSecret } = telegram
  const brought = await importAccount(deps, {
    channel: 'telegram',
    // A token is "<bot id>:<secret>", see https://core.telegram.org/bots/api#authorizing-your-bot
    externalId: botToken.split(':')[0] ?? '',
    appId: null,
    secrets: { botToken, ...(webhookSecret && { webhookSecret }) } satisfies z.infer<typeof TelegramSecrets>,
    traits: {},
    chooseCommune: (tx, present) => chooseCommune(tx, present, commune),
    actor: 'system',
    now,
  })
  if (brought.channel !== 'telegram') throw new Error('a Telegram account became another')
  return brought
}

export type AddAccountArgs = { unitCode: string; zalo: ZaloCredentials & { refreshToken?: string }; actor: string; now: Date }

/** A further account, for the commune named. Repeated, it updates secrets. */
export async function addZaloAccount(deps: AccountDeps, { unitCode, zalo, actor, now }: AddAccountArgs): Promise<Account> {
  const brought = await importAccount(deps, {
    channel: 'zalo',
    externalId: zalo.oaId,
    appId: zalo.appId,
    secrets: { appSecret: zalo.appSecret, oaSecretKey: zalo.oaSecretKey } satisfies z.infer<typeof ZaloSecrets>,
    traits: {},
    chooseCommune: (tx, present) => chooseCommune(tx, present, unitCode),
    actor,
    now,
  })
  if (zalo.refreshToken) await importRefreshToken(deps, { accountId: brought.id, refreshToken: zalo.refreshToken, actor, now })
  return brought
}

type Brought = {
  channel: AccountRow['channel']
  externalId: string
  appId: string | null
  secrets: unknown
  traits: AccountTraits
  chooseCommune: (tx: Tx, present: AccountRow | undefined) => Promise<number>
  actor: string
  now: Date
}

async function importAccount({ db, sealer }: AccountDeps, brought: Brought): Promise<Account> {
  const { channel, externalId, appId, secrets, actor, now } = brought
  return db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${ACCOUNT_LOCK})`)
    const [present] = await tx
      .select()
      .from(account)
      .where(and(eq(account.channel, channel), eq(account.externalId, externalId)))
    const communeId = await brought.chooseCommune(tx, present)
    if (!present) {
      const values = { communeId, channel, externalId, appId, secretsEnc: sealer.sealJson(secrets), traits: brought.traits, createdAt: now }
      const [created] = await tx.insert(account).values(values).returning()
      await tx
        .insert(audit)
        .values({ communeId, at: now, actor, action: 'account.add', subject: `account:${created!.id}`, detail: { channel } })
      return openAccount(sealer, created!)
    }
    if (present.communeId !== communeId) await attachAccount(tx, { accountId: present.id, communeId, actor, now })
    const isSame = present.appId === appId && JSON.stringify(sealer.openJson(present.secretsEnc)) === JSON.stringify(secrets)
    const [updated] = await tx
      .update(account)
      .set(isSame ? { communeId } : { communeId, appId, secretsEnc: sealer.sealJson(secrets) })
      .where(eq(account.id, present.id))
      .returning()
    if (!isSame) await tx.insert(audit).values({ communeId, at: now, actor, action: 'account.secrets', subject: `account:${present.id}` })
    return openAccount(sealer, updated!)
  })
}

async function chooseCommune(tx: Tx, present: AccountRow | undefined, code: string | undefined): Promise<number> {
  const communes = await listCommunes(tx)
  const names = communes.slice(0, NAMED_COMMUNES).map((commune) => commune.code)
  if (communes.length > names.length) names.push('…')
  if (code === undefined) {
    if (present && present.communeId !== NO_COMMUNE) return present.communeId
    if (communes.length > 1)
      throw new OperatorError(`COMMUNE is not set and there are several communes: set it to one of ${names.join(', ')}`)
    return communes[0]?.id ?? NO_COMMUNE
  }
  const chosen = await findUnitByCode(tx, code)
  if (!chosen && communes.length === 0) return NO_COMMUNE
  if (chosen?.level !== 'xa') throw new OperatorError(`COMMUNE ${code} is the code of no commune: set it to one of ${names.join(', ')}`)
  if (present && present.communeId !== NO_COMMUNE && present.communeId !== chosen.id) {
    const owner = communes.find((commune) => commune.id === present.communeId)?.code
    throw new OperatorError(
      `the account ${present.externalId} belongs to the commune ${owner ?? present.communeId} already, with its chats: use that code, or another account`,
    )
  }
  return chosen.id
}

type AttachArgs = { accountId: number; communeId: number; actor: string; now: Date }

/** Gives a waiting account, with all that reached it so far, to a commune. Safe to repeat: takes up what came in meanwhile. */
async function attachAccount(tx: Tx, { accountId, communeId, actor, now }: AttachArgs): Promise<void> {
  await tx
    .update(account)
    .set({ communeId })
    .where(and(eq(account.id, accountId), eq(account.communeId, NO_COMMUNE)))
  for (const table of [accountToken, importedToken, contact, inboundEvent, outboundMessage]) {
    await tx
      .update(table)
      .set({ communeId })
      .where(and(eq(table.accountId, accountId), eq(table.communeId, NO_COMMUNE)))
  }
  await tx.insert(audit).values({ communeId, at: now, actor, action: 'account.attach', subject: `account:${accountId}` })
}

/** After units were imported: attaches what was waiting, to the commune named or the only one. Returns how many still wait. */
export async function attachWaitingAccounts(
  db: Db,
  { commune, actor, now }: { commune?: string; actor: string; now: Date },
): Promise<number> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${ACCOUNT_LOCK})`)
    const waiting = await tx.select({ id: account.id }).from(account).where(eq(account.communeId, NO_COMMUNE))
    if (waiting.length === 0) return 0
    const communes = await listCommunes(tx)
    const chosen: Unit | undefined =
      commune === undefined && communes.length === 1 ? communes[0] : communes.find(({ code }) => code === commune?.toLowerCase())
    if (!chosen) return waiting.length
    for (const { id } of waiting) await attachAccount(tx, { accountId: id, communeId: chosen.id, actor, now })
    return 0
  })
}

export type ImportTokenArgs = { accountId: number; refreshToken: string; actor: string; now: Date }

/**
 * Replaces the account's token pair by one that begins with this refresh token, unless it was imported before: then it is spent by now, and
 * the stored pair descends from it. A paused account is tried again.
 */
export async function importRefreshToken({ db, sealer }: AccountDeps, args: ImportTokenArgs): Promise<'imported' | 'known_before'> {
  const { accountId, refreshToken, actor, now } = args
  return db.transaction(async (tx) => {
    // Not while a process is refreshing: it would write its pair over this one
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${TOKEN_LOCK}, ${accountId})`)
    const [row] = await tx.select({ communeId: account.communeId }).from(account).where(eq(account.id, accountId))
    if (!row) throw new Error(`there is no account ${accountId}`)
    const added = await tx
      .insert(importedToken)
      .values({ accountId, communeId: row.communeId, tokenHash: hashRefreshToken(refreshToken), importedAt: now })
      .onConflictDoNothing()
      .returning()
    if (added.length === 0) return 'known_before'
    await writePair(tx, sealer, accountId, { accessToken: '', refreshToken, obtainedAtMs: 0, expiresAtMs: 0 }, now)
    await tx.update(account).set({ pausedClass: null, pausedAt: null }).where(eq(account.id, accountId))
    await tx
      .insert(audit)
      .values({ communeId: row.communeId, at: now, actor, action: 'account.token_import', subject: `account:${accountId}` })
    return 'imported'
  })
}

// Not keyed: when SECRET_KEY is rotated, a spent token in the environment must still be recognised. Nobody guesses a token from its hash
function hashRefreshToken(refreshToken: string): string {
  return createHash('sha256').update(refreshToken).digest('hex')
}

/** First key of the advisory lock under which an account's tokens change; the second is the account. */
export const TOKEN_LOCK = 7_301_002

const StoredPair = z.object({ accessToken: z.string(), refreshToken: z.string(), obtainedAtMs: z.number(), expiresAtMs: z.number() })
export type StoredPair = z.infer<typeof StoredPair>

export function openPair(sealer: Sealer, pairEnc: Buffer): StoredPair {
  return StoredPair.parse(sealer.openJson(pairEnc))
}

/** Puts a pair in the place of the present one, which is kept as the previous. */
export async function writePair(
  db: Pick<DbOrTx, 'execute'>,
  sealer: Sealer,
  accountId: number,
  pair: StoredPair,
  now: Date,
): Promise<void> {
  const { accessToken, refreshToken, obtainedAtMs, expiresAtMs } = pair
  const pairEnc = sealer.sealJson({ accessToken, refreshToken, obtainedAtMs, expiresAtMs } satisfies StoredPair)
  const written = await db.execute(sql`
    INSERT INTO account_token (account_id, commune_id, pair_enc, expires_at, refreshed_at)
    SELECT id, commune_id, ${pairEnc}, ${new Date(expiresAtMs).toISOString()}::timestamptz, ${now.toISOString()}::timestamptz
    FROM account WHERE id = ${accountId}
    ON CONFLICT (account_id) DO UPDATE SET
      previous_pair_enc = account_token.pair_enc, pair_enc = excluded.pair_enc, generation = account_token.generation + 1,
      expires_at = excluded.expires_at, refreshed_at = excluded.refreshed_at, dead_class = NULL, dead_at = NULL
    RETURNING account_id`)
  if (written.length === 0) throw new Error(`there is no account ${accountId}`)
}

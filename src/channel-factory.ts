import { eq } from 'drizzle-orm'
import type { Logger } from 'pino'
import type { Channel } from './channels/channel.ts'
import { createTelegramChannel, type TelegramChannel } from './channels/telegram/channel.ts'
import { createTelegramClient, type TelegramClient } from './channels/telegram/client.ts'
import { createZaloChannel } from './channels/zalo/channel.ts'
import type { ZaloKeys } from './channels/zalo/parse.ts'
import type { Database } from './db/connect.ts'
import { account as accountTable } from './db/schema.ts'
import type { Sealer } from './lib/crypto.ts'
import { createAccountTokenStore } from './registry/account-token-store.ts'
import { type Account, listAccounts, type TelegramAccount, type ZaloAccount } from './registry/accounts.ts'
import { createOAuth, createTokenSource, createZaloClient, endpointFor, ZaloError } from './zalo-oa-api-client/index.ts'

/** The accounts of the installation, each with the channel that talks to its platform. */
export type Channels = {
  find(accountId: number): Promise<Channel | undefined>
  /** The bot of an account; undefined while Telegram is off. */
  findTelegram(accountId: number): Promise<TelegramBot | undefined>
  /** For webhooks: who may have signed. */
  zaloKeys(): Promise<readonly ZaloKeys[]>
  findByExternalId(channel: Account['channel'], externalId: string): Promise<Account | undefined>
  all(): Promise<readonly Account[]>
  /** Adds to the traits of an account; what others learnt meanwhile stays. */
  learn(accountId: number, traits: Account['traits']): Promise<void>
  close(): Promise<void>
}

/** One line to the platform and the channel that speaks through it. */
export type TelegramBot = { account: TelegramAccount; client: TelegramClient; channel: TelegramChannel }

type Options = {
  database: Database
  sealer: Sealer
  log: Logger
  now: () => Date
  zalo: { apiUrl: string; oauthUrl: string }
  /** Absent: Telegram is off, whatever accounts the database knows. */
  telegram?: { apiUrl: string }
}

// An account added or changed by a command is known to every process within this time
const KEPT_MS = 5_000

// Of one request; the library's own would be over eight minutes
const TELEGRAM_TIMEOUT_MS = 15_000

const ZALO_API = 'https://openapi.zalo.me'
const ENDPOINTS = { v2: 'v2.0', v3: 'v3.0' } as const

export function createChannels({ database, sealer, log, now, zalo, telegram }: Options): Channels {
  let accounts: Promise<Account[]> | undefined
  let until = 0
  const channels = new Map<number, { of: Account; channel: Channel }>()
  const bots = new Map<number, TelegramBot>()

  function all(): Promise<Account[]> {
    if (accounts && until > now().getTime()) return accounts
    until = now().getTime() + KEPT_MS
    const loading = listAccounts(database.db, sealer)
    loading.catch(() => {
      accounts = undefined
    })
    accounts = loading
    return loading
  }

  function zaloChannel(account: ZaloAccount): Channel {
    const oauth = createOAuth({ appId: account.appId, appSecret: account.secrets.appSecret, oauthUrl: zalo.oauthUrl })
    const store = createAccountTokenStore({ database, sealer, accountId: account.id, now })
    const keep = (traits: Account['traits']) => {
      void learn(account.id, traits).catch((error) =>
        log.warn({ err: error, account: account.id }, 'what was learnt of an account could not be kept'),
      )
    }
    const client = createZaloClient({
      tokens: createTokenSource({
        store,
        oauth,
        onPutOff: (error) =>
          log.warn({ account: account.id, reason: error instanceof ZaloError ? error.reason : 'unknown' }, 'a token refresh is put off'),
      }),
      apiUrl: zalo.apiUrl,
      // A platform at an address of its own, the simulated one above all, answers for templates too
      ...(zalo.apiUrl === ZALO_API ? {} : { zbsUrl: zalo.apiUrl }),
      endpoint: account.traits.endpoint ? ENDPOINTS[account.traits.endpoint] : endpointFor({ oaType: account.traits.oaType }),
      onEndpoint: (endpoint) => keep({ endpoint: endpoint === 'v2.0' ? 'v2' : 'v3' }),
      now: () => now().getTime(),
    })
    return createZaloChannel({
      client,
      now: () => now().getTime(),
      buttons: account.traits.buttons !== 'refused',
      onButtonsRefused: () => keep({ buttons: 'refused' }),
    })
  }

  function telegramBot(account: TelegramAccount, { apiUrl }: { apiUrl: string }): TelegramBot {
    const known = bots.get(account.id)
    if (known && isSame(known.account, account)) return known
    const { botToken: token } = account.secrets
    const client = createTelegramClient({ token, apiUrl, timeoutMs: TELEGRAM_TIMEOUT_MS })
    const options = { token, apiUrl, timeoutMs: TELEGRAM_TIMEOUT_MS, now: () => now().getTime(), telegram: client }
    const bot = { account, client, channel: createTelegramChannel(options) }
    known?.client.close()
    bots.set(account.id, bot)
    return bot
  }

  async function findTelegram(accountId: number): Promise<TelegramBot | undefined> {
    const account = (await all()).find((item) => item.id === accountId)
    return telegram && account?.channel === 'telegram' ? telegramBot(account, telegram) : undefined
  }

  async function learn(accountId: number, traits: Account['traits']): Promise<void> {
    await database.db.transaction(async (tx) => {
      const [row] = await tx.select({ traits: accountTable.traits }).from(accountTable).where(eq(accountTable.id, accountId)).for('update')
      if (row)
        await tx
          .update(accountTable)
          .set({ traits: { ...row.traits, ...traits } })
          .where(eq(accountTable.id, accountId))
    })
    until = 0
  }

  function isSame(a: Account, b: Account): boolean {
    return JSON.stringify([a.secrets, a.channel === 'zalo' && a.appId]) === JSON.stringify([b.secrets, b.channel === 'zalo' && b.appId])
  }

  async function find(accountId: number): Promise<Channel | undefined> {
    const account = (await all()).find((item) => item.id === accountId)
    if (!account) return undefined
    if (account.channel === 'telegram') return (await findTelegram(accountId))?.channel
    const known = channels.get(accountId)
    if (known && isSame(known.of, account)) return known.channel
    const channel = zaloChannel(account)
    channels.set(accountId, { of: account, channel })
    return channel
  }

  return {
    find,
    findTelegram,
    all,
    learn,
    async zaloKeys() {
      return (await all()).flatMap((account) =>
        account.channel === 'zalo'
          ? [{ externalId: account.externalId, appId: account.appId, oaSecretKey: account.secrets.oaSecretKey }]
          : [],
      )
    },
    async findByExternalId(channel, externalId) {
      return (await all()).find((account) => account.channel === channel && account.externalId === externalId)
    },
    async close() {
      await Promise.all([...channels.values()].map(({ channel }) => channel.close()))
      for (const { client } of bots.values()) client.close()
    },
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { and, eq, isNull } from 'drizzle-orm'
import type { Logger } from 'pino'
import type { Channels, TelegramBot } from './channel-factory.ts'
import type { Command } from './channels/channel.ts'
import { type CommandMenu, registerCommands } from './channels/telegram/commands.ts'
import { TelegramCallError } from './channels/telegram/failure.ts'
import { parseUpdates } from './channels/telegram/parse.ts'
import { createTelegramPoller, type PollerProblem } from './channels/telegram/poller.ts'
import { loadWebhookHealth, registerWebhook } from './channels/telegram/webhook.ts'
import type { Config, TelegramConfig } from './config.ts'
import type { Counters } from './conversation/deps.ts'
import type { Arrival } from './conversation/receive.ts'
import type { Database } from './db/connect.ts'
import { createLeadership } from './db/leadership.ts'
import { account as accountTable, contact as contactTable, roleGrant } from './db/schema.ts'
import type { Degraded } from './http/health.ts'
import type { TelegramDoor } from './http/telegram-webhook.ts'
import type { Sealer } from './lib/crypto.ts'
import type { TelegramAccount } from './registry/accounts.ts'

/** The bot on Telegram while this process runs: how its updates come in, what it lists, and whether it is well. */
export type Telegram = {
  findDoor(): Promise<TelegramDoor | undefined>
  start(): void
  /** Stops taking updates; what was taken is stored by then. */
  stop(): Promise<void>
  findDegraded(): Degraded[]
}

type Options = {
  account: TelegramAccount
  config: Pick<Config, 'publicUrl' | 'role'> & { telegram: TelegramConfig }
  channels: Pick<Channels, 'findTelegram' | 'learn'>
  database: Database
  databaseUrl: string
  sealer: Sealer
  slashWords: Readonly<Record<string, string>>
  /** What everybody may say, by language; the first is for those whose language has no list. */
  menus: readonly CommandMenu[]
  /** What one contact may say. */
  commandsOf(contactId: number): Promise<readonly Command[]>
  accept(arrivals: Arrival[]): Promise<void>
  count: Counters
  log: Logger
  now(): Date
  /** Waits; rejects when the signal says so. An argument for the tests' sake. */
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>
  pollSeconds?: number
}

// While Telegram cannot be reached at the start: it may be blocked for days, and the other channel works meanwhile
const FIRST_RETRY_MS = 2_000
const MAX_RETRY_MS = 5 * 60_000
const HEALTH_MS = 3 * 60_000
// An error of delivery is news for so long
const FRESH_MS = 10 * 60_000
// More than this waiting at Telegram means that people wait
const MANY_PENDING = 50

/**
 * With a public address Telegram calls us; without one, one process of all asks it, so that a machine behind a router needs nothing
 * opened. A bot that cannot be reached or has a dead token is said to be degraded and never stops the rest.
 */
export function createTelegram(options: Options): Telegram {
  const { account, config, channels, database, log, count, accept } = options
  const { publicUrl, role } = config
  const wait = options.wait ?? ((ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal, ref: false }))
  const nowMs = () => options.now().getTime()
  // Without one of the operator's, the same in every process and after every start
  const secret = config.telegram.webhookSecret ?? options.sealer.hash('telegram-webhook', config.telegram.botToken)
  const context = { botId: account.externalId, slashWords: options.slashWords }
  const usesWebhook = publicUrl !== undefined && role !== 'worker'
  const polls = publicUrl === undefined && role !== 'web'
  const stopping = new AbortController()
  const leadership = polls ? createLeadership(options.databaseUrl, account.id) : undefined
  let poller: ReturnType<typeof createTelegramPoller> | undefined
  let working: Promise<void> = Promise.resolve()
  /** By what is wrong, so that one part getting well does not hide another. */
  const troubles = new Map<'start' | 'updates' | 'delivery', string>()

  const webhookUrl = () => `${publicUrl}/webhooks/telegram`

  async function getBot(): Promise<TelegramBot> {
    const bot = await channels.findTelegram(account.id)
    if (!bot) throw new Error('the Telegram account is gone')
    return bot
  }

  async function begin(bot: TelegramBot): Promise<void> {
    const me = await bot.channel.loadBot()
    if (bot.account.traits.username !== me.username) await channels.learn(account.id, { username: me.username })
    // Whatever paused it, the token is good now
    await database.db.update(accountTable).set({ pausedClass: null, pausedAt: null }).where(eq(accountTable.id, account.id))
    if (usesWebhook) await registerWebhook(bot.client, { url: webhookUrl(), secret })
    await registerCommands(bot.client, options.menus)
    await listForRoles(bot)
  }

  /** Lists of those with a role: written when a role is taken up, and again here for what was missed then. */
  async function listForRoles({ channel }: TelegramBot): Promise<void> {
    const rows = await database.db
      .selectDistinct({ id: contactTable.id, channelUserId: contactTable.channelUserId })
      .from(contactTable)
      .innerJoin(roleGrant, eq(roleGrant.contactId, contactTable.id))
      .where(and(eq(contactTable.accountId, account.id), isNull(roleGrant.revokedAt), isNull(contactTable.erasedAt)))
    for (const { id, channelUserId } of rows) await channel.showCommands?.(channelUserId, await options.commandsOf(id))
  }

  async function run(): Promise<void> {
    const bot = await getBot()
    for (let tries = 0; !stopping.signal.aborted; tries++) {
      try {
        await begin(bot)
        troubles.delete('start')
        break
      } catch (error) {
        const reason = classOf(error)
        if (troubles.get('start') !== reason)
          log.error({ account: account.id, reason }, 'the Telegram bot cannot begin yet; it is tried again')
        troubles.set('start', reason)
        await pause(Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** tries))
      }
    }
    while (usesWebhook && !stopping.signal.aborted) {
      await checkDelivery(bot)
      await pause(HEALTH_MS)
    }
  }

  async function checkDelivery({ client }: TelegramBot): Promise<void> {
    try {
      const { url, pending, lastError } = await loadWebhookHealth(client)
      const isFresh = lastError !== undefined && nowMs() - lastError.atMs < FRESH_MS
      // One set by somebody else is not fought over: the operator decides
      const reason =
        url !== webhookUrl() ? 'webhook_set_elsewhere' : pending > MANY_PENDING ? 'updates_waiting' : isFresh ? 'webhook_errors' : undefined
      if (reason === undefined) troubles.delete('delivery')
      else if (troubles.get('delivery') !== reason) {
        log.error({ account: account.id, reason, pending, sentence: lastError?.sentence }, 'Telegram has trouble delivering to us')
        troubles.set('delivery', reason)
      }
    } catch (error) {
      troubles.set('delivery', classOf(error))
    }
  }

  async function takeUpdates(bot: TelegramBot, bodies: unknown[]): Promise<void> {
    const { events, callbackIds } = parseUpdates(bodies, { ...context, nowMs: nowMs() })
    await accept(events.map((event) => ({ accountId: account.id, event })))
    for (const callbackId of callbackIds) void bot.channel.answerTap(callbackId)
    for (const _ of events) count.inbound('telegram', 'accepted')
    for (let ignored = events.length; ignored < bodies.length; ignored++) count.inbound('telegram', 'unknown_event')
  }

  async function poll(lead: NonNullable<typeof leadership>): Promise<void> {
    const bot = await getBot()
    if (stopping.signal.aborted) return
    poller = createTelegramPoller({
      telegram: bot.client,
      onUpdates: (bodies) => takeUpdates(bot, bodies),
      isLeader: () => lead.isLeader(),
      onProblem,
      onAnswer: () => troubles.delete('updates'),
      ...(options.wait && { wait: async (ms, signal) => void (await wait(ms, signal)) }),
      ...(options.pollSeconds !== undefined && { pollSeconds: options.pollSeconds }),
    })
    poller.start()
  }

  function onProblem(problem: PollerProblem): void {
    const reason = problem.kind === 'trouble' ? problem.class : problem.kind
    troubles.set('updates', reason)
    if (problem.kind === 'not_stored') log.warn({ account: account.id }, 'updates of Telegram could not be stored yet; they come again')
    else log.warn({ account: account.id, reason }, 'updates of Telegram cannot be fetched')
  }

  async function pause(ms: number): Promise<void> {
    await wait(ms, stopping.signal).catch(() => undefined)
  }

  return {
    async findDoor() {
      const bot = await channels.findTelegram(account.id)
      return bot && { account, secret, context, answerTap: (callbackId) => bot.channel.answerTap(callbackId) }
    },
    start() {
      const failed = (error: unknown) => log.error({ err: error, account: account.id }, 'Telegram came to a stop')
      working = Promise.all([run().catch(failed), leadership ? poll(leadership).catch(failed) : undefined]).then(() => undefined)
    },
    async stop() {
      stopping.abort()
      await working
      await poller?.stop()
      await leadership?.close()
    },
    findDegraded: () => [...new Set(troubles.values())].map((reason) => ({ part: 'telegram', account: account.externalId, reason })),
  }
}

const classOf = (error: unknown): string => (error instanceof TelegramCallError ? error.failure.class : 'unexpected')

import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type Channels, createChannels } from './channel-factory.ts'
import type { Config } from './config.ts'
import { loadContent } from './content/load.ts'
import { createCommunes } from './conversation/communes.ts'
import { createContactQueue } from './conversation/contact-queue.ts'
import type { Deps } from './conversation/deps.ts'
import { createFlows } from './conversation/flows.ts'
import { handleContact } from './conversation/handle-contact.ts'
import { createOffers } from './conversation/offer.ts'
import { createReceiver } from './conversation/receive.ts'
import { findLeftovers, finishErasures } from './conversation/sweep.ts'
import { createDb, type Database, migrateDb } from './db/connect.ts'
import { checkFingerprint } from './db/fingerprint.ts'
import { createInstance } from './db/instance.ts'
import { createServer } from './http/server.ts'
import { createSealer } from './lib/crypto.ts'
import { createUnderstanding, parseLexicon } from './lib/understand.ts'
import { createMetrics } from './metrics.ts'
import { importAccountFromEnvironment } from './registry/accounts.ts'
import type { createSampleCommune } from './registry/sample.ts'
import { findUnitByJoinCode, getCommune, unitTitle } from './registry/units.ts'

/** The bot, put together. `main` gives it a database and a port; tests give it theirs. */
export type App = {
  http: FastifyInstance
  channels: Channels
  deps: Deps
  /** Begins to look for what was left over, and goes on doing so. */
  start(): Promise<void>
  /** One look for what was left over; it is also taken every second. */
  sweep(): Promise<void>
  /** Resolves when everybody who wrote has been answered. */
  idle(): Promise<void>
  /** Stops taking, finishes what is under way, lets go of the database. */
  stop(): Promise<void>
}

export type AppOptions = {
  config: Config
  databaseUrl: string
  log: Logger
  now?: () => Date
  /** The address pages are reached at while PUBLIC_URL is not set. */
  localUrl?: () => string
  hasOwnRoot?: boolean
  /** Done once the schema is there, before the account is attached: the sample commune. */
  prepare?: typeof createSampleCommune
}

const ROOT = join(import.meta.dirname, '..')
// How soon something a process or a queue lost is found; an idle sweep costs two index look-ups
const SWEEP_MS = 1_000

export async function createApp({
  config,
  databaseUrl,
  log,
  now = () => new Date(),
  localUrl,
  hasOwnRoot = false,
  prepare,
}: AppOptions): Promise<App> {
  await migrateDb(databaseUrl)
  const database = createDb(databaseUrl)
  const sealer = createSealer(config.secretKey, config.secretKeyPrevious)
  await checkFingerprint(database.db, sealer)
  const content = loadContent(ROOT)
  await prepare?.({ db: database.db, sets: content.sets.values(), randomInt: (below) => randomInt(below) }, { now: now() })
  if (config.zalo) {
    await importAccountFromEnvironment(
      { db: database.db, sealer },
      { zalo: config.zalo, ...(config.commune ? { commune: config.commune } : {}), now: now() },
    )
  }
  const understand = createUnderstanding(parseLexicon(content.lexicon))
  const zalo = { apiUrl: config.zalo?.apiUrl ?? '', oauthUrl: config.zalo?.oauthUrl ?? '' }
  const channels = createChannels({ database, sealer, log, now, zalo })
  const metrics = createMetrics(() => countWaiting(database))
  const deps: Deps = {
    database,
    instance: await createInstance(databaseUrl, randomInt(1, 2 ** 31 - 1)),
    sealer,
    content,
    flows: createFlows(content),
    communes: createCommunes({ database, understand, nowMs: () => now().getTime() }),
    offers: createOffers({ content, understand }),
    understand,
    channelOf: (accountId) => channels.find(accountId),
    publicUrl: () => config.publicUrl ?? localUrl?.() ?? '',
    now,
    randomInt: (below) => randomInt(below),
    log,
    count: metrics,
  }
  const queue = createContactQueue((contactId) => handleContact(deps, contactId))
  const receiver = createReceiver(deps)

  const http = await createServer({
    zaloKeys: () => channels.zaloKeys(),
    findAccount: (channel, externalId) => channels.findByExternalId(channel, externalId),
    async accept(arrivals) {
      for (const contactId of await receiver.receive(arrivals)) queue.push(contactId)
    },
    count: metrics,
    observeWebhook: (channel, seconds) => metrics.observeWebhook(channel, seconds),
    now,
    log,
    checkDatabase: async () => {
      await database.db.execute(sql`SELECT 1`)
    },
    async findDegraded() {
      const paused = (await channels.all()).filter((account) => account.pausedClass !== null)
      return paused.map((account) => ({ part: 'zalo_token' as const, account: account.externalId, reason: account.pausedClass ?? '' }))
    },
    printMetrics: () => metrics.print(),
    metricsToken: config.metricsToken,
    hasOwnRoot,
    async findVillagePage(code) {
      const village = await findUnitByJoinCode(database.db, code)
      if (!village) return undefined
      const commune = await getCommune(database.db, village.communeId)
      const account = (await channels.all()).find((item) => item.channel === 'zalo' && item.communeId === commune.id)
      return {
        village: unitTitle(village),
        commune: commune.name,
        code: village.joinCode ?? '',
        ...(account ? { chatUrl: `https://zalo.me/${account.externalId}` } : {}),
      }
    },
  })

  let sweeping: NodeJS.Timeout | undefined
  async function sweep(atStart = false): Promise<void> {
    try {
      for (const contactId of await findLeftovers(deps, atStart)) queue.push(contactId)
      await finishErasures(deps)
    } catch (error) {
      log.warn({ err: error }, 'the sweep could not look; it looks again')
    }
  }
  function schedule(): void {
    sweeping = setTimeout(async () => {
      await sweep()
      if (sweeping) schedule()
    }, SWEEP_MS)
  }

  return {
    http,
    channels,
    deps,
    sweep,
    idle: () => queue.idle(),
    async start() {
      await sweep(true)
      schedule()
    },
    async stop() {
      clearTimeout(sweeping)
      sweeping = undefined
      await http.close()
      await queue.close()
      await channels.close()
      await deps.instance.close()
      await database.close()
    },
  }
}

async function countWaiting({ db }: Database): Promise<Record<string, number>> {
  const [row] = await db.execute<{ events: number; messages: number }>(sql`
    SELECT (SELECT count(*)::int FROM inbound_event WHERE handled_at IS NULL) AS events,
           (SELECT count(*)::int FROM outbound_message WHERE status = 'waiting') AS messages`)
  return { events: row?.events ?? 0, messages: row?.messages ?? 0 }
}

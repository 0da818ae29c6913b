import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type Channels, createChannels } from './channel-factory.ts'
import type { Config } from './config.ts'
import { type Content, LANGUAGES, loadContent } from './content/load.ts'
import { absorbReports } from './conversation/absorb-reports.ts'
import { commandsFor, commandsOfContact, slashWords } from './conversation/command-menu.ts'
import { createCommunes } from './conversation/communes.ts'
import { createContactQueue } from './conversation/contact-queue.ts'
import type { Deps } from './conversation/deps.ts'
import { createFlows } from './conversation/flows.ts'
import { handleContact } from './conversation/handle-contact.ts'
import { createIntents } from './conversation/intents.ts'
import { createOffers } from './conversation/offer.ts'
import { type Arrival, createReceiver } from './conversation/receive.ts'
import { createReportQueue } from './conversation/report-queue.ts'
import { findLeftovers, finishErasures } from './conversation/sweep.ts'
import { chooseOnVoicePage, openVoicePage, pressVoicePage } from './conversation/voice-page.ts'
import { createDb, type Database, migrateDb } from './db/connect.ts'
import { checkFingerprint } from './db/fingerprint.ts'
import { createInstance } from './db/instance.ts'
import type { ChatLink } from './http/pages.ts'
import { createServer } from './http/server.ts'
import { createOutreachJobs } from './jobs/outreach-jobs.ts'
import { createSealer } from './lib/crypto.ts'
import { OperatorError } from './lib/operator-error.ts'
import { createUnderstanding, parseLexicon } from './lib/understand.ts'
import { type CampaignProgress, createMetrics } from './metrics.ts'
import { isReport } from './model/inbound.ts'
import { runDigests } from './outreach/digests.ts'
import { dropOldFiles, openFile } from './outreach/files.ts'
import { offerEvents, runNotices } from './outreach/notices.ts'
import { createPace, slowPaces } from './outreach/pace.ts'
import { warnOfSlowPaces } from './outreach/pace-alarm.ts'
import { runReminders } from './outreach/reminders.ts'
import { createSender } from './outreach/sender.ts'
import { runTickets } from './outreach/ticket-rounds.ts'
import { type Account, importAccountFromEnvironment, importTelegramAccount } from './registry/accounts.ts'
import type { createSampleCommune } from './registry/sample.ts'
import { findUnitByJoinCode, getCommune, unitTitle } from './registry/units.ts'
import { createClips } from './registry/voice-clips.ts'
import { createTelegram } from './telegram.ts'

/** The bot, put together. `main` gives it a database and a port; tests give it theirs. */
export type App = {
  http: FastifyInstance
  channels: Channels
  deps: Deps
  /** Begins to look for what was left over, and goes on doing so. */
  start(): Promise<void>
  /** One look for what was left over; it is also taken every few seconds. */
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
  /** Reminders, digests and clocks by themselves; a test that moves the time asks for them itself. */
  rounds?: boolean
  /** What the bot says and asks; by default this project's own. */
  content?: Content
  /** Done once the schema is there, before the account is attached: the sample commune. */
  prepare?: typeof createSampleCommune
}

const ROOT = join(import.meta.dirname, '..')
// How soon something a process or a queue lost is found; an idle sweep costs two index look-ups
const SWEEP_MS = 3_000
// Reminders are due by the minute
const TICK_MS = 60_000
// An officer who started a campaign watches the chat
const NEWS_MS = 3_000

export async function createApp({
  config,
  databaseUrl,
  log,
  now = () => new Date(),
  localUrl,
  hasOwnRoot = false,
  rounds = true,
  content = loadContent(ROOT),
  prepare,
}: AppOptions): Promise<App> {
  await migrateDb(databaseUrl)
  const database = createDb(databaseUrl)
  const sealer = createSealer(config.secretKey, config.secretKeyPrevious)
  await checkFingerprint(database.db, sealer)
  await prepare?.({ db: database.db, sets: content.sets.values(), randomInt: (below) => randomInt(below) }, { now: now() })
  const attached = { ...(config.commune && { commune: config.commune }), now: now() }
  if (config.zalo) await importAccountFromEnvironment({ db: database.db, sealer }, { zalo: config.zalo, ...attached })
  const telegramAccount =
    config.telegram && (await importTelegramAccount({ db: database.db, sealer }, { telegram: config.telegram, ...attached }))
  const lexicon = parseLexicon(content.lexicon)
  const understand = createUnderstanding(lexicon)
  const zalo = { apiUrl: config.zalo?.apiUrl ?? '', oauthUrl: config.zalo?.oauthUrl ?? '' }
  const channels = createChannels({ database, sealer, log, now, zalo, ...(config.telegram && { telegram: config.telegram }) })
  const metrics = createMetrics(
    () => countWaiting(database),
    () => campaignProgress(database),
  )
  const deps: Deps = {
    database,
    instance: await createInstance(databaseUrl, randomInt(1, 2 ** 31 - 1)),
    sealer,
    content,
    flows: createFlows(content),
    communes: createCommunes({ database, understand, nowMs: () => now().getTime() }),
    offers: createOffers({ content, understand }),
    intent: createIntents(understand),
    clips: createClips({ db: database.db, dir: join(config.dataDir, 'voice'), nowMs: () => now().getTime() }),
    understand,
    channelOf: (accountId) => channels.find(accountId),
    listChanged: (contact) => listChanged(contact),
    publicUrl: () => config.publicUrl ?? localUrl?.() ?? '',
    arePagesReachable: config.publicUrl !== undefined || isOnThisMachine(config.zalo?.apiUrl),
    exportsDir: join(config.dataDir, 'exports'),
    wake: (contactId) => queue.push(contactId),
    pace: createPace(database),
    now,
    randomInt: (below) => randomInt(below),
    log,
    count: metrics,
  }
  const listChanged: Deps['listChanged'] = ({ id, accountId, channelUserId }) => {
    const show = async () =>
      (await channels.find(accountId))?.showCommands?.(channelUserId, await commandsOfContact(deps, lexicon.words, id))
    show().catch(() => log.warn({ contact: id }, 'the list of words of a chat could not be brought up to date; the next start does'))
  }
  const queue = createContactQueue((contactId) => handleContact(deps, contactId))
  const reports = createReportQueue((contactIds) => absorbReports(deps, contactIds))
  const receiver = createReceiver(deps)
  async function accept(arrivals: Arrival[]): Promise<void> {
    for (const [place, contactId] of (await receiver.receive(arrivals)).entries()) {
      if (contactId === undefined) continue
      const content = arrivals[place]?.event.content
      if (content && isReport(content)) reports.push(contactId)
      else queue.push(contactId)
    }
  }
  const telegram =
    config.telegram &&
    telegramAccount &&
    createTelegram({
      account: telegramAccount,
      config: { ...config, telegram: config.telegram },
      channels,
      database,
      databaseUrl,
      sealer,
      slashWords: slashWords(lexicon.words),
      menus: LANGUAGES.map((language, place) => ({
        ...(place > 0 ? { language } : {}),
        commands: commandsFor(lexicon.words, content.texts[language], ['anyone']),
      })),
      commandsOf: (contactId) => commandsOfContact(deps, lexicon.words, contactId),
      accept,
      count: metrics,
      log,
      now,
    })

  const http = await createServer({
    zaloKeys: () => channels.zaloKeys(),
    findAccount: (channel, externalId) => channels.findByExternalId(channel, externalId),
    findTelegramDoor: async () => telegram?.findDoor(),
    accept,
    count: metrics,
    observeWebhook: (channel, seconds) => metrics.observeWebhook(channel, seconds),
    now,
    log,
    checkDatabase: async () => {
      await database.db.execute(sql`SELECT 1`)
    },
    findDegraded: async () => [
      ...pausedParts(await channels.all()),
      ...(telegram?.findDegraded() ?? []),
      ...(jobs && !jobs.isQueueUsable() ? [{ part: 'queue' as const, reason: 'not_open' }] : []),
      ...(await slowPaces(database)).map((key) => ({ part: 'pace' as const, account: key, reason: 'replies_queue' })),
    ],
    printMetrics: () => metrics.print(),
    metricsToken: config.metricsToken,
    hasOwnRoot,
    text: (key, params = {}) => content.texts.vi.format({ key, params }, {}),
    about: LANGUAGES.map((language) => content.texts[language].format({ key: 'page.about' }, {})),
    openFile: (token) => openFile(deps, token),
    openVoicePage: (token) => openVoicePage({ ...deps, accept }, token),
    pressVoicePage: (token, once, press) => pressVoicePage({ ...deps, accept }, token, once, press),
    chooseOnVoicePage: (token, language) => chooseOnVoicePage({ ...deps, accept }, token, language),
    loadSound: (digest) => deps.clips.load(digest),
    findVillagePage: async (typed) => findVillagePage(database, { typed, accounts: await channels.all(), telegramId: telegramAccount?.id }),
  })

  // Who only answers people leaves campaigns and what the hour asks for to the workers
  const works = config.role !== 'web'
  const queueTrouble = createQueueTrouble(log)
  const jobs = works
    ? createOutreachJobs({
        deps,
        sender: createSender(deps),
        // Loaded with the first queue: the drivers weigh more than an idle commune
        openQueues: async () => {
          const { createQueues } = await import('./queue/queue.ts')
          const store = config.redisUrl ? { redisUrl: config.redisUrl } : { databaseUrl }
          return createQueues({ store, onError: queueTrouble.tell, onReady: queueTrouble.isOver })
        },
        log,
      })
    : undefined

  const tick = createRounds(deps)

  let sweeping: NodeJS.Timeout | undefined
  async function sweep(atStart = false): Promise<void> {
    try {
      const { turns, reported } = await findLeftovers(deps, atStart)
      for (const contactId of reported) reports.pushLeft(contactId)
      for (const contactId of turns) queue.push(contactId)
      await finishErasures(deps)
    } catch (error) {
      log.warn({ err: error }, 'the sweep could not look; it looks again')
    }
  }
  function schedule(): void {
    sweeping = setTimeout(async () => {
      await sweep()
      if (works && rounds) await tick()
      if (sweeping) schedule()
    }, SWEEP_MS)
  }

  return {
    http,
    channels,
    deps,
    sweep,
    async idle() {
      await reports.idle()
      await queue.idle()
    },
    async start() {
      await sweep(true)
      schedule()
      jobs?.start()
      telegram?.start()
    },
    async stop() {
      clearTimeout(sweeping)
      sweeping = undefined
      await jobs?.stop()
      await telegram?.stop()
      await http.close()
      await reports.close()
      await queue.close()
      await channels.close()
      await deps.instance.close()
      await database.close()
    },
  }
}

/** What the hour asks for, each in its own measure; to be called often. Each may run twice (outreach/). */
function createRounds(deps: Deps): () => Promise<void> {
  const inTime = [
    { run: runNotices, everyMs: NEWS_MS, at: 0 },
    { run: offerEvents, everyMs: TICK_MS, at: 0 },
    { run: warnOfSlowPaces, everyMs: TICK_MS, at: 0 },
    { run: runTickets, everyMs: TICK_MS, at: 0 },
    { run: runReminders, everyMs: TICK_MS, at: 0 },
    { run: runDigests, everyMs: TICK_MS, at: 0 },
    { run: dropOldFiles, everyMs: TICK_MS, at: 0 },
  ]
  return async () => {
    for (const round of inTime) {
      if (deps.now().getTime() - round.at < round.everyMs) continue
      round.at = deps.now().getTime()
      try {
        await round.run(deps, deps.now())
      } catch (error) {
        deps.log.warn({ err: error, run: round.run.name }, 'a round of reminders or digests failed; the next one makes up for it')
      }
    }
  }
}

/** Tells an operator once what keeps the queue's store away, for as long as it is away. */
function createQueueTrouble(log: Logger) {
  let told = ''
  return {
    tell(error: Error) {
      if (!(error instanceof OperatorError)) return log.debug({ err: error }, 'the queue met an error')
      if (error.message !== told) log.warn(`${error.message}; until then campaigns go by the tables alone`)
      told = error.message
    },
    isOver() {
      told = ''
    },
  }
}

/** The accounts nothing can be sent from until somebody does something, by what is in the way. */
const pausedParts = (accounts: readonly Account[]) =>
  accounts.flatMap(({ channel, externalId, pausedClass }) =>
    pausedClass === null
      ? []
      : [{ part: channel === 'zalo' ? ('zalo_token' as const) : channel, account: externalId, reason: pausedClass }],
  )

/** A platform that runs here has its phones here. */
function isOnThisMachine(apiUrl: string | undefined): boolean {
  return apiUrl !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(apiUrl).hostname)
}

/** What a village's code leads to; `telegramId` is the bot that runs. */
async function findVillagePage(
  { db }: Database,
  { typed, accounts, telegramId }: { typed: string; accounts: readonly Account[]; telegramId: number | undefined },
) {
  const village = await findUnitByJoinCode(db, typed)
  if (!village) return undefined
  const commune = await getCommune(db, village.communeId)
  const code = village.joinCode ?? ''
  const own = accounts.filter((item) => item.communeId === commune.id)
  return { village: unitTitle(village), commune: commune.name, code, chats: chatLinks(own, telegramId, code) }
}

/** How people reach a commune's accounts; `telegramId` is the bot that runs. */
function chatLinks(accounts: readonly Account[], telegramId: number | undefined, code: string): ChatLink[] {
  const zalo = accounts.find((item) => item.channel === 'zalo')
  const bot = accounts.find((item) => item.id === telegramId)
  return [
    ...(zalo ? [{ name: 'Zalo', url: `https://zalo.me/${zalo.externalId}`, carriesCode: false }] : []),
    ...(bot?.traits.username ? [{ name: 'Telegram', url: `https://t.me/${bot.traits.username}?start=${code}`, carriesCode: true }] : []),
  ]
}

async function campaignProgress({ db }: Database): Promise<CampaignProgress[]> {
  return await db.execute<CampaignProgress>(sql`
    SELECT c.id::int AS campaign, r.status, sum(r.n)::int AS n
    FROM campaign c JOIN recipient_count r ON r.commune_id = c.commune_id AND r.campaign_id = c.id
    WHERE c.state IN ('running', 'paused') GROUP BY c.id, r.status`)
}

async function countWaiting({ db }: Database): Promise<Record<string, number>> {
  const [row] = await db.execute<{ events: number; messages: number }>(sql`
    SELECT (SELECT count(*)::int FROM inbound_event WHERE handled_at IS NULL) AS events,
           (SELECT count(*)::int FROM outbound_message WHERE status = 'waiting') AS messages`)
  return { events: row?.events ?? 0, messages: row?.messages ?? 0 }
}

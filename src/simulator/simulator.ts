import { isDeepStrictEqual } from 'node:util'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { type AccountInput, AccountSettings } from './account.ts'
import { type AccountControls, createAccountControls } from './account-controls.ts'
import { apply } from './apply.ts'
import { createChats } from './chats.ts'
import { type Clock, createClock, createSchedule } from './clock.ts'
import { type CountersView, createCounters } from './counters.ts'
import { createFaults, type Faults } from './faults.ts'
import { createFileStore } from './file-store.ts'
import { noJournal, openJournal } from './journal.ts'
import { messageView } from './message-view.ts'
import { createPersonDoor } from './person/door.ts'
import { createPhones, type Phones } from './person/phones.ts'
import { registerAccountInfo } from './platform/account-info.ts'
import { registerArticles } from './platform/articles.ts'
import { registerFollowers } from './platform/followers.ts'
import { createGateway } from './platform/gateway.ts'
import { registerHistory } from './platform/history.ts'
import { registerOauth } from './platform/oauth.ts'
import { APP_PER_MINUTE, createRateLimiter } from './platform/rate.ts'
import { registerSending } from './platform/sending.ts'
import { createPlatformServer } from './platform/server.ts'
import { registerTemplates } from './platform/templates.ts'
import { createTokenBook } from './platform/tokens.ts'
import { registerUploads } from './platform/uploads.ts'
import { createRandom } from './random.ts'
import { createStore } from './store.ts'
import { createStreams } from './streams.ts'
import { createWebhookClient } from './webhook/client.ts'
import { createWebhookSender, RETRY_LADDER_MS } from './webhook/sender.ts'
import { createWorld, getAccount, type WorldRecord } from './world.ts'

export interface SimulatorOptions {
  accounts: AccountInput[]
  /** the time under the platform's clock; without it the machine's */
  clock?: { now(): number }
  /** append-only file that brings everything back after a restart; uploads lie in `<file>.files/` */
  journalFile?: string
  /** the same seed gives the same ids, as long as the same things happen */
  seed?: number
  /** where others reach the platform, for links in events; without it the address it listens on */
  publicUrl?: string
  /** requests a minute of one app over all its accounts */
  appPerMinute?: number
  /** pauses before the retries of an unacknowledged event */
  retryLadderMs?: number[]
  /** keep trying at the last pause instead of switching a webhook off */
  neverDisable?: boolean
  /** how long the webhook may take to answer */
  webhookTimeoutMs?: number
  /** how many events may be on their way together */
  webhookConcurrency?: number
  /** the path the person door is mounted under, for links in what phones read */
  phonePrefix?: string
  /** how long an article waits for review before it is broadcast */
  broadcastReviewMs?: number
  /** takes broadcasts at night too: for runs that cannot wait for the morning */
  broadcastsAtNight?: boolean
}

export interface Simulator extends SimulatorControls {
  /** the platform door; listen on a port of your choice */
  platform: FastifyInstance
  /** the person door; mount it under a prefix, usually `/phone` */
  personApi: FastifyPluginAsync
}

export interface SimulatorControls {
  account(oaId: string): AccountControls
  addAccount(settings: AccountInput): AccountControls
  people: Phones
  faults: Faults
  clock: Clock & {
    /** Moves the platform's time forward and runs, in order, what falls due on the way. */
    advance(ms: number): Promise<void>
    /** Runs what is due, after the given clock was moved from outside. */
    runDue(): Promise<void>
  }
  counters(): CountersView
  resetCounters(): void
  /** Resolves when every event is delivered or waits for its next try, and the journal is written. */
  flush(): Promise<void>
  close(): Promise<void>
}

// zalo.md 6.1
const WEBHOOK_TIMEOUT_MS = 2_000
// zalo.md 4.7: reviewed in about half an hour
const BROADCAST_REVIEW_MS = 30 * 60_000

export async function createSimulator(options: SimulatorOptions): Promise<Simulator> {
  const world = createWorld()
  let replayed = 0
  const journal = options.journalFile
    ? await openJournal(options.journalFile, (record) => {
        apply(world, record as WorldRecord)
        replayed++
      })
    : noJournal
  const store = createStore(world, journal)
  const clock = createClock(options.clock)
  const schedule = createSchedule(clock)
  // a seeded second life must not repeat the ids of the first
  const random = createRandom(options.seed === undefined ? undefined : options.seed + replayed)
  const faults = createFaults(random)
  const counters = createCounters()
  const files = createFileStore({ store, random, folder: options.journalFile && `${options.journalFile}.files` })
  const platform = await createPlatformServer({ files })
  const phonePrefix = options.phonePrefix ?? '/phone'
  const streams = createStreams((message) => messageView(message, `${phonePrefix}/files`))
  const client = createWebhookClient({
    timeoutMs: options.webhookTimeoutMs ?? WEBHOOK_TIMEOUT_MS,
    sockets: options.webhookConcurrency ?? 128,
  })
  const webhook = createWebhookSender({
    store,
    clock,
    schedule,
    random,
    client,
    faults: faults.webhooks,
    counters,
    retryLadderMs: options.retryLadderMs ?? RETRY_LADDER_MS,
    neverDisable: options.neverDisable ?? false,
    concurrency: options.webhookConcurrency ?? 128,
  })

  function linkOf(media: { fileId?: string; url?: string }): string {
    if (media.fileId === undefined) return media.url ?? ''
    const listening = platform.server.listening ? platform.listeningOrigin : 'http://localhost'
    return `${options.publicUrl ?? listening}/files/${media.fileId}`
  }

  const chats = createChats({ store, clock, random, webhook, streams, linkOf })
  const phones = createPhones({ store, clock, random, chats, webhook, files })
  const tokens = createTokenBook({ store, clock, random })
  const rate = createRateLimiter({ appPerMinute: options.appPerMinute ?? APP_PER_MINUTE })
  const gate = { store, clock, tokens, rate, faults: faults.calls, counters }
  const route = createGateway(platform, gate)
  registerOauth(platform, { store, clock, random, tokens, faults: faults.calls, counters })
  registerSending(route, {
    store,
    clock,
    schedule,
    random,
    chats,
    webhook,
    broadcastReviewMs: options.broadcastReviewMs ?? BROADCAST_REVIEW_MS,
    broadcastsAtNight: options.broadcastsAtNight ?? false,
  })
  registerUploads(route, { store, random, files })
  registerTemplates({ oa: route, business: createGateway(platform, gate, 'business') }, { store, chats })
  registerFollowers(route, { store, webhook })
  registerHistory(route, { store, linkOf })
  registerAccountInfo(route)
  registerArticles(route, { store, random })

  for (const input of options.accounts) addAccount(input)

  function addAccount(input: AccountInput): AccountControls {
    const settings = AccountSettings.parse(input)
    const known = world.accounts.get(settings.oaId)?.settings
    // an address saved in an earlier life stays unless the caller names one
    const webhookUrl = settings.webhookUrl ?? known?.webhookUrl
    const wanted = { ...settings, ...(webhookUrl !== undefined && { webhookUrl }) }
    if (!isDeepStrictEqual(wanted, known)) store.commit({ t: 'account', settings: wanted })
    return account(settings.oaId)
  }

  function account(oaId: string): AccountControls {
    return createAccountControls(getAccount(world, oaId), { store, random, tokens, webhook })
  }

  async function runDue() {
    do await webhook.idle()
    while (schedule.runDue() > 0)
    await webhook.idle()
  }

  const controls: SimulatorControls = {
    account,
    addAccount,
    people: phones,
    faults,
    clock: {
      ...clock,
      runDue,
      async advance(ms) {
        const target = clock.now() + ms
        await runDue()
        for (let next = schedule.next(); next !== undefined && next <= target; next = schedule.next()) {
          clock.setOffset(clock.offset() + Math.max(next - clock.now(), 0))
          await runDue()
        }
        clock.setOffset(clock.offset() + Math.max(target - clock.now(), 0))
        await runDue()
      },
    },
    counters: counters.read,
    resetCounters: counters.reset,
    async flush() {
      await webhook.idle()
      await store.written()
    },
    async close() {
      streams.close()
      await platform.close()
      webhook.close()
      schedule.close()
      await journal.close()
    },
  }
  webhook.resume()
  return { ...controls, platform, personApi: createPersonDoor({ controls, store, phones, streams, files, webhook }) }
}

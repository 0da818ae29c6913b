import type { Clock, Schedule } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { WebhookFaults } from '../faults.ts'
import type { Random } from '../random.ts'
import type { Store } from '../store.ts'
import { type Account, getAccount, type WaitingEvent } from '../world.ts'
import type { Outcome, WebhookClient } from './client.ts'
import { signatureOf } from './signature.ts'

/** An event before it is signed; `timestamp` is a string of milliseconds inside the body. */
export interface EventBody {
  app_id: string
  event_name: string
  timestamp: string
  [field: string]: unknown
}

export interface WebhookSender {
  /** Sends when the account has a webhook that wants this event; at once, on its own. */
  send(account: Account, body: EventBody, server?: 'OA OpenAPI' | 'ZNS'): void
  /** Saves the address as the console does: an unsigned `{}` must be answered with 200. `unchecked` saves it whatever the answer. */
  saveUrl(account: Account, url: string, options?: { unchecked?: boolean }): Promise<Outcome & { saved: boolean }>
  setEnabled(account: Account, enabled: boolean): void
  /** Sends again what an earlier life of the platform did not get acknowledged. */
  resume(): void
  /** Resolves when nothing is on its way; what waits for its next try does not count. */
  idle(): Promise<void>
  /** Events that still wait for an acknowledgement, the ones between two tries included. */
  waiting(): number
  close(): void
}

export interface SenderOptions {
  store: Store
  clock: Clock
  schedule: Schedule
  random: Random
  client: WebhookClient
  faults: WebhookFaults
  counters: Counters
  /** pauses before the first, second … retry */
  retryLadderMs: number[]
  /** keeps trying at the last pause instead of switching the webhook off */
  neverDisable: boolean
  /** how many posts may be on their way together */
  concurrency: number
}

// zalo.md 6.1: retries 30 s, 5 min, 15 min, 30 min, 1 h after the failure before
export const RETRY_LADDER_MS = [30_000, 5 * 60_000, 15 * 60_000, 30 * 60_000, 60 * 60_000]

interface Attempt {
  event: WaitingEvent
  retries: number
  signature: 'right' | 'wrong' | 'missing'
}

export function createWebhookSender(options: SenderOptions): WebhookSender {
  const { store, clock, schedule, random, client, faults, counters } = options
  const urls = new Map<string, URL>()
  // a queue with a moving head: shift() on a long array costs its length
  let queue: Attempt[] = []
  let head = 0
  let active = 0
  const idlers: (() => void)[] = []
  let closed = false
  // held back until that many later events went out
  let held: { attempt: Attempt; after: number }[] = []

  function send(account: Account, body: EventBody, server: 'OA OpenAPI' | 'ZNS' = 'OA OpenAPI') {
    const { settings } = account
    counters.event(body.event_name)
    if (!settings.webhookUrl || !settings.webhookEnabled || settings.eventsOff.includes(body.event_name)) {
      counters.webhook('dropped')
      return
    }
    const event = {
      id: random.hex(16),
      oaId: settings.oaId,
      event: body.event_name,
      server,
      body: JSON.stringify(body),
      timestamp: body.timestamp,
    }
    store.commit({ t: 'event', event })
    place(event)
  }

  function place(event: WaitingEvent) {
    const fault = faults.match(event)
    const attempt: Attempt = { event, retries: 0, signature: fault?.signature ?? 'right' }
    for (let copy = 1; copy < (fault?.copies ?? 1); copy++) enqueue({ ...attempt })
    if (fault?.delay_ms) schedule.at(clock.now() + fault.delay_ms, () => enqueue(attempt))
    else if (fault?.behind) held.push({ attempt, after: fault.behind })
    else enqueue(attempt)
    if (!fault?.behind && held.length > 0) releaseHeld()
  }

  function releaseHeld() {
    for (const item of held) item.after--
    const ready = held.filter((item) => item.after <= 0)
    held = held.filter((item) => item.after > 0)
    for (const { attempt } of ready) enqueue(attempt)
  }

  function enqueue(attempt: Attempt) {
    queue.push(attempt)
    pump()
  }

  function pump() {
    while (active < options.concurrency && head < queue.length) {
      const attempt = queue[head++]!
      active++
      void deliver(attempt).finally(() => {
        active--
        pump()
      })
    }
    if (head === queue.length) {
      queue = []
      head = 0
      if (active === 0) for (const resolve of idlers.splice(0)) resolve()
    }
  }

  async function deliver(attempt: Attempt) {
    const { event } = attempt
    const { settings } = getAccount(store.world, event.oaId)
    if (!settings.webhookUrl || !settings.webhookEnabled) return giveUp(event, 'dropped')
    const outcome = await client.post(urlOf(settings.webhookUrl), headersOf(attempt), event.body)
    // what was on its way at the end stays unacknowledged and is sent again in the next life
    if (closed) return
    counters.webhookAnswer('status' in outcome ? String(outcome.status) : 'failed')
    if ('status' in outcome && outcome.status === 200) return giveUp(event, 'delivered')
    fail(attempt)
  }

  function fail(attempt: Attempt) {
    const account = getAccount(store.world, attempt.event.oaId)
    if (!account.settings.webhookRetry) return giveUp(attempt.event, 'dropped')
    const ladder = options.retryLadderMs
    if (attempt.retries >= ladder.length && !options.neverDisable) {
      giveUp(attempt.event, 'dropped')
      setEnabled(account, false)
      return
    }
    const pause = ladder[Math.min(attempt.retries, ladder.length - 1)] ?? 0
    const again = { ...attempt, retries: attempt.retries + 1 }
    schedule.at(clock.now() + pause, () => enqueue(again))
  }

  function giveUp(event: WaitingEvent, outcome: 'delivered' | 'dropped') {
    counters.webhook(outcome)
    if (store.world.waitingEvents.has(event.id)) store.commit({ t: 'settled', id: event.id })
  }

  function headersOf({ event, retries, signature }: Attempt): Record<string, string> {
    const { appId, oaSecretKey } = getAccount(store.world, event.oaId).settings
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'user-agent': 'ZaloWebhook',
      'x-zevent-server': event.server,
    }
    const secret = signature === 'wrong' ? `${oaSecretKey}?` : oaSecretKey
    if (signature !== 'missing')
      headers['x-zevent-signature'] = signatureOf({ appId, body: event.body, timestamp: event.timestamp, oaSecretKey: secret })
    if (retries > 0) headers.num_retry = String(retries)
    return headers
  }

  function urlOf(text: string): URL {
    const url = urls.get(text) ?? new URL(text)
    urls.set(text, url)
    return url
  }

  function setEnabled(account: Account, webhookEnabled: boolean) {
    if (account.settings.webhookEnabled !== webhookEnabled)
      store.commit({ t: 'account', settings: { ...account.settings, webhookEnabled } })
  }

  return {
    send,
    setEnabled,
    async saveUrl(account, url, { unchecked = false } = {}) {
      const headers = { 'content-type': 'application/json', 'user-agent': 'ZaloWebhook' }
      const outcome = await client.post(new URL(url), headers, '{}')
      const saved = unchecked || ('status' in outcome && outcome.status === 200)
      if (saved) store.commit({ t: 'account', settings: { ...account.settings, webhookUrl: url, webhookEnabled: true } })
      return { ...outcome, saved }
    },
    resume() {
      for (const event of store.world.waitingEvents.values()) enqueue({ event, retries: 0, signature: 'right' })
    },
    idle: () => (active === 0 && head === queue.length ? Promise.resolve() : new Promise((resolve) => idlers.push(resolve))),
    waiting: () => store.world.waitingEvents.size,
    close() {
      closed = true
      queue = []
      head = 0
      held = []
      client.close()
    },
  }
}

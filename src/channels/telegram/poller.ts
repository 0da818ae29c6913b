import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { TelegramClient } from './client.ts'
import { TelegramCallError } from './failure.ts'
import { ALLOWED_UPDATES } from './webhook.ts'

/** Fetches updates where Telegram cannot reach us. One process of all does it: the one that leads. */
export type TelegramPoller = {
  start(): void
  /** Ends the open poll, waits for what is being stored, and tells Telegram what need not come again. */
  stop(): Promise<void>
}

export type PollerProblem =
  /** Will be tried again in `retryMs`. */
  | { kind: 'trouble'; class: string; retryMs: number }
  /** Somebody else polls with this token, or set a webhook: a mistake of configuration. Will be tried again in `retryMs`. */
  | { kind: 'conflict'; retryMs: number }
  /** The token is no longer good; polling has ended. */
  | { kind: 'dead_token' }
  /** `onUpdates` threw: the same updates will be offered again in `retryMs`. */
  | { kind: 'not_stored'; error: unknown; retryMs: number }

type Options = {
  telegram: TelegramClient
  /** Resolves when the updates are stored; only then does Telegram forget them. May get an update again. */
  onUpdates(updates: unknown[]): Promise<void>
  isLeader(): Promise<boolean>
  onProblem(problem: PollerProblem): void
  /** Telegram has answered a poll, with updates or without. */
  onAnswer?(): void
  /** Waits; rejects or resolves early when the signal says so. An argument for the tests' sake. */
  wait?: (ms: number, signal: AbortSignal) => Promise<void>
  /** How long Telegram holds an empty answer back. */
  pollSeconds?: number
}

// Telegram accepts less than a minute; 50 is telegraf's choice too
const POLL_SECONDS = 50
// What an answer may take on top of the time it was held back
const ANSWER_MS = 15_000
const LEADER_CHECK_MS = 5_000
const FIRST_BACKOFF_MS = 1_000
const MAX_BACKOFF_MS = 60_000
const CONFLICT_RETRY_MS = 30_000

const Batch = z.array(z.unknown())
const Numbered = z.object({ update_id: z.number().int() })

export function createTelegramPoller(options: Options): TelegramPoller {
  const { telegram, onUpdates, isLeader, onProblem, pollSeconds = POLL_SECONDS } = options
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }))
  const stopping = new AbortController()
  let running: Promise<void> | undefined
  /** The first update not yet stored. Absent once Telegram has heard it: ids start anew at random after a week of silence. */
  let offset: number | undefined

  return {
    start() {
      running ??= run()
    },
    async stop() {
      stopping.abort()
      await running
    },
  }

  async function run(): Promise<void> {
    let failures = 0
    let leading = false
    while (!stopping.signal.aborted) {
      try {
        if (!(await isLeader())) {
          leading = false
          await pause(LEADER_CHECK_MS)
          continue
        }
        // Polling is refused while a webhook is set, and one may be left from a time when there was a public address. Once only: one set
        // after this is somebody else's, and we do not fight over it.
        if (!leading) await telegram.call('deleteWebhook', {}, { signal: stopping.signal })
        leading = true
        await takeBatch()
        failures = 0
        options.onAnswer?.()
      } catch (error) {
        if (stopping.signal.aborted) break
        const backoffMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures++)
        const problem = describeProblem(error, backoffMs)
        onProblem(problem)
        if (problem.kind === 'dead_token') return
        await pause(problem.retryMs)
      }
    }
    await confirm()
  }

  async function takeBatch(): Promise<void> {
    const answer = await telegram.call(
      'getUpdates',
      { timeout: pollSeconds, allowed_updates: ALLOWED_UPDATES, ...(offset !== undefined && { offset }) },
      { timeoutMs: pollSeconds * 1_000 + ANSWER_MS, signal: stopping.signal },
    )
    offset = undefined
    const updates = Batch.parse(answer)
    if (updates.length === 0) return
    await store(updates)
    const ids = updates.flatMap((update) => Numbered.safeParse(update).data?.update_id ?? [])
    if (ids.length > 0) offset = Math.max(...ids) + 1
  }

  async function store(updates: unknown[]): Promise<void> {
    try {
      await onUpdates(updates)
    } catch (error) {
      throw new NotStoredError(error)
    }
  }

  /** Without it the last batch would come again after the next start: no harm, but needless. */
  async function confirm(): Promise<void> {
    if (offset === undefined) return
    await telegram.call('getUpdates', { offset, limit: 1, timeout: 0 }).catch(() => undefined)
  }

  async function pause(ms: number): Promise<void> {
    await wait(ms, stopping.signal).catch(() => undefined)
  }
}

class NotStoredError extends Error {
  override name = 'NotStoredError'
  constructor(cause: unknown) {
    super('updates were not stored', { cause })
  }
}

function describeProblem(error: unknown, backoffMs: number): PollerProblem {
  if (error instanceof NotStoredError) return { kind: 'not_stored', error: error.cause, retryMs: backoffMs }
  if (!(error instanceof TelegramCallError)) return { kind: 'trouble', class: 'unexpected', retryMs: backoffMs }
  const { class: failureClass, retryAfterMs = 0 } = error.failure
  if (failureClass === 'dead_token') return { kind: 'dead_token' }
  if (failureClass === 'conflict') return { kind: 'conflict', retryMs: CONFLICT_RETRY_MS }
  return { kind: 'trouble', class: failureClass, retryMs: Math.max(backoffMs, retryAfterMs) }
}

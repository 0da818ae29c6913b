import { eq } from 'drizzle-orm'
import type { Logger } from 'pino'
import { campaign } from '../db/schema.ts'
import { startScheduled } from '../outreach/campaign.ts'
import type { OutreachDeps } from '../outreach/deps.ts'
import { listenToLanes } from '../outreach/lane-bell.ts'
import type { Sender } from '../outreach/sender.ts'
import { askUncertain, findWork, sweepCampaigns } from '../outreach/sweep-campaigns.ts'
import type { Queues } from '../queue/queue.ts'

/**
 * What campaigns wait for. The queue brings it about at the right moment; the sweep is a plain timer in every worker and finds in the
 * tables whatever the queue has lost, so nothing depends on the queue's store.
 */
export type OutreachJobs = {
  /** Whether the queue's store can be used. */
  isQueueUsable(): boolean
  start(): void
  stop(): Promise<void>
}

type Options = {
  deps: OutreachDeps
  sender: Sender
  /** Opens the queue; its drivers and its store may be away, and campaigns run without it. */
  openQueues: () => Promise<Queues>
  log: Logger
  /** How often the tables and the queue are looked after, ms. */
  everyMs?: { sweep: number; fill: number; reopen: number }
}

const EVERY_MS = {
  // The account that may send again, and what a dead process was sending, are found within so long
  sweep: 2_000,
  // What was scheduled, or lost by the queue's store, is in the queue again within so long
  fill: 20_000,
  reopen: 10_000,
}
const SCHEDULES = [{ id: 'finish-campaigns', name: 'finish', everyMs: 60_000 }]

export function createOutreachJobs({ deps, sender, openQueues, log, everyMs = EVERY_MS }: Options): OutreachJobs {
  let queues: Queues | undefined
  let asking: Promise<void> | undefined
  let stopped = false
  const timers = new Set<NodeJS.Timeout>()

  /** Runs again so long after it ended, whatever happens in it; the first time after `firstMs`. */
  function every(ms: number, run: () => Promise<void>, what: string, firstMs = ms): void {
    let trouble = ''
    const next = (waitMs: number) => {
      if (stopped) return
      const timer = setTimeout(async () => {
        timers.delete(timer)
        try {
          await run()
          trouble = ''
        } catch (error) {
          // Told once: the database may be away for a while
          const said = error instanceof Error ? error.message : String(error)
          if (said !== trouble) log.warn({ err: error }, `${what} failed; it runs again`)
          trouble = said
        }
        next(ms)
      }, waitMs)
      timers.add(timer)
    }
    next(firstMs)
  }

  async function open(): Promise<void> {
    if (queues || stopped) return
    const opened = await openQueues()
    if (stopped) return opened.close()
    await opened.work({
      async start(data) {
        await startScheduled(deps, Number(data.campaignId))
      },
      finish: () => sweepCampaigns(deps),
    })
    queues = opened
    await fillQueue()
  }

  async function sweep(): Promise<void> {
    const { open, uncertain } = await findWork(deps)
    if (uncertain && !asking) {
      // A chat of a slow platform is asked for long; campaigns do not wait for it
      asking = askUncertain(deps)
        .catch((error) => log.warn({ err: error }, 'asking after uncertain messages failed; they are asked after again'))
        .finally(() => {
          asking = undefined
        })
    }
    if (!open) return
    await sweepCampaigns(deps)
    await sender.look()
  }

  /** Puts into the queue what the tables say is to come; what is there already stays once. */
  async function fillQueue(): Promise<void> {
    if (!queues) return
    await queues.ensureSchedules(SCHEDULES)
    const now = deps.now().getTime()
    const scheduled = await deps.database.db
      .select({ id: campaign.id, at: campaign.scheduledAt })
      .from(campaign)
      .where(eq(campaign.state, 'scheduled'))
    for (const { id, at } of scheduled) {
      const atMs = at?.getTime() ?? now
      await queues.add({ name: 'start', id: [id, atMs], data: { campaignId: id }, delayMs: Math.max(0, atMs - now) })
    }
  }

  /** One whose store has lost its tables is opened anew, which makes them. */
  async function refillQueue(): Promise<void> {
    try {
      await fillQueue()
    } catch (error) {
      const lost = queues
      queues = undefined
      lost?.close().catch(() => {})
      await open()
      log.warn({ err: error }, 'the queue could not be used and was opened anew')
    }
  }

  return {
    isQueueUsable: () => queues !== undefined,
    start() {
      void listenToLanes(deps.instance, (accountId) => sender.wake(accountId))
      // A campaign that a crash has interrupted goes on at once
      every(everyMs.sweep, sweep, 'the sweep of campaigns', 0)
      every(everyMs.reopen, open, 'opening the queue')
      every(everyMs.fill, refillQueue, 'filling the queue')
      void open().catch((error) => log.warn({ err: error }, 'the queue cannot be opened yet; campaigns run without it'))
    },
    async stop() {
      stopped = true
      for (const timer of timers) clearTimeout(timer)
      await asking
      await sender.close()
      await queues?.close()
    },
  }
}

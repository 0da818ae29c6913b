import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { account as accountTable } from '../db/schema.ts'
import type { SendOutcome } from '../model/outbound.ts'
import { loadSettings } from '../registry/settings.ts'
import { getCommune } from '../registry/units.ts'
import { pauseCampaign } from './campaign.ts'
import { activeBatches, claimBatch, type SendingAccount } from './claim-batch.ts'
import type { OutreachDeps } from './deps.ts'
import { moveRows } from './ledger.ts'
import { limitRefused, paceLimits } from './limits.ts'
import { markResults, type Result } from './mark-results.ts'
import type { Pace } from './pace.ts'
import { sendClaimed } from './send-claimed.ts'

/** Sends what campaigns have to send, account by account: each has a loop of its own, so that a slow one slows nobody. */
export type Sender = {
  /** Begins with an account that has something to send; one that is being served already goes on. */
  wake(accountId: number): void
  /** Finds accounts with something to send and wakes them. */
  look(): Promise<void>
  /** Resolves when no loop runs. */
  idle(): Promise<void>
  /** Claims no more, waits for what is in flight. */
  close(): Promise<void>
}

// Requests of one account under way at once; with an answer in 20 ms still 3,000 a second, and the fastest true account needs twenty. As many
// again made nothing faster and doubled what a broadcast holds in memory
const IN_FLIGHT = 64
// Small claims cost a commit each: while many are under way, the next claim waits for so many free places
const CLAIM_AT = 32
// Tokens of a fast account gather for so long, so that a claim is worth its commit
const SHORTEST_WAIT_MS = 40
const SETTINGS_KEPT_MS = 5_000
// A loop that was told to wait looks again this often: the campaign may be paused, the pace raised
const LONGEST_WAIT_MS = 2_000
const AFTER_ERROR_MS = 500
const MARK_RETRY_MS = 200

/** The serving of one account: `onRing` ends its waiting, `rung` says that somebody rang since it last looked. */
type Loop = { rung: boolean; onRing: () => void; done: Promise<void> }

export function createSender(deps: OutreachDeps & { pace: Pace }): Sender {
  const loops = new Map<number, Loop>()
  let closed = false

  function wake(accountId: number): void {
    if (closed) return
    const running = loops.get(accountId)
    if (running) {
      running.rung = true
      running.onRing()
      return
    }
    const loop: Loop = { rung: false, onRing: () => {}, done: Promise.resolve() }
    loops.set(accountId, loop)
    loop.done = serve(accountId, loop)
      .catch((error) => deps.log.error({ err: error, account: accountId }, 'the sending of an account stopped; it begins again'))
      .finally(() => {
        loops.delete(accountId)
        // Rung for after it had looked for the last time
        if (loop.rung) wake(accountId)
      })
  }

  /** One account until nothing is left to claim and nothing is under way. */
  async function serve(accountId: number, loop: Loop): Promise<void> {
    let account = await loadAccount(deps, accountId)
    let loadedAt = performance.now()
    const channel = account && (await deps.channelOf(accountId))
    if (!account || !channel) return
    const book = createBook(deps, () => account as SendingAccount)
    let inFlight = 0
    // Rung by every result, and by whoever wakes the account: the two waits below end on different bells
    let onResult = () => {}
    const waitForResult = () =>
      new Promise<void>((resolve) => {
        onResult = resolve
      })
    const waitForTurn = (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        loop.onRing = () => {
          clearTimeout(timer)
          resolve()
        }
      })

    while (!closed) {
      if (performance.now() - loadedAt > SETTINGS_KEPT_MS) {
        account = (await loadAccount(deps, accountId).catch(() => account)) ?? account
        loadedAt = performance.now()
      }
      const free = IN_FLIGHT - inFlight
      if (free < CLAIM_AT) {
        await waitForResult()
        continue
      }
      const batchId = randomUUID()
      activeBatches.add(batchId)
      loop.rung = false
      let claim: Awaited<ReturnType<typeof claimBatch>>
      try {
        claim = await claimBatch(deps, { account, channel, most: free, batchId })
      } catch (error) {
        // Whether the claim was committed nobody knows: what it holds was not sent and is released by the sweep
        activeBatches.delete(batchId)
        deps.log.warn({ err: error, account: accountId }, 'nothing could be claimed; it is tried again')
        await waitForTurn(AFTER_ERROR_MS)
        continue
      }
      if (claim.kind === 'claimed') {
        const sender = account
        book.open(batchId, claim.items.length)
        for (const item of claim.items) {
          inFlight++
          void sendClaimed(deps, { account: sender, channel, item }).then(async ({ result, outcome }) => {
            // Still in flight until it is through: a pause must not come after somebody has resumed
            if (outcome.kind !== 'sent') await react(deps, sender, result, outcome)
            inFlight--
            book.add(result)
            onResult()
          })
        }
        continue
      }
      activeBatches.delete(batchId)
      if (claim.kind === 'wait') await waitForTurn(Math.min(Math.max(claim.ms, SHORTEST_WAIT_MS), LONGEST_WAIT_MS))
      else if (inFlight > 0) await waitForResult()
      else if (!book.isEmpty()) await book.settled()
      else return
    }
    while (inFlight > 0) await waitForResult()
    await book.settled()
  }

  return {
    wake,
    async look() {
      const at = deps.now().toISOString()
      const rows = await deps.database.sql<{ account_id: number }[]>`
        SELECT DISTINCT l.account_id FROM campaign c JOIN campaign_lane l ON l.campaign_id = c.id
        WHERE c.state = 'running' AND (NOT l.exhausted OR EXISTS (
          SELECT 1 FROM recipient r WHERE r.account_id = l.account_id AND r.not_before <= ${at}::timestamptz AND r.campaign_id + 0 = l.campaign_id
            AND r.commune_id + 0 = l.commune_id AND r.status = 'waiting'))`
      for (const row of rows) wake(row.account_id)
    },
    async idle() {
      while (loops.size > 0) await Promise.all([...loops.values()].map((loop) => loop.done))
    },
    async close() {
      closed = true
      for (const loop of loops.values()) loop.onRing()
      await Promise.all([...loops.values()].map((loop) => loop.done))
    },
  }
}

/** Collects results while the last ones are being recorded, and records them together, however long the database is away. */
function createBook(deps: OutreachDeps & { pace: Pace }, accountOf: () => SendingAccount) {
  const left = new Map<string, number>()
  let waiting: Result[] = []
  let writing: Promise<void> | undefined

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const results = waiting
      waiting = []
      const doneBatches: string[] = []
      for (const { batchId } of results) {
        const n = (left.get(batchId) ?? 1) - 1
        if (n > 0) left.set(batchId, n)
        else {
          left.delete(batchId)
          doneBatches.push(batchId)
        }
      }
      const recent = await record(results, doneBatches)
      for (const id of doneBatches) activeBatches.delete(id)
      for (const [campaignId, last] of recent) await pauseAtFailures(deps, accountOf(), campaignId, last)
    }
    writing = undefined
  }

  async function record(results: Result[], doneBatches: string[]): Promise<Map<number, string>> {
    for (;;) {
      try {
        return await markResults(deps, { account: accountOf(), results, doneBatches })
      } catch (error) {
        deps.log.warn({ err: error, results: results.length }, 'results could not be recorded yet')
        await new Promise((resolve) => setTimeout(resolve, MARK_RETRY_MS))
      }
    }
  }

  return {
    open: (batchId: string, size: number) => left.set(batchId, size),
    add(result: Result) {
      waiting.push(result)
      writing ??= Promise.resolve().then(write)
    },
    isEmpty: () => waiting.length === 0 && writing === undefined,
    settled: () => writing ?? Promise.resolve(),
  }
}

/** A campaign stops itself when too many of its last messages failed, and says how many. */
async function pauseAtFailures(deps: OutreachDeps, { settings }: SendingAccount, campaignId: number, recent: string): Promise<void> {
  const of = settings.get('campaign.pause_after')
  const failed = [...recent].filter((one) => one === '1').length
  if (failed < (of * settings.get('campaign.pause_at_failures')) / 100) return
  const detail = `${failed}/${recent.length}`
  await pauseCampaign(deps, { campaignId, actor: 'system', reason: { class: 'failures', detail } }).catch((error) =>
    deps.log.warn({ err: error, campaign: campaignId }, 'a campaign whose failures pile up could not be paused yet'),
  )
}

/** What an answer means beyond its own row. */
async function react(deps: OutreachDeps & { pace: Pace }, account: SendingAccount, result: Result, outcome: SendOutcome): Promise<void> {
  try {
    if (outcome.kind === 'retry') {
      const limit = limitRefused(paceLimits(account, account.settings), outcome.class)
      if (limit) await deps.pace.hold(limit.key, outcome.notBeforeMs)
    }
    if (outcome.kind === 'failed' && outcome.everybody) await failTemplates(deps, account, result.campaignId, outcome.class)
    if (outcome.kind === 'account_paused') {
      await pauseCampaign(deps, { campaignId: result.campaignId, actor: 'system', reason: { class: 'account', detail: outcome.class } })
      await deps.database.db
        .update(accountTable)
        .set({ pausedClass: outcome.class, pausedAt: deps.now() })
        .where(eq(accountTable.id, account.id))
      deps.log.error({ account: account.id, class: outcome.class }, 'the account cannot send until somebody acts; its campaigns pause')
    }
  } catch (error) {
    deps.log.warn({ err: error, account: account.id }, 'what an answer means for the account could not be kept')
  }
}

/** No template can go to anybody: those that wait are not tried one by one, and the other ways of the campaign go on. */
async function failTemplates({ database, log }: OutreachDeps, account: SendingAccount, campaignId: number, reason: string): Promise<void> {
  const failed = await database.sql.begin((tx) =>
    moveRows(tx, {
      communeId: account.communeId,
      campaignId,
      where: tx`r.status = 'waiting' AND r.route = 'zbs'
        AND r.person_id NOT IN (SELECT unnest(person_ids) FROM recipient_batch WHERE campaign_id = ${campaignId})`,
      set: tx`status = 'failed', class = ${reason}, not_before = NULL`,
    }),
  )
  log.error({ account: account.id, class: reason, failed }, 'templates by phone cannot be sent until somebody acts')
}

async function loadAccount({ database }: OutreachDeps, accountId: number): Promise<SendingAccount | undefined> {
  const [row] = await database.db.select().from(accountTable).where(eq(accountTable.id, accountId))
  if (!row) return undefined
  const [settings, commune] = await Promise.all([loadSettings(database.db, row.communeId), getCommune(database.db, row.communeId)])
  return {
    id: row.id,
    channel: row.channel,
    appId: row.appId,
    traits: row.traits,
    communeId: row.communeId,
    commune: commune.name,
    settings,
  }
}

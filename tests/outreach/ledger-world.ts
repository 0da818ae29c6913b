import { randomUUID } from 'node:crypto'
import { setImmediate as breathe } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Database } from '../../src/db/connect.ts'
import { livingInstances } from '../../src/db/instance.ts'
import { vietnamTime } from '../../src/lib/vietnam-time.ts'
import { cancelCampaign, pauseCampaign, resumeCampaign, retryClass } from '../../src/outreach/campaign.ts'
import { settleCampaignEcho } from '../../src/outreach/campaign-echo.ts'
import { activeBatches, type ClaimedRecipient, claimBatch, type SendingAccount } from '../../src/outreach/claim-batch.ts'
import { markResults, type Result } from '../../src/outreach/mark-results.ts'
import { meetNotices } from '../../src/outreach/meet.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
import { sendClaimed } from '../../src/outreach/send-claimed.ts'
import { askUncertain, sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { listUncertain, settleByHand } from '../../src/outreach/uncertain.ts'
import { loadSettings } from '../../src/registry/settings.ts'
import { createTestOutreach, MORNING, type Seeded, startTestCampaign, type TestOutreach } from './commune.ts'
import { FAULTS, type startFaultyZalo } from './faulty-zalo.ts'

/** How a step ends that commits: the process dies before or after the commit, or lives and never learns that it took place. */
type Dies = 'no' | 'before_commit' | 'after_commit' | 'answer_lost'
export type Step =
  | { do: 'claim' | 'record'; process: number; most: number; dies: Dies }
  | { do: 'send'; process: number; most: number; faults: (number | null)[] }
  | { do: 'kill' | 'sweep' | 'ask'; process: number }
  | { do: 'pass'; minutes: number }
  | { do: 'write' | 'stop'; who: number }
  | { do: 'echo'; which: number }
  | { do: 'pause' | 'resume' | 'cancel'; campaign: number }
  | { do: 'retry' | 'settle'; campaign: number; place: number }

export const PEOPLE = 10
const TEXTS = ['Một', 'Hai']
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const FREE_MS = 48 * 3_600_000
// What a status may turn into; whatever waits may become anything
const FINAL = {
  waiting: undefined,
  sent: [],
  skipped: [],
  expired: [],
  cancelled: [],
  failed: ['waiting'],
  uncertain: ['sent', 'waiting', 'cancelled'],
}
const MOST_ROUNDS = 120

class DeathError extends Error {}

/** One process of the bot: what it holds in memory is gone when it dies. */
type Living = {
  deps: TestOutreach
  channel: ReturnType<Awaited<ReturnType<typeof startFaultyZalo>>['channel']>
  mortal: { dies: Dies }
  claimed: ClaimedRecipient[]
  results: Result[]
  /** Of the results, those that are recorded, which the process does not know: it records them again. */
  told: Set<Result>
  left: Map<string, number>
}

type Row = {
  campaign_id: number
  person_id: number
  user_id: string
  status: keyof typeof FINAL
  route: string
  class: string | null
  held: boolean
  later: boolean
}

type Options = {
  url: string
  database: Database
  seeded: Seeded
  zalo: Awaited<ReturnType<typeof startFaultyZalo>>
  setClock: (at: Date) => void
  campaigns: number
  perWeek: number
  /** Whose window is closed at the start. */
  silent: number[]
}

/** Two processes, ten people, one or two campaigns, and a platform that fails as it is told; see `check` for what must hold. */
export async function createLedgerWorld({ url, database, seeded, zalo, setClock, campaigns, perWeek, silent }: Options) {
  const { sql } = database
  let clock = MORNING
  const living: Living[] = []
  const before = new Map<string, Row['status']>()
  let everUncertain = 0
  let inFlightAtDeaths = 0

  function setTime(at: Date): void {
    clock = at
    setClock(at)
    for (const one of living) one.deps.clock.now = at
  }

  async function born(): Promise<Living> {
    const mortal: Living['mortal'] = { dies: 'no' }
    const channel = zalo.channel()
    const deps = await createTestOutreach(url, () => channel, { now: clock, database: withDeaths(database, mortal) })
    return { deps, channel, mortal, claimed: [], results: [], told: new Set(), left: new Map() }
  }

  /** Without a word: whatever it was sending is in flight for ever. */
  async function kill(place: number): Promise<void> {
    const dead = living[place]!
    const [unknown] = await sql<{ n: number }[]>`
      SELECT coalesce(sum(cardinality(person_ids)), 0)::int AS n FROM recipient_batch
      WHERE claimed_by = ${dead.deps.instance.id} AND id <> ALL (${[...dead.left.keys()]}::text[])`
    inFlightAtDeaths += dead.claimed.length + dead.results.filter((result) => !dead.told.has(result)).length + (unknown?.n ?? 0)
    await dead.deps.instance.close()
    while ((await livingInstances(database)).includes(dead.deps.instance.id)) await breathe()
    living[place] = await born()
  }

  /** Whether the process still lives after what it just committed. */
  async function survives(place: number, dies: Dies, run: () => Promise<void>): Promise<boolean> {
    const one = living[place]!
    one.mortal.dies = dies
    try {
      await run()
      return true
    } catch (error) {
      if (!(error instanceof DeathError)) throw error
      if (dies !== 'answer_lost') await kill(place)
      return false
    } finally {
      one.mortal.dies = 'no'
    }
  }

  async function account(): Promise<SendingAccount> {
    const settings = await loadSettings(database.db, seeded.communeId)
    const { communeId, accountId: id } = seeded
    return { id, channel: 'zalo', appId: 'app-1', traits: { perMinute: 10_000_000 }, communeId, commune: 'Xê', settings }
  }

  async function claim(place: number, most: number, dies: Dies): Promise<void> {
    const one = living[place]!
    const batchId = randomUUID()
    activeBatches.add(batchId)
    let items: ClaimedRecipient[] = []
    const sender = await account()
    const alive = await survives(place, dies, async () => {
      const outcome = await claimBatch(one.deps, { account: sender, channel: one.channel, most, batchId })
      if (outcome.kind === 'claimed') items = outcome.items
    })
    if (!alive || items.length === 0) {
      activeBatches.delete(batchId)
      return
    }
    for (const item of items) await judgeClaim(item)
    one.claimed.push(...items)
    one.left.set(batchId, items.length)
  }

  /** By the tables and the clock alone, in another way than the gate: may this message leave now, and is it nobody else's? */
  async function judgeClaim({ campaignId, row }: ClaimedRecipient): Promise<void> {
    const { hour } = vietnamTime(clock)
    expect(hour >= 7 && hour < 21, `claimed at ${hour} o'clock`).toBe(true)
    const [contact] = await sql<{ silent_ms: number; stopped: boolean; dead: boolean }[]>`
      SELECT extract(epoch FROM ${clock.toISOString()}::timestamptz - last_inbound_at)::float8 * 1000 AS silent_ms, stopped_at IS NOT NULL AS stopped,
        unreachable_class IS NOT NULL AS dead FROM contact WHERE channel_user_id = ${row.channelUserId}`
    expect(contact).toMatchObject({ stopped: false, dead: false })
    expect(contact!.silent_ms).toBeLessThan(FREE_MS)
    const held = living.flatMap((one) => [
      ...one.claimed.map((item) => `${item.campaignId} ${item.row.personId}`),
      ...one.results.filter((result) => !one.told.has(result)).map((result) => `${result.campaignId} ${result.personId}`),
    ])
    expect(held).not.toContain(`${campaignId} ${row.personId}`)
  }

  async function send(place: number, most: number, faults: (number | null)[]): Promise<void> {
    const one = living[place]!
    const sender = await account()
    zalo.meet(faults.flatMap((fault) => (fault === null ? [] : [FAULTS[fault]!])))
    for (const item of one.claimed.splice(0, most)) {
      const { result, outcome } = await sendClaimed(one.deps, { account: sender, channel: one.channel, item })
      one.results.push(result)
      if (outcome.kind === 'account_paused')
        await pauseCampaign(one.deps, { campaignId: item.campaignId, actor: 'system', reason: { class: 'account', detail: outcome.class } })
    }
    zalo.meet([])
  }

  async function record(place: number, most: number, dies: Dies): Promise<void> {
    const one = living[place]!
    const results = one.results.slice(0, most)
    if (results.length === 0) return
    const left = new Map(one.left)
    const doneBatches: string[] = []
    for (const { batchId } of results) {
      const n = (left.get(batchId) ?? 1) - 1
      left.set(batchId, n)
      if (n === 0) doneBatches.push(batchId)
    }
    const sender = await account()
    const alive = await survives(place, dies, async () => {
      await markResults(one.deps, { account: sender, results, doneBatches })
      one.results = one.results.slice(results.length)
      one.left = new Map([...left].filter(([, n]) => n > 0))
    })
    if (dies === 'answer_lost') for (const result of results) one.told.add(result)
    if (alive) for (const id of doneBatches) activeBatches.delete(id)
  }

  const idOf = (campaign: number) => ids[campaign % ids.length]!
  const arrivals = (row: Row) =>
    zalo.arrived.filter((message) => message.userId === row.user_id && message.text === TEXTS[ids.indexOf(row.campaign_id)]).length

  async function rows(): Promise<Row[]> {
    return sql<Row[]>`
      SELECT r.campaign_id, r.person_id::float8 AS person_id, c.channel_user_id AS user_id, r.status, r.route, r.class, r.not_before IS NOT NULL AS later,
        EXISTS (SELECT 1 FROM recipient_batch b WHERE b.campaign_id = r.campaign_id AND r.person_id = ANY (b.person_ids)) AS held
      FROM recipient r JOIN contact c ON c.person_id = r.person_id ORDER BY r.campaign_id, r.person_id`
  }

  async function take(step: Step): Promise<void> {
    const deps = living[0]!.deps
    const actor = 'cli'
    switch (step.do) {
      case 'claim':
        return claim(step.process, step.most, step.dies)
      case 'send':
        return send(step.process, step.most, step.faults)
      case 'record':
        return record(step.process, step.most, step.dies)
      case 'kill':
        return kill(step.process)
      case 'sweep':
        return sweepCampaigns(living[step.process]!.deps)
      case 'ask':
        return askUncertain(living[step.process]!.deps)
      case 'pass':
        return setTime(new Date(clock.getTime() + step.minutes * MINUTE_MS))
      case 'write':
        return write(step.who)
      case 'stop':
        await sql`UPDATE contact SET stopped_at = ${clock.toISOString()}::timestamptz WHERE channel_user_id = ${`u${step.who + 1}`}`
        return
      case 'echo':
        return echo(step.which)
      case 'pause':
        await pauseCampaign(deps, { campaignId: idOf(step.campaign), actor })
        return
      case 'resume':
        await resumeCampaign(deps, { campaignId: idOf(step.campaign), actor })
        return
      case 'cancel':
        await cancelCampaign(deps, { campaignId: idOf(step.campaign), actor })
        return
      case 'retry': {
        const failed = (await campaignProgress(deps, idOf(step.campaign)))?.classes.filter((item) => item.status === 'failed')[step.place]
        if (failed) await retryClass(deps, { campaignId: idOf(step.campaign), class: failed.class, actor })
        return
      }
      case 'settle':
        return settle(idOf(step.campaign), step.place)
      default:
        return step satisfies never
    }
  }

  /** Somebody writes: their window is open again, and what waited for them is due. */
  async function write(who: number): Promise<void> {
    await database.db.transaction(async (tx) => {
      const [contact] = await sql<{ id: number; person_id: number; stopped: boolean }[]>`
        UPDATE contact SET last_inbound_at = ${clock.toISOString()}::timestamptz, unreachable_class = NULL WHERE channel_user_id = ${`u${who + 1}`}
        RETURNING id::float8 AS id, person_id::float8 AS person_id, stopped_at IS NOT NULL AS stopped`
      if (contact && !contact.stopped)
        await meetNotices(
          tx,
          { id: contact.id, communeId: seeded.communeId, accountId: seeded.accountId, personId: contact.person_id },
          clock,
        )
    })
  }

  /** The platform reports one of the messages that arrived, once more or for the first time. */
  async function echo(which: number): Promise<void> {
    const message = zalo.arrived[which % Math.max(1, zalo.arrived.length)]
    if (!message) return
    const [contact] = await sql<{ id: number; person_id: number }[]>`
      SELECT id::float8 AS id, person_id::float8 AS person_id FROM contact WHERE channel_user_id = ${message.userId}`
    const met = { id: contact!.id, communeId: seeded.communeId, accountId: seeded.accountId, personId: contact!.person_id }
    await database.db.transaction((tx) => settleCampaignEcho(tx, met, message, new Date(message.atMs)))
  }

  /** An officer asked the person, who looks at the phone and says what is true. */
  async function settle(campaignId: number, place: number): Promise<void> {
    const deps = living[0]!.deps
    const open = (await listUncertain(deps, { campaignId }))[place]
    const row = open && (await rows()).find((one) => one.campaign_id === campaignId && one.person_id === open.personId)
    if (row) await settleByHand(deps, { campaignId, personId: row.person_id, arrived: arrivals(row) > 0, actor: 'cli' })
  }

  async function check(): Promise<void> {
    const all = await rows()
    const key = (row: { campaign_id: number; status: string; route: string; class: string | null }) =>
      `${row.campaign_id} ${row.status} ${row.route} ${row.class ?? ''}`
    const summed: Record<string, number> = {}
    for (const row of all) summed[key(row)] = (summed[key(row)] ?? 0) + 1
    const counts = await sql<{ campaign_id: number; status: string; route: string; class: string; n: number }[]>`
      SELECT campaign_id, status, route, class, n FROM recipient_count WHERE n <> 0`
    expect(Object.fromEntries(counts.map((row) => [key(row), row.n])), 'the counts are those of the rows').toEqual(summed)
    expect(all.length, 'one row a person').toBe(ids.length * PEOPLE)
    for (const row of all) {
      const what = `${TEXTS[ids.indexOf(row.campaign_id)]} to ${row.user_id}: ${JSON.stringify(row)}`
      const n = arrivals(row)
      expect(n, `${what} arrived`).toBeLessThanOrEqual(1)
      if (row.status === 'sent') expect(n, `${what} never arrived`).toBe(1)
      if (n === 1 && row.status !== 'sent' && row.status !== 'uncertain')
        expect(row, `${what} has arrived`).toMatchObject({ status: 'waiting', held: true })
      const last = before.get(`${row.campaign_id} ${row.person_id}`)
      if (last !== row.status && last !== undefined) {
        const allowed: readonly string[] | undefined = FINAL[last]
        if (allowed) expect(allowed, `${what} was ${last}`).toContain(row.status)
        if (row.status === 'uncertain') everUncertain++
      }
      before.set(`${row.campaign_id} ${row.person_id}`, row.status)
    }
    expect(everUncertain, 'uncertain is what was in flight at a death or answered ambiguously').toBeLessThanOrEqual(
      inFlightAtDeaths + zalo.ambiguous(),
    )
    for (const { userId, atMs } of zalo.arrived) {
      const week = zalo.arrived.filter((other) => other.userId === userId && other.atMs <= atMs && other.atMs > atMs - 7 * DAY_MS)
      expect(week.length, `${userId} got ${week.length} in a week`).toBeLessThanOrEqual(perWeek)
    }
  }

  /** Everything goes well from now on: nobody is left behind, and every campaign comes to its end. */
  async function finish(): Promise<void> {
    for (const id of ids) await resumeCampaign(living[0]!.deps, { campaignId: id, actor: 'cli' })
    for (let round = 0; ; round++) {
      const [open] = await sql<{ n: number }[]>`
        SELECT (SELECT count(*) FROM recipient WHERE status = 'waiting' AND (route <> 'next' OR not_before IS NOT NULL))::int + (SELECT count(*) FROM recipient_batch)::int AS n`
      if (open?.n === 0) break
      if (round === MOST_ROUNDS)
        expect(
          (await rows()).filter((row) => row.status === 'waiting'),
          'nobody comes by these',
        ).toEqual([])
      for (const place of [0, 1]) {
        await sweepCampaigns(living[place]!.deps)
        await claim(place, PEOPLE, 'no')
        await send(place, PEOPLE, [])
        await record(place, 2 * PEOPLE, 'no')
        await check()
      }
      const { hour } = vietnamTime(clock)
      setTime(new Date(clock.getTime() + (hour < 7 || hour >= 20 ? 60 : 7) * MINUTE_MS))
    }
    const cancelled = new Set(
      (await sql<{ id: number }[]>`SELECT id::int AS id FROM campaign WHERE state = 'cancelled'`).map((one) => one.id),
    )
    const left = (await rows()).filter((row) => row.status === 'waiting')
    expect(
      left.filter((row) => cancelled.has(row.campaign_id)),
      'nobody waits for a cancelled campaign',
    ).toEqual([])
    setTime(new Date(clock.getTime() + 15 * DAY_MS))
    await sweepCampaigns(living[0]!.deps)
    await check()
    const states = await sql<{ state: string }[]>`SELECT state FROM campaign`
    expect(states.filter(({ state }) => state !== 'done' && state !== 'cancelled')).toEqual([])
    expect((await rows()).filter((row) => row.status === 'waiting')).toEqual([])
  }

  // Nothing of the run before is left
  for (const table of ['recipient', 'recipient_count', 'recipient_batch', 'campaign_lane', 'campaign']) await sql`DELETE FROM ${sql(table)}`
  await sql`UPDATE contact SET stopped_at = NULL, unreachable_class = NULL, last_inbound_at = ${MORNING.toISOString()}::timestamptz - interval '3 hours'`
  await sql`
    UPDATE contact SET last_inbound_at = last_inbound_at - interval '60 days' WHERE channel_user_id = ANY (${silent.map((who) => `u${who + 1}`)}::text[])`
  await sql`
    INSERT INTO setting (unit_id, key, value) VALUES (0, 'campaign.per_week', ${String(perWeek)}::jsonb)
    ON CONFLICT (unit_id, key) DO UPDATE SET value = excluded.value`
  zalo.forget()
  setTime(MORNING)
  living.push(await born(), await born())
  const ids: number[] = []
  for (const text of TEXTS.slice(0, campaigns)) {
    ids.push(await startTestCampaign(living[0]!.deps, seeded, text))
  }
  await check()

  return {
    take,
    check,
    rows,
    finish,
    async close() {
      for (const one of living) await one.deps.close()
    },
  }
}

/** The database as a process has it that may die at the end of a transaction. */
function withDeaths(database: Database, mortal: { dies: Dies }): Database {
  const sql = new Proxy(database.sql, {
    get(target, name) {
      if (name !== 'begin' || mortal.dies === 'no') return Reflect.get(target, name)
      const { dies } = mortal
      return async (run: Parameters<typeof database.sql.begin>[1]) => {
        await target.begin(async (tx) => {
          await run(tx)
          if (dies === 'before_commit') throw new DeathError()
        })
        throw new DeathError()
      }
    },
  })
  return { ...database, sql }
}

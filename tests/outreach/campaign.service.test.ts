import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import {
  cancelCampaign,
  createCampaign,
  pauseCampaign,
  resumeCampaign,
  retryClass,
  scheduleCampaign,
  showCampaign,
  startCampaign,
} from '../../src/outreach/campaign.ts'
import { certificate } from '../../src/outreach/certificate.ts'
import { claimBatch } from '../../src/outreach/claim-batch.ts'
import { markResults, type Result } from '../../src/outreach/mark-results.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
import { sendClaimed } from '../../src/outreach/send-claimed.ts'
import { createSender } from '../../src/outreach/sender.ts'
import { askUncertain, sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { loadSettings } from '../../src/registry/settings.ts'
import { createTestDatabase } from '../support/postgres.ts'
import {
  createFakePlatform,
  createTestOutreach,
  type FakePlatform,
  MORNING,
  runCampaigns,
  type Seeded,
  seedCommune,
  seedPeople,
  startTestCampaign,
  type TestOutreach,
} from './commune.ts'

let url: string
let database: Database
let seeded: Seeded
let platform: FakePlatform
let deps: TestOutreach

beforeEach(async () => {
  url = await createTestDatabase()
  database = createDb(url)
  seeded = await seedCommune(database)
  platform = createFakePlatform(() => deps.now().getTime())
  deps = await createTestOutreach(url, () => platform.channel, { now: new Date(MORNING), database })
})
afterEach(async () => {
  await deps.close()
  await database.close()
})

const started = (text = 'Kính gửi {xưng hô} {tên}', rule = {}) => startTestCampaign(deps, seeded, text, rule)
const run = () => runCampaigns(deps)

/** The seven statuses by the rows themselves. */
async function recount(campaignId: number): Promise<Record<string, number>> {
  const rows = await database.sql<
    { status: string; n: number }[]
  >`SELECT status, count(*)::int AS n FROM recipient WHERE campaign_id = ${campaignId} GROUP BY 1`
  return Object.fromEntries(rows.map((row) => [row.status, row.n]))
}

const counted = async (campaignId: number) =>
  Object.fromEntries(Object.entries((await campaignProgress(deps, campaignId))!.statuses).filter(([, n]) => n > 0))

describe('a campaign', () => {
  test('reaches everybody in the window once, leaves the others waiting for their next word, and adds up', async () => {
    await seedPeople(database, seeded, { n: 500, closed: 70, without: 10 })
    const id = await started()
    await run()
    const progress = (await campaignProgress(deps, id))!
    expect(await counted(id)).toEqual(await recount(id))
    expect(progress.recipients).toBe(500)
    expect(progress.statuses.sent).toBe(platform.arrived.length)
    expect(new Set(platform.arrived.map((one) => one.userId)).size).toBe(platform.arrived.length)
    expect(platform.arrived[0]!.text).toMatch(/^Kính gửi bác Người \d+$/)
    expect(progress.waiting.next).toBe(progress.statuses.waiting)
    expect(progress.campaign.state).toBe('running')
    // Its life over
    deps.clock.now = new Date(MORNING.getTime() + 15 * 86_400_000)
    await sweepCampaigns(deps)
    const after = (await campaignProgress(deps, id))!
    expect(after.statuses.waiting).toBe(0)
    expect(after.campaign.state).toBe('done')
    expect(await counted(id)).toEqual(await recount(id))
    expect((await certificate(deps, id))!.checksum).toMatch(/^[0-9a-f]{64}$/)
  })

  test('says what is wrong before anybody is written to', async () => {
    await seedPeople(database, seeded, { n: 10 })
    const draft = { communeId: seeded.communeId, authorContactId: null, text: 'x', rule: {} }
    expect(await createCampaign(deps, { ...draft, text: 'Chào {abc}' })).toMatchObject({
      problem: { key: 'campaign.problem.unknown_variable' },
    })
    expect(await createCampaign(deps, { ...draft, text: ' ' })).toMatchObject({ problem: { key: 'campaign.problem.empty_text' } })
    expect(await createCampaign(deps, { ...draft, rule: { unitIds: [999_999] } })).toMatchObject({
      problem: { key: 'campaign.problem.unknown_unit' },
    })
    const empty = await createCampaign(deps, { ...draft, rule: { groups: [4] } })
    expect(await showCampaign(deps, { campaignId: (empty as { campaignId: number }).campaignId })).toMatchObject({
      problem: { key: 'campaign.problem.nobody' },
    })
    const made = (await createCampaign(deps, draft)) as { campaignId: number }
    const at = new Date(MORNING.getTime() - 60_000)
    expect(await scheduleCampaign(deps, { ...made, confirmed: 10, actor: 'cli', at })).toMatchObject({
      problem: { key: 'campaign.problem.time_past' },
    })
    expect(await startCampaign(deps, { ...made, confirmed: 10, actor: 'cli' })).toMatchObject({
      problem: { key: 'campaign.problem.not_shown' },
    })
    await showCampaign(deps, made)
    expect(await startCampaign(deps, { ...made, confirmed: 9, actor: 'cli' })).toMatchObject({
      problem: { key: 'campaign.problem.wrong_number' },
    })
    const both = await Promise.all([1, 2].map(() => startCampaign(deps, { ...made, confirmed: 10, actor: 'cli' })))
    expect(both.map((one) => one.type).sort()).toEqual(['refused', 'started'])
    await run()
    expect(platform.arrived).toHaveLength(10)
  })

  test('waits for the end of the quiet hours, and begins at its time', async () => {
    await seedPeople(database, seeded, { n: 20 })
    deps.clock.now = new Date('2026-10-05T15:00:00Z')
    await database.sql`UPDATE contact SET last_inbound_at = ${deps.now().toISOString()}::timestamptz`
    const made = (await createCampaign(deps, { communeId: seeded.communeId, authorContactId: null, text: 'x', rule: {} })) as {
      campaignId: number
    }
    await showCampaign(deps, made)
    await scheduleCampaign(deps, { ...made, confirmed: 20, actor: 'cli', at: new Date('2026-10-05T16:00:00Z') })
    await sweepCampaigns(deps)
    expect((await campaignProgress(deps, made.campaignId))!.campaign.state).toBe('scheduled')
    deps.clock.now = new Date('2026-10-05T16:00:01Z')
    await sweepCampaigns(deps)
    expect((await campaignProgress(deps, made.campaignId))!.campaign.state).toBe('running')
    const sender = createSender(deps)
    await sender.look()
    await new Promise((resolve) => setTimeout(resolve, 100))
    await sender.close()
    expect(platform.arrived).toHaveLength(0)
    deps.clock.now = new Date('2026-10-06T00:00:01Z')
    await run()
    expect(platform.arrived).toHaveLength(20)
  })

  test('pauses, resumes and cancels exactly', async () => {
    await seedPeople(database, seeded, { n: 2_000 })
    platform.latencyMs = 5
    const id = await started()
    const sender = createSender(deps)
    await sender.look()
    while (platform.arrived.length < 300) await new Promise((resolve) => setTimeout(resolve, 2))
    await pauseCampaign(deps, { campaignId: id, actor: 'cli' })
    const inFlight = (
      await database.sql<{ n: number }[]>`SELECT coalesce(sum(cardinality(person_ids)), 0)::int AS n FROM recipient_batch`
    )[0]!.n
    const atPause = platform.arrived.length
    await sender.idle()
    expect(platform.arrived.length).toBeLessThanOrEqual(atPause + inFlight)
    const paused = platform.arrived.length
    await sender.look()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(platform.arrived.length).toBe(paused)
    expect(await counted(id)).toEqual(await recount(id))
    await resumeCampaign(deps, { campaignId: id, actor: 'cli' })
    await sender.look()
    while (platform.arrived.length < 900) await new Promise((resolve) => setTimeout(resolve, 2))
    await cancelCampaign(deps, { campaignId: id, actor: 'cli' })
    await sender.idle()
    await sender.close()
    const sums = await counted(id)
    expect(sums).toEqual(await recount(id))
    expect(sums.sent).toBe(platform.arrived.length)
    expect(sums.sent! + sums.cancelled!).toBe(2_000)
    expect(new Set(platform.arrived.map((one) => one.userId)).size).toBe(platform.arrived.length)
  })

  test('takes every kind of answer as it is meant', async () => {
    await seedPeople(database, seeded, { n: 300 })
    const retried = new Set<string>()
    platform.answer = (userId) => {
      const n = Number(userId.slice(1))
      if (n % 100 === 1) return { outcome: { kind: 'failed', class: 'not_a_follower' } }
      if (n % 100 === 2) return { outcome: { kind: 'uncertain', class: 'time_out' }, arrives: true }
      if (n % 100 === 3) return { outcome: { kind: 'uncertain', class: 'send_failed' } }
      if (n % 100 === 4) return { outcome: { kind: 'failed', class: 'window_closed' } }
      if (n % 100 === 5) return { outcome: { kind: 'failed', class: 'content_policy' } }
      if (n % 100 === 6 && !retried.has(userId)) {
        retried.add(userId)
        return { outcome: { kind: 'retry', class: 'article_processing', notBeforeMs: deps.now().getTime() + 5_000 } }
      }
      return undefined
    }
    const id = await started()
    await run()
    expect(await counted(id)).toEqual({ sent: 282, failed: 6, uncertain: 6, waiting: 6 })
    deps.clock.now = new Date(MORNING.getTime() + 6_000)
    await run()
    expect(await counted(id)).toEqual({ sent: 285, failed: 6, uncertain: 6, waiting: 3 })
    deps.clock.now = new Date(MORNING.getTime() + 30_000)
    for (let round = 0; round < 3; round++) await askUncertain(deps)
    expect(await counted(id)).toEqual({ sent: 288, failed: 6, uncertain: 3, waiting: 3 })
    expect(await counted(id)).toEqual(await recount(id))
    const classes = (await campaignProgress(deps, id))!.classes
    expect(classes).toContainEqual({ status: 'failed', class: 'not_a_follower', n: 3 })
    const [dead] = await database.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM contact WHERE unreachable_class = 'not_a_follower'`
    expect(dead!.n).toBe(3)
    // The dead are left out of the next one with that reason
    platform.answer = () => undefined
    const again = await started('Lần hai')
    expect((await campaignProgress(deps, again))!.classes).toContainEqual({ status: 'skipped', class: 'not_a_follower', n: 3 })
    expect(await retryClass(deps, { campaignId: id, class: 'content_policy', actor: 'cli' })).toEqual({ type: 'retried', recipients: 3 })
    await run()
    expect((await counted(id)).sent).toBe(291)
    expect(new Set(platform.arrived.filter((one) => one.text !== 'Lần hai').map((one) => one.userId)).size).toBe(291)
  })

  test('pauses itself when failures pile up, and when the account is out of service', async () => {
    await seedPeople(database, seeded, { n: 1_000 })
    // A platform is some way off: results are recorded while others are on their way
    platform.latencyMs = 30
    platform.answer = (_, n) => (n > 300 && n % 3 === 0 ? { outcome: { kind: 'failed', class: 'content_policy' } } : undefined)
    const id = await started()
    await run()
    const paused = (await campaignProgress(deps, id))!
    expect(paused.campaign).toMatchObject({ state: 'paused', pauseClass: 'failures' })
    expect(paused.statuses.failed).toBeGreaterThanOrEqual(40)
    // What was under way when it was noticed still got its answer
    expect(paused.statuses.failed).toBeLessThan(40 + 128)
    platform.answer = () => ({ outcome: { kind: 'account_paused', class: 'token_refused' } })
    await resumeCampaign(deps, { campaignId: id, actor: 'cli' })
    await run()
    expect((await campaignProgress(deps, id))!.campaign).toMatchObject({
      state: 'paused',
      pauseClass: 'account',
      pauseDetail: 'token_refused',
    })
    platform.answer = () => undefined
    await resumeCampaign(deps, { campaignId: id, actor: 'cli' })
    await run()
    expect((await campaignProgress(deps, id))!.campaign.state).toBe('done')
    expect(await counted(id)).toEqual(await recount(id))
  })

  test('shares an account fairly with another', async () => {
    await seedPeople(database, seeded, { n: 1_000 })
    platform.latencyMs = 2
    const first = await started('Một')
    const second = await started('Hai')
    const sender = createSender(deps)
    await sender.look()
    while (platform.arrived.length < 800) await new Promise((resolve) => setTimeout(resolve, 2))
    const ones = platform.arrived.filter((one) => one.text === 'Một').length
    expect(ones).toBeGreaterThan(200)
    expect(ones).toBeLessThan(600)
    await sender.idle()
    await sender.close()
    expect(await counted(first)).toEqual({ sent: 1_000 })
    expect(await counted(second)).toEqual({ sent: 1_000 })
  })

  test('of a process that died, exactly what it was sending is uncertain, and the rest goes on', async () => {
    await seedPeople(database, seeded, { n: 500 })
    const id = await started()
    // Claimed, and then the process is gone before anything is sent or recorded
    await database.sql`
      INSERT INTO recipient_batch (id, commune_id, campaign_id, account_id, claimed_by, claimed_at, person_ids, content_hashes)
      SELECT 'dead', ${seeded.communeId}::int, ${id}::int, ${seeded.accountId}::int, 99, ${MORNING.toISOString()}::timestamptz, array_agg(person_id), array_agg('h'::text)
      FROM (SELECT person_id FROM recipient WHERE campaign_id = ${id} ORDER BY person_id LIMIT 7) first`
    await database.sql`UPDATE campaign_lane SET cursor = (SELECT max(p) FROM recipient_batch b, unnest(b.person_ids) p)`
    await new Promise((resolve) => setTimeout(resolve, 100))
    await run()
    expect(await counted(id)).toEqual({ sent: 493, uncertain: 7 })
    expect(await counted(id)).toEqual(await recount(id))
    expect(new Set(platform.arrived.map((one) => one.userId)).size).toBe(493)
  })
  test('costs the database the same for each message, however many there are and however little is known of the table', async () => {
    const people = 4_000
    await seedPeople(database, seeded, { n: people })
    await started()
    const reader = createDb(url)
    // A connection of its own, whose counting is complete once it is closed
    const sending = await createTestOutreach(url, () => platform.channel, { now: new Date(MORNING) })
    const sender = createSender(sending)
    await sender.look()
    await sender.idle()
    await sender.close()
    await sending.close()
    await deps.database.close()
    const [ledger] = await reader.sql<{ rows: number }[]>`
      SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows FROM pg_stat_user_tables WHERE relname = 'recipient'`
    expect(platform.arrived).toHaveLength(people)
    expect(ledger!.rows).toBeLessThan(people * 4)
    await reader.close()
  })

  /** Claims so many for a process that lives only as long as this test says. */
  async function claimed(batchId: string, most: number, dead = true) {
    const settings = await loadSettings(database.db, seeded.communeId)
    const account = {
      id: seeded.accountId,
      channel: 'zalo' as const,
      appId: 'app-1',
      traits: { perMinute: 10_000_000 },
      communeId: seeded.communeId,
      commune: '',
      settings,
    }
    const process = dead ? { ...deps, instance: { ...deps.instance, id: 99 } } : deps
    const claim = await claimBatch(process, { account, channel: platform.channel, most, batchId })
    const items = claim.kind === 'claimed' ? claim.items : []
    const send = async (place: number) => (await sendClaimed(process, { account, channel: platform.channel, item: items[place]! })).result
    const record = (results: Result[]) => markResults(process, { account, results, doneBatches: [] })
    return { items, send, record }
  }

  test('of a process that died, what had been put back to wait is not uncertain, and is cancelled with the rest', async () => {
    await seedPeople(database, seeded, { n: 50 })
    const id = await started()
    const batch = await claimed('dead', 5)
    platform.answer = () => ({ outcome: { kind: 'failed', class: 'window_closed' } })
    const closed = await batch.send(0)
    platform.answer = () => ({ outcome: { kind: 'retry', class: 'article_processing', notBeforeMs: 0 } })
    await batch.record([closed, await batch.send(1)])
    await sweepCampaigns(deps)
    expect(await counted(id)).toEqual({ waiting: 47, uncertain: 3 })
    await cancelCampaign(deps, { campaignId: id, actor: 'cli' })
    expect(await counted(id)).toEqual({ cancelled: 47, uncertain: 3 })
    expect(await counted(id)).toEqual(await recount(id))
  })

  test('what waits again is cancelled while others of its batch are still in flight', async () => {
    await seedPeople(database, seeded, { n: 50 })
    const id = await started()
    const batch = await claimed('living', 5, false)
    platform.answer = () => ({ outcome: { kind: 'retry', class: 'article_processing', notBeforeMs: 0 } })
    await batch.record([await batch.send(0)])
    await cancelCampaign(deps, { campaignId: id, actor: 'cli' })
    expect(await counted(id)).toEqual({ cancelled: 46, waiting: 4 })
  })

  test('a result told twice takes nothing away from whoever is sending the message by then', async () => {
    await seedPeople(database, seeded, { n: 1 })
    await started()
    platform.answer = () => ({ outcome: { kind: 'retry', class: 'article_processing', notBeforeMs: 0 } })
    const first = await claimed('first', 1)
    const result = await first.send(0)
    await first.record([result])
    deps.clock.now = new Date(MORNING.getTime() + 60_000)
    expect((await claimed('second', 1)).items).toHaveLength(1)
    // The answer to the first record was lost with the connection
    await first.record([result])
    expect((await claimed('third', 1)).items).toHaveLength(0)
  })
})

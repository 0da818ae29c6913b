import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { mergeRecipients } from '../../src/outreach/merge-recipients.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
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

// Two registrations of one person, while a campaign is under way

let database: Database
let seeded: Seeded
let platform: FakePlatform
let deps: TestOutreach

beforeEach(async () => {
  const url = await createTestDatabase()
  database = createDb(url)
  seeded = await seedCommune(database)
  platform = createFakePlatform(() => deps.now().getTime())
  deps = await createTestOutreach(url, () => platform.channel, { now: new Date(MORNING), database })
})
afterEach(async () => {
  await deps.close()
  await database.close()
})

const personOf = async (userId: string) => {
  const [row] = await database.sql<{ id: number; contact: number }[]>`
    SELECT person_id::float8 AS id, id::float8 AS contact FROM contact WHERE channel_user_id = ${userId}`
  return row ?? { id: 0, contact: 0 }
}

/** As joining two chats does it: the chat, the ledger, and the registration that is no more. */
async function merge(keptUser: string, goneUser: string): Promise<{ kept: number; gone: number }> {
  const [kept, gone] = [await personOf(keptUser), await personOf(goneUser)]
  await database.db.transaction(async (tx) => {
    await mergeRecipients(tx, { communeId: seeded.communeId, kept: kept.id, others: [gone.id, -gone.contact], now: deps.now() })
  })
  await database.sql`UPDATE contact SET person_id = ${kept.id} WHERE channel_user_id = ${goneUser}`
  await database.sql`DELETE FROM person WHERE id = ${gone.id}`
  return { kept: kept.id, gone: gone.id }
}

const rowsOf = (campaignId: number, ids: readonly number[]) => database.sql<{ person_id: number; status: string; class: string | null }[]>`
  SELECT person_id::float8 AS person_id, status, class FROM recipient WHERE campaign_id = ${campaignId} AND person_id IN ${database.sql([...ids])}
  ORDER BY person_id`
const arrivedAt = (...users: string[]) => platform.arrived.filter(({ userId }) => users.includes(userId)).length

async function expectExact(campaignId: number, recipients: number): Promise<void> {
  const rows = await database.sql<{ status: string; n: number }[]>`
    SELECT status, count(*)::int AS n FROM recipient WHERE campaign_id = ${campaignId} GROUP BY 1`
  const progress = (await campaignProgress(deps, campaignId))!
  expect(Object.fromEntries(Object.entries(progress.statuses).filter(([, n]) => n > 0))).toEqual(
    Object.fromEntries(rows.map(({ status, n }) => [status, n])),
  )
  expect(progress.recipients).toBe(recipients)
}

describe('two of an audience turn out to be one person', () => {
  test('before either was written to: one notice, and the other row says why not', async () => {
    await seedPeople(database, seeded, { n: 20 })
    const id = await startTestCampaign(deps, seeded, 'Kính gửi {tên}', {})
    const { kept, gone } = await merge('u9', 'u4')
    await runCampaigns(deps)
    expect(arrivedAt('u9', 'u4')).toBe(1)
    expect(await rowsOf(id, [kept, gone])).toEqual([
      { person_id: gone, status: 'skipped', class: 'merged' },
      { person_id: kept, status: 'sent', class: null },
    ])
    await expectExact(id, 20)
  })

  test('after both were written to nothing changes', async () => {
    await seedPeople(database, seeded, { n: 20 })
    const id = await startTestCampaign(deps, seeded, 'Kính gửi {tên}', {})
    await runCampaigns(deps)
    const { kept, gone } = await merge('u9', 'u4')
    await runCampaigns(deps)
    expect((await rowsOf(id, [kept, gone])).map(({ status }) => status)).toEqual(['sent', 'sent'])
    await expectExact(id, 20)
  })

  test('one was written to, the other waits: the row that was sent is the person’s, the other is not sent', async () => {
    await seedPeople(database, seeded, { n: 20 })
    // The platform takes nobody else's just now
    platform.answer = (userId) =>
      userId === 'u9' ? { outcome: { kind: 'retry', class: 'pace', notBeforeMs: deps.now().getTime() + 60_000 } } : undefined
    const id = await startTestCampaign(deps, seeded, 'Kính gửi {tên}', {})
    await runCampaigns(deps)
    expect(arrivedAt('u4')).toBe(1)
    const { kept, gone } = await merge('u9', 'u4')
    platform.answer = () => undefined
    deps.clock.now = new Date(MORNING.getTime() + 120_000)
    await runCampaigns(deps)
    expect(arrivedAt('u9', 'u4')).toBe(1)
    expect(await rowsOf(id, [kept, gone])).toEqual([
      { person_id: gone, status: 'skipped', class: 'merged' },
      { person_id: kept, status: 'sent', class: null },
    ])
    await expectExact(id, 20)
  })

  test('only the one who is gone was in the audience: the row goes over, and is sent though the sending has passed its place', async () => {
    await seedPeople(database, seeded, { n: 20 })
    const [v1] = seeded.villages
    platform.answer = (userId) =>
      userId === 'u18' ? { outcome: { kind: 'retry', class: 'pace', notBeforeMs: deps.now().getTime() + 60_000 } } : undefined
    // Even numbers live in the first village
    const id = await startTestCampaign(deps, seeded, 'Kính gửi {tên}', { unitIds: [v1] })
    await runCampaigns(deps)
    const { kept, gone } = await merge('u1', 'u18')
    platform.answer = () => undefined
    deps.clock.now = new Date(MORNING.getTime() + 120_000)
    await runCampaigns(deps)
    expect(await rowsOf(id, [kept, gone])).toEqual([{ person_id: kept, status: 'sent', class: null }])
    expect(arrivedAt('u1', 'u18')).toBe(1)
    await expectExact(id, 10)
  })

  test('a chat nobody was registered on, and the person whose it is: one notice', async () => {
    await seedPeople(database, seeded, { n: 20 })
    await database.sql`
      INSERT INTO contact (commune_id, account_id, channel_user_id, first_seen_at, last_inbound_at, follows)
      VALUES (${seeded.communeId}, ${seeded.accountId}, 'stranger', ${MORNING.toISOString()}::timestamptz, ${MORNING.toISOString()}::timestamptz, true)`
    const id = await startTestCampaign(deps, seeded, 'Kính gửi bà con', {})
    const [chat, person] = [await personOf('stranger'), await personOf('u6')]
    await database.db.transaction((tx) =>
      mergeRecipients(tx, { communeId: seeded.communeId, kept: person.id, others: [-chat.contact], now: deps.now() }),
    )
    await database.sql`UPDATE contact SET person_id = ${person.id} WHERE channel_user_id = 'stranger'`
    await runCampaigns(deps)
    expect(arrivedAt('stranger', 'u6')).toBe(1)
    await expectExact(id, 21)
  })

  test('while one is being sent the other is not sent any more', async () => {
    await seedPeople(database, seeded, { n: 20 })
    let merging: Promise<unknown> | undefined
    platform.latencyMs = 50
    platform.answer = (userId) => {
      if (userId === 'u4') merging ??= merge('u19', 'u4')
      return undefined
    }
    const id = await startTestCampaign(deps, seeded, 'Kính gửi {tên}', {})
    await runCampaigns(deps)
    await merging
    await runCampaigns(deps)
    // Whichever was in flight arrived; what was not yet, does not
    expect(arrivedAt('u4')).toBe(1)
    await expectExact(id, 20)
  })
})

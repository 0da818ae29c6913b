import { afterEach, beforeEach, expect, test } from 'vitest'
import { telegramAbilities } from '../../src/channels/telegram/abilities.ts'
import { createDb, type Database } from '../../src/db/connect.ts'
import { type PaceLimit, takeForCampaign } from '../../src/outreach/pace.ts'
import { createSender } from '../../src/outreach/sender.ts'
import { createTestDatabase } from '../support/postgres.ts'
import {
  createFakePlatform,
  createTestOutreach,
  type FakePlatform,
  MORNING,
  seedCommune,
  seedPeople,
  startTestCampaign,
  type TestOutreach,
} from './commune.ts'

let database: Database
let platform: FakePlatform
let deps: TestOutreach
let communeId: number

beforeEach(async () => {
  const url = await createTestDatabase()
  database = createDb(url)
  const seeded = await seedCommune(database)
  communeId = seeded.communeId
  await seedPeople(database, seeded, { n: 30 })
  platform = createFakePlatform(() => deps.now().getTime())
  platform.channel.abilities = telegramAbilities
  deps = await createTestOutreach(url, () => platform.channel, { now: new Date(MORNING), database })
})
afterEach(async () => {
  await deps.close()
  await database.close()
})

const start = (text: string) => startTestCampaign(deps, { communeId }, text)

async function runAt(ms: number): Promise<void> {
  deps.clock.now = new Date(MORNING.getTime() + ms)
  const sender = createSender(deps)
  await sender.look()
  await sender.idle()
  await sender.close()
}

test('where a platform wants a second between two messages of a chat, two campaigns keep it, and lose nobody', async () => {
  await start('Một')
  await start('Hai')
  await runAt(0)
  expect(platform.arrived).toHaveLength(30)
  await runAt(999)
  expect(platform.arrived).toHaveLength(30)
  await runAt(1_001)
  expect(platform.arrived).toHaveLength(60)
  for (const userId of new Set(platform.arrived.map((one) => one.userId))) {
    const [first, second] = platform.arrived.filter((one) => one.userId === userId)
    expect(first!.text).not.toBe(second!.text)
    expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(1_000)
  }
})

test('whom the conversation has just written to hears the campaign a second later', async () => {
  const [chat] = await database.sql<
    { id: string; user_id: string }[]
  >`SELECT id, channel_user_id AS user_id FROM contact ORDER BY id LIMIT 1`
  await database.sql`
    INSERT INTO outbound_message (commune_id, account_id, contact_id, cause, status, body_enc, created_at, sent_at)
    SELECT commune_id, account_id, id, 'reply', 'sent', ''::bytea, ${MORNING.toISOString()}::timestamptz, ${MORNING.toISOString()}::timestamptz
    FROM contact WHERE id = ${chat!.id}`
  await start('Một')
  await runAt(500)
  expect(platform.arrived).toHaveLength(29)
  expect(platform.arrived.map((one) => one.userId)).not.toContain(chat!.user_id)
  await runAt(1_600)
  expect(platform.arrived.at(-1)).toMatchObject({ userId: chat!.user_id })
})

test('a pause the platform asked for is kept by whoever asks, also for an account nobody has counted yet', async () => {
  const limit: PaceLimit = { key: 'account:9', limit: 30, windowMs: 1_000, reservePercent: 20 }
  await deps.pace.hold(limit.key, 5_000_000)
  expect(await takeForCampaign(database.sql, [limit], 3, 4_999_000)).toEqual({ granted: 0, waitMs: 1_000 })
  expect(await takeForCampaign(database.sql, [limit], 3, 5_000_001)).toMatchObject({ granted: 3 })
})

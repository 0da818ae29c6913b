import { afterEach, beforeEach, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { resumeCampaign, scheduleCampaign, startCampaign, startScheduled } from '../../src/outreach/campaign.ts'
import { listenToLanes } from '../../src/outreach/lane-bell.ts'
import { createSender, type Sender } from '../../src/outreach/sender.ts'
import { createTestDatabase } from '../support/postgres.ts'
import {
  createFakePlatform,
  createTestOutreach,
  type FakePlatform,
  MORNING,
  seedCommune,
  seedPeople,
  showTestCampaign,
  type TestOutreach,
} from './commune.ts'

// Two processes: one begins campaigns, the other sends and never looks by itself. Without being told it would send nothing, ever

let database: Database
let platform: FakePlatform
let office: TestOutreach
let worker: TestOutreach
let sender: Sender
let communeId: number

beforeEach(async () => {
  const url = await createTestDatabase()
  database = createDb(url)
  const seeded = await seedCommune(database)
  communeId = seeded.communeId
  await seedPeople(database, seeded, { n: 10 })
  platform = createFakePlatform(() => MORNING.getTime())
  office = await createTestOutreach(url, () => platform.channel, { now: new Date(MORNING), database })
  worker = await createTestOutreach(url, () => platform.channel, { now: new Date(MORNING) })
  sender = createSender(worker)
  await listenToLanes(worker.instance, (accountId) => sender.wake(accountId))
})
afterEach(async () => {
  await sender.close()
  await worker.close()
  await office.close()
  await database.close()
})

const shown = async () => ({ ...(await showTestCampaign(office, { communeId }, 'Kính gửi {tên}')), actor: 'cli' as const })

/** Waits for what the rows say, however long that takes; a test that is never told ends by its time-out. */
async function until(ask: () => PromiseLike<readonly { yes: boolean }[]>): Promise<void> {
  while (!(await ask())[0]?.yes);
}

const untilSent = (n: number) =>
  until(() => database.sql<{ yes: boolean }[]>`SELECT count(*) >= ${n} AS yes FROM recipient WHERE status = 'sent'`)

test('whoever begins a campaign wakes the sender of another process with the commit', async () => {
  await startCampaign(office, await shown())
  await untilSent(10)
})

test('so does one that was scheduled', async () => {
  const args = await shown()
  await scheduleCampaign(office, { ...args, at: new Date(MORNING.getTime() + 1_000) })
  office.clock.now = new Date(MORNING.getTime() + 2_000)
  expect(await startScheduled(office, args.campaignId)).toMatchObject({ type: 'started' })
  await untilSent(10)
})

test('so does one that stood still because the account was out of service, once it is resumed', async () => {
  platform.answer = () => ({ outcome: { kind: 'account_paused', class: 'token_refused' } })
  const args = await shown()
  await startCampaign(office, args)
  await until(() => database.sql<{ yes: boolean }[]>`SELECT state = 'paused' AS yes FROM campaign WHERE id = ${args.campaignId}`)
  await sender.idle()
  platform.answer = () => undefined
  await resumeCampaign(office, args)
  await untilSent(10)
})

test('a bell that rings while the sender looks for the last time is heard', async () => {
  await sender.look()
  await startCampaign(office, await shown())
  await untilSent(10)
  await sender.idle()
  // Begun in the moment its loop ends
  const second = await shown()
  await Promise.all([sender.look(), startCampaign(office, second)])
  await untilSent(20)
})

import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { createOutreachJobs, type OutreachJobs } from '../../src/jobs/outreach-jobs.ts'
import { createCampaign, scheduleCampaign, showCampaign } from '../../src/outreach/campaign.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
import { createSender } from '../../src/outreach/sender.ts'
import { createQueues, type Queues } from '../../src/queue/queue.ts'
import {
  createFakePlatform,
  createTestOutreach,
  type FakePlatform,
  MORNING,
  type Seeded,
  seedCommune,
  seedPeople,
  type TestOutreach,
} from '../outreach/commune.ts'
import { STORES, type Store } from '../queue/stores.ts'
import { createTestDatabase } from '../support/postgres.ts'

const PEOPLE = 30
const HOUR_MS = 3_600_000

for (const [where, start, why] of STORES) {
  describe.skipIf(why !== '')(`scheduled campaigns on ${where}`, () => {
    let url: string
    let database: Database
    let kept: Store
    let seeded: Seeded
    let platform: FakePlatform
    let watching: Queues | undefined
    const workers: { deps: TestOutreach; jobs: OutreachJobs }[] = []

    async function until(done: () => Promise<boolean>, ms = 20_000): Promise<void> {
      const deadline = Date.now() + ms
      // Once is enough: a schedule's own job comes and goes
      let isDone = await done()
      while (!isDone && Date.now() < deadline) {
        await sleep(50)
        isDone = await done()
      }
      expect(isDone).toBe(true)
    }
    /** What the store holds; nothing while it has lost its tables. */
    async function queued(): Promise<number> {
      try {
        watching ??= await createQueues({ store: kept.store })
        return await watching.count()
      } catch {
        return 0
      }
    }
    async function scheduled(text: string, at: Date): Promise<number> {
      const { deps } = workers[0]!
      const made = await createCampaign(deps, { communeId: seeded.communeId, authorContactId: null, text, rule: {} })
      if (made.type !== 'created') throw new Error(JSON.stringify(made))
      await showCampaign(deps, made)
      expect(await scheduleCampaign(deps, { ...made, confirmed: PEOPLE, actor: 'cli', at })).toMatchObject({ type: 'scheduled' })
      return made.campaignId
    }
    const stateOf = async (id: number) => (await campaignProgress(workers[0]!.deps, id))?.campaign.state
    function setTime(at: Date): void {
      for (const { deps } of workers) deps.clock.now = at
    }
    const arrivals = (text: string) => platform.arrived.filter((message) => message.text === text).map((message) => message.userId)

    beforeAll(async () => {
      url = await createTestDatabase()
      kept = await start(url)
      database = createDb(url)
      seeded = await seedCommune(database)
      await seedPeople(database, seeded, { n: PEOPLE })
      platform = createFakePlatform(() => MORNING.getTime())
      for (let n = 0; n < 2; n++) {
        const deps = await createTestOutreach(url, () => platform.channel, { now: MORNING })
        const jobs = createOutreachJobs({
          deps,
          sender: createSender(deps),
          openQueues: () => createQueues({ store: kept.store, onError: () => {} }),
          log: pino({ level: 'silent' }),
          everyMs: { sweep: 200, fill: 300, reopen: 300 },
        })
        workers.push({ deps, jobs })
        jobs.start()
      }
      await until(async () => workers.every(({ jobs }) => jobs.isQueueUsable()))
    })
    afterAll(async () => {
      for (const { deps, jobs } of workers) {
        await jobs.stop()
        await deps.close()
      }
      await watching?.close().catch(() => {})
      await database.close()
      await kept.stop()
    })

    test('are in the queue once, whoever puts them there', async () => {
      await scheduled('Một', new Date(MORNING.getTime() + HOUR_MS))
      // The campaign's own start, and the next turn of the schedule
      await until(async () => (await queued()) === 2)
      await sleep(700)
      expect(await queued()).toBe(2)
    })

    test('and schedules are there again after the store was wiped, by the workers alone', async () => {
      await kept.wipe()
      watching = undefined
      await until(async () => workers.every(({ jobs }) => jobs.isQueueUsable()) && (await queued()) === 2)
    })

    test('begin at their time though the store was wiped a moment before, once, and reach everybody once', async () => {
      const [first] = await database.sql<{ id: number }[]>`SELECT id::int AS id FROM campaign`
      const second = await scheduled('Hai', new Date(MORNING.getTime() + 2 * HOUR_MS))
      await kept.wipe()
      setTime(new Date(MORNING.getTime() + HOUR_MS))
      await until(async () => (await stateOf(first!.id)) === 'done')
      expect(await stateOf(second)).toBe('scheduled')
      setTime(new Date(MORNING.getTime() + 2 * HOUR_MS + 60_000))
      await kept.wipe()
      await until(async () => (await stateOf(second)) === 'done')
      for (const text of ['Một', 'Hai']) expect([...arrivals(text)].sort()).toEqual([...new Set(arrivals(text))].sort())
      expect([arrivals('Một').length, arrivals('Hai').length]).toEqual([PEOPLE, PEOPLE])
      const starts = await database.sql`SELECT count(*)::int AS n FROM audit WHERE action = 'campaign.start'`
      expect(starts[0]?.n).toBe(2)
    })
  })
}

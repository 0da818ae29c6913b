import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createQueues, jobIdOf, type Queues } from '../../src/queue/queue.ts'
import { STORES, type Store } from './stores.ts'

// Every test of a queue runs on both stores

test('an id holds no colon and is never digits alone', () => {
  expect(jobIdOf(['start', 12, 'a:b'])).toBe('start-12-a_b')
})

for (const [where, start, why] of STORES) {
  describe.skipIf(why !== '')(`a queue on ${where}`, () => {
    let kept: Store
    const open: Queues[] = []
    const create = async (name: string) => {
      const queues = await createQueues({ store: kept.store, name })
      open.push(queues)
      return queues
    }
    const until = async (done: () => boolean, ms = 20_000) => {
      const deadline = Date.now() + ms
      while (!done() && Date.now() < deadline) await sleep(20)
      expect(done()).toBe(true)
    }
    beforeAll(async () => {
      kept = await start()
    })
    afterAll(async () => {
      for (const queues of open) await queues.close()
      await kept.stop()
    })

    test('runs a job, a delayed one at its time, the same one once, a failing one again', async () => {
      const queues = await create('first')
      const ran: string[] = []
      let tries = 0
      await queues.work({
        now: async (data) => {
          ran.push(`now ${data.id}`)
        },
        later: async (data) => {
          ran.push(`later ${data.id}`)
        },
        fails: async () => {
          if (++tries < 2) throw new Error('not yet')
          ran.push('failed once')
        },
      })
      const began = Date.now()
      await queues.add({ name: 'later', id: [1], data: { id: 1 }, delayMs: 800 })
      await queues.add({ name: 'later', id: [1], data: { id: 1 }, delayMs: 800 })
      await queues.add({ name: 'now', id: [2], data: { id: 2 } })
      await queues.add({ name: 'fails', id: [3], data: { id: 3 } })
      await until(() => ran.length === 3)
      expect(Date.now() - began).toBeGreaterThan(700)
      await sleep(300)
      expect(ran.sort()).toEqual(['failed once', 'later 1', 'now 2'])
      expect(await queues.count()).toBe(0)
      // The id is free again
      await queues.add({ name: 'now', id: [2], data: { id: 2 } })
      await until(() => ran.length === 4)
    })

    test('after its store was wiped, goes on with new jobs and gets its schedules back', async () => {
      const queues = await create('second')
      let rounds = 0
      const ran: string[] = []
      await queues.work({
        round: async () => {
          rounds++
        },
        now: async (data) => {
          ran.push(`now ${data.id}`)
        },
      })
      const schedules = [{ id: 'rounds', name: 'round', everyMs: 500 }]
      await queues.ensureSchedules(schedules)
      await queues.ensureSchedules(schedules)
      await until(() => rounds >= 2)
      await kept.wipe()
      // What a process that starts meanwhile does
      await (await createQueues({ store: kept.store, name: 'other' })).close()
      await sleep(1_200)
      const before = rounds
      await queues.ensureSchedules(schedules)
      await until(() => rounds >= before + 2)
      await queues.add({ name: 'now', id: ['after'], data: { id: 5 } })
      await until(() => ran.length === 1)
    })
  })
}

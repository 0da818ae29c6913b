import { Redis } from 'ioredis'
import { createTestDatabase, runOn } from '../support/postgres.ts'
import { startTestRedis, whyNoRedis } from '../support/redis.ts'

/** Where a queue is kept. `wipe` takes all of it away while others use it. */
export type Store = { store: { redisUrl: string } | { databaseUrl: string }; wipe(): Promise<void>; stop(): Promise<void> }

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const DEADLOCK = '40P01'

async function redisStore(): Promise<Store> {
  const server = await startTestRedis()
  return {
    store: { redisUrl: server.url },
    async wipe() {
      const client = new Redis(server.url)
      await client.flushall()
      await client.quit()
    },
    stop: server.stop,
  }
}

async function postgresStore(databaseUrl?: string): Promise<Store> {
  const url = databaseUrl ?? (await createTestDatabase())
  return {
    store: { databaseUrl: url },
    async wipe() {
      // Beside those who use the tables, the drop may be what PostgreSQL takes back to end a deadlock
      const drop = (): Promise<void> =>
        runOn(url, 'DROP SCHEMA IF EXISTS bullmq CASCADE').catch((error: { code?: string }) => {
          if (error.code !== DEADLOCK) throw error
          return drop()
        })
      await drop()
    },
    stop: async () => {},
  }
}

/** Every test of a queue runs on each; `.ci/run` counts them by these names and takes no fewer on one than on the other. */
export const STORES = [
  ['PostgreSQL', postgresStore, ''],
  ['Redis', redisStore, whyNoRedis],
] as const

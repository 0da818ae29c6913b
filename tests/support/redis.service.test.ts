import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { startTestRedis, whyNoRedis } from './redis.ts'

test.skipIf(whyNoRedis)(`Redis for tests answers${whyNoRedis && ` (skipped: ${whyNoRedis})`}`, async () => {
  const { url, stop } = await startTestRedis()
  const client = new Redis(url)
  expect(await client.ping()).toBe('PONG')
  client.disconnect()
  await stop()
})

import { expect, test, vi } from 'vitest'
import { startTestApp } from '../support/app.ts'

test('a Redis that does not answer is told once, by the name of its variable and with what to do, and the bot starts without it', async () => {
  // Nobody listens there
  const bot = await startTestApp({ environment: { REDIS_URL: 'redis://:hidden@127.0.0.1:1' } })
  const told = () => bot.logged().match(/REDIS_URL[^"]*/g) ?? []
  try {
    await bot.app.start()
    await vi.waitFor(() => expect(told()).not.toEqual([]), { timeout: 15_000, interval: 20 })
    expect(told()).toEqual([
      'REDIS_URL leads to no Redis that answers (ECONNREFUSED): start it, or put host, port and password right; until then campaigns go by the tables alone',
    ])
    const ready = await bot.app.http.inject({ url: '/health/ready' })
    expect(ready.json()).toMatchObject({ status: 'ready', degraded: [{ part: 'queue' }] })
    expect(bot.logged()).not.toContain('hidden')
  } finally {
    await bot.stop()
  }
})

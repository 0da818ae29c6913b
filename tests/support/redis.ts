import { spawn, spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

/** Empty where tests that need Redis can run. In CI nothing may be skipped, so there `startTestRedis` fails instead. */
export const whyNoRedis =
  process.env.TEST_REDIS_URL || process.env.CI === 'true' || spawnSync('redis-server', ['--version']).status === 0
    ? ''
    : 'redis-server is not on the PATH and TEST_REDIS_URL is not set'

const START_TIMEOUT_MS = 10_000

/** TEST_REDIS_URL, or a server of its own on a free port that keeps nothing. Write `test.skipIf(whyNoRedis)` or `describe.skipIf` around it. */
export async function startTestRedis(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env.TEST_REDIS_URL
  if (given) return { url: given, stop: async () => {} }

  const port = await freePort()
  const child = spawn('redis-server', [
    ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    ...['--maxmemory-policy', 'noeviction'],
  ])
  let failure = ''
  child.once('error', (error) => {
    failure = error.message
  })
  child.once('exit', (code) => {
    failure ||= `it ended with code ${code}`
  })
  // A throw-away server must not outlive a run that is broken off
  process.once('exit', () => child.kill('SIGKILL'))

  const url = `redis://127.0.0.1:${port}`
  const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {})
  const deadline = Date.now() + START_TIMEOUT_MS
  while (client.status !== 'ready') {
    if (failure || Date.now() > deadline) {
      client.disconnect()
      throw new Error(`redis-server did not start: ${failure || 'it took too long'}`)
    }
    await sleep(10)
  }
  client.disconnect()
  return {
    url,
    async stop() {
      if (child.exitCode !== null) return
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await exited
    },
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const address = server.address()
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}

import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase } from '../support/postgres.ts'
import type { Incoming, Phone } from './phone.ts'
import { ACCOUNT, type BotProcess, freePort, makeDataDir, type SimulatorProcess, startBot, startSimulator } from './processes.ts'
import { createZaloPhones } from './zalo-phones.ts'

// A refresh token works once. Four processes on one database meet its expiry together: two that take webhooks, by turns as behind a load
// balancer, and two workers. The platform counts who asked for what.

const TOKEN_PATH = '/v4/oa/access_token'
const SEND_PATH = '/v3.0/oa/message/cs'
const EXPIRED = '-216'
const ACCESS_LIFE_MS = 90_000_000
const PEOPLE = 16
const ROLES = ['web', 'web', 'worker', 'worker']

type Counters = { requests: Record<string, number>; answers: Record<string, Record<string, number>> }

describe('four processes at the expiry of one access token', () => {
  let simulator: SimulatorProcess
  let balancer: Server
  const bots: BotProcess[] = []
  const folders: string[] = []
  const phones: Phone[] = []

  beforeAll(async () => {
    const databaseUrl = await createTestDatabase()
    const secretKey = randomBytes(32).toString('base64')
    simulator = await startSimulator({ seed: 7, buttons: true, stateAgency: false, retryLadderMs: [300] })
    const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
    const start = async (role: string) => {
      const dataDir = makeDataDir()
      folders.push(dataDir)
      const port = await freePort()
      const env = { DATABASE_URL: databaseUrl, SECRET_KEY: secretKey, ROLE: role }
      bots.push(await startBot({ dataDir, port, platformUrl: simulator.platformUrl, refreshToken: refresh_token, env }))
      return port
    }
    // The first one makes the sample commune; the others must not race it for that
    const first = await start(ROLES[0]!)
    const ports = [first, ...(await Promise.all(ROLES.slice(1).map(start)))]
    balancer = await balance(ports.slice(0, 2))
    const address = balancer.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/webhooks/zalo`
    await simulator.control('PUT', '/webhook', { oa_id: ACCOUNT.oaId, url })
    const shop = createZaloPhones({ personUrl: simulator.personUrl, oaId: ACCOUNT.oaId })
    for (let index = 0; index < PEOPLE; index++) phones.push(await shop.open(`Máy ${index}`))
  }, 110_000)

  afterAll(async () => {
    for (const phone of phones) phone.close()
    balancer?.close()
    await Promise.all(bots.map((bot) => bot.stop()))
    await simulator?.stop()
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })

  test('all first messages are answered with one refresh in all', async () => {
    await everyoneWrites('BẮT ĐẦU')
    expect(await readRefreshes()).toEqual({ asked: 1, granted: 1 })
  })

  test('when the token expires while everyone writes, it is refreshed once', async () => {
    await simulator.control('DELETE', '/counters')
    await simulator.control('PUT', '/clock', { offset_ms: ACCESS_LIFE_MS + 60_000 })
    await everyoneWrites('1')
    // More than one met the refusal, so there was something to race for
    expect(await countRefusedSends()).toBeGreaterThan(1)
    expect(await readRefreshes()).toEqual({ asked: 1, granted: 1 })
  })

  test('and again for the token after it', async () => {
    await simulator.control('DELETE', '/counters')
    await simulator.control('PUT', '/clock', { offset_ms: 2 * (ACCESS_LIFE_MS + 60_000) })
    await everyoneWrites('1')
    expect(await readRefreshes()).toEqual({ asked: 1, granted: 1 })
  })

  /** Everyone says the same at once; resolves when everyone has been answered. */
  async function everyoneWrites(text: string): Promise<void> {
    await Promise.all(
      phones.map(async (phone, index) => {
        const answered = new Promise<Incoming>((resolve) => phone.onMessage(resolve))
        await phone.say(text)
        const late = sleep(30_000, undefined, { ref: false }).then(() => {
          throw new Error(`person ${index} was not answered`)
        })
        await Promise.race([answered, late])
      }),
    )
    await simulator.control('POST', '/flush')
  }

  async function countRefusedSends(): Promise<number> {
    const { answers } = (await simulator.control('GET', '/counters')) as Counters
    return answers[SEND_PATH]?.[EXPIRED] ?? 0
  }

  async function readRefreshes(): Promise<{ asked: number; granted: number }> {
    const { requests, answers } = (await simulator.control('GET', '/counters')) as Counters
    return { asked: requests[TOKEN_PATH] ?? 0, granted: answers[TOKEN_PATH]?.['0'] ?? 0 }
  }
})

/** Passes each request on to the next of these ports. */
function balance(ports: number[]): Promise<Server> {
  let turn = 0
  const server = createServer((incoming, outgoing) => {
    const port = ports[turn++ % ports.length]
    const passed = request(
      { host: '127.0.0.1', port, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    passed.once('error', () => outgoing.writeHead(502).end())
    incoming.pipe(passed)
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

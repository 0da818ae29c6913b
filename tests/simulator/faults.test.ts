import { describe, expect, test } from 'vitest'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { accountInput, call, meet, OA, startSimulator, startWebhook, text } from './start.ts'

const CS = 'oa/message/cs'

function delivered(simulator: Simulator) {
  return simulator
    .account(OA)
    .threads()
    .flatMap(({ messages }) => messages)
    .filter(({ from }) => from === 'oa').length
}

describe('a call', () => {
  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('fails with -200 %s delivery', async (when, count) => {
    const simulator = await startSimulator()
    const { userId } = await meet(simulator)
    simulator.faults.addCall({ endpoint: CS, when, answer: { code: -200 } })
    expect((await call(simulator, '/v3.0/oa/message/cs', text(userId))).body).toEqual({ error: -200, message: 'Send message failed' })
    expect(delivered(simulator)).toBe(count)
  })

  test.each([-216, 216, -401, 401, -32, -248])('answers the code %i when told so', async (code) => {
    const simulator = await startSimulator()
    simulator.faults.addCall({ answer: { code, message: 'forced' } })
    expect((await call(simulator, '/v2.0/oa/getoa')).body).toEqual({ error: code, message: 'forced' })
  })

  test('answers HTTP 401, or a page instead of JSON', async () => {
    const simulator = await startSimulator()
    const { access_token } = simulator.account(OA).mintTokens()
    const get = () => simulator.platform.inject({ url: '/v2.0/oa/getoa', headers: { access_token } })
    simulator.faults.addCall({ times: 1, answer: { code: 401, status: 401 } })
    simulator.faults.addCall({ times: 1, answer: { html: 502 } })
    expect((await get()).statusCode).toBe(401)
    const page = await get()
    expect([page.statusCode, page.headers['content-type']]).toEqual([502, 'text/html'])
    expect(page.body).toContain('<h1>502 Bad Gateway</h1>')
    expect((await get()).statusCode).toBe(200)
  })

  test('is counted when its caller is gone before the answer, and takes effect all the same', async () => {
    const simulator = await startSimulator()
    const { userId } = await meet(simulator)
    const origin = await simulator.platform.listen({ port: 0 })
    const { access_token } = simulator.account(OA).mintTokens()
    simulator.faults.addCall({ endpoint: CS, when: 'before', times: 1, answer: { slow_ms: 100 } })
    const headers = { access_token, 'content-type': 'application/json' }
    const send = (signal: AbortSignal | null) =>
      fetch(`${origin}/v3.0/oa/message/cs`, { method: 'POST', headers, body: JSON.stringify(text(userId)), signal })
    await expect(send(AbortSignal.timeout(30))).rejects.toThrow()
    await expect.poll(() => delivered(simulator)).toBe(1)
    expect(simulator.counters().abandoned).toEqual({ '/v3.0/oa/message/cs': 1 })
    await send(null)
    expect(simulator.counters().abandoned).toEqual({ '/v3.0/oa/message/cs': 1 })
  })

  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)('loses its connection %s delivery', async (when, count) => {
    const simulator = await startSimulator()
    const { userId } = await meet(simulator)
    const origin = await simulator.platform.listen({ port: 0 })
    const { access_token } = simulator.account(OA).mintTokens()
    simulator.faults.addCall({ endpoint: CS, when, answer: { reset: true } })
    const headers = { access_token, 'content-type': 'application/json' }
    const send = fetch(`${origin}/v3.0/oa/message/cs`, { method: 'POST', headers, body: JSON.stringify(text(userId)) })
    await expect(send).rejects.toThrow('fetch failed')
    expect(delivered(simulator)).toBe(count)
  })

  test('can be slow', async () => {
    const simulator = await startSimulator()
    simulator.faults.addCall({ answer: { slow_ms: 5 } })
    expect((await call(simulator, '/v2.0/oa/getoa')).body.error).toBe(0)
    expect(simulator.counters().faults).toEqual({ slow_ms: 1 })
  })

  test('of the token endpoint can take effect and lose its answer', async () => {
    const simulator = await startSimulator()
    const { refresh_token } = simulator.account(OA).mintTokens()
    simulator.faults.addCall({ endpoint: 'oa/access_token', when: 'after', times: 1, answer: { html: 502 } })
    const refresh = () =>
      simulator.platform.inject({
        method: 'POST',
        url: '/v4/oa/access_token',
        headers: { secret_key: 'APP_SECRET_made_up', 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ app_id: '1234567890123456789', grant_type: 'refresh_token', refresh_token }).toString(),
      })
    expect((await refresh()).statusCode).toBe(502)
    expect((await refresh()).json().error).toBe(-14020)
  })
})

describe('a rule hits', () => {
  test.each([
    ['the second', { nth: 2 }, [0, -200, 0, 0]],
    ['every second', { every: 2 }, [0, -200, 0, -200]],
    ['the first two', { times: 2 }, [-200, -200, 0, 0]],
    ['none', { probability: 0 }, [0, 0, 0, 0]],
    ['all', { probability: 1 }, [-200, -200, -200, -200]],
  ])('%s', async (_name, which, codes) => {
    const simulator = await startSimulator()
    const { userId } = await meet(simulator)
    simulator.faults.addCall({ ...which, user_id: userId, answer: { code: -200 } })
    const other = await meet(simulator)
    const found: number[] = []
    for (let i = 0; i < codes.length; i++) {
      expect((await call(simulator, '/v3.0/oa/message/cs', text(other.userId))).body.error).toBe(0)
      found.push((await call(simulator, '/v3.0/oa/message/cs', text(userId))).body.error)
    }
    expect(found).toEqual(codes)
  })

  test('until it is taken away', async () => {
    const simulator = await startSimulator()
    const id = simulator.faults.addCall({ answer: { code: -200 } })
    await call(simulator, '/v2.0/oa/getoa')
    expect(simulator.faults.list()).toMatchObject([{ id, hits: 1 }])
    simulator.faults.remove(id)
    expect((await call(simulator, '/v2.0/oa/getoa')).body.error).toBe(0)
  })
})

describe('a delivery', () => {
  async function say(rule: Parameters<Simulator['faults']['addWebhook']>[0], texts: string[]) {
    const webhook = await startWebhook()
    const simulator = await startSimulator({ accounts: [accountInput({ webhookUrl: webhook.url })], webhookConcurrency: 1 })
    simulator.faults.addWebhook(rule)
    const person = simulator.people.create({ name: 'Giàng A Páo' })
    for (const said of texts) await simulator.people.say(person.id, OA, { kind: 'text', text: said })
    await simulator.flush()
    return { webhook, simulator, texts: () => webhook.received.map(({ body }) => body.message.text) }
  }

  test('comes twice', async () => {
    const { texts, webhook } = await say({ nth: 1, copies: 2 }, ['1', '2'])
    expect(texts()).toEqual(['1', '1', '2'])
    expect(webhook.received[0]?.raw).toBe(webhook.received[1]?.raw)
  })

  test('comes after a later one', async () => {
    expect((await say({ nth: 1, behind: 1 }, ['1', '2', '3'])).texts()).toEqual(['2', '1', '3'])
  })

  test('comes late', async () => {
    const { texts, simulator } = await say({ nth: 1, delay_ms: 5_000 }, ['1', '2'])
    expect(texts()).toEqual(['2'])
    await simulator.clock.advance(5_000)
    expect(texts()).toEqual(['2', '1'])
  })

  test('comes with a wrong signature, or none', async () => {
    const { webhook } = await say({ nth: 1, signature: 'missing' }, ['1'])
    expect(webhook.received[0]?.headers['x-zevent-signature']).toBeUndefined()
  })
})

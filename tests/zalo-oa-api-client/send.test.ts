import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  appSecretProof,
  articleMessage,
  buttonsMessage,
  type Endpoint,
  InvalidMessageError,
  type RateLimit,
  textMessage,
  withQuote,
  ZaloError,
} from '../../src/zalo-oa-api-client/index.ts'
import { bodyOf, clientTo, errorOf, type FakeZalo, NOW, type Reply, startFakeZalo } from './fake-zalo.ts'

const USER = '9876543210987654321'
const V3 = '/v3.0/oa/message/cs'
const V2 = '/v2.0/oa/message'
let zalo: FakeZalo
beforeEach(async () => {
  zalo = await startFakeZalo()
})
afterEach(() => zalo.stop())

const paths = () => zalo.seen.map((one) => one.path)

test('a text goes to v3.0 with the token in the header and the id as a string', async () => {
  const result = await clientTo(zalo).sendMessage(USER, textMessage('Xã đã nhận phản ánh của bà con.'.normalize('NFD')))
  expect(result).toEqual({ messageId: 'msg_1', userId: USER, sentTimeMs: 1795299433840 })
  expect(bodyOf(zalo.seen[0])).toEqual({ recipient: { user_id: USER }, message: { text: 'Xã đã nhận phản ánh của bà con.' } })
  expect(zalo.seen[0]).toMatchObject({ path: V3, headers: { access_token: 'AT_1', 'content-type': 'application/json' } })
  expect(zalo.seen[0]?.headers.appsecret_proof).toBeUndefined()
})

test('quota, free, rate limit and foreign fields of the answer', async () => {
  const limits: RateLimit[] = []
  const quota = {
    quota_type: 'reply',
    remain: '8',
    total: '8',
    expired_date: '22/11/2026',
    owner_type: 'OA',
    owner_id: '1122334455667788990',
  }
  zalo.next(V3, (response) => {
    response.setHeader('X-RateLimit-Limit', '100').setHeader('X-RateLimit-Remain', '7')
    response.end(JSON.stringify({ data: { message_id: 'm', user_id: USER, sent_time: '1795299433840', quota, more: 1 }, error: 0 }))
  })
  const client = clientTo(zalo, { onRateLimit: (limit) => limits.push(limit) })
  expect(await client.sendMessage(USER, textMessage('Chào'))).toEqual({
    messageId: 'm',
    userId: USER,
    sentTimeMs: 1795299433840,
    quota: { type: 'reply', remain: 8, total: 8, expiredDate: '22/11/2026' },
    free: true,
    rateLimit: { limit: 100, remain: 7 },
  })
  expect(limits).toEqual([{ limit: 100, remain: 7 }])
})

test('an answer without user id, time and quota is a success, ids without quotes keep their digits', async () => {
  zalo.next(V3, (response) => response.end(`{"error":0,"data":{"message_id":98765432109876543210,"recipient_id":${USER}}}`))
  expect(await clientTo(zalo).sendMessage(USER, textMessage('Chào'))).toEqual({ messageId: '98765432109876543210', userId: USER })
  zalo.next(V3, { error: 0, data: { message_id: 'm', quota: 'gone', sent_time: 'soon' } })
  expect(await clientTo(zalo).sendMessage(USER, textMessage('Chào'))).toEqual({ messageId: 'm', userId: USER })
})

test('a purchased message is not called free', async () => {
  zalo.next(V3, { error: 0, data: { message_id: 'm', quota: { quota_type: 'purchase_quota' } } })
  expect((await clientTo(zalo).sendMessage(USER, textMessage('Chào'))).free).toBeUndefined()
})

test('appsecret_proof goes along when its key is given, and fits the token', async () => {
  await clientTo(zalo, { appSecretForProof: 'APP_SECRET_made_up' }).sendMessage(USER, textMessage('Chào'))
  expect(zalo.seen[0]?.headers.appsecret_proof).toBe(appSecretProof('AT_1', 'APP_SECRET_made_up'))
})

test('-235 switches to v2.0 once, tells the host, and stays there', async () => {
  const told: Endpoint[] = []
  const client = clientTo(zalo, { onEndpoint: (endpoint) => told.push(endpoint) })
  zalo.next(V3, { error: -235, message: 'This API does not support this type of OA' })
  await client.sendMessage(USER, textMessage('Một'))
  await client.sendMessage(USER, textMessage('Hai'))
  expect(paths()).toEqual([V3, V2, V2])
  expect(told).toEqual(['v2.0'])
  expect(client.endpoint()).toBe('v2.0')
})

test('a hook that throws or rejects does not turn a sent message into a failure', async () => {
  zalo.next(V3, { error: -235 })
  zalo.next(V2, (response) => {
    response.setHeader('X-RateLimit-Limit', '100').setHeader('X-RateLimit-Remain', '7')
    response.end('{"error":0,"message":{},"data":{"message_id":"m"}}')
  })
  const client = clientTo(zalo, {
    onEndpoint: async () => Promise.reject(new Error('made up')),
    onRateLimit: () => {
      throw new Error('made up')
    },
  })
  expect(await client.sendMessage(USER, textMessage('Chào'))).toMatchObject({ messageId: 'm' })
})

test('-240 switches from v2.0 to v3.0', async () => {
  const client = clientTo(zalo, { endpoint: 'v2.0' })
  zalo.next(V2, { error: -240 })
  await client.sendMessage(USER, textMessage('Chào'))
  expect(paths()).toEqual([V2, V3])
  expect(client.endpoint()).toBe('v3.0')
})

test('refused by both endpoints: a human must look, the choice stays', async () => {
  const client = clientTo(zalo)
  zalo.next(V3, { error: -235 })
  zalo.next(V2, { error: -240 })
  expect(await errorOf(client.sendMessage(USER, textMessage('Chào')))).toMatchObject({ action: 'pause_account', code: -240 })
  expect(paths()).toEqual([V3, V2])
  expect(client.endpoint()).toBe('v3.0')
})

test('-235 on v2.0 and -240 on v3.0 are no reason to switch', async () => {
  zalo.next(V3, { error: -240 })
  zalo.next(V2, { error: -235 })
  expect(await errorOf(clientTo(zalo).sendMessage(USER, textMessage('Chào')))).toMatchObject({ action: 'pause_account', code: -240 })
  const other = clientTo(zalo, { endpoint: 'v2.0' })
  expect(await errorOf(other.sendMessage(USER, textMessage('Chào')))).toMatchObject({ action: 'pause_account', code: -235 })
  expect(paths()).toEqual([V3, V2])
})

test('the right endpoint is kept when it refuses the person, not when it is unclear', async () => {
  const client = clientTo(zalo)
  zalo.next(V3, { error: -235 }, { error: -235 })
  zalo.next(V2, { error: -200 }, { error: -230 })
  expect(await errorOf(client.sendMessage(USER, textMessage('Chào')))).toMatchObject({ action: 'ambiguous' })
  expect(client.endpoint()).toBe('v3.0')
  expect(await errorOf(client.sendMessage(USER, textMessage('Chào')))).toMatchObject({ action: 'outside_window' })
  expect(client.endpoint()).toBe('v2.0')
})

const html = (status: number) => (response: import('node:http').ServerResponse) => {
  response.statusCode = status
  response.setHeader('content-type', 'text/html').end('<html>Bad Gateway</html>')
}
const json = (status: number, body: object) => (response: import('node:http').ServerResponse) => {
  response.statusCode = status
  response.end(JSON.stringify(body))
}
const reset = (response: import('node:http').ServerResponse) => response.socket?.resetAndDestroy()
const halfAnswer = (response: import('node:http').ServerResponse) => {
  response.setHeader('content-length', '100').write('{"error":0')
  response.socket?.end()
}

test.each<[string, Reply, object]>([
  ['-200', { error: -200 }, { action: 'ambiguous', reason: 'send_failed', code: -200 }],
  ['an HTML 502', html(502), { action: 'ambiguous', reason: 'unreadable_answer', code: undefined }],
  ['an HTML 200', html(200), { action: 'ambiguous', reason: 'unreadable_answer' }],
  ['a JSON 500 of a gateway', json(500, { message: 'made up' }), { action: 'ambiguous', reason: 'unreadable_answer' }],
  ['a JSON 500 with an unknown code', json(500, { error: -5 }), { action: 'ambiguous', reason: 'unreadable_answer', code: -5 }],
  ['a success without an id', { error: 0, data: {} }, { action: 'ambiguous', reason: 'unreadable_answer' }],
  ['a reset', reset, { action: 'ambiguous', reason: 'connection_lost' }],
  ['half an answer', halfAnswer, { action: 'ambiguous', reason: 'connection_lost' }],
  ['silence', () => {}, { action: 'ambiguous', reason: 'timeout' }],
  ['a known code beside HTTP 500', json(500, { error: -230 }), { action: 'outside_window', code: -230 }],
  ['an unknown code', { error: -5 }, { action: 'drop', reason: 'unknown_code' }],
  ['an HTML 404', html(404), { action: 'retry', reason: 'http_refused' }],
  ['a 429', html(429), { action: 'wait_until', until: Date.UTC(2026, 10, 22, 3, 1) }],
  [
    '-32 for the app',
    { error: -32, message: 'Your application reached limit call api' },
    { reason: 'rate_limit_app', until: NOW + 30_000 },
  ],
  ['-32 for the account', { error: -32, message: 'Your OA reached limit call api' }, { reason: 'rate_limit_account', until: NOW + 30_000 }],
  ['-234', { error: -234 }, { action: 'wait_until', until: Date.UTC(2026, 10, 22, 23) }],
  ['-218', { error: -218 }, { action: 'wait_until', until: Date.UTC(2026, 10, 22, 17) }],
])('%s is sent once and told apart', async (_name, reply, expected) => {
  zalo.next(V3, reply)
  const error = await errorOf(clientTo(zalo, { timeoutMs: 150 }).sendMessage(USER, textMessage('Một câu bí mật')))
  expect(error).toBeInstanceOf(ZaloError)
  expect(error).toMatchObject(expected)
  expect(paths()).toEqual([V3])
  expect(`${error} ${JSON.stringify(error)}`).not.toMatch(/bí mật|AT_1|9876543210987654321/)
})

test("the platform's sentence is there for a human but not in what a logger prints", async () => {
  zalo.next(V3, { error: -201, message: `${'x'.repeat(500)} bí mật` })
  const error = await errorOf(clientTo(zalo).sendMessage(USER, textMessage('Chào')))
  if (!(error instanceof ZaloError)) throw error
  expect(error.platformText).toBe('x'.repeat(200))
  expect(`${error} ${JSON.stringify({ ...error })}`).not.toContain('xxx')
})

test('a refused connection was certainly not sent, nor was a name that does not resolve', async () => {
  const probe = await startFakeZalo()
  await probe.stop()
  for (const apiUrl of [probe.url, 'http://no-such-host.invalid']) {
    const error = await errorOf(clientTo(zalo, { apiUrl }).sendMessage(USER, textMessage('Chào')))
    expect(error).toMatchObject({ action: 'retry', reason: 'not_connected', retryable: true })
  }
  expect(zalo.seen).toHaveLength(0)
})

test.each([
  ['silent', (socket: Socket) => socket.resume()],
  ['resetting', (socket: Socket) => socket.resetAndDestroy()],
])('a %s handshake was certainly not sent, though it looks like a lost answer', async (_name, onConnection) => {
  const listener = createServer(onConnection)
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const apiUrl = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const error = await errorOf(clientTo(zalo, { apiUrl, timeoutMs: 150 }).sendMessage(USER, textMessage('Chào')))
  listener.close()
  expect(error).toMatchObject({ action: 'retry', reason: 'not_connected' })
})

test('the token does not follow a redirect', async () => {
  const elsewhere = await startFakeZalo()
  zalo.next(V3, (response) => response.writeHead(307, { location: `${elsewhere.url}${V3}` }).end())
  expect(await errorOf(clientTo(zalo).sendMessage(USER, textMessage('Chào')))).toMatchObject({ action: 'retry', reason: 'http_refused' })
  expect(elsewhere.seen).toHaveLength(0)
  await elsewhere.stop()
})

test('a token that cannot be a header pauses the account and stays out of the error', async () => {
  const tokens = { get: async () => 'AT_\nsecret', refresh: async () => '' }
  const error = await errorOf(clientTo(zalo, { tokens }).sendMessage(USER, textMessage('Chào')))
  expect(error).toMatchObject({ action: 'pause_account', reason: 'invalid_set_up' })
  expect(error).not.toHaveProperty('cause')
  expect(String(error)).not.toContain('secret')
})

test('a quote the platform no longer knows is left out', async () => {
  zalo.next(V3, { error: -201, message: 'quote_message_id is invalid!' })
  await clientTo(zalo).sendMessage(USER, withQuote(textMessage('Chào'), 'old'))
  expect(zalo.seen.map(bodyOf)).toMatchObject([{ message: { quote_message_id: 'old' } }, { message: { text: 'Chào' } }])
  expect(bodyOf(zalo.seen[1])).not.toHaveProperty('message.quote_message_id')
})

test('-201 without a quote is final', async () => {
  zalo.next(V3, { error: -201 })
  expect(
    await errorOf(clientTo(zalo).sendMessage(USER, buttonsMessage('?', [{ title: 'A', type: 'oa.query.hide', payload: '#a' }]))),
  ).toMatchObject({
    action: 'drop',
    reason: 'invalid_parameter',
  })
  expect(zalo.seen).toHaveLength(1)
})

test('a message above a limit is refused before anything is sent', async () => {
  expect(await errorOf(clientTo(zalo).sendMessage(USER, textMessage('x'.repeat(2001))))).toBeInstanceOf(InvalidMessageError)
  expect(zalo.seen).toHaveLength(0)
})

test('reactions and broadcasts go to v2.0', async () => {
  const client = clientTo(zalo)
  await client.sendReaction(USER, 'b7c1', '/-heart')
  expect(bodyOf(zalo.seen[0])).toEqual({
    recipient: { user_id: USER },
    sender_action: { react_icon: '/-heart', react_message_id: 'b7c1' },
  })
  const target = { ages: '0,1,2', gender: '0', cities: '9' }
  expect(await client.broadcast(target, articleMessage(['ART_1']))).toMatchObject({ messageId: 'msg_2', userId: undefined })
  expect(bodyOf(zalo.seen[1])).toEqual({
    recipient: { target },
    message: {
      attachment: {
        type: 'template',
        payload: { template_type: 'media', elements: [{ media_type: 'article', attachment_id: 'ART_1' }] },
      },
    },
  })
  expect(await errorOf(client.broadcast(target, textMessage('Chào')))).toBeInstanceOf(InvalidMessageError)
  expect(paths()).toEqual([V2, V2])
})

test('connections are kept for the next call', async () => {
  const ports = new Set<number | undefined>()
  const remember = (response: import('node:http').ServerResponse) => {
    ports.add(response.socket?.remotePort)
    response.end('{"error":0,"data":{"message_id":"m"}}')
  }
  zalo.next(V3, ...Array.from({ length: 10 }, () => remember))
  const client = clientTo(zalo)
  for (let i = 0; i < 10; i++) await client.sendMessage(USER, textMessage('Chào'))
  // fetch may open a second one before the first is free again
  expect(ports.size).toBeLessThanOrEqual(2)
})

test('the fake itself refuses a token in the query', async () => {
  const answer = await fetch(`${zalo.url}${V3}?access_token=AT_1`, { method: 'POST', body: '{}' })
  expect(await answer.json()).toMatchObject({ error: -216 })
})

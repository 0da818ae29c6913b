import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createMemoryTokenStore,
  createTokenSource,
  createZaloClient,
  isGrantDead,
  pairFromRefreshToken,
  type TokenStore,
  textMessage,
  ZaloError,
} from '../../src/zalo-oa-api-client/index.ts'
import { clientTo, errorOf, type FakeZalo, freshPair, NOW, oauthTo, startFakeZalo } from './fake-zalo.ts'

const HOUR_MS = 3_600_000
const TOKEN_PATH = '/v4/oa/access_token'
let zalo: FakeZalo
let now = NOW

beforeEach(async () => {
  now = NOW
  zalo = await startFakeZalo()
})
afterEach(() => zalo.stop())

function source(store: TokenStore, more: { onPutOff?: (error: unknown) => void } = {}) {
  return createTokenSource({ store, oauth: oauthTo(zalo), now: () => now, ...more })
}

const down = (response: import('node:http').ServerResponse) => {
  response.statusCode = 502
  response.end('<html>Bad Gateway</html>')
}

test('a fresh token is used without a request, an old one replaced at 20 hours, the previous pair kept', async () => {
  const store = createMemoryTokenStore(freshPair())
  const tokens = source(store)
  expect(await tokens.get()).toBe('AT_1')
  now += 20 * HOUR_MS - 1
  expect(await tokens.get()).toBe('AT_1')
  expect(zalo.seen).toHaveLength(0)
  now += 1
  expect(await tokens.get()).toBe('AT_2')
  expect(await store.read()).toEqual({
    accessToken: 'AT_2',
    refreshToken: 'RT_2',
    obtainedAtMs: now,
    expiresAtMs: now + 25 * HOUR_MS,
    previous: { accessToken: 'AT_1', refreshToken: 'RT_1' },
  })
})

test('a host that has only a refresh token begins with a refresh', async () => {
  expect(await source(createMemoryTokenStore(pairFromRefreshToken('RT_1'))).get()).toBe('AT_2')
})

test('many callers of one source cause one refresh', async () => {
  const tokens = source(createMemoryTokenStore(pairFromRefreshToken('RT_1')))
  expect(new Set(await Promise.all(Array.from({ length: 50 }, () => tokens.get())))).toEqual(new Set(['AT_2']))
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
})

test('two processes that share a store spend a refresh token once', async () => {
  const store = createMemoryTokenStore(pairFromRefreshToken('RT_1'))
  const [a, b] = [source(store), source(store)]
  expect(await Promise.all([a.get(), b.get(), a.get(), b.get()])).toEqual(['AT_2', 'AT_2', 'AT_2', 'AT_2'])
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
  expect(await Promise.all([a.refresh('AT_2'), b.refresh('AT_2')])).toEqual(['AT_3', 'AT_3'])
  expect(zalo.to(TOKEN_PATH)).toHaveLength(2)
})

test('a process that was refused takes the pair another one has stored', async () => {
  const store = createMemoryTokenStore(freshPair())
  const [a, b] = [source(store), source(store)]
  expect([await a.get(), await b.get()]).toEqual(['AT_1', 'AT_1'])
  await a.refresh('AT_1')
  expect(await b.refresh('AT_1')).toBe('AT_2')
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
})

test('the pair is stored before anybody uses it', async () => {
  const inner = createMemoryTokenStore(pairFromRefreshToken('RT_1'))
  const steps: string[] = []
  const written = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  const store: TokenStore = {
    ...inner,
    async write(pair) {
      begun.resolve()
      await written.promise
      await inner.write(pair)
      steps.push('written')
    },
  }
  const using = source(store)
    .get()
    .then(() => steps.push('used'))
  await begun.promise
  expect(steps).toEqual([])
  written.resolve()
  await using
  expect(steps).toEqual(['written', 'used'])
})

test('a pair the store failed to keep is written at the next try, not refreshed again', async () => {
  const inner = createMemoryTokenStore(freshPair())
  let failures = 2
  const store: TokenStore = {
    ...inner,
    async write(pair) {
      if (failures-- > 0) throw new Error('disk full')
      await inner.write(pair)
    },
  }
  const tokens = source(store)
  now += 21 * HOUR_MS
  expect(await tokens.get()).toBe('AT_1')
  expect(await tokens.get()).toBe('AT_1')
  expect(await tokens.get()).toBe('AT_2')
  expect(await inner.read()).toMatchObject({ refreshToken: 'RT_2', previous: { refreshToken: 'RT_1' } })
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
})

test.each([
  ['unknown', { error: -14014 }],
  ['used before', { error: -14020 }],
  ['an invalid grant', { error: -118 }],
  ['answered without a token', { message: 'made up' }],
  ['answered with a new code', { error: -14999, error_name: 'made up' }],
])('a refresh token that is %s is dead: remembered, told, not tried again', async (_name, answer) => {
  const store = createMemoryTokenStore(pairFromRefreshToken('RT_1'))
  zalo.next(TOKEN_PATH, answer)
  const tokens = source(store)
  const error = await errorOf(tokens.get())
  expect(error).toMatchObject({ action: 'pause_account', reason: 'grant_dead', retryable: false })
  expect(isGrantDead(error)).toBe(true)
  expect((await store.read())?.deadReason).toContain('grant_dead')
  for (const one of [tokens, source(store)]) expect(isGrantDead(await errorOf(one.get()))).toBe(true)
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
})

test('a dead grant is not tried again even when the store forgets it', async () => {
  const store: TokenStore = { ...createMemoryTokenStore(pairFromRefreshToken('RT_other')), async markDead() {} }
  const tokens = source(store)
  expect(isGrantDead(await errorOf(tokens.get()))).toBe(true)
  expect(isGrantDead(await errorOf(tokens.refresh('')))).toBe(true)
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
})

test('a new grant brought by a human ends the pause', async () => {
  const store = createMemoryTokenStore(pairFromRefreshToken('RT_dead'))
  const tokens = source(store)
  await errorOf(tokens.get())
  await store.write(pairFromRefreshToken('RT_1'))
  expect(await tokens.get()).toBe('AT_2')
})

test('a set-up mistake is not a dead grant', async () => {
  const store = createMemoryTokenStore(pairFromRefreshToken('RT_1'))
  const tokens = source(store)
  zalo.next(TOKEN_PATH, { error: -14002, error_name: 'made up' })
  expect(await errorOf(tokens.get())).toMatchObject({ action: 'pause_account', reason: 'app_not_active', code: -14002 })
  expect((await store.read())?.deadReason).toBeUndefined()
  expect(await tokens.get()).toBe('AT_2')
})

test('without an answer the old token goes on as long as it lives, the next try comes 10 minutes later', async () => {
  const putOff: unknown[] = []
  const tokens = source(createMemoryTokenStore(freshPair()), { onPutOff: (error) => putOff.push(error) })
  now += 20 * HOUR_MS
  zalo.next(TOKEN_PATH, down, down, down)
  expect([await tokens.get(), await tokens.get()]).toEqual(['AT_1', 'AT_1'])
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
  expect(putOff).toMatchObject([{ action: 'retry', reason: 'unreadable_answer' }])
  now += 600_000
  expect(await tokens.get()).toBe('AT_1')
  now += 5 * HOUR_MS
  expect(await errorOf(tokens.get())).toMatchObject({ action: 'retry', retryable: true })
  expect(await tokens.get()).toBe('AT_2')
})

test('an account without any tokens asks for a human', async () => {
  expect(await errorOf(source(createMemoryTokenStore()).get())).toMatchObject({ action: 'pause_account', reason: 'no_grant' })
})

test.each([{ error: -216 }, { error: -220 }, { error: 216 }, { error: 401 }, { error: -401 }, { error: '-216' }])(
  'a call refused with %j refreshes once and is sent once more',
  async (refused) => {
    zalo.next('/v3.0/oa/message/cs', refused)
    const result = await clientTo(zalo).sendMessage('9876543210987654321', textMessage('Chào'))
    expect(result.messageId).toMatch(/^msg_/)
    expect(zalo.to('/v3.0/oa/message/cs').map((one) => one.headers.access_token)).toEqual(['AT_1', 'AT_2'])
  },
)

test('HTTP 401 without a code counts as a refused token', async () => {
  zalo.next('/v3.0/oa/message/cs', (response) => {
    response.statusCode = 401
    response.end('Unauthorized')
  })
  await clientTo(zalo).sendMessage('9876543210987654321', textMessage('Chào'))
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
})

test('a token refused right after the refresh pauses the account and costs no further refresh token', async () => {
  const client = clientTo(zalo)
  zalo.next('/v3.0/oa/message/cs', { error: -216 }, { error: -216 }, { error: -216 })
  for (const _ of [1, 2]) {
    const error = await errorOf(client.sendMessage('1', textMessage('Chào')))
    expect(error).toMatchObject({ action: 'pause_account', reason: 'token_refused_twice', code: -216 })
  }
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
  await client.sendMessage('1', textMessage('Chào'))
})

test('many sends refused at once cause one refresh', async () => {
  const store = createMemoryTokenStore(freshPair())
  zalo.accessTokens.delete('AT_1')
  const clients = [1, 2].map(() => createZaloClient({ tokens: source(store), apiUrl: zalo.url, now: () => now, timeoutMs: 2_000 }))
  await Promise.all(clients.flatMap((client) => Array.from({ length: 10 }, (_, i) => client.sendMessage(`${i}`, textMessage('Chào')))))
  expect(zalo.to(TOKEN_PATH)).toHaveLength(1)
})

test('a refused OAuth connection is retryable', async () => {
  await zalo.stop()
  const error = await errorOf(oauthTo(zalo).refresh('RT_1'))
  expect(error).toBeInstanceOf(ZaloError)
  expect(error).toMatchObject({ action: 'retry', reason: 'not_connected', retryable: true })
  zalo = await startFakeZalo()
})

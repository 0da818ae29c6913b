import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import {
  createMemoryTokenStore,
  createOAuth,
  createTokenSource,
  createZaloClient,
  type TokenPair,
  type ZaloClientOptions,
} from '../../src/zalo-oa-api-client/index.ts'

export type Seen = { method: string; path: string; headers: IncomingMessage['headers']; query: URLSearchParams; body: Buffer }

/** What to answer instead: an object is sent as JSON with 200, a function gets the raw response. */
export type Reply = object | ((response: ServerResponse, seen: Seen) => void)

const APP_ID = '1234567890123456789'
const APP_SECRET = 'APP_SECRET_made_up'

/**
 * A Zalo that speaks the protocol strictly and answers over real HTTP. Sends are refused with -201 unless their shape is one the platform knows;
 * tokens are taken from the header only; refresh tokens work once. `next(path, …replies)` queues what to answer instead.
 */
export async function startFakeZalo() {
  const seen: Seen[] = []
  const replies = new Map<string, Reply[]>()
  let serial = 1
  const accessTokens = new Set(['AT_1'])
  const refreshTokens = new Map<string, 'good' | 'spent'>([['RT_1', 'good']])

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url ?? '/', 'http://fake')
    const one: Seen = {
      method: request.method ?? '',
      path: url.pathname,
      headers: request.headers,
      query: url.searchParams,
      body: Buffer.concat(chunks),
    }
    seen.push(one)
    const reply = replies.get(url.pathname)?.shift() ?? answer(one)
    if (typeof reply === 'function') return reply(response, one)
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(reply))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `http://127.0.0.1:${address.port}`

  function answer(one: Seen): object {
    if (one.path === '/v4/oa/access_token') return grant(one)
    if (!accessTokens.has(String(one.headers.access_token))) return { error: -216, message: 'Access token is invalid' }
    if (one.method === 'GET')
      return one.query.size === 0 || one.query.has('data') ? { data: {}, error: 0, message: 'Success' } : refuse('data')
    if (one.path.startsWith('/v2.0/oa/upload/')) return upload(one)
    if (one.headers['content-type'] !== 'application/json') return refuse('content-type')
    return one.path.includes('/oa/message') ? send(one) : { data: {}, error: 0, message: 'Success' }
  }

  function grant({ headers, body, method }: Seen): object {
    const form = new URLSearchParams(body.toString())
    const isForm = headers['content-type'] === 'application/x-www-form-urlencoded'
    if (method !== 'POST' || !isForm || headers.secret_key !== APP_SECRET || form.get('app_id') !== APP_ID) return oauthFailure(-14002)
    if (form.get('grant_type') === 'authorization_code') return form.get('code') === 'CODE_1' ? pair() : oauthFailure(-14014)
    const token = form.get('refresh_token') ?? ''
    if (refreshTokens.get(token) !== 'good') return oauthFailure(refreshTokens.has(token) ? -14020 : -14014)
    refreshTokens.set(token, 'spent')
    return pair()
  }

  function pair(): object {
    serial += 1
    accessTokens.clear()
    accessTokens.add(`AT_${serial}`)
    refreshTokens.set(`RT_${serial}`, 'good')
    return { access_token: `AT_${serial}`, refresh_token: `RT_${serial}`, expires_in: '90000' }
  }

  function send({ body }: Seen): object {
    const { recipient, message, sender_action } = JSON.parse(body.toString())
    if (sender_action) return { error: 0, message: 'Success', data: { message_id: 'reaction' } }
    if (!recipient?.user_id && !recipient?.target) return refuse('recipient')
    if (!message?.text && !message?.attachment) return refuse('message')
    if (message.attachment && !['template', 'file'].includes(message.attachment.type)) return refuse('attachment.type')
    const sent = { message_id: `msg_${seen.length}`, user_id: recipient.user_id, sent_time: '1795299433840' }
    return { data: sent, error: 0, message: 'Success' }
  }

  function upload({ headers, body, path }: Seen): object {
    const text = body.toString('latin1')
    const isForm = headers['content-type']?.startsWith('multipart/form-data; boundary=') ?? false
    if (!isForm || !/name="file"; filename="[^"]+\.\w+"/.test(text)) return { data: {}, error: 0, message: 'Success' }
    serial += 1
    return { data: path.endsWith('/file') ? { token: `FILE_${serial}` } : { attachment_id: `ATT_${serial}` }, error: 0, message: 'Success' }
  }

  return {
    url,
    seen,
    accessTokens,
    refreshTokens,
    /** Requests to a path, oldest first. */
    to: (path: string) => seen.filter((one) => one.path === path),
    /** Queues answers for a path; when they are used up the usual ones follow. */
    next(path: string, ...list: Reply[]) {
      replies.set(path, [...(replies.get(path) ?? []), ...list])
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type FakeZalo = Awaited<ReturnType<typeof startFakeZalo>>

/** 2026-11-22 10:00:30 in Vietnam. */
export const NOW = Date.UTC(2026, 10, 22, 3, 0, 30)

export function freshPair(more: Partial<TokenPair> = {}): TokenPair {
  return { accessToken: 'AT_1', refreshToken: 'RT_1', obtainedAtMs: NOW, expiresAtMs: NOW + 25 * 3_600_000, ...more }
}

export function oauthTo(zalo: FakeZalo) {
  return createOAuth({ appId: APP_ID, appSecret: APP_SECRET, oauthUrl: zalo.url, now: () => NOW, timeoutMs: 2_000 })
}

/** A client of the fake with a good token and a fixed clock. */
export function clientTo(zalo: FakeZalo, more: Partial<ZaloClientOptions> = {}) {
  const store = createMemoryTokenStore(freshPair())
  const tokens = createTokenSource({ store, oauth: oauthTo(zalo), now: () => NOW })
  return createZaloClient({ tokens, apiUrl: zalo.url, zbsUrl: `${zalo.url}/zbs`, now: () => NOW, timeoutMs: 2_000, ...more })
}

export function bodyOf(one: Seen | undefined): unknown {
  return JSON.parse(one?.body.toString() ?? 'null')
}

/** The error a promise ends with; fails the test when it succeeds. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('expected a failure')
    },
    (error: unknown) => error,
  )
}

function refuse(field: string): object {
  return { error: -201, message: `${field} is invalid!` }
}

function oauthFailure(error: number): object {
  return { error, error_name: 'made up', error_reason: 'made up', error_description: 'made up', ref_doc: 'https://example.vn' }
}

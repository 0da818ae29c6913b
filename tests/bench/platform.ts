import { createServer } from 'node:http'

// A program of its own: the least that Zalo and Telegram can be, so that what is measured is the sender. It grants every account its token,
// takes every message, and keeps when each came in. Told and asked over the channel to the program that started it.

/** Told: how long an account takes for an answer, ms. Asked: what arrived. */
export type PlatformOrder = { slow: Record<string, number> } | 'report'
/** By account, the moments its requests came in, ms since 1970, in order; those of Telegram's bot under its token. */
export type PlatformReport = { arrived: Record<string, number[]> }

const arrived = new Map<string, number[]>()
const slow = new Map<string, number>()
const BOT_ANSWERS: Record<string, unknown> = { getMe: { id: 1, username: 'bot_of_a_bench' }, getUpdates: [] }
const POLL_MS = 20_000
let n = 0

const server = createServer((request, response) => {
  const at = Date.now()
  const answer = (body: string) => {
    response.setHeader('content-type', 'application/json')
    response.end(body)
  }
  if (request.url?.startsWith('/v4/oa/access_token')) {
    let form = ''
    request.on('data', (chunk: Buffer) => {
      form += chunk.toString()
    })
    request.on('end', () => {
      // The tokens of an account are its id: what it sends is told apart by them
      const token = new URLSearchParams(form).get('refresh_token') ?? ''
      answer(JSON.stringify({ access_token: token, refresh_token: token, expires_in: '90000' }))
    })
    return
  }
  const [, botToken, method] = /^\/bot([^/]+)\/(\w+)/.exec(request.url ?? '') ?? []
  if (botToken !== undefined && method !== 'sendMessage') {
    request.resume()
    const result = JSON.stringify(BOT_ANSWERS[method ?? ''] ?? true)
    // Nobody writes: a poll is held back
    setTimeout(answer, method === 'getUpdates' ? POLL_MS : 0, `{"ok":true,"result":${result}}`)
    return
  }
  const account = botToken ?? String(request.headers.access_token)
  const moments = arrived.get(account)
  if (moments) moments.push(at)
  else arrived.set(account, [at])
  if (botToken !== undefined) {
    request.resume()
    return answer(`{"ok":true,"result":{"message_id":${++n},"date":${Math.floor(at / 1_000)},"chat":{"id":1}}}`)
  }
  const body = `{"error":0,"message":"Success","data":{"message_id":"m${++n}","user_id":"u","sent_time":"${at}"}}`
  const lateMs = slow.get(account)
  request.resume()
  request.on('end', () => (lateMs === undefined ? answer(body) : setTimeout(answer, lateMs, body)))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`)
})

process.on('message', (order: PlatformOrder) => {
  if (order === 'report') process.send?.({ arrived: Object.fromEntries(arrived) } satisfies PlatformReport)
  else for (const [account, ms] of Object.entries(order.slow)) slow.set(account, ms)
})
process.on('disconnect', () => process.exit())

import { createServer, type ServerResponse } from 'node:http'
import { createZaloChannel } from '../../src/channels/zalo/channel.ts'
import { oaErrors } from '../../src/zalo-oa-api-client/errors-oa.ts'
import { createMemoryTokenStore, createOAuth, createTokenSource, createZaloClient } from '../../src/zalo-oa-api-client/index.ts'

/** One way a send goes wrong. `arrives`: the person has the message all the same, which the sender cannot see where it is `ambiguous`. */
export type Fault = {
  name: string
  arrives: boolean
  ambiguous: boolean
  answer: { code: number; text: string } | 'html' | 'reset' | 'silence'
}

const SEND_FAILED = -200
const AMBIGUOUS = [SEND_FAILED, 'html', 'reset', 'silence'] as const

/** Every row of the vendor's table, in each of its wordings, and every way an answer stays away. */
export const FAULTS: readonly Fault[] = [
  ...Object.entries(oaErrors).flatMap(([code, entry]) => {
    const wordings = ['', ...(entry.texts ?? []).map((text) => text.contains)]
    const ambiguous = entry.action === 'ambiguous'
    return wordings.map((text): Fault => ({ name: `${code} ${text}`, arrives: false, ambiguous, answer: { code: Number(code), text } }))
  }),
  ...AMBIGUOUS.flatMap((answer) =>
    [true, false].map((arrives): Fault => {
      const name = `${answer} ${arrives ? 'after' : 'before'}`
      return { name, arrives, ambiguous: true, answer: typeof answer === 'number' ? { code: answer, text: '' } : answer }
    }),
  ),
]

export type Arrived = { userId: string; text: string; messageId: string; atMs: number }

// Shorter than any test waits, longer than this server ever takes to answer
const TIMEOUT_MS = 250

/** Phones behind the platform's API over real HTTP: what arrived is known here and nowhere else. */
export async function startFaultyZalo(now: () => number) {
  const arrived: Arrived[] = []
  let faults: Fault[] = []
  let ambiguous = 0
  let n = 0

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url ?? '/', 'http://zalo')
    if (url.pathname.startsWith('/v4/')) return json(response, { access_token: `a${++n}`, refresh_token: `r${n}`, expires_in: '90000' })
    if (request.method === 'GET') return json(response, { error: 0, message: 'Success', data: conversation(url) })
    const { recipient, message } = JSON.parse(Buffer.concat(chunks).toString())
    const fault = faults.shift()
    const messageId = `m${++n}`
    if (fault?.ambiguous) ambiguous++
    if (!fault || fault.arrives) arrived.push({ userId: recipient.user_id, text: message.text, messageId, atMs: now() })
    if (!fault) return json(response, { error: 0, message: 'Success', data: { message_id: messageId, sent_time: String(now()) } })
    if (typeof fault.answer === 'object') return json(response, { error: fault.answer.code, message: fault.answer.text })
    if (fault.answer === 'html') {
      response.statusCode = 502
      response.end('<html>Bad Gateway</html>')
    } else if (fault.answer === 'reset') request.socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const apiUrl = `http://127.0.0.1:${address.port}`

  function json(response: ServerResponse, body: object): void {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  }

  function conversation(url: URL): object[] {
    const { user_id, offset, count } = JSON.parse(url.searchParams.get('data') ?? '{}')
    const own = arrived.filter((message) => message.userId === user_id).reverse()
    return own.slice(offset, offset + count).map((message) => ({
      message_id: message.messageId,
      src: 0,
      time: message.atMs,
      message: message.text,
      from_id: 'oa',
      to_id: user_id,
    }))
  }

  return {
    arrived,
    /** How many sends were answered so that nobody can tell whether they arrived. */
    ambiguous: () => ambiguous,
    /** The next requests meet these, one each; after them nothing goes wrong. */
    meet(next: readonly Fault[]) {
      faults = [...next]
    },
    forget() {
      arrived.length = 0
      faults = []
      ambiguous = 0
    },
    /** The account's channel as one process has it: with a client and a token of its own. */
    channel() {
      const pair = { accessToken: 'a', refreshToken: 'r', obtainedAtMs: now(), expiresAtMs: Number.MAX_SAFE_INTEGER }
      const oauth = createOAuth({ appId: '1', appSecret: 's', oauthUrl: apiUrl })
      const tokens = createTokenSource({ store: createMemoryTokenStore(pair), oauth })
      const client = createZaloClient({ tokens, apiUrl, timeoutMs: TIMEOUT_MS, now })
      return createZaloChannel({ client, now, buttons: true, onButtonsRefused: () => {} })
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

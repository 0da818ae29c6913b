import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { parseJson } from './json.ts'
import { type RateLimit, readRateLimit } from './rate-limit.ts'
import { ZaloError } from './zalo-error.ts'

type Request = {
  method: 'GET' | 'POST'
  url: URL
  headers: Record<string, string>
  body?: string | FormData | undefined
  timeoutMs: number
  /** Repeating does no harm (a read, an upload, a refresh): every failure without an answer is then `retry`, never `ambiguous`. */
  repeatable: boolean
}

/** An answer, complete. `body` is undefined where it is not a JSON object, e.g. the HTML page of a gateway. */
export type Answer = { status: number; body: Record<string, unknown> | undefined; rateLimit: RateLimit | undefined }

// Connections are kept, but not so long that a front server closes one in the moment it is written to (Node's own: 5 s)
const IDLE_CONNECTION_MS = 4_000
// node:http and not fetch: a message costs a third of the processor's time, and it says whether anything was written
const AGENT = { keepAlive: true, timeout: IDLE_CONNECTION_MS }
const secure = { request: httpsRequest, agent: new HttpsAgent(AGENT), connected: 'secureConnect' }
const plain = { request: httpRequest, agent: new HttpAgent(AGENT), connected: 'connect' }

/** The words for a request in errors: no host, no query, no token. */
export function describeRequest(method: string, url: URL): string {
  return `${method} ${url.pathname}`
}

/**
 * What the platform answered. The HTTP status decides nothing while there is a readable body: most failures come with 200. A redirect is
 * an answer like another: followed, it would carry the access_token header to another host.
 * Throws a ZaloError without `code` when no answer came: time-out or connection trouble.
 */
export async function exchange(request: Request): Promise<Answer> {
  const { status, headers, text } = await send(request, await encode(request))
  return { status, body: readObject(text), rateLimit: readRateLimit(headers) }
}

type Encoded = { headers: Record<string, string>; bytes: Buffer | undefined }

async function encode({ headers, body }: Request): Promise<Encoded> {
  if (body === undefined) return { headers, bytes: undefined }
  if (typeof body === 'string') return { headers, bytes: Buffer.from(body) }
  const form = new Response(body)
  return {
    headers: { ...headers, 'content-type': form.headers.get('content-type') ?? '' },
    bytes: Buffer.from(await form.arrayBuffer()),
  }
}

type Received = { status: number; headers: IncomingHttpHeaders; text: string }

function send(request: Request, { headers, bytes }: Encoded): Promise<Received> {
  const { method, url, timeoutMs } = request
  const { request: open, agent, connected } = url.protocol === 'https:' ? secure : plain
  return new Promise((resolve, reject) => {
    const progress = { isWritten: false, isLate: false }
    const length = bytes ? { 'content-length': bytes.length } : {}
    let outgoing: ReturnType<typeof open>
    try {
      outgoing = open(url, { method, agent, headers: { accept: '*/*', ...headers, ...length } })
    } catch {
      // A line break in a token, a broken address. The sentence of the error may quote the value: do not keep it
      const meaning = 'the request cannot be built'
      reject(new ZaloError({ action: 'pause_account', reason: 'invalid_set_up', meaning, request: describeRequest(method, url) }))
      return
    }
    const late = setTimeout(() => {
      progress.isLate = true
      outgoing.destroy(new Error('too late'))
    }, timeoutMs)
    const fail = (cause: Error) => {
      clearTimeout(late)
      reject(connectionError(request, progress, cause))
    }
    outgoing.on('socket', (socket) => {
      const write = () => {
        progress.isWritten = true
      }
      // One that is kept is written to at once
      if (outgoing.reusedSocket) write()
      else socket.once(connected, write)
    })
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (chunk: string) => {
        text += chunk
      })
      incoming.on('error', fail)
      incoming.on('end', () => {
        clearTimeout(late)
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text })
      })
    })
    outgoing.end(bytes)
  })
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Progress = { isWritten: boolean; isLate: boolean }

/** Before the connection stands nothing can have been delivered, even when the error is a time-out or a reset. */
function connectionError({ method, url, timeoutMs, repeatable }: Request, { isWritten, isLate }: Progress, cause: Error): ZaloError {
  const request = describeRequest(method, url)
  if (!isWritten) return new ZaloError({ action: 'retry', reason: 'not_connected', meaning: 'no connection', request, cause })
  const action = repeatable ? 'retry' : 'ambiguous'
  if (isLate) return new ZaloError({ action, reason: 'timeout', meaning: `no answer within ${timeoutMs} ms`, request })
  return new ZaloError({ action, reason: 'connection_lost', meaning: 'the connection broke', request, cause })
}

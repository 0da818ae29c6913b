import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Duplex } from 'node:stream'
import { Telegram, TelegramError } from 'telegraf'
import type { Telegram as Methods, Opts } from 'telegraf/types'
import { z } from 'zod'
import { download } from '../../lib/download.ts'
import { NOT_CONNECTED, parseFailure, TelegramCallError } from './failure.ts'

type CallApiOptions = NonNullable<Parameters<Telegram['callApi']>[2]>

type CallOptions = {
  /** For a long poll, which is meant to take long. */
  timeoutMs?: number
  /** Ends the call early, as a time-out. */
  signal?: AbortSignal
}

/** One bot's line to the Bot API: telegraf for the requests, and our own time-outs, connections and errors around it. */
export type TelegramClient = {
  /** The number before the colon of the token: the bot's own id, and the account's id outside. */
  botId: string
  /** Telegram's `result`, unparsed. Throws nothing but `TelegramCallError`. */
  call<M extends keyof Methods>(method: M, payload: Opts<M>, options?: CallOptions): Promise<unknown>
  /**
   * The bytes of a file by its id, or `too_large` beyond `maxBytes`. Throws `TelegramCallError`, and for a file that is gone an error
   * without the address, which holds the token.
   */
  loadFile(fileId: string, limits: { maxBytes: number; timeoutMs: number }): Promise<Buffer | 'too_large'>
  close(): void
}

// A connection that hangs is given up before the call is: so the caller knows that nothing was sent. It happens where a network
// silently drops what goes to Telegram.
const CONNECT_SHARE = 2 / 3
const CONNECT_TIMEOUT_MAX_MS = 10_000
// Shorter than the idle time of common front servers (nginx: 75 s), so that we rarely write into a connection just closed at the far end
const IDLE_CONNECTION_MS = 20_000
// Node gives each address 250 ms, less than one round trip from Việt Nam to Europe on a bad day
const ADDRESS_ATTEMPT_MS = 3_000

const FileFacts = z.object({ file_path: z.string().regex(/^[\w./-]+$/), file_size: z.number().optional() })

// Requests that carry nobody's words, so the platform's sentence may be shown to an operator
const SENTENCE_IS_SAFE: ReadonlySet<string> = new Set([
  'getMe',
  'getUpdates',
  'setWebhook',
  'deleteWebhook',
  'getWebhookInfo',
  'setMyCommands',
  'deleteMyCommands',
])

/** `apiUrl` may end in a path, with or without a slash. */
export function createTelegramClient(options: { token: string; apiUrl: string; timeoutMs: number }): TelegramClient {
  const { token, timeoutMs } = options
  const apiRoot = options.apiUrl.endsWith('/') ? options.apiUrl : `${options.apiUrl}/`
  const agent = createAgent(apiRoot, Math.min(CONNECT_TIMEOUT_MAX_MS, timeoutMs * CONNECT_SHARE))
  // webhookReply would answer a webhook with a method call whose outcome nobody learns
  const telegram = new Telegram(token, { apiRoot, webhookReply: false, agent })
  // telegraf drops the agent for http:// addresses, and with it the connect time-out
  telegram.options.agent = agent

  const client: TelegramClient = {
    botId: token.split(':')[0] ?? '',
    async loadFile(fileId, { maxBytes, timeoutMs: fileTimeoutMs }) {
      const { file_path, file_size } = FileFacts.parse(await client.call('getFile', { file_id: fileId }, { timeoutMs: fileTimeoutMs }))
      if (file_size !== undefined && file_size > maxBytes) return 'too_large'
      // core.telegram.org/bots/api#getfile
      return download(`${apiRoot}file/bot${token}/${file_path}`, { maxBytes, timeoutMs: fileTimeoutMs }).catch(() => {
        throw new Error('a file of Telegram could not be fetched')
      })
    },
    async call(method, payload, callOptions = {}) {
      const abort = new AbortController()
      const end = () => abort.abort()
      const timer = setTimeout(end, callOptions.timeoutMs ?? timeoutMs)
      callOptions.signal?.addEventListener('abort', end)
      if (callOptions.signal?.aborted) end()
      try {
        // telegraf's types mean the AbortSignal of a package from before there was one in Node; it takes Node's
        return await telegram.callApi(method, payload, { signal: abort.signal } as unknown as CallApiOptions)
      } catch (error) {
        // The original goes no further: it holds the payload, and in some cases the address with the token
        // (a body that is not JSON, a token of unusual shape)
        const sentence = SENTENCE_IS_SAFE.has(method) && error instanceof TelegramError ? error.description : undefined
        throw new TelegramCallError(method, parseFailure(error), sentence?.replaceAll(token, '***'))
      } finally {
        clearTimeout(timer)
        callOptions.signal?.removeEventListener('abort', end)
      }
    },
    close: () => agent.destroy(),
  }
  return client
}

function createAgent(apiRoot: string, connectTimeoutMs: number): HttpAgent {
  const secure = apiRoot.startsWith('https:')
  const options = { keepAlive: true, timeout: IDLE_CONNECTION_MS, autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS }
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options)
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (target, done) => {
    const socket = connect(target, done)
    if (socket) watchConnecting(socket, secure ? 'secureConnect' : 'connect', connectTimeoutMs)
    return socket
  }
  return agent
}

/** Until it is connected, whatever ends the socket is marked as such: refused, unknown, filtered, or cut off while TLS is agreed on. */
function watchConnecting(socket: Duplex, event: 'connect' | 'secureConnect', timeoutMs: number): void {
  const mark = (error: Error) => void Object.assign(error, { code: NOT_CONNECTED })
  const timer = setTimeout(() => socket.destroy(new Error('the connection took too long')), timeoutMs)
  socket.prependListener('error', mark)
  socket.once('close', () => clearTimeout(timer))
  socket.once(event, () => {
    clearTimeout(timer)
    socket.off('error', mark)
  })
}

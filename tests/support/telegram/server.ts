import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createControl } from './control.ts'
import { type Fields, findFile, METHODS } from './methods.ts'
import { parseMultipart } from './multipart.ts'
import { createPersonApi, type PersonApi } from './person.ts'
import { createPusher } from './push.ts'
import { badRequest, NAMED_REFUSALS, Refusal, type RefusalParameters } from './refusal.ts'
import { type BotState, createBotState, type Shake } from './state.ts'

/** What goes wrong with the next requests that match. */
export type Fault = {
  /** Any method when absent. */
  method?: string
  chatId?: number
  /** 1 when absent. */
  times?: number
  /** The request has its effect all the same, and only the answer is spoilt. */
  applied?: boolean
  answer:
    | { refuse: RefusalFacts }
    | { html: number }
    | { malformed: true }
    | { hang: true }
    | { reset: true }
    /** Answered rightly, but late. */
    | { slowMs: number }
}

export type TelegramServer = {
  url: string
  token: string
  bot: BotState
  person: PersonApi
  fault(fault: Fault): void
  clearFaults(): void
  /** From now on the token is no longer good. */
  revokeToken(): void
  /** Nobody listens at the address any more, until `open`. */
  refuseConnections(): Promise<void>
  open(): Promise<void>
  /** Requests in the order they came, without their content. */
  calls(): readonly { method: string; chatId?: number }[]
  /** Resolves when the webhook has taken everything. */
  allDelivered(): Promise<void>
  pushAttempts(): number
  close(): Promise<void>
}

type Options = {
  token?: string
  port?: number
  nowMs?: () => number
  /** Between two tries of the webhook. The true platform's are unknown and longer. */
  webhookRetryMs?: number
  /** Where a webhook's public address leads to on this machine; by default to itself. */
  front?: (url: string) => string
  shake?: Shake
}

const CALLS_KEPT = 1_000

/** Our own Bot API server: strict where the true one is, with faults on demand. Speaks HTTP only; knows nothing of the bot behind it. */
export async function startTelegramServer(options: Options = {}): Promise<TelegramServer> {
  const { token = '700000007:TEST-token_of-nobody', nowMs = Date.now, webhookRetryMs = 1_000, front = (url) => url } = options
  const bot = createBotState(token)
  bot.shake = options.shake
  const person = createPersonApi(bot, nowMs)
  const pusher = createPusher(bot, { nowMs, retryDelayMs: webhookRetryMs, front })
  const calls: { method: string; chatId?: number }[] = []
  const faults: { fault: Fault; left: number }[] = []
  let revoked = false
  let port = options.port ?? 0

  const addFault = (fault: Fault) => void faults.push({ fault, left: fault.times ?? 1 })
  const clearFaults = () => void faults.splice(0)
  const control = createControl({ person, bot, addFault, clearFaults })

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      if (!response.headersSent) send(response, 500, { ok: false, error_code: 500, description: String(error) })
    })
  })
  server.keepAliveTimeout = 75_000
  const open = async () => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (typeof address === 'object' && address) port = address.port
  }
  const shut = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  await open()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    const url = request.url ?? '/'
    if (url.startsWith('/control/')) return control(url.slice('/control/'.length), body, response)
    const [, fileToken, fileId] = /^\/file\/bot([^/]+)\/documents\/([\w-]+)$/.exec(url) ?? []
    if (fileToken !== undefined) {
      const bytes = fileToken === token ? findFile(bot, fileId ?? '')?.bytes : undefined
      response.writeHead(bytes ? 200 : 404)
      return void response.end(bytes)
    }
    const [, givenToken, methodName = ''] = /\/bot([^/]+)\/(\w+)(?:\?|$)/.exec(url) ?? []
    const method = methodName.toLowerCase()
    let fields: Fields = {}
    try {
      if (givenToken === undefined || !/^\d+:./.test(givenToken)) throw NAMED_REFUSALS.not_found()
      if (revoked || givenToken !== token) throw NAMED_REFUSALS.unauthorized()
      fields = readFields(request, url, body)
      const chatId = fields.chat_id === undefined ? undefined : Number(fields.chat_id)
      calls.push({ method: methodName, ...(chatId !== undefined && { chatId }) })
      if (calls.length > CALLS_KEPT) calls.splice(0, CALLS_KEPT / 2)

      const fault = takeFault(method, chatId)
      if (fault && 'slowMs' in fault.answer) await sleep(fault.answer.slowMs)
      else if (fault) {
        if (fault.applied) await run(method, fields, response)
        return await spoil(fault.answer, request, response)
      }
      send(response, 200, { ok: true, result: await run(method, fields, response) })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      sendRefusal(response, error)
    }
  }

  async function run(method: string, fields: Fields, response: ServerResponse): Promise<unknown> {
    const handle = METHODS[method]
    if (!handle) throw new Refusal(404, 'Not Found: method not found')
    const gone = new AbortController()
    response.on('close', () => gone.abort())
    return await handle({ bot, fields, nowMs, signal: gone.signal })
  }

  function takeFault(method: string, chatId: number | undefined): Fault | undefined {
    const index = faults.findIndex(
      ({ fault }) => (!fault.method || fault.method.toLowerCase() === method) && (fault.chatId === undefined || fault.chatId === chatId),
    )
    const entry = faults[index]
    if (!entry) return undefined
    if (--entry.left <= 0) faults.splice(index, 1)
    return entry.fault
  }

  return {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    token,
    bot,
    person,
    fault: addFault,
    clearFaults,
    revokeToken: () => {
      revoked = true
    },
    refuseConnections: shut,
    open,
    calls: () => calls,
    allDelivered: () => (bot.pending.size === 0 ? Promise.resolve() : once(bot.events, 'all_delivered').then(() => undefined)),
    pushAttempts: pusher.attempts,
    async close() {
      pusher.close()
      await shut()
    },
  }
}

async function spoil(how: Fault['answer'], request: IncomingMessage, response: ServerResponse): Promise<void> {
  if ('refuse' in how) return sendRefusal(response, how.refuse)
  if ('html' in how) {
    response.writeHead(how.html, { 'content-type': 'text/html' })
    response.end(`<html><head><title>${how.html}</title></head><body><h1>${how.html}</h1><hr>nginx</body></html>`)
  } else if ('malformed' in how) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end('{"ok":true,"result":{"message_id":')
  } else if ('reset' in how) request.socket.resetAndDestroy()
  else await once(response, 'close')
}

type RefusalFacts = { code: number; description: string; parameters?: RefusalParameters | undefined }

function sendRefusal(response: ServerResponse, { code, description, parameters }: RefusalFacts): void {
  send(response, code, { ok: false, error_code: code, description, ...(parameters && { parameters }) })
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Query string, form, JSON or multipart, as the Bot API takes them. */
function readFields(request: IncomingMessage, url: string, body: Buffer): Fields {
  const fields: Fields = Object.fromEntries(new URL(url, 'http://host').searchParams)
  const type = request.headers['content-type'] ?? ''
  if (body.length === 0) return fields
  if (type.startsWith('multipart/form-data')) return { ...fields, ...parseMultipart(body, type) }
  if (type.startsWith('application/x-www-form-urlencoded'))
    return { ...fields, ...Object.fromEntries(new URLSearchParams(body.toString())) }
  try {
    return { ...fields, ...JSON.parse(body.toString()) }
  } catch {
    throw badRequest("can't parse JSON object")
  }
}

import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTelegramClient, type TelegramClient } from '../../src/channels/telegram/client.ts'
import { createTelegramPoller, type PollerProblem, type TelegramPoller } from '../../src/channels/telegram/poller.ts'
import { loadWebhookHealth, readTelegramWebhook, registerWebhook, SECRET_HEADER } from '../../src/channels/telegram/webhook.ts'
import { NAMED_REFUSALS } from '../support/telegram/refusal.ts'
import { startTelegramServer, type TelegramServer } from '../support/telegram/server.ts'

const PERSON = 555
const SECRET = 'hook_SECRET-1'
const context = { botId: '700000007', slashWords: {}, nowMs: 1, secret: SECRET }

let server: TelegramServer
let telegram: TelegramClient
beforeEach(async () => {
  server = await startTelegramServer({ webhookRetryMs: 5 })
  telegram = createTelegramClient({ token: server.token, apiUrl: server.url, timeoutMs: 5_000 })
})
afterEach(async () => {
  telegram.close()
  await server.close()
})

describe('a webhook request', () => {
  const rawBody = JSON.stringify({ update_id: 1, message: { message_id: 1, date: 1, chat: { id: 5, type: 'private' }, text: 'a' } })

  it.each([[undefined], [''], ['wrong'], [`${SECRET}x`]])('with the secret %j is refused with 401', (secretHeader) => {
    expect(readTelegramWebhook({ secretHeader, rawBody }, context).parsed).toMatchObject({ kind: 'refused', status: 401 })
  })
  it('that is no JSON is refused with 400', () => {
    expect(readTelegramWebhook({ secretHeader: SECRET, rawBody: '{"a' }, context).parsed).toMatchObject({ kind: 'refused', status: 400 })
  })
  it('with the secret is read', () => {
    expect(readTelegramWebhook({ secretHeader: SECRET, rawBody }, context).parsed).toMatchObject({ kind: 'events', events: [{ order: 1 }] })
  })
})

describe('a registered webhook', () => {
  let door: Server
  let doorUrl: string
  /** The bot's door: what it answers next, and what it took. */
  let statuses: number[]
  let taken: { status: number; content: unknown }[]
  beforeEach(async () => {
    statuses = []
    taken = []
    door = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const secretHeader = request.headers[SECRET_HEADER]
      const rawBody = Buffer.concat(chunks).toString()
      const { parsed } = readTelegramWebhook(
        { secretHeader: typeof secretHeader === 'string' ? secretHeader : undefined, rawBody },
        context,
      )
      const status = parsed.kind === 'refused' ? parsed.status : (statuses.shift() ?? 200)
      taken.push({ status, content: parsed.kind === 'events' ? parsed.events[0]?.content : parsed.kind })
      response.writeHead(status).end()
    })
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
    const address = door.address()
    doorUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/webhooks/telegram`
  })
  afterEach(() => {
    door.close()
    door.closeAllConnections()
  })

  it('receives what people do, with the secret', async () => {
    await registerWebhook(telegram, { url: doorUrl, secret: SECRET })
    server.person.start(PERSON, 'ap-huynh_01')
    server.person.block(PERSON)
    await server.allDelivered()
    expect(taken).toEqual([
      { status: 200, content: { kind: 'start', code: 'ap-huynh_01' } },
      { status: 200, content: { kind: 'unfollow' } },
    ])
  })

  it('receives again what it did not take, and what follows in the chat only after it', async () => {
    statuses = [500, 503]
    await registerWebhook(telegram, { url: doorUrl, secret: SECRET })
    server.person.text(PERSON, 'một')
    server.person.text(PERSON, 'hai')
    await server.allDelivered()
    expect(taken.map(({ status, content }) => [status, content])).toEqual([
      [500, { kind: 'text', text: 'một' }],
      [503, { kind: 'text', text: 'một' }],
      [200, { kind: 'text', text: 'một' }],
      [200, { kind: 'text', text: 'hai' }],
    ])
    expect(await loadWebhookHealth(telegram)).toMatchObject({
      url: doorUrl,
      pending: 0,
      lastError: { sentence: 'Wrong response from the webhook: 503 Service Unavailable' },
    })
  })

  it('receives what waited from before it was registered, and asks for nothing it would ignore', async () => {
    await registerWebhook(telegram, { url: doorUrl, secret: SECRET })
    await telegram.call('deleteWebhook', {})
    const messageId = server.person.text(PERSON, 'một')
    server.person.edit(PERSON, messageId, 'một rưỡi')
    await registerWebhook(telegram, { url: doorUrl, secret: SECRET })
    await server.allDelivered()
    expect(taken).toHaveLength(1)
  })

  it('needs a secret of the allowed characters', async () => {
    await expect(registerWebhook(telegram, { url: doorUrl, secret: 'bí mật' })).rejects.toThrow(/1 to 256 characters/)
  })
})

describe('the poller', () => {
  let poller: TelegramPoller
  let problems: PollerProblem[]
  let waits: number[]
  let leading: boolean
  let batches: string[][]
  let failStoring: number
  /** Each resolves when so many texts were stored, a pause of this length was begun, such a problem was told. */
  let stored: (count: number) => Promise<void>
  let waited: (ms: number) => Promise<void>
  let told: (kind: PollerProblem['kind']) => Promise<void>

  beforeEach(() => {
    problems = []
    waits = []
    leading = true
    batches = []
    failStoring = 0
    const watchers = new Set<() => void>()
    const until = (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!condition()) return
          watchers.delete(look)
          resolve()
        }
        watchers.add(look)
        look()
      })
    const tell = () => {
      for (const look of watchers) look()
    }
    stored = (count) => until(() => batches.flat().length >= count)
    waited = (ms) => until(() => waits.includes(ms))
    told = (kind) => until(() => problems.some((problem) => problem.kind === kind))
    server.person.meet(PERSON)
    poller = createTelegramPoller({
      telegram,
      isLeader: async () => leading,
      async onUpdates(updates) {
        if (failStoring-- > 0) throw new Error('the database is away')
        batches.push(updates.map((update) => JSON.stringify(update).match(/"text":"([^"]*)"/)?.[1] ?? '?'))
        tell()
      },
      onProblem(problem) {
        problems.push(problem)
        tell()
      },
      async wait(ms) {
        waits.push(ms)
        tell()
        await new Promise((resolve) => setImmediate(resolve))
      },
      pollSeconds: 20,
    })
  })
  afterEach(() => poller.stop())

  it('brings updates in order, and they are not offered again', async () => {
    server.person.text(PERSON, 'một')
    server.person.text(PERSON, 'hai')
    poller.start()
    await stored(2)
    server.person.text(PERSON, 'ba')
    await stored(3)
    await poller.stop()
    expect(batches.flat()).toEqual(['một', 'hai', 'ba'])
    expect(server.bot.pending.size).toBe(0)
    expect(problems).toEqual([])
  })

  it('confirms nothing that was not stored', async () => {
    failStoring = 2
    server.person.text(PERSON, 'một')
    poller.start()
    await stored(1)
    expect(problems).toMatchObject([
      { kind: 'not_stored', retryMs: 1_000 },
      { kind: 'not_stored', retryMs: 2_000 },
    ])
    expect(batches).toEqual([['một']])
  })

  it('leaves the polling to the leader, and takes over when it becomes one', async () => {
    leading = false
    server.person.text(PERSON, 'một')
    poller.start()
    await waited(5_000)
    expect(server.calls()).toEqual([])
    leading = true
    await stored(1)
    expect(problems).toEqual([])
  })

  it('ends a webhook left from before', async () => {
    await registerWebhook(telegram, { url: 'https://hoctap.example/webhooks/telegram', secret: SECRET })
    server.person.text(PERSON, 'một')
    poller.start()
    await stored(1)
    expect(server.bot.webhook).toBeUndefined()
  })

  it('goes on after a bad line, with growing pauses', async () => {
    server.fault({ method: 'getUpdates', times: 2, answer: { html: 502 } })
    server.fault({ method: 'getUpdates', answer: { reset: true } })
    server.fault({ method: 'getUpdates', answer: { refuse: NAMED_REFUSALS.flood(9) } })
    server.person.text(PERSON, 'một')
    poller.start()
    await stored(1)
    expect(problems).toEqual([
      { kind: 'trouble', class: 'server_error', retryMs: 1_000 },
      { kind: 'trouble', class: 'server_error', retryMs: 2_000 },
      { kind: 'trouble', class: 'connection_lost', retryMs: 4_000 },
      { kind: 'trouble', class: 'rate_limited', retryMs: 9_000 },
    ])
  })

  it('tells of somebody else who polls, and tries again later', async () => {
    server.fault({ method: 'getUpdates', answer: { refuse: NAMED_REFUSALS.conflict() } })
    server.person.text(PERSON, 'một')
    poller.start()
    await stored(1)
    expect(problems).toEqual([{ kind: 'conflict', retryMs: 30_000 }])
    expect(server.calls().filter(({ method }) => method === 'deleteWebhook')).toHaveLength(1)
  })

  it('ends when the token is dead', async () => {
    server.revokeToken()
    poller.start()
    await told('dead_token')
    await poller.stop()
    expect(problems).toEqual([{ kind: 'dead_token' }])
    expect(waits).toEqual([])
  })

  it('waits at its stop for what is being stored', async () => {
    let finish = () => {}
    const begun = new Promise<void>((resolve) => {
      poller = createTelegramPoller({
        telegram,
        isLeader: async () => true,
        onUpdates: () => {
          resolve()
          return new Promise<void>((done) => {
            finish = done
          })
        },
        onProblem: (problem) => void problems.push(problem),
      })
    })
    server.person.text(PERSON, 'một')
    poller.start()
    await begun
    const stopped = poller.stop()
    expect(server.bot.pending.size).toBe(1)
    finish()
    await stopped
    expect(server.bot.pending.size).toBe(0)
    expect(problems).toEqual([])
  })
})

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { ParseContext } from '../channels/telegram/parse.ts'
import { readTelegramWebhook, SECRET_HEADER } from '../channels/telegram/webhook.ts'
import type { Counters } from '../conversation/deps.ts'
import type { Arrival } from '../conversation/receive.ts'

/** What the door must know of the bot behind it. */
export type TelegramDoor = {
  account: { id: number }
  secret: string
  context: Omit<ParseContext, 'nowMs'>
  /** Stops the waiting sign on a tapped button. Never throws. */
  answerTap(callbackId: string): Promise<boolean>
}

export type TelegramWebhookDeps = {
  /** Undefined while Telegram is off. */
  findTelegramDoor(): Promise<TelegramDoor | undefined>
  /** Stores the events and has their contacts answered; resolves after the commit. */
  accept(arrivals: Arrival[]): Promise<void>
  count: Counters
  observeWebhook(channel: string, seconds: number): void
  log: Logger
  now(): Date
}

/** Where Telegram delivers updates. 200 goes out after the commit, and for every update that is not for us: a refused one would come again. */
export function registerTelegramWebhook(app: FastifyInstance, deps: TelegramWebhookDeps): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))

    scope.post('/webhooks/telegram', async (request, reply) => {
      const started = performance.now()
      const door = await deps.findTelegramDoor()
      if (!door) {
        deps.count.inbound('telegram', 'off')
        return reply.status(401).send({ error: 'Telegram is off here' })
      }
      const header = request.headers[SECRET_HEADER]
      const { parsed, callbackIds } = readTelegramWebhook(
        { secretHeader: typeof header === 'string' ? header : undefined, rawBody: typeof request.body === 'string' ? request.body : '' },
        { ...door.context, nowMs: deps.now().getTime(), secret: door.secret },
      )
      if (parsed.kind === 'refused') {
        deps.count.inbound('telegram', parsed.status === 401 ? 'bad_signature' : 'bad_body')
        return reply.status(parsed.status).send({ error: parsed.reason })
      }
      if (parsed.kind === 'events') {
        await deps.accept(parsed.events.map((event) => ({ accountId: door.account.id, event })))
      }
      // Not waited for: what the tap leads to matters more than its waiting sign
      for (const callbackId of callbackIds) void door.answerTap(callbackId)
      deps.count.inbound('telegram', parsed.kind === 'events' ? 'accepted' : parsed.reason)
      deps.observeWebhook('telegram', (performance.now() - started) / 1000)
      return {}
    })
  })
}

import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { parseZaloWebhook, type ZaloKeys } from '../channels/zalo/parse.ts'
import type { Counters } from '../conversation/deps.ts'
import type { Arrival } from '../conversation/receive.ts'

export type ZaloWebhookDeps = {
  zaloKeys(): Promise<readonly ZaloKeys[]>
  findAccount(channel: 'zalo', externalId: string): Promise<{ id: number } | undefined>
  /** Stores the events and has their contacts answered; resolves after the commit. */
  accept(arrivals: Arrival[]): Promise<void>
  count: Counters
  observeWebhook(channel: string, seconds: number): void
  log: Logger
  now(): Date
}

/** Where Zalo reports what happened. 200 goes out after the commit, and for everything that is honest but not for us. */
export function registerZaloWebhook(app: FastifyInstance, deps: ZaloWebhookDeps): void {
  void app.register(async (scope) => {
    // The signature is over the bytes as they came
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

    scope.post('/webhooks/zalo', async (request, reply) => {
      const started = performance.now()
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const parsed = parseZaloWebhook(body, request.headers['x-zevent-signature'], await deps.zaloKeys(), deps.now().getTime())
      if (parsed.kind === 'refused') {
        deps.count.inbound('zalo', parsed.status === 401 ? 'bad_signature' : 'bad_body')
        return reply.status(parsed.status).send({ error: parsed.reason })
      }
      if (parsed.kind === 'ignored') {
        deps.count.inbound('zalo', parsed.reason)
        return {}
      }
      const account = await deps.findAccount('zalo', parsed.accountExternalId)
      if (!account) {
        deps.count.inbound('zalo', 'unknown_account')
        return {}
      }
      await deps.accept(parsed.events.map((event) => ({ accountId: account.id, event })))
      deps.count.inbound('zalo', 'accepted')
      deps.observeWebhook('zalo', (performance.now() - started) / 1000)
      return {}
    })
  })
}

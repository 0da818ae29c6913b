import helmet from '@fastify/helmet'
import { type FastifyInstance, fastify } from 'fastify'
import type { Logger } from 'pino'
import { type FilesDeps, registerFiles } from './files.ts'
import { type HealthDeps, registerHealth } from './health.ts'
import { type MetricsDeps, registerMetrics } from './metrics.ts'
import { type PagesDeps, registerPages } from './pages.ts'
import { registerTelegramWebhook, type TelegramWebhookDeps } from './telegram-webhook.ts'
import { registerVoicePage, type VoicePageDeps } from './voice-page.ts'
import { registerZaloWebhook, type ZaloWebhookDeps } from './zalo-webhook.ts'

export type ServerDeps = ZaloWebhookDeps &
  TelegramWebhookDeps &
  HealthDeps &
  MetricsDeps &
  PagesDeps &
  FilesDeps &
  VoicePageDeps & { log: Logger }

// The largest body a platform may send us (contract, section 3)
const MAX_BODY_BYTES = 1024 * 1024
// A signed link carries what it opens. What is no link of ours is answered as such, however long: Node itself reads no address above 16 KB
const MAX_TOKEN_CHARS = 16 * 1024

/** The HTTP door, without a port: tests inject requests, `main` listens. */
export async function createServer(deps: ServerDeps): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    logger: false,
    forceCloseConnections: 'idle',
    trustProxy: false,
    routerOptions: { maxParamLength: MAX_TOKEN_CHARS },
  })
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: { defaultSrc: ["'none'"], styleSrc: ["'self'", "'unsafe-inline'"], imgSrc: ["'self'"], mediaSrc: ["'self'"] },
    },
  })
  // A connection whose request was under way when the stop began is not idle then, and would be waited for as long as it is kept alive
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
  app.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) deps.log.error({ err: error, route: request.routeOptions.url }, 'a request failed')
    void reply.status(status).send({ error: status >= 500 ? 'something went wrong here; try again' : error.message })
  })
  registerZaloWebhook(app, deps)
  registerTelegramWebhook(app, deps)
  registerHealth(app, deps)
  registerMetrics(app, deps)
  registerVoicePage(app, deps)
  registerPages(app, deps)
  registerFiles(app, deps)
  return app
}

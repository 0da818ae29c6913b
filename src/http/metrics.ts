import type { FastifyInstance, FastifyRequest } from 'fastify'
import { equalSecret } from '../lib/crypto.ts'

export type MetricsDeps = { printMetrics(): Promise<string>; metricsToken: string | undefined }

const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via']
const LOCAL = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])

/** Prometheus text. Without METRICS_TOKEN only direct local requests: one that came through a proxy is not local. */
export function registerMetrics(app: FastifyInstance, { printMetrics, metricsToken }: MetricsDeps): void {
  app.get('/metrics', async (request, reply) => {
    if (!mayRead(request, metricsToken)) return reply.status(metricsToken ? 401 : 403).send({ error: 'not for you' })
    return reply.type('text/plain; version=0.0.4').send(await printMetrics())
  })
}

function mayRead(request: FastifyRequest, token: string | undefined): boolean {
  if (token !== undefined) return equalSecret(request.headers.authorization ?? '', `Bearer ${token}`)
  return LOCAL.has(request.socket.remoteAddress ?? '') && FORWARDED.every((name) => request.headers[name] === undefined)
}

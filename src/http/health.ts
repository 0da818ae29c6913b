import type { FastifyInstance } from 'fastify'

/** A part that does not work as it should; the service itself still answers. */
export type Degraded = { part: 'zalo_token' | 'queue' | 'pace' | 'telegram'; account?: string; reason: string }

export type HealthDeps = {
  /** Throws where the database cannot be used. */
  checkDatabase(): Promise<void>
  findDegraded(): Promise<Degraded[]>
}

/** 503 only when the database cannot be used: a dead token must not have the platform switch the webhook off. */
export function registerHealth(app: FastifyInstance, deps: HealthDeps): void {
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async (_request, reply) => {
    try {
      await deps.checkDatabase()
    } catch {
      return reply.status(503).send({ status: 'not_ready', reason: 'the database cannot be used' })
    }
    const degraded = await deps.findDegraded()
    return { status: 'ready', ...(degraded.length > 0 ? { degraded } : {}) }
  })
}

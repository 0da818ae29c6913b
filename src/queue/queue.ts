import type { Job, Queue, Worker } from 'bullmq'
import { OperatorError } from '../lib/operator-error.ts'

/**
 * Delayed work, retries and schedules: BullMQ, on PostgreSQL or, with a Redis address, on Redis. What it holds are ids; the tables are the
 * truth. A store that loses everything costs time, not data: `ensureSchedules` and the sweep put back what is due.
 */
export type Queues = {
  /** Adds a job once: one with the same id that still waits is the same job. */
  add(job: NewJob): Promise<void>
  /** Runs jobs in this process. A handler may run twice for one job. */
  work(handlers: Readonly<Record<string, Handler>>, options?: { concurrency?: number }): Promise<void>
  /** Creates schedules that are missing, be it because the store was wiped. */
  ensureSchedules(schedules: readonly Schedule[]): Promise<void>
  /** Jobs that wait, are delayed or run. */
  count(): Promise<number>
  close(): Promise<void>
}

export type NewJob = {
  name: string
  /** Parts of the id; BullMQ takes no ':' and nothing that is digits alone. */
  id: readonly (string | number)[]
  /** Ids only: what crosses a queue may be lost, repeated or read by others. */
  data: Readonly<Record<string, number | string>>
  delayMs?: number
  attempts?: number
}
export type Handler = (data: Readonly<Record<string, unknown>>) => Promise<void>
export type Schedule = { id: string; name: string; everyMs: number }

export type QueueOptions = {
  /** Where the queue is kept: a Redis, or else the database. */
  store: { redisUrl: string } | { databaseUrl: string }
  name?: string
  /** The part of the database, or the beginning of every key, this queue has to itself. */
  namespace?: string
  /** A store that is away is tried again and again; it is told here, as an `OperatorError` where an operator can mend it. */
  onError?: (error: Error) => void
  /** The store answers, for the first time or again. */
  onReady?: () => void
}

const NAME = 'outreach'
const NAMESPACE = 'bullmq'
// A job whose process was killed is found by the sweep of the tables first, within seconds; the queue itself need not look often
const LOCK_MS = 20_000
const STALLED_MS = 10_000
const MAX_STALLED = 100
// Seconds an idle worker waits for its next job before it asks again
const DRAIN_DELAY_S = 10
const KEPT_FAILED = 100
const BACKOFF_MS = 1_000
// Of the pool BullMQ keeps on PostgreSQL
const CONNECTIONS = 2
const CONCURRENCY = 4

/** The drivers are loaded with the first queue: who needs none pays nothing. */
export async function createQueues({
  store,
  name = NAME,
  namespace = NAMESPACE,
  onError = () => {},
  onReady = () => {},
}: QueueOptions): Promise<Queues> {
  const backend =
    'redisUrl' in store
      ? await onRedis(store.redisUrl, { prefix: namespace, onError, onReady })
      : await onPostgres(store.databaseUrl, namespace)
  const queue = backend.queue(name)
  queue.on('error', onError)
  const workers: Worker[] = []

  return {
    async add({ name: jobName, id, data, delayMs = 0, attempts = 5 }) {
      await queue.add(jobName, data, {
        jobId: jobIdOf([jobName, ...id]),
        delay: delayMs,
        attempts,
        backoff: { type: 'exponential', delay: BACKOFF_MS },
        // A kept job with that id would swallow the next one
        removeOnComplete: true,
        removeOnFail: true,
      })
    },
    async work(handlers, options = {}) {
      const worker = backend.worker(
        name,
        async (job) => {
          const handler = handlers[job.name]
          if (!handler) throw new Error(`nobody does jobs called ${job.name}`)
          await handler(job.data as Record<string, unknown>)
        },
        options.concurrency ?? CONCURRENCY,
      )
      worker.on('error', onError)
      workers.push(worker)
      await worker.waitUntilReady()
    },
    async ensureSchedules(schedules) {
      const known = new Set((await queue.getJobSchedulers(0, -1)).map((scheduler) => scheduler.key))
      for (const { id, name: jobName, everyMs } of schedules) {
        if (known.has(id)) continue
        await queue.upsertJobScheduler(
          id,
          { every: everyMs },
          { name: jobName, data: {}, opts: { removeOnComplete: true, removeOnFail: KEPT_FAILED } },
        )
      }
    },
    async count() {
      const counts = await queue.getJobCounts('waiting', 'delayed', 'active', 'prioritized')
      return Object.values(counts).reduce((sum, n) => sum + n, 0)
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.close()))
      await queue.close()
      await backend.close()
    },
  }
}

/** `start-12-1795`: never a ':', never digits alone. */
export function jobIdOf(parts: readonly (string | number)[]): string {
  return parts.map((part) => String(part).replaceAll(/[^A-Za-z0-9_.]/g, '_')).join('-')
}

type Backend = {
  queue(name: string): Queue
  worker(name: string, run: (job: Job) => Promise<void>, concurrency: number): Worker
  close(): Promise<void>
}

const workerOptions = (concurrency: number) => ({
  concurrency,
  lockDuration: LOCK_MS,
  stalledInterval: STALLED_MS,
  maxStalledCount: MAX_STALLED,
  drainDelay: DRAIN_DELAY_S,
})

type RedisOptions = Required<Pick<QueueOptions, 'onError' | 'onReady'>> & { prefix: string }

async function onRedis(redisUrl: string, { prefix, onError, onReady }: RedisOptions): Promise<Backend> {
  const [{ Queue, Worker }, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')])
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
  connection.on('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code ?? error.message.split(' ')[0]
    onError(new OperatorError(`REDIS_URL leads to no Redis that answers (${reason}): start it, or put host, port and password right`))
  })
  connection.on('ready', onReady)
  return {
    queue: (name) => new Queue(name, { connection, prefix }),
    worker: (name, run, concurrency) => new Worker(name, run, { connection, prefix, ...workerOptions(concurrency) }),
    close: async () => {
      await connection.quit().catch(() => connection.disconnect())
    },
  }
}

async function onPostgres(databaseUrl: string, schema: string): Promise<Backend> {
  const [{ createPostgresBackend, runMigrations, withBackend }, pg] = await Promise.all([import('bullmq'), import('pg')])
  const migrate = new pg.default.Client({ connectionString: databaseUrl })
  // A server that goes away fails the migration itself; said by the connection as well and heard by nobody, it would end the process
  migrate.on('error', () => {})
  await migrate.connect()
  try {
    await runMigrations(migrate, schema)
  } finally {
    await migrate.end()
  }
  const { Queue, Worker } = withBackend(createPostgresBackend)
  const connection = { connectionString: databaseUrl, schema, max: CONNECTIONS }
  return {
    queue: (name) => new Queue(name, { connection }) as unknown as Queue,
    worker: (name, run, concurrency) => new Worker(name, run, { connection, ...workerOptions(concurrency) }) as unknown as Worker,
    close: async () => {},
  }
}

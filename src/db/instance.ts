import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import type { Database } from './connect.ts'

// First half of the two-part advisory locks that say "this process lives"
const INSTANCE_CLASS = 7_301
// After the database was lost: how soon the lock is taken again
const RETRY_MS = 200

/**
 * Says to all processes on this database that this one lives, for as long as it does: an advisory lock that PostgreSQL drops the
 * moment the process is gone. What a dead instance had claimed can then be taken up at once, without waiting for a lease to run out.
 * The lock is taken again after the database was restarted.
 */
export type Instance = {
  id: number
  /**
   * Calls `heard` with what is notified on a channel of PostgreSQL, by whichever process, once its transaction is committed. It shares the
   * connection of the lock and costs nothing while all is quiet. What is said while that connection is lost is not heard.
   */
  listen(channel: string, heard: (payload: string) => void): Promise<void>
  close(): Promise<void>
}

/** `id` is a random 31-bit number. */
export async function createInstance(url: string, id: number): Promise<Instance> {
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let held: postgres.Sql | undefined
  const ears = new Map<string, (payload: string) => void>()

  // A connection of its own: a statement on a reserved one of the pool, after its loss, ends the process (postgres.js 3.4)
  async function hold(): Promise<void> {
    const connection = postgres(url, {
      max: 1,
      idle_timeout: 0,
      max_lifetime: null,
      onnotice: () => {},
      onclose: holdAgain,
      // The driver takes it, its types do not know it
      ...{ onnotify: (channel: string, payload: string) => ears.get(channel)?.(payload) },
      connection: { application_name: 'hoc-tap-bot instance' },
    })
    await connection`SELECT pg_advisory_lock_shared(${INSTANCE_CLASS}, ${id})`
    for (const channel of ears.keys()) await connection`LISTEN ${connection(channel)}`
    held = connection
  }
  function holdAgain(): void {
    if (closed || timer) return
    timer = setTimeout(async () => {
      timer = undefined
      await held?.end({ timeout: 0 }).catch(() => {})
      hold().catch(holdAgain)
    }, RETRY_MS)
  }
  await hold()

  return {
    id,
    async listen(channel, heard) {
      ears.set(channel, heard)
      // While the connection is lost, the next one listens
      if (held) await held`LISTEN ${held(channel)}`.catch(() => {})
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await held?.end({ timeout: 1 })
    },
  }
}

/** A query for the ids of the instances that live now. */
export const LIVING_INSTANCES = sql`
  SELECT objid::bigint FROM pg_locks
  WHERE locktype = 'advisory' AND classid = ${INSTANCE_CLASS} AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/** Ids of the instances that live now. */
export async function livingInstances({ db }: Pick<Database, 'db'>): Promise<number[]> {
  return (await db.execute<{ objid: string }>(LIVING_INSTANCES)).map((row) => Number(row.objid))
}

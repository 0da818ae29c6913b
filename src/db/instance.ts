import type { Database } from './connect.ts'

// First half of the two-part advisory locks that say "this process lives"
const INSTANCE_CLASS = 7_301
const CHECK_MS = 1_000

/**
 * Says to all processes on this database that this one lives, for as long as it does: an advisory lock that PostgreSQL drops the
 * moment the process is gone. What a dead instance had claimed can then be taken up at once, without waiting for a lease to run out.
 * The lock is taken again after the database was restarted.
 */
export type Instance = { id: number; close(): Promise<void> }

/** `id` is a random 31-bit number. */
export async function createInstance({ sql }: Database, id: number): Promise<Instance> {
  let closed = false
  let connection = await hold()

  async function hold() {
    const reserved = await sql.reserve()
    await reserved`SELECT pg_advisory_lock_shared(${INSTANCE_CLASS}, ${id})`
    return reserved
  }
  const timer = setInterval(async () => {
    try {
      await connection`SELECT 1`
    } catch {
      if (closed) return
      try {
        connection = await hold()
      } catch {
        // The database is still away; the next check tries again
      }
    }
  }, CHECK_MS)
  timer.unref()

  return {
    id,
    async close() {
      closed = true
      clearInterval(timer)
      await connection`SELECT pg_advisory_unlock_shared(${INSTANCE_CLASS}, ${id})`.catch(() => {})
      connection.release()
    },
  }
}

/** Ids of the instances that live now; for use in `claimed_by <> ALL (…)`. */
export async function livingInstances({ sql }: Pick<Database, 'sql'>): Promise<number[]> {
  const rows = await sql<{ objid: string }[]>`
    SELECT objid FROM pg_locks
    WHERE locktype = 'advisory' AND classid = ${INSTANCE_CLASS} AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  return rows.map((row) => Number(row.objid))
}

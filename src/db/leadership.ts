import postgres from 'postgres'
import { reconnectAfter } from './connect.ts'

// First half of the two-part advisory locks of which one process holds each
const LEADERSHIP_CLASS = 7_302

/** Whether this process is the one of all on this database that does a certain thing. */
export type Leadership = {
  /** Takes the lead where nobody has it. Throws while the database is away: nobody leads then. */
  isLeader(): Promise<boolean>
  /** Gives the lead to whoever asks next. */
  close(): Promise<void>
}

/**
 * An advisory lock on a connection of its own, which PostgreSQL drops the moment the process or the connection is gone. Whether it is
 * still held is asked of PostgreSQL each time: after a lost connection the driver opens another, which holds nothing.
 */
export function createLeadership(url: string, id: number): Leadership {
  // Not one of the pool: a statement on a reserved connection, after its loss, ends the process (postgres.js 3.4)
  const sql = postgres(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    backoff: reconnectAfter,
    onnotice: () => {},
    connection: { application_name: 'hoc-tap-bot leadership' },
  })
  return {
    async isLeader() {
      const [row] = await sql<{ leads: boolean }[]>`
        SELECT CASE WHEN EXISTS (
          SELECT 1 FROM pg_locks
          WHERE locktype = 'advisory' AND classid = ${LEADERSHIP_CLASS} AND objid = ${id} AND granted AND pid = pg_backend_pid()
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ) THEN true ELSE pg_try_advisory_lock(${LEADERSHIP_CLASS}, ${id}) END AS leads`
      return row?.leads ?? false
    },
    close: () => sql.end({ timeout: 1 }),
  }
}

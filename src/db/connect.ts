import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { OperatorError } from '../lib/operator-error.ts'
import * as schema from './schema.ts'

export type Db = ReturnType<typeof createDb>['db']
/** A transaction; every query function takes either. */
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0]
export type DbOrTx = Db | Tx
export type Database = ReturnType<typeof createDb>

// Enough for 50 conversations at once beside jobs; the embedded server allows 60 connections
const POOL = 16
// postgres.js itself would wait up to 20 s once a server was away for a few
const RECONNECT_MAX_S = 0.5
const RECONNECT_FIRST_S = 0.02

/** Seconds until a lost connection is tried again, after so many failures: a server that is back is used within half a second. */
export const reconnectAfter = (failures: number): number => Math.min(RECONNECT_MAX_S, RECONNECT_FIRST_S * 2 ** failures)

/** A pool over PostgreSQL 14 or newer. `sql` is the bare driver for hand-written statements, `db` the typed builder; both share the pool. */
export function createDb(url: string, options: { max?: number; name?: string } = {}) {
  const sql = postgres(url, {
    max: options.max ?? POOL,
    connection: { application_name: options.name ?? 'hoc-tap-bot', TimeZone: 'UTC' },
    onnotice: () => {},
    // A lost server is found out within seconds, not at the next statement
    connect_timeout: 10,
    backoff: reconnectAfter,
    idle_timeout: 60,
    max_lifetime: 60 * 30,
  })
  return { sql, db: drizzle(sql, { schema }), close: () => sql.end({ timeout: 5 }) }
}

const OLDEST_SERVER = 14
// https://www.postgresql.org/docs/current/errcodes-appendix.html, and Node's and the driver's own
const REMEDIES: Readonly<Record<string, string>> = {
  '28P01': 'PostgreSQL refuses this name or password: put it right',
  '28000': 'PostgreSQL refuses this name or password: put it right, or allow it in pg_hba.conf',
  '3D000': 'there is no database of this name: create it, or name the right one',
  '53300': 'PostgreSQL takes no more connections: raise its max_connections',
  '57P03': 'PostgreSQL is starting or stopping: try again in a moment',
}
/** Codes of Node and of the driver that say that no server answered. */
export const UNREACHABLE: ReadonlySet<string> = new Set(
  'ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH ENOTFOUND EAI_AGAIN ETIMEDOUT CONNECT_TIMEOUT CONNECTION_CLOSED'.split(' '),
)

/** Throws an OperatorError with what to do when DATABASE_URL leads to no PostgreSQL that will do. */
export async function checkDatabaseUrl(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 })
  try {
    const [server] = await sql<{ version: string }[]>`SELECT current_setting('server_version') AS version`
    if (Number.parseInt(server?.version ?? '', 10) < OLDEST_SERVER) {
      throw new OperatorError(`DATABASE_URL leads to PostgreSQL ${server?.version}: ${OLDEST_SERVER} or newer is needed`)
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (UNREACHABLE.has(code)) {
      throw new OperatorError(`DATABASE_URL leads to no PostgreSQL that answers (${code}): start it, or put host and port right`)
    }
    if (REMEDIES[code] !== undefined) throw new OperatorError(`DATABASE_URL: ${REMEDIES[code]} (${code})`)
    throw error
  } finally {
    await sql.end({ timeout: 5 })
  }
}

// One number for all processes: two that start together migrate one after the other
const MIGRATION_LOCK = 7_301_001

/** Brings the schema up to date. Safe to call from many processes at once and to repeat. */
export async function migrateDb(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    await sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`
    await migrate(drizzle(sql), { migrationsFolder: join(import.meta.dirname, '../../migrations') })
  } finally {
    await sql.end({ timeout: 5 })
  }
}

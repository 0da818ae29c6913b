import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
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

import { pino } from 'pino'
import postgres from 'postgres'
import { type App, createApp } from '../../src/app.ts'
import { type Environment, parseConfig } from '../../src/config.ts'
import { createSampleCommune } from '../../src/registry/sample.ts'
import { createTestDatabase } from './postgres.ts'

export const ZALO = {
  ZALO_OA_ID: '1122334455667788990',
  ZALO_APP_ID: '1234567890123456789',
  ZALO_APP_SECRET: 'APP_SECRET_made_up',
  ZALO_OA_SECRET_KEY: 'OA_SECRET_made_up_0001',
  // Nobody listens there: what is to be sent waits
  ZALO_API_URL: 'http://127.0.0.1:9',
  ZALO_OAUTH_URL: 'http://127.0.0.1:9',
}

// Rows that something from outside may cause
const TABLES = ['contact', 'inbound_event', 'outbound_message', 'session', 'consent', 'person', 'nomination', 'answer', 'ticket'] as const

export type TestApp = {
  app: App
  databaseUrl: string
  sql: postgres.Sql
  /** How many rows each table has. */
  countRows(): Promise<Record<string, number>>
  /** Everything logged so far, one line each. */
  logged(): string
  stop(): Promise<void>
}

/** The whole bot on a database of its own, with the sample commune, without a port. `environment` as an operator would write it. */
export async function startTestApp({
  environment = {},
  databaseUrl,
  now,
}: {
  environment?: Environment
  databaseUrl?: string
  now?: () => Date
} = {}): Promise<TestApp> {
  const url = databaseUrl ?? (await createTestDatabase())
  const { secretKey, ...config } = parseConfig({
    ...ZALO,
    SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
    DATABASE_URL: url,
    ...environment,
  })
  if (!secretKey) throw new Error('the test has no key')
  let lines = ''
  const write = (line: string) => {
    lines += line
  }
  const log = pino({ level: 'trace' }, { write })
  const app = await createApp({
    config: { ...config, secretKey },
    databaseUrl: url,
    log,
    prepare: createSampleCommune,
    ...(now && { now }),
  })
  const sql = postgres(url, { max: 2, onnotice: () => {} })
  await app.http.ready()
  return {
    app,
    databaseUrl: url,
    sql,
    async countRows() {
      const counts = await Promise.all(
        TABLES.map(async (table) => [table, (await sql`SELECT count(*)::int AS n FROM ${sql(table)}`)[0]?.n]),
      )
      return Object.fromEntries(counts)
    },
    logged: () => lines,
    async stop() {
      await app.stop()
      await sql.end({ timeout: 5 })
    },
  }
}

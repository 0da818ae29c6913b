import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { inject } from 'vitest'
import { findBinaries } from '../../src/db/embedded/binaries.ts'
import { joinOrStartEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'

/** The server all service tests of a run share, and the migrated database each test file's own is cloned from. */
type TestServer = { url: string; template: string }

declare module 'vitest' {
  interface ProvidedContext {
    testServer: TestServer
  }
}

const require = createRequire(import.meta.url)

// Of temporary folders
const PREFIX = 'hoc-tap-bot-test-'

/** A server of its own in a temporary folder. `destroy` leaves nothing behind. */
export async function startThrowawayPostgres(options: { durable?: boolean } = {}): Promise<{ url: string; destroy(): Promise<void> }> {
  await destroyAbandoned()
  const folder = mkdtempSync(join(tmpdir(), PREFIX))
  chmodSync(folder, 0o711)
  writeFileSync(join(folder, 'owner'), String(process.pid))
  const server = await joinOrStartEmbeddedPostgres({
    dataDir: join(folder, 'data'),
    durable: options.durable ?? false,
    binaries: process.env.TEST_PG === '14' ? findBinaries(() => require.resolve('embedded-postgres-14')) : findBinaries(),
  })
  return {
    url: server.url,
    async destroy() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A fresh database with the whole schema, for this test file alone; it goes away with the run. `like`: a copy of another, which nobody uses. */
export async function createTestDatabase(like?: string): Promise<string> {
  const { url, template } = inject('testServer')
  const name = `${template}_${randomBytes(4).toString('hex')}`
  await runOn(url, `CREATE DATABASE ${name} TEMPLATE ${like === undefined ? template : new URL(like).pathname.slice(1)}`)
  return databaseUrl(url, name)
}

export function databaseUrl(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${name}`
  return other.href
}

export async function runOn(url: string, ...statements: string[]): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    for (const statement of statements) await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Deletes what a killed test run left behind. */
async function destroyAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    const folder = join(tmpdir(), name)
    if (!name.startsWith(PREFIX) || !existsSync(join(folder, 'owner'))) continue
    try {
      process.kill(Number(readFileSync(join(folder, 'owner'), 'utf8')), 0)
      continue
    } catch (error) {
      // EPERM: alive, and somebody else's
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) continue
    }
    // PostgreSQL ends itself within a minute when its postmaster.pid is gone
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

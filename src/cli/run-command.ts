import { CommanderError } from 'commander'
import { type Config, loadConfig } from '../config.ts'
import { checkDatabaseUrl, createDb, type Database, migrateDb, UNREACHABLE } from '../db/connect.ts'
import { joinOrStartEmbeddedPostgres } from '../db/embedded/embedded-postgres.ts'
import { checkFingerprint } from '../db/fingerprint.ts'
import { createSealer, type Sealer } from '../lib/crypto.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { findUnitByCode, type Unit } from '../registry/units.ts'

/** What a command works with, for its own duration. */
export type CommandDeps = { config: Config; database: Database; sealer: Sealer; now: Date }

const CONNECTIONS = 4

/** Gives a command the database: DATABASE_URL, the embedded server that is running, or one for as long as the command takes. */
export async function withDatabase<T>(run: (deps: CommandDeps) => Promise<T>): Promise<T> {
  const config = loadConfig(process.env, 'command')
  const embedded = config.databaseUrl
    ? undefined
    : await joinOrStartEmbeddedPostgres({ dataDir: config.dataDir, log: (line) => console.error(line) })
  try {
    const url = config.databaseUrl ?? embedded!.url
    if (config.databaseUrl) await checkDatabaseUrl(url)
    await migrateDb(url)
    const database = createDb(url, { max: CONNECTIONS, name: 'hoc-tap-bot cli' })
    try {
      const sealer = createSealer(config.secretKey, config.secretKeyPrevious)
      await checkFingerprint(database.db, sealer)
      return await run({ config, database, sealer, now: new Date() })
    } finally {
      await database.close()
    }
  } finally {
    await embedded?.stop()
  }
}

export async function getUnitByCode({ database }: CommandDeps, code: string): Promise<Unit> {
  const found = await findUnitByCode(database.db, code)
  if (!found) throw new OperatorError(`there is no unit with the code "${code}"; import it with "unit import"`)
  return found
}

/** Wrong usage, found only when the words were looked at; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What to say of a failure, and the exit code. Never what was sent to the database: it may hold secrets and people's words. */
export function explainFailure(error: unknown): { exitCode: number; line?: string } {
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2 }
  if (error instanceof UsageError) return { exitCode: 2, line: `error: ${error.message}` }
  if (error instanceof OperatorError) return { exitCode: 1, line: `error: ${error.message}` }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') {
    const line = UNREACHABLE.has(cause.code)
      ? `error: the database cannot be reached (${cause.code}); is it running, and DATABASE_URL right?`
      : `error: the database or the system refused (${cause.code})`
    return { exitCode: 1, line }
  }
  return { exitCode: 1, line: `error: ${error instanceof Error ? `${error.name} ${error.message}`.split('\n')[0] : 'unknown'}` }
}

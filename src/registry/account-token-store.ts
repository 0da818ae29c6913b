import { eq, sql } from 'drizzle-orm'
import postgres from 'postgres'
import type { Database } from '../db/connect.ts'
import { account, accountToken, audit } from '../db/schema.ts'
import type { Sealer } from '../lib/crypto.ts'
import { openPair, type StoredPair, TOKEN_LOCK, writePair } from './accounts.ts'

/** The token pair of one account, shared by all processes; what the Zalo client asks of a token store. */
export type AccountTokenStore = {
  read(): Promise<(StoredPair & { deadReason?: string }) | undefined>
  withLock<T>(fn: () => Promise<T>): Promise<T>
  write(pair: StoredPair): Promise<void>
  markDead(reason: string): Promise<void>
}

type Options = { database: Database; sealer: Sealer; accountId: number; now: () => Date }

const MAX_REASON_CHARS = 200
const CLOSE_TIMEOUT_S = 5

/**
 * The lock is PostgreSQL's and lives as long as a connection opened for it: it spans processes, ends with the process, and takes none of the
 * pool's connections away from those who need one to let go of theirs. A refresh comes once in 20 hours, so the connection costs nothing.
 */
export function createAccountTokenStore({ database: { db, sql: pool }, sealer, accountId, now }: Options): AccountTokenStore {
  // Of this process one waits at PostgreSQL, the others here
  let queue: Promise<unknown> = Promise.resolve()

  async function runLocked<T>(fn: () => Promise<T>): Promise<T> {
    // postgres.js itself opens its connection for LISTEN so; only the types do not know
    const options: unknown = { ...pool.options, max: 1, idle_timeout: null, max_lifetime: null }
    const connection = postgres(options as postgres.Options<Record<string, never>>)
    try {
      await connection`SELECT pg_advisory_lock(${TOKEN_LOCK}, ${accountId})`
      return await fn()
    } finally {
      // Not by an unlock: on a connection that was lost meanwhile, postgres.js answers another statement by ending the process
      await connection.end({ timeout: CLOSE_TIMEOUT_S })
    }
  }

  return {
    async read() {
      const [row] = await db.select().from(accountToken).where(eq(accountToken.accountId, accountId))
      return row && { ...openPair(sealer, row.pairEnc), ...(row.deadClass !== null && { deadReason: row.deadClass }) }
    },
    withLock(fn) {
      const turn = queue.then(() => runLocked(fn))
      queue = turn.catch(() => undefined)
      return turn
    },
    async write(pair) {
      await writePair(db, sealer, accountId, pair, now())
    },
    async markDead(reason) {
      const at = now().toISOString()
      await db.execute(sql`
        WITH dead AS (
          UPDATE ${accountToken} SET dead_class = ${reason.slice(0, MAX_REASON_CHARS)}, dead_at = ${at}::timestamptz
          WHERE account_id = ${accountId} RETURNING account_id
        )
        INSERT INTO ${audit} (commune_id, at, actor, action, subject)
        SELECT a.commune_id, ${at}::timestamptz, 'system', 'account.token_dead', 'account:' || a.id
        FROM dead JOIN ${account} a ON a.id = dead.account_id`)
    },
  }
}

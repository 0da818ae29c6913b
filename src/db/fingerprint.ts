import { eq } from 'drizzle-orm'
import type { Sealer } from '../lib/crypto.ts'
import { OperatorError } from '../lib/operator-error.ts'
import type { Db } from './connect.ts'
import { installation } from './schema.ts'

const KEY = 'secret_key_fingerprint'

/**
 * Stops a start with a key that cannot read what is stored. During a rotation the fingerprint stays the previous key's until everything
 * is sealed anew, so that both orders of restarts work.
 */
export async function checkFingerprint(db: Db, { fingerprint, previousFingerprint }: Sealer): Promise<void> {
  await db.insert(installation).values({ key: KEY, value: fingerprint }).onConflictDoNothing()
  const [row] = await db.select().from(installation).where(eq(installation.key, KEY))
  if (row?.value === fingerprint) return
  if (row?.value !== undefined && row.value === previousFingerprint) {
    await db.update(installation).set({ value: fingerprint }).where(eq(installation.key, KEY))
    return
  }
  throw new OperatorError(
    'SECRET_KEY is not the key this database was written with: give the old key back, as SECRET_KEY or, to rotate, as SECRET_KEY_PREVIOUS',
  )
}

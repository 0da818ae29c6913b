import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { OperatorError } from '../../lib/operator-error.ts'

export type FileLock = { release(): void }

// SQLite is here for one thing: it is the only way Node gives to the kernel's file locks. They vanish with the process however it
// dies, so there is no stale lock, no race to clean one up, and a recycled pid is nobody's. No data is ever stored in these files.
const SQLITE_BUSY = 5
const RETRY_MS = 20

// A collected handle would drop its lock
const held = new Set<DatabaseSync>()

/** Takes the lock or returns `undefined` when another holder forbids it. `shared` holders live side by side, `exclusive` is alone. */
export function tryFileLock(path: string, kind: 'shared' | 'exclusive'): FileLock | undefined {
  let handle: DatabaseSync | undefined
  try {
    handle = new DatabaseSync(path, { timeout: 0 })
    // Otherwise an exclusive lock leaves a journal beside the file
    handle.exec('PRAGMA journal_mode = MEMORY')
    handle.exec(kind === 'exclusive' ? 'BEGIN EXCLUSIVE' : 'BEGIN; SELECT * FROM sqlite_master')
  } catch (error) {
    handle?.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined
    throw new OperatorError(`Cannot lock ${path}: is the folder writable for this user, and on a local disk?`, { cause: error })
  }
  const lock = handle
  held.add(lock)
  return {
    release() {
      if (held.delete(lock)) lock.close()
    },
  }
}

/** Waits for the lock; `undefined` when `timeoutMs` have passed. */
export async function waitForFileLock(path: string, kind: 'shared' | 'exclusive', timeoutMs: number): Promise<FileLock | undefined> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const lock = tryFileLock(path, kind)
    if (lock || Date.now() >= deadline) return lock
    await sleep(RETRY_MS)
  }
}

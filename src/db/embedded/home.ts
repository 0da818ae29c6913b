import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { OperatorError } from '../../lib/operator-error.ts'
import { type Binaries, type RunAs, whyNotRunnable } from './binaries.ts'

/** Where one cluster lives and who runs it. `folder` holds the cluster, its state and its log. */
export type Home = { folder: string; binaries: Binaries; runAs: RunAs; password: string }

// Measured: a migrated cluster 60–100 MB, the copied programs 60 MB, and room for the first days
const NEW_CLUSTER_BYTES = 300e6

// Only root needs these: whoever runs PostgreSQL for it must reach cluster and programs, and root's own home is often closed
const REACHABLE_FOLDERS = ['/var/lib/hoc-tap-bot', '/var/tmp/hoc-tap-bot']
const USUAL_USERS = ['postgres', 'nobody']
const OWN_USER = 'hoc-tap-bot'

/**
 * Creates DATA_DIR if need be, makes sure that files can be put there, and returns its one true path. Safe to repeat.
 * @throws OperatorError that names DATA_DIR and the remedy
 */
export function openDataDir(dataDir: string): string {
  const wanted = resolve(dataDir)
  try {
    // Others may pass through root's folder, not look into it: its PostgreSQL runs as another user
    makeFolder(wanted, isRoot() ? 0o711 : 0o700)
    // Asked by doing it: root is told that it may write in /proc
    rmdirSync(mkdtempSync(join(wanted, '.probe-')))
    return realpathSync(wanted)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOSPC') throw explainFullDisk(wanted, error)
    const problem = code === 'EEXIST' ? `cannot be made, ${pathOf(error)} is no folder` : `cannot be written (${code})`
    throw new OperatorError(`DATA_DIR ${wanted} ${problem}: set it to a folder this user can write in`, { cause: error })
  }
}

// Node 24's own `recursive` tries without end below a folder that is there and in which nothing can be made, such as /proc
function makeFolder(folder: string, mode: number): void {
  const isThere = () => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
  if (isThere()) return
  if (dirname(folder) !== folder) makeFolder(dirname(folder), mode)
  try {
    mkdirSync(folder, { mode })
  } catch (error) {
    // Another start was first
    if (!isThere()) throw error
  }
}

/** Turns the error of a full disk into a sentence and leaves any other as it is. */
export function explainFullDisk(folder: string, error: unknown): unknown {
  return codeOf(error) === 'ENOSPC'
    ? new OperatorError(`The disk of ${folder} is full: free some space and start again`, { cause: error })
    : error
}

/** Decides where the cluster of this DATA_DIR lives, or finds where it was put before. Call it under the gate lock only. */
export function openHome(options: { dataDir: string; binaries: Binaries; log: (line: string) => void }): Home {
  return isRoot() ? openHomeAsRoot(options) : openHomeAsUser(options)
}

function openHomeAsUser({ dataDir, binaries }: { dataDir: string; binaries: Binaries }): Home {
  if (existsSync(recordPath(dataDir))) {
    throw new OperatorError(
      `The database of ${dataDir} was created by root in ${readRecord(dataDir)}: start as root or set another DATA_DIR`,
    )
  }
  const problem = whyNotRunnable(binaries, {})
  if (problem) throw new OperatorError(problem.reason)
  const folder = join(dataDir, 'postgres')
  const cluster = join(folder, 'cluster')
  if (existsSync(cluster) && statSync(cluster).uid !== process.getuid?.()) {
    throw new OperatorError(
      `The database in ${cluster} belongs to the user with id ${statSync(cluster).uid}: start as that user or set another DATA_DIR`,
    )
  }
  if (!existsSync(cluster)) requireSpace(dataDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return { folder, binaries, runAs: {}, password: openPassword(dataDir) }
}

function openHomeAsRoot({ dataDir, binaries, log }: { dataDir: string; binaries: Binaries; log: (line: string) => void }): Home {
  const inside = join(dataDir, 'postgres')
  const recorded = existsSync(recordPath(dataDir)) ? readRecord(dataDir) : undefined
  if (recorded) requireOwnCopy(dataDir, recorded)

  const known = recorded ?? (existsSync(join(inside, 'cluster')) ? inside : undefined)
  const runAs = known && existsSync(join(known, 'cluster')) ? ownerOf(join(known, 'cluster')) : findUser()
  const folder = known ?? (canEnter(dataDir, runAs) ? inside : createOutside({ dataDir, log }))
  if (!existsSync(join(folder, 'cluster'))) requireSpace(folder === inside ? dataDir : folder)
  mkdirSync(folder, { recursive: true, mode: 0o711 })
  return { folder, binaries: reachableBinaries(binaries, runAs), runAs, password: openPassword(dataDir) }
}

const isRoot = () => process.getuid?.() === 0
const recordPath = (dataDir: string) => join(dataDir, 'postgres.path')
const readRecord = (dataDir: string) => readFileSync(recordPath(dataDir), 'utf8').trim()
const pathOf = (error: unknown) => (error instanceof Error && 'path' in error ? String(error.path) : undefined)
const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : undefined)

function ownerOf(path: string): RunAs {
  const { uid, gid } = statSync(path)
  if (uid === 0)
    throw new OperatorError(`The database in ${path} belongs to root, which PostgreSQL refuses: give it to an ordinary user with chown -R`)
  return { uid, gid }
}

function requireSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  if (free < NEW_CLUSTER_BYTES) {
    throw new OperatorError(
      `Only ${Math.floor(free / 1e6)} MB are free for ${folder}: a new database needs ${NEW_CLUSTER_BYTES / 1e6} MB, free some or set another DATA_DIR`,
    )
  }
}

/** The cluster's password: made once, readable by nobody else. */
function openPassword(dataDir: string): string {
  const path = join(dataDir, 'postgres.password')
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  const password = randomBytes(24).toString('hex')
  const half = `${path}.new`
  writeFileSync(half, `${password}\n`, { mode: 0o600, flush: true })
  renameSync(half, path)
  return password
}

function findUser(): RunAs {
  const find = (names: string[]): RunAs | undefined => {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
    const [, , uid, gid] = names.flatMap((name) => lines.filter((line) => line.startsWith(`${name}:`)))[0]?.split(':') ?? []
    return uid && gid ? { uid: Number(uid), gid: Number(gid) } : undefined
  }
  const usual = find([OWN_USER, ...USUAL_USERS])
  if (usual) return usual
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', OWN_USER])
  const created = find([OWN_USER])
  if (!created) {
    throw new OperatorError(
      `PostgreSQL refuses to run as root and there is no user to run it: create one named ${OWN_USER}, or start the bot as an ordinary user`,
    )
  }
  return created
}

/** Asked of the kernel and not read from mode bits, which do not tell of access lists. */
function canEnter(folder: string, as: RunAs): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd -- "$0"', folder], { ...as, env: {}, cwd: '/' }).status === 0
}

/** A folder of root's that others can pass through, the first that can be made. */
function reachableFolder(): string {
  for (const folder of REACHABLE_FOLDERS) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 })
      const { uid, mode } = lstatSync(folder)
      // In /var/tmp anyone could have put a folder or a link of that name there before us
      if (lstatSync(folder).isDirectory() && uid === 0 && (mode & 0o022) === 0) return folder
    } catch {
      // The next one; the sentence below tells all
    }
  }
  throw new OperatorError(
    `PostgreSQL cannot run as root, and no folder is left that another user can reach: make ${REACHABLE_FOLDERS[0]} writable, or start as an ordinary user`,
  )
}

function createOutside({ dataDir, log }: { dataDir: string; log: (line: string) => void }): string {
  const folder = join(reachableFolder(), createHash('sha256').update(dataDir).digest('hex').slice(0, 12))
  if (existsSync(folder)) {
    // Somebody deleted DATA_DIR to begin anew. Its PostgreSQL may still run; the next start of this folder ends it
    const aside = `${folder}.left-${new Date().toISOString().replaceAll(/[^0-9]/g, '')}`
    renameSync(folder, aside)
    log(`A database whose ${dataDir} was deleted is kept in ${aside}; delete it if nobody needs it`)
  }
  mkdirSync(folder, { mode: 0o711 })
  writeFileSync(join(folder, 'data-dir'), dataDir, { flush: true })
  writeFileSync(recordPath(dataDir), `${folder}\n`, { flush: true })
  log(`PostgreSQL does not run as root and its user cannot reach ${dataDir}, so the database is in ${folder}`)
  return folder
}

/** A copied DATA_DIR must not share the original's cluster; a moved one takes it along. */
function requireOwnCopy(dataDir: string, folder: string): void {
  const owner = join(folder, 'data-dir')
  if (!existsSync(owner))
    throw new OperatorError(`The database of ${dataDir} was in ${folder}, which is gone: put it back, or delete ${dataDir} to begin anew`)
  const original = readFileSync(owner, 'utf8')
  if (original === dataDir) return
  if (existsSync(recordPath(original)) && readRecord(original) === folder) {
    throw new OperatorError(
      `${dataDir} is a copy of ${original} and would share its database in ${folder}: copy a running bot with backup and restore`,
    )
  }
  writeFileSync(owner, dataDir, { flush: true })
}

function reachableBinaries(binaries: Binaries, runAs: RunAs): Binaries {
  const problem = whyNotRunnable(binaries, runAs)
  if (!problem) return binaries
  if (!problem.unreachable) throw new OperatorError(problem.reason)
  const native = join(reachableFolder(), `programs-${binaries.version}-${process.arch}`)
  if (!existsSync(native)) {
    const half = `${native}.${process.pid}.new`
    rmSync(half, { recursive: true, force: true })
    for (const part of ['bin', 'lib', 'share']) {
      cpSync(join(binaries.native, part), join(half, part), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (source) => !basename(source).endsWith('.a'),
      })
    }
    chmodSync(half, 0o755)
    try {
      renameSync(half, native)
    } catch (error) {
      // Another start, of another DATA_DIR, was first
      rmSync(half, { recursive: true, force: true })
      if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error
    }
  }
  const copied = { ...binaries, native }
  const stillNot = whyNotRunnable(copied, runAs)
  if (stillNot) throw new OperatorError(stillNot.reason)
  return copied
}

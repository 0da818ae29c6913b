import { spawn } from 'node:child_process'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { OperatorError } from '../../lib/operator-error.ts'
import type { Home } from './home.ts'

/** A living server. `port` is where it listens on loopback. */
export type Postmaster = { pid: number; port: number }

// A crash recovery replays at most max_wal_size; seconds on a small machine, and a very slow disk gets two minutes
const START_TIMEOUT_MS = 120_000
const POLL_MS = 15
const PING_TIMEOUT_S = 15
// A fast shutdown writes one checkpoint
const STOP_FAST_MS = 30_000
const STOP_AT_ONCE_MS = 5_000
const LOG_KEEP_BYTES = 4e6

// One commune on a small server: under 60 MB for the whole server, idle. Commits stay durable.
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // A process takes up to 25 with its queue; trials run five on one server
  max_connections: 130,
  shared_buffers: '32MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  // Bounds what a crash recovery replays. Measured on 2 busy cores under steady writing: 0.5 s, with 256MB up to 8.5 s; as many writes
  max_wal_size: '96MB',
  min_wal_size: '48MB',
  wal_level: 'minimal', // no replica, no base backup: our backup is a logical one
  max_wal_senders: 0,
  max_worker_processes: 2,
  max_parallel_workers: 2,
  max_logical_replication_workers: 0,
  autovacuum_max_workers: 2,
  jit: 'off',
  huge_pages: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Errors reach us on the connection; in this file they would keep what was erased from the tables
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_checkpoints: 'off',
}
const SETTINGS_FROM_18 = { io_method: 'sync' } // three processes less
// For tests: nothing survives a crash of the machine
const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }

export const urlOf = (home: Home, port: number) => `postgres://postgres:${home.password}@127.0.0.1:${port}/postgres`

/**
 * Has the home's server running: adopts a living one, else starts it, after creating the cluster the first time.
 * Call it under the gate lock only. `keepPort`: someone holds our address already, so no other port will do.
 */
export async function ensurePostmaster(
  home: Home,
  options: { durable: boolean; keepPort: boolean; othersUseIt: () => boolean },
): Promise<Postmaster & { adopted: boolean }> {
  await createCluster(home, options.durable)
  requireSameMajor(home)
  const deadline = Date.now() + START_TIMEOUT_MS
  while (Date.now() < deadline) {
    const living = findPostmaster(home)
    if (living) {
      if (readState(home)?.programs !== programsOf(home) && !options.othersUseIt()) {
        // `npm ci` has replaced the files below it since it started
        await stopPostmaster(living.pid)
        continue
      }
      const ready = await waitUntilReady(home, living.pid, deadline)
      if (ready && (await answers(home, ready))) return { ...ready, adopted: true }
      if (ready) await endProcess(living.pid, 'SIGKILL')
      continue
    }
    if (
      existsSync(join(home.folder, 'cluster', 'postmaster.pid')) &&
      readState(home)?.pidNamespace !== pidNamespace() &&
      options.othersUseIt()
    ) {
      throw new OperatorError(`The database in ${home.folder} is in use from another container: stop that one first`)
    }
    await endLeftovers(home)
    const started = await startPostmaster(home, options, deadline)
    if (started && (await answers(home, started))) return { ...started, adopted: false }
  }
  throw new OperatorError(
    `PostgreSQL in ${home.folder} was not ready within ${START_TIMEOUT_MS / 1000} s; its last words: ${lastWords(home, 0)}`,
  )
}

/** Stops it with a checkpoint; where that takes too long, without: the next start replays. */
export async function stopPostmaster(pid: number): Promise<void> {
  if (await endProcess(pid, 'SIGINT', STOP_FAST_MS)) return
  if (await endProcess(pid, 'SIGQUIT', STOP_AT_ONCE_MS)) return
  await endProcess(pid, 'SIGKILL')
}

/** The server of this home that lives now, whoever started it. A recycled pid is not taken for it. */
export function findPostmaster(home: Home): Postmaster | undefined {
  const { pid, port } = readPidFile(home) ?? {}
  if (!pid || !port) return undefined
  return isPostmasterOf(home, commandOf(pid)) ? { pid, port } : undefined
}

async function createCluster(home: Home, durable: boolean): Promise<void> {
  // What a start that was killed half-way left behind; still being written to, it goes next time
  for (const name of readdirSync(home.folder)) {
    if (name.startsWith('cluster.new-')) rmSync(join(home.folder, name), { recursive: true, force: true, maxRetries: 2 })
  }
  const cluster = join(home.folder, 'cluster')
  if (existsSync(cluster)) return

  const half = join(home.folder, `cluster.new-${randomBytes(4).toString('hex')}`)
  const passwordFile = `${half}.password`
  mkdirSync(half, { mode: 0o700 })
  writeFileSync(passwordFile, `${home.password}\n`, { mode: 0o600 })
  for (const path of [half, passwordFile]) give(path, home)
  // The builtin provider knows all of Unicode and needs no locale of the machine; it came with 17
  const locale = home.binaries.major >= 17 ? ['--locale-provider=builtin', '--locale=C.UTF-8'] : ['--locale=C.UTF-8']
  const { code, output } = await run(home, 'initdb', [
    `--pgdata=${half}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    ...locale,
    ...(durable ? [] : ['--no-sync']),
  ])
  rmSync(passwordFile, { force: true })
  if (code !== 0) {
    rmSync(half, { recursive: true, force: true })
    throw asOperatorError(home, output)
  }
  renameSync(half, cluster)
}

function requireSameMajor(home: Home): void {
  const major = Number(readFileSync(join(home.folder, 'cluster', 'PG_VERSION'), 'utf8'))
  if (major === home.binaries.major) return
  throw new OperatorError(
    `The database in ${home.folder} was made by PostgreSQL ${major} and this bot brings ${home.binaries.major}: make a backup with the bot that made it, then restore it into a new DATA_DIR`,
  )
}

/** `undefined`: try again, what stood in the way is on its way out. */
async function startPostmaster(
  home: Home,
  options: { durable: boolean; keepPort: boolean },
  deadline: number,
): Promise<Postmaster | undefined> {
  const port = await choosePort(readState(home)?.port, options.keepPort)
  writeState(home, { port, pidNamespace: pidNamespace(), programs: programsOf(home) })
  const settings = {
    ...SETTINGS,
    ...(home.binaries.major >= 18 ? SETTINGS_FROM_18 : {}),
    ...(options.durable ? {} : NOT_DURABLE),
    port,
    cluster_name: clusterName(home),
  }
  const logPath = join(home.folder, 'server.log')
  const before = existsSync(logPath) ? statSync(logPath).size : 0
  const log = openSync(logPath, before > LOG_KEEP_BYTES ? 'w' : 'a', 0o600)
  const logStart = before > LOG_KEEP_BYTES ? 0 : before
  // Detached: Ctrl-C in the terminal reaches us and not the server, which we stop last
  const child = spawn(
    programPath(home, 'postgres'),
    ['-D', join(home.folder, 'cluster'), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...home.runAs, cwd: join(home.folder, 'cluster'), env: childEnvironment(), stdio: ['ignore', log, log], detached: true },
  )
  closeSync(log)
  child.unref()
  let failure: Error | undefined
  let gone = false
  child.once('error', (error) => {
    failure = error
  })
  child.once('exit', () => {
    gone = true
  })
  while (Date.now() < deadline) {
    if (failure) throw new OperatorError(`PostgreSQL could not be started in ${home.folder} (${failure.message})`, { cause: failure })
    if (gone) {
      const words = lastWords(home, logStart)
      // Another one was faster, or a killed server's last backend is still leaving, or somebody took the port
      if (/already exists|still in use|could not bind|create any TCP/.test(words)) {
        await sleep(POLL_MS)
        return undefined
      }
      throw asOperatorError(home, words)
    }
    if (child.pid && isReady(home, child.pid)) return { pid: child.pid, port }
    await sleep(POLL_MS)
  }
  return undefined
}

/**
 * Backends of a killed server hold its shared memory until they notice; the new one would not start before. And whoever deletes
 * DATA_DIR to begin anew may leave a server without files.
 */
async function endLeftovers(home: Home): Promise<void> {
  const title = `postgres: ${clusterName(home)}: `
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const command = pid ? commandOf(pid) : []
      return command[0]?.startsWith(title) || isPostmasterOf(home, command)
    })
  await Promise.all(pids.map((pid) => endProcess(pid, 'SIGKILL')))
  // Its pid lives no more, or is somebody else's by now; PostgreSQL itself would take that one for the old server
  rmSync(join(home.folder, 'cluster', 'postmaster.pid'), { force: true })
}

async function waitUntilReady(home: Home, pid: number, deadline: number): Promise<Postmaster | undefined> {
  while (Date.now() < deadline) {
    const living = findPostmaster(home)
    if (living?.pid !== pid) return undefined
    if (isReady(home, pid)) return living
    await sleep(POLL_MS)
  }
  return undefined
}

async function answers(home: Home, server: Postmaster): Promise<boolean> {
  const sql = postgres(urlOf(home, server.port), { max: 1, connect_timeout: PING_TIMEOUT_S, onnotice: () => {} })
  try {
    await sql`SELECT 1`
    return true
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === '28P01') {
      throw new OperatorError(
        `The password in DATA_DIR (postgres.password) is not that of the database in ${home.folder}: put the right file back`,
      )
    }
    // 53300: all its connections are taken, so it does answer
    return code === '53300'
  } finally {
    await sql.end({ timeout: 1 })
  }
}

// postmaster.pid: pid, data folder, start time, port, socket folder, address, shared memory, status
function readPidFile(home: Home): { pid: number; port: number | undefined; status: string | undefined } | undefined {
  try {
    const lines = readFileSync(join(home.folder, 'cluster', 'postmaster.pid'), 'utf8').split('\n')
    const pid = Number(lines[0])
    return pid ? { pid, port: Number(lines[3]) || readState(home)?.port, status: lines[7]?.trim() } : undefined
  } catch {
    return undefined
  }
}

function isReady(home: Home, pid: number): boolean {
  const file = readPidFile(home)
  return file?.pid === pid && file.status === 'ready'
}

/** What we remember of the last start. A lost or half-written file costs nothing but the old port. */
type State = { port: number; pidNamespace: string; programs: string }

function readState(home: Home): State | undefined {
  try {
    return JSON.parse(readFileSync(join(home.folder, 'server.json'), 'utf8')) as State
  } catch {
    return undefined
  }
}

function writeState(home: Home, state: State): void {
  const path = join(home.folder, 'server.json')
  writeFileSync(`${path}.new`, JSON.stringify(state))
  renameSync(`${path}.new`, path)
}

async function choosePort(last: number | undefined, keep: boolean): Promise<number> {
  if (last && keep) return last
  if (last && (await isFree(last))) return last
  // Below 32768, where Linux begins to hand out ports to outgoing connections: a restart finds its own port free again
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = randomInt(20_000, 32_000)
    if (await isFree(port)) return port
  }
  throw new OperatorError('No free port on 127.0.0.1 between 20000 and 32000 was found for PostgreSQL')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
  })
}

function run(home: Home, program: string, args: string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(programPath(home, program), args, {
      ...home.runAs,
      cwd: home.folder,
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    child.once('error', (error) => resolve({ code: null, output: error.message }))
    child.once('close', (code) => resolve({ code, output }))
  })
}

function asOperatorError(home: Home, words: string): OperatorError {
  if (words.includes('No space left on device'))
    return new OperatorError(`The disk of ${home.folder} is full: free some space and start again`)
  if (words.includes('could not look up effective user ID')) {
    return new OperatorError(
      `The user with id ${process.getuid?.()} has no line in /etc/passwd, which PostgreSQL needs: add one, or set DATABASE_URL`,
    )
  }
  const line = words.split('\n').find((each) => /FATAL|PANIC|error:/.test(each)) ?? words.trim().split('\n').at(-1)
  return new OperatorError(`PostgreSQL in ${home.folder} did not start: ${line || 'it said nothing'}`)
}

function lastWords(home: Home, from: number): string {
  try {
    return readFileSync(join(home.folder, 'server.log')).subarray(from).toString('utf8').trim().split('\n').slice(-20).join('\n')
  } catch {
    return ''
  }
}

/** Sends the signal and waits until the process is gone; `false` when it is not within `timeoutMs`. */
async function endProcess(pid: number, signal: NodeJS.Signals, timeoutMs = 10_000): Promise<boolean> {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return true
    throw error
  }
  const deadline = Date.now() + timeoutMs
  while (commandOf(pid).length > 0) {
    if (Date.now() > deadline) return false
    await sleep(POLL_MS)
  }
  return true
}

/** Empty for a process that is gone, and for one that waits to be reaped: in a container perhaps nobody ever does. */
function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return []
  }
}

const isPostmasterOf = (home: Home, command: string[]) =>
  /(^|\/)postgres$/.test(command[0] ?? '') && command.includes(join(home.folder, 'cluster'))
const programPath = (home: Home, program: string) => join(home.binaries.native, 'bin', program)
// Appears in the title of each of its processes
const clusterName = (home: Home) => `hoc-tap-bot-${createHash('sha256').update(home.folder).digest('hex').slice(0, 12)}`
const pidNamespace = () => readlinkSync('/proc/self/ns/pid')
// Nothing of ours: PGPORT and its kind would be obeyed, and secrets would be readable in its environment
const childEnvironment = () => ({ PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' })

function programsOf(home: Home): string {
  const path = programPath(home, 'postgres')
  const { ino, mtimeMs } = statSync(path)
  return `${path} ${ino} ${mtimeMs}`
}

function give(path: string, home: Home): void {
  if (home.runAs.uid !== undefined && home.runAs.gid !== undefined) chownSync(path, home.runAs.uid, home.runAs.gid)
}

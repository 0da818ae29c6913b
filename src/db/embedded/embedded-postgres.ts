import { join } from 'node:path'
import { OperatorError } from '../../lib/operator-error.ts'
import { type Binaries, findBinaries } from './binaries.ts'
import { type FileLock, tryFileLock, waitForFileLock } from './file-lock.ts'
import { explainFullDisk, type Home, openDataDir, openHome } from './home.ts'
import { ensurePostmaster, findPostmaster, type Postmaster, stopPostmaster, urlOf } from './postmaster.ts'

/** The database server in DATA_DIR while we use it. `adopted`: it was running already. */
export type EmbeddedPostgres = { url: string; adopted: boolean; stop(): Promise<void> }

export type EmbeddedPostgresOptions = {
  dataDir: string
  /** Told what an operator may want to know: where the cluster was put, a server that had to be restarted. */
  log?: (line: string) => void
  binaries?: Binaries
  /** `false` only for tests: faster, and lost when the machine crashes. */
  durable?: boolean
}

// Whoever holds the gate may spend its time on a crash recovery
const GATE_TIMEOUT_MS = 150_000
const WATCH_MS = 500

/**
 * Starts the server, or adopts the one a killed process left behind, and restarts it at the same address should it die.
 * Everybody who uses it holds a shared lock; `stop` ends the server when nobody else does.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const use = await enter(options)
  const unwatch = watch(use)
  let stopped: Promise<void> | undefined
  return {
    url: use.url,
    adopted: use.adopted,
    stop() {
      stopped ??= unwatch().then(() => leave(use))
      return stopped
    },
  }
}

/** For a command: uses the running server, else has one for its own duration. Any number of commands may do so at once. */
export async function joinOrStartEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const use = await enter(options)
  let stopped: Promise<void> | undefined
  return {
    url: use.url,
    adopted: use.adopted,
    stop() {
      stopped ??= leave(use)
      return stopped
    },
  }
}

type Use = {
  dataDir: string
  home: Home
  url: string
  adopted: boolean
  durable: boolean
  log: (line: string) => void
  lock: FileLock
}

// The gate is held while the server is being started, stopped or looked for, never while it is used. A use is a shared lock:
// who can take it exclusively under the gate is alone.
const gatePath = (dataDir: string) => join(dataDir, 'postgres.gate')
const usePath = (dataDir: string) => join(dataDir, 'postgres.use')

async function enter(options: EmbeddedPostgresOptions): Promise<Use> {
  const { log = () => {}, binaries = findBinaries(), durable = true } = options
  const dataDir = openDataDir(options.dataDir)
  return await withGate(dataDir, async () => {
    const home = openHome({ dataDir, binaries, log })
    const server = await ensurePostmaster(home, { durable, keepPort: false, othersUseIt: () => isUsed(dataDir) })
    const lock = tryFileLock(usePath(dataDir), 'shared')
    if (!lock) throw new Error('only a holder of the gate takes the use lock exclusively')
    return { dataDir, home, url: urlOf(home, server.port), adopted: server.adopted, durable, log, lock }
  })
}

async function leave(use: Use): Promise<void> {
  await withGate(use.dataDir, async () => {
    use.lock.release()
    if (isUsed(use.dataDir)) return
    const server = findPostmaster(use.home)
    if (server) await stopPostmaster(server.pid)
  })
}

/** Returns what ends the watching, and waits for a restart on its way. */
function watch(use: Use): () => Promise<void> {
  let restarting: Promise<unknown> | undefined
  let lastTrouble = ''
  const timer = setInterval(() => {
    if (restarting || findPostmaster(use.home)) return
    restarting = restart(use)
      .then((server) => {
        lastTrouble = ''
        use.log(`PostgreSQL had died and was started again (process ${server.pid})`)
      })
      .catch((error) => {
        // It is tried again and again, and told once
        const trouble = `PostgreSQL has died and does not start: ${error instanceof Error ? error.message : error}`
        if (trouble !== lastTrouble) use.log(trouble)
        lastTrouble = trouble
      })
      .finally(() => {
        restarting = undefined
      })
  }, WATCH_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await restarting
  }
}

function restart(use: Use): Promise<Postmaster> {
  return withGate(use.dataDir, () => ensurePostmaster(use.home, { durable: use.durable, keepPort: true, othersUseIt: () => true }))
}

function isUsed(dataDir: string): boolean {
  const alone = tryFileLock(usePath(dataDir), 'exclusive')
  alone?.release()
  return !alone
}

async function withGate<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  const gate = await waitForFileLock(gatePath(dataDir), 'exclusive', GATE_TIMEOUT_MS)
  if (!gate)
    throw new OperatorError(`Another process has been starting or stopping the database in ${dataDir} for too long: end it and try again`)
  try {
    return await action()
  } catch (error) {
    throw explainFullDisk(dataDir, error)
  } finally {
    gate.release()
  }
}

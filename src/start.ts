import { pino } from 'pino'
import { createApp } from './app.ts'
import { type Config, loadConfig } from './config.ts'
import { checkDatabaseUrl } from './db/connect.ts'
import { acquireAppLock } from './db/embedded/app-lock.ts'
import { startEmbeddedPostgres } from './db/embedded/embedded-postgres.ts'
import { openDataDir } from './db/embedded/home.ts'
import { OperatorError } from './lib/operator-error.ts'
import { createSampleCommune } from './registry/sample.ts'

type Closing = { name: string; close: () => Promise<void> | void }

/**
 * Starts what the configuration asks for, in order; the stop is the reverse. A part that never started is not stopped. Aborted in
 * between, it stops what has started and throws.
 */
async function start(config: Config, { signal }: { signal: AbortSignal }): Promise<() => Promise<void>> {
  const log = pino({ level: config.logLevel, redact: ['*.secrets', '*.text', '*.body'] })
  const parts: Closing[] = []
  const stop = async () => {
    for (const part of parts.reverse()) await part.close()
  }
  try {
    openDataDir(config.dataDir)
    let databaseUrl = config.databaseUrl
    if (databaseUrl === undefined) {
      const lock = acquireAppLock(config.dataDir)
      parts.push({ name: 'lock', close: () => lock.release() })
      const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log: (line) => log.info(line) })
      parts.push({ name: 'postgres', close: () => postgres.stop() })
      databaseUrl = postgres.url
    } else await checkDatabaseUrl(databaseUrl)

    signal.throwIfAborted()
    // The simulator is loaded only where Zalo is simulated
    const sample = config.zalo ? undefined : await (await import('./sample.ts')).startSample(config.dataDir)
    if (sample) {
      parts.push({ name: 'simulator', close: () => sample.close() })
      log.warn('no ZALO_* variables: Zalo is simulated on this machine')
    }
    signal.throwIfAborted()
    let address = ''
    const app = await createApp({
      config: sample ? { ...config, zalo: sample.zalo } : config,
      databaseUrl,
      log,
      localUrl: () => address,
      hasOwnRoot: sample !== undefined,
      ...(config.sampleData ? { prepare: createSampleCommune } : {}),
    })
    parts.push({ name: 'app', close: () => app.stop() })
    signal.throwIfAborted()
    await sample?.mount(app.http, () => app.deps)
    address = await listen(app.http, config)
    await app.start()
    await sample?.connect(address)
    signal.throwIfAborted()
    log.info({ address, ...(config.publicUrl && { publicUrl: config.publicUrl }) }, 'ready')
    if (sample) process.stdout.write(`\n  Mở trang điện thoại / open the phone page:  ${address}/\n\n`)
    return stop
  } catch (error) {
    await stop()
    throw error
  }
}

async function listen(http: Awaited<ReturnType<typeof createApp>>['http'], { host, port }: Config): Promise<string> {
  try {
    return await http.listen({ host, port })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') throw new OperatorError(`PORT ${port} is taken: set it to another one, or to 0 for any free one`)
    if (code === 'EACCES') throw new OperatorError(`PORT ${port} may not be opened by this user: set it to 1024 or above`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
      throw new OperatorError(`HOST ${host} is no address of this machine: remove it, or set it to one, 0.0.0.0 for all`)
    }
    throw error
  }
}

/**
 * postgres.js 3.4 rolls back on a connection that was lost inside a transaction, and throws from there where nobody can catch it. The
 * transaction itself has failed as it should; the pool connects anew. Anything else unexpected ends the process: the next start finds
 * everything in the tables.
 */
function isLostRollback(error: unknown): boolean {
  return error instanceof TypeError && /reading 'write'/.test(error.message) && /postgres\/src\/connection/.test(error.stack ?? '')
}

/** The whole program: runs until it is told to stop, or ends the process with one line that says what is wrong. */
export async function main(): Promise<void> {
  process.on('uncaughtException', (error) => {
    if (isLostRollback(error)) return
    process.stderr.write(`${error.stack ?? error.message}\n`)
    process.exit(1)
  })
  let stop: (() => Promise<void>) | undefined
  const stopping = new AbortController()
  const onSignal = () => {
    if (stopping.signal.aborted) return
    stopping.abort()
    // Before it is through, the start itself stops what it has started: a database must not stay behind
    stop?.().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    stop = await start(loadConfig(process.env), { signal: stopping.signal })
  } catch (error) {
    if (stopping.signal.aborted) process.exit(0)
    process.stderr.write(
      error instanceof OperatorError
        ? `${error.message}\n`
        : `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    process.exit(1)
  }
}

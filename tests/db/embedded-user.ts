// A process that uses the embedded database, to be killed by a test: `node embedded-user.ts start|join DATA_DIR`.
// Prints one JSON line when it is ready; ends when its standard input does.
import { acquireAppLock } from '../../src/db/embedded/app-lock.ts'
import { joinOrStartEmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { OperatorError } from '../../src/lib/operator-error.ts'

const [kind, dataDir = ''] = process.argv.slice(2)
const log: string[] = []
try {
  if (kind === 'start') acquireAppLock(dataDir)
  const startedAt = performance.now()
  const open = kind === 'start' ? startEmbeddedPostgres : joinOrStartEmbeddedPostgres
  const server = await open({ dataDir, log: (line) => log.push(line) })
  console.log(JSON.stringify({ url: server.url, adopted: server.adopted, readyMs: performance.now() - startedAt, log }))
  process.stdin.resume().once('end', async () => {
    await server.stop()
  })
} catch (error) {
  console.log(JSON.stringify({ refused: error instanceof OperatorError ? error.message : String(error) }))
}

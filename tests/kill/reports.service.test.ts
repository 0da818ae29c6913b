import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { ACCOUNT, makeDataDir, type SimulatorProcess, startSimulator } from '../run/processes.ts'
import { type Installation, install } from './installation.ts'
import { asPerson } from './roll.ts'

// A process that dies between storing a report and keeping it. The message's row is held from outside meanwhile, so that this is where the
// kill falls and nowhere else: what is acknowledged is stored, and what is stored is kept by whoever comes next.

const SEED = Number(process.env.RUN_SEED ?? 20_266)
const UNTIL_MS = 20_000

let simulator: SimulatorProcess
let installation: Installation
let database: Database
const dataDir = makeDataDir()

beforeAll(async () => {
  simulator = await startSimulator({ seed: SEED, buttons: true, stateAgency: false, retryLadderMs: [300, 700, 1_000, 2_000] })
  const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
  installation = await install('one', { simulator, dataDir, refreshToken: refresh_token, env: {} })
  database = createDb(installation.databaseUrl, { max: 3 })
  await simulator.control('PUT', '/webhook', { oa_id: ACCOUNT.oaId, url: installation.webhookUrl })
})

afterAll(async () => {
  await installation?.close()
  await database?.close()
  await simulator?.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + UNTIL_MS; !(await isSo()); await sleep(50)) expect(Date.now()).toBeLessThan(deadline)
}

const waiting = async (kind: string) =>
  (await database.sql`SELECT count(*)::int AS n FROM inbound_event WHERE handled_at IS NULL AND kind = ${kind}`)[0]?.n as number
const message = async () => {
  const [row] = await database.sql<{ id: number; status: string; received: boolean; seen: boolean }[]>`
    SELECT id::int AS id, status, received_at IS NOT NULL AS received, seen_at IS NOT NULL AS seen FROM outbound_message ORDER BY id DESC LIMIT 1`
  return row
}

test('what it had acknowledged is kept after the next start', async () => {
  const [person] = (await simulator.control('POST', '/people', { oa_id: ACCOUNT.oaId, count: 1, follow: true })) as { id: string }[]
  const act = (path: string, body: object) => asPerson(simulator, `/people/${person!.id}/${path}`, { oa_id: ACCOUNT.oaId, ...body })
  await act('messages', { kind: 'text', text: 'xin chào' })
  await until(async () => (await message())?.received === true && (await waiting('received')) === 0)
  const { id } = (await message())!

  const [victim] = installation.victims().filter(({ name }) => name === 'the bot alone')
  await database.sql.begin(async (tx) => {
    await tx`SELECT 1 FROM outbound_message WHERE id = ${id} FOR UPDATE`
    await act('seen', {})
    await until(async () => (await waiting('seen')) === 1)
    await victim!.kill()
    await simulator.control('POST', '/flush')
    expect(await waiting('seen')).toBe(1)
  })
  expect(await message()).toMatchObject({ id, seen: false })
  await victim!.restart()
  await until(async () => (await message())?.seen === true)
  await until(async () => (await waiting('seen')) === 0)
  expect(await message()).toMatchObject({ id, status: 'sent', received: true, seen: true })
}, 90_000)

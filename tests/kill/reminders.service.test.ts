import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { vietnamTime } from '../../src/lib/vietnam-time.ts'
import { createDice } from '../run/dice.ts'
import { ACCOUNT, makeDataDir, type SimulatorProcess, startSimulator } from '../run/processes.ts'
import { type Installation, install } from './installation.ts'

// Reminders to households and digests to village leaders while two processes, each of which does everything, are killed in turns. Every
// start looks at once for what is due, so a kill is a second round of the same.

const SEED = Number(process.env.RUN_SEED ?? 20_265)
const HOMES = 90
const VILLAGES = 12
const KILLS = 4
const KILL_EVERY_MS = 2_500
// Half of what a minute takes is written at once, and as much may leave a minute: the kills fall into both
const PER_MINUTE = 600
const LATENCY_MS = 200
const HOUR_MS = 3_600_000
// After the last word, when a household is reminded; and how long a silent one has been so
const REMINDED_H = 41
const SILENT_H = 100
const DEADLINE_MS = 90_000

type Chat = { id: string; user_id: string }
type Row = { user_id: string; cause: string; status: string; n: number }

describe('reminders and digests while processes are killed', () => {
  const dataDir = makeDataDir()
  let simulator: SimulatorProcess
  let installation: Installation
  let database: Database
  /** Chats by household: two in each third one. */
  let homes: Chat[][]
  let leaders: Chat[]
  let arrived: Map<string, string[]>
  let rows: Row[]

  beforeAll(async () => {
    simulator = await startSimulator({ seed: SEED, buttons: true, stateAgency: false, retryLadderMs: [300, 700, 1_000, 2_000] })
    const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
    const env = { SECRET_KEY: randomBytes(32).toString('base64') }
    installation = await install('two', { simulator, dataDir, refreshToken: refresh_token, env })
    database = createDb(installation.databaseUrl, { max: 2 })
    const meet = async (count: number, hoursAgo: number) => {
      await simulator.control('PUT', '/clock', { offset_ms: -hoursAgo * HOUR_MS })
      return (await simulator.control('POST', '/people', { oa_id: ACCOUNT.oaId, count, follow: true })) as Chat[]
    }
    const silent = await meet(VILLAGES, SILENT_H)
    const chats = await meet(HOMES + HOMES / 3, REMINDED_H)
    leaders = await meet(VILLAGES, 0)
    await simulator.control('PUT', '/clock', { offset_ms: 0 })
    homes = Array.from({ length: HOMES }, (_, place) => [chats[place]!, ...(place % 3 === 0 ? [chats[HOMES + place / 3]!] : [])])
    await simulator.control('PUT', '/webhook', { oa_id: ACCOUNT.oaId, url: installation.webhookUrl })
    await simulator.control('POST', '/faults', { call: { endpoint: 'message/cs', answer: { slow_ms: LATENCY_MS } } })
    await seed(database, { homes, silent, leaders })
    await killInTurns(installation)
    await untilQuiet(database)
    arrived = await read(simulator)
    rows = await database.sql<Row[]>`
      SELECT c.channel_user_id AS user_id, o.cause, o.status, count(*)::int AS n FROM outbound_message o JOIN contact c ON c.id = o.contact_id
      WHERE o.cause IN ('reminder', 'digest') GROUP BY 1, 2, 3`
  }, 240_000)

  afterAll(async () => {
    await installation?.close()
    await database?.close()
    await simulator?.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  const got = (chats: readonly Chat[], words: RegExp) =>
    chats.flatMap((chat) => (arrived.get(chat.user_id) ?? []).filter((text) => words.test(text))).length
  const isUncertain = (chats: readonly Chat[]) =>
    rows.some((row) => row.status === 'uncertain' && chats.some((chat) => chat.user_id === row.user_id))
  const REMINDED = /trợ lý học tập/
  const DIGEST = /Việc ở /

  test('no household is reminded twice, in whichever chat', () => {
    expect(homes.filter((chats) => got(chats, REMINDED) > 1)).toEqual([])
    expect(rows.filter((row) => row.n > 1)).toEqual([])
  })

  test('no household is missed: whoever was not reached was being sent to at a kill, and is listed', () => {
    expect(homes.filter((chats) => got(chats, REMINDED) === 0 && !isUncertain(chats))).toEqual([])
    expect(homes.filter((chats) => got(chats, REMINDED) === 1).length).toBeGreaterThan(HOMES / 2)
  })

  test('what the rows say is what the phones have', () => {
    for (const row of rows) {
      const n = arrived.get(row.user_id)?.length ?? 0
      if (row.status === 'sent') expect({ ...row, arrived: n }).toEqual({ ...row, arrived: 1 })
      else expect(row.status).toBe('uncertain')
    }
  })

  test('each leader has one digest a day, and nobody is left out', () => {
    // Digests begin in the morning; a run before that has none
    const { hour, minute } = vietnamTime(new Date())
    const isMorning = hour * 60 + minute > 7 * 60 + 40
    for (const leader of leaders) {
      expect(got([leader], DIGEST)).toBeLessThanOrEqual(1)
      if (isMorning && !isUncertain([leader])) expect(got([leader], DIGEST)).toBe(1)
    }
  })
})

async function killInTurns(installation: Installation): Promise<void> {
  const dice = createDice(SEED, 'kill')
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(KILL_EVERY_MS)
    const victim = dice.pick(installation.victims())
    await victim.kill()
    await victim.restart()
  }
}

async function untilQuiet({ sql }: Database): Promise<void> {
  for (const until = Date.now() + DEADLINE_MS; Date.now() < until; await sleep(500)) {
    const [left] = await sql<{ waiting: number; homes: number }[]>`
      SELECT (SELECT count(*)::int FROM outbound_message WHERE status = 'waiting') AS waiting, (SELECT count(*)::int FROM reminder) AS homes`
    if (left?.waiting === 0 && left.homes >= HOMES) return
  }
}

async function read(simulator: SimulatorProcess): Promise<Map<string, string[]>> {
  const response = await fetch(`${simulator.personUrl}/phone/control/transcript?oa_id=${ACCOUNT.oaId}`)
  const arrived = new Map<string, string[]>()
  for (const line of (await response.text()).split('\n')) {
    if (line === '') continue
    const { user_id, from, text } = JSON.parse(line) as { user_id: string; from: string; text?: string }
    if (from === 'oa') arrived.set(user_id, [...(arrived.get(user_id) ?? []), text ?? ''])
  }
  return arrived
}

type People = { homes: readonly Chat[][]; silent: readonly Chat[]; leaders: readonly Chat[] }

/** Households whose reminder has just become due, and in each village one that has been silent for days, for its leader to hear of. */
async function seed({ sql }: Database, { homes, silent, leaders }: People): Promise<void> {
  const settings = {
    'account.per_minute.growth': PER_MINUTE,
    'account.per_minute.app': 1_000_000,
    'quiet.from': '00:00',
    'quiet.to': '00:00',
  }
  const people = [
    ...homes.flatMap((chats, home) => chats.map((chat) => ({ user_id: chat.user_id, home, village: home % VILLAGES, hours: REMINDED_H }))),
    ...silent.map((chat, village) => ({ user_id: chat.user_id, home: HOMES + village, village, hours: SILENT_H })),
  ].map((one, place) => ({ ...one, name: `Người ${place + 1}` }))
  const led = leaders.map((chat, village) => ({ user_id: chat.user_id, village }))
  await sql.begin(async (tx) => {
    for (const table of ['role_grant', 'contact', 'person', 'household']) await tx`DELETE FROM ${tx(table)}`
    for (const [key, value] of Object.entries(settings))
      await tx`INSERT INTO setting (unit_id, key, value) VALUES (0, ${key}, ${JSON.stringify(value)}::text::jsonb) ON CONFLICT (unit_id, key) DO UPDATE SET value = excluded.value`
    await tx`
      CREATE TEMP TABLE given ON COMMIT DROP AS
      SELECT given.*, villages.commune_id, villages.ids[1 + village] AS village_id, now() - hours * interval '1 hour' AS at
      FROM json_to_recordset(${JSON.stringify(people)}::text::json) AS given (user_id text, home int, village int, hours int, name text),
        (SELECT commune_id, array_agg(id ORDER BY position, id) AS ids FROM unit WHERE level = 'thon_ban' GROUP BY 1) villages`
    await tx`
      INSERT INTO household (commune_id, village_id, head_name, head_name_key, created_at)
      SELECT DISTINCT ON (home) commune_id, village_id, 'Hộ ' || home, 'ho ' || home, at FROM given ORDER BY home`
    await tx`
      INSERT INTO person (commune_id, village_id, household_id, name, name_key, birth_year, address, group_no, source, created_at)
      SELECT g.commune_id, g.village_id, h.id, g.name, lower(g.name), 1970, 'bac', 1, 'chat', g.at FROM given g JOIN household h ON h.head_name = 'Hộ ' || g.home`
    await tx`
      INSERT INTO contact (commune_id, account_id, channel_user_id, person_id, first_seen_at, last_inbound_at, follows)
      SELECT g.commune_id, a.id, g.user_id, p.id, g.at, g.at, true FROM given g JOIN person p ON p.name = g.name JOIN account a ON a.commune_id = g.commune_id`
    await tx`
      INSERT INTO contact (commune_id, account_id, channel_user_id, first_seen_at, last_inbound_at, follows)
      SELECT a.commune_id, a.id, l.user_id, now(), now(), true FROM json_to_recordset(${JSON.stringify(led)}::text::json) AS l (user_id text), account a`
    await tx`
      INSERT INTO role_grant (commune_id, unit_id, contact_id, role, granted_at)
      SELECT c.commune_id, g.village_id, c.id, 'village_lead', now()
      FROM json_to_recordset(${JSON.stringify(led)}::text::json) AS l (user_id text, village int)
      JOIN contact c ON c.channel_user_id = l.user_id JOIN (SELECT DISTINCT village, village_id FROM given) g ON g.village = l.village`
  })
}

import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'csv-parse/sync'
import { Redis } from 'ioredis'
import { createDb, type Database } from '../../src/db/connect.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { livingInstances } from '../../src/db/instance.ts'
import { campaignProgress, createCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { createFakePlatform, createTestOutreach } from '../outreach/commune.ts'
import { createDice, type Dice } from '../run/dice.ts'
import {
  ACCOUNT,
  type BotProcess,
  botEnv,
  freePort,
  makeDataDir,
  runCli,
  type SimulatorProcess,
  startBot,
  startSimulator,
} from '../run/processes.ts'
import { startTestRedis, whyNoRedis } from '../support/redis.ts'

export type KillOptions = {
  seed: number
  people: number
  perSecond: number
  /** Whose window is open, percent. */
  openPercent: number
  killEveryMs: number
  say: (line: string) => void
}

export type KillResult = {
  seed: number
  recipients: number
  kills: number
  inFlightKills: number
  lost: number
  doubled: number
  uncertain: number
  uncertainBound: number
  settled: number
  open: number
  recoverSeconds: number
  databaseSeconds: number
  seconds: number
  problems: string[]
}

const ROLES = ['web', 'web', 'worker', 'worker'] as const
const TEXT = 'Tuần lễ học tập suốt đời'
const RESERVE = 0.8
const WRITERS = 30
const STILL_RUNNING = 200
const END_MS = 120_000
const SETTLE_MS = 60_000

/** Two web and two worker processes send a campaign while one of them is killed again and again; judged by the export and the platform's own transcript. */
export async function runKillTrial(options: KillOptions): Promise<KillResult> {
  const began = performance.now()
  const { seed, say } = options
  const dice = createDice(seed, 'kill')
  const dataDir = makeDataDir()
  const postgres = await startEmbeddedPostgres({ dataDir: join(dataDir, 'server') })
  const redis = whyNoRedis ? undefined : await startTestRedis()
  if (!redis) say(`without Redis: ${whyNoRedis}`)
  const simulator = await startSimulator({ seed, buttons: true, stateAgency: false, retryLadderMs: [300, 700, 1_000, 2_000, 4_000] })
  const bots: (BotProcess | undefined)[] = ROLES.map(() => undefined)
  const database = createDb(postgres.url)
  try {
    const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
    const shared = {
      DATABASE_URL: postgres.url,
      SECRET_KEY: randomBytes(32).toString('base64'),
      ...(redis && { REDIS_URL: redis.url }),
    }
    const setups = await Promise.all(
      ROLES.map(async (role, index) => ({
        dataDir: join(dataDir, `bot-${index}`),
        port: await freePort(),
        platformUrl: simulator.platformUrl,
        refreshToken: refresh_token,
        env: { ...shared, ROLE: role },
      })),
    )
    bots[0] = await startBot(setups[0]!)
    await Promise.all([1, 2, 3].map(async (index) => (bots[index] = await startBot(setups[index]!))))
    const env = botEnv(setups[0]!)
    await configure(database, options)
    await simulator.control('PUT', '/webhook', {
      oa_id: ACCOUNT.oaId,
      url: `http://127.0.0.1:${setups[0]!.port}/webhooks/zalo`,
      events: { user_received_message: false, user_seen_message: false },
    })
    const people = await settle(database, simulator, options, dice)
    const deps = await createTestOutreach(postgres.url, () => createFakePlatform().channel, { now: new Date() })
    const made = await createCampaign(deps, {
      communeId: people.communeId,
      authorContactId: null,
      text: `${TEXT}, mời {xưng hô} {tên}`,
      rule: {},
    })
    if (made.type !== 'created') throw new Error(JSON.stringify(made))
    const shown = await showCampaign(deps, { campaignId: made.campaignId })
    if (shown.type !== 'shown') throw new Error(JSON.stringify(shown))
    await addFaults(simulator)
    const startedAt = Date.now()
    const begun = await startCampaign(deps, { campaignId: made.campaignId, confirmed: shown.preview.people, actor: 'cli' })
    if (begun.type !== 'started') throw new Error(JSON.stringify(begun))
    say(`${begun.recipients} recipients, ${shown.preview.now} at once`)

    const kills: { at: number; inFlight: number }[] = []
    let databaseAt = 0
    let round = 0
    const isThrough = async () => {
      try {
        const progress = await campaignProgress(deps, made.campaignId)
        const [busy] = await database.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM recipient_batch`
        return (progress?.waiting.now ?? 0) === 0 && busy?.n === 0
      } catch {
        return false
      }
    }
    const writers = writeNow(simulator, people.writers, dice)
    while (!(await isThrough()) && Date.now() - startedAt < END_MS) {
      await sleep(options.killEveryMs)
      round++
      if (round === 2 && redis) {
        const client = new Redis(redis.url)
        await client.flushall()
        await client.quit()
        say('Redis flushed')
      }
      if (round === 3) {
        databaseAt = Date.now()
        stopPostgres(join(dataDir, 'server'))
        say('PostgreSQL stopped at once')
        continue
      }
      const index = dice.below(ROLES.length)
      const at = Date.now()
      await bots[index]!.kill()
      const inFlight = await strandedNow(database)
      kills.push({ at, inFlight })
      say(`killed ${ROLES[index]} ${index}, ${inFlight} in flight`)
      bots[index] = await startBot(setups[index]!)
    }
    await writers
    const settleUntil = Date.now() + SETTLE_MS
    while (Date.now() < settleUntil && ((await openNow(database, made.campaignId)) > 0 || !(await isThrough()))) await sleep(1_000)
    await simulator.control('POST', '/flush')
    await sleep(1_500)

    const file = join(dataDir, 'ledger.csv')
    await runCli(['export', 'ledger', '--campaign', String(made.campaignId), '--out', file], env)
    const judged = judge(readFileSync(file, 'utf8'), await transcript(simulator), { ...people, recipients: begun.recipients })
    const [asked] = await database.sql<{ uncertain: number; settled: number }[]>`
      SELECT count(*) FILTER (WHERE status = 'uncertain')::int AS uncertain, count(*) FILTER (WHERE class LIKE 'settled%')::int AS settled FROM recipient WHERE campaign_id = ${made.campaignId}`
    const ambiguous = await hits(simulator)
    const bound = kills.reduce((sum, kill) => sum + kill.inFlight, 0) + ambiguous
    const uncertain = (asked?.uncertain ?? 0) + (asked?.settled ?? 0)
    // Only while there is enough left to send: the last few wait for their second try
    const gap = (from: number) => {
      const later = judged.sentAt.filter((at) => at > from)
      return later.length < STILL_RUNNING ? 0 : (later[0]! - from) / 1_000
    }
    const recoverSeconds = Math.max(0, ...kills.map((kill) => gap(kill.at)))
    const databaseSeconds = databaseAt === 0 ? 0 : gap(databaseAt)
    await deps.close()
    return {
      seed,
      recipients: begun.recipients,
      kills: kills.length,
      inFlightKills: kills.filter((kill) => kill.inFlight > 0).length,
      lost: judged.lost.length,
      doubled: judged.doubled.length,
      uncertain,
      uncertainBound: bound,
      settled: asked?.settled ?? 0,
      open: asked?.uncertain ?? 0,
      recoverSeconds,
      databaseSeconds,
      seconds: (performance.now() - began) / 1_000,
      problems: [
        ...judged.problems,
        ...(uncertain > bound ? [`${uncertain} uncertain, at most ${bound} were in flight or answered ambiguously`] : []),
        ...(recoverSeconds > 5 ? [`${recoverSeconds} s to recover`] : []),
        ...(databaseSeconds > 8 ? [`${databaseSeconds} s after PostgreSQL was stopped`] : []),
      ],
    }
  } finally {
    await Promise.all(bots.map((bot) => bot?.stop()))
    await database.close()
    await simulator.stop()
    await redis?.stop()
    await postgres.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function configure({ sql }: Database, { perSecond }: KillOptions): Promise<void> {
  const perMinute = Math.round((perSecond * 60) / RESERVE)
  for (const [key, value] of Object.entries({
    'account.per_minute.growth': perMinute,
    'account.per_minute.app': 10_000_000,
    'quiet.from': '00:00',
    'quiet.to': '00:00',
    // Everybody's failures are wanted here
    'campaign.pause_at_failures': 100,
  })) {
    await sql`INSERT INTO setting (unit_id, key, value) VALUES (0, ${key}, ${JSON.stringify(value)}::text::jsonb) ON CONFLICT (unit_id, key) DO UPDATE SET value = excluded.value`
  }
}

type People = { communeId: number; open: Set<string>; writers: { id: string; userId: string }[]; blocked: Set<string> }

/** People of the commune with phones at the platform: some wrote lately, most did not, one in a hundred has blocked the account. */
async function settle(
  { sql }: Database,
  simulator: SimulatorProcess,
  { people: n, openPercent }: KillOptions,
  dice: Dice,
): Promise<People> {
  const phones: { id: string; user_id: string }[] = []
  while (phones.length < n) {
    const count = Math.min(2_000, n - phones.length)
    phones.push(...((await simulator.control('POST', '/people', { oa_id: ACCOUNT.oaId, count, follow: true })) as typeof phones))
  }
  const [commune] = await sql<{ id: number; account_id: number }[]>`
    SELECT u.id::int AS id, a.id::int AS account_id FROM unit u JOIN account a ON a.commune_id = u.id WHERE u.level = 'xa' LIMIT 1`
  if (!commune) throw new Error('there is no commune')
  // The sample commune's own people have no phones here
  await sql`DELETE FROM contact`
  await sql`DELETE FROM person`
  const rows = phones.map((phone, index) => ({ user_id: phone.user_id, n: index + 1, open: dice.chance() * 100 < openPercent }))
  await sql`
    WITH given AS (SELECT * FROM json_to_recordset(${JSON.stringify(rows)}::text::json) AS given (user_id text, n int, open boolean)),
    villages AS (SELECT array_agg(id) AS ids FROM unit WHERE commune_id = ${commune.id} AND level = 'thon_ban'),
    made AS (
      INSERT INTO person (commune_id, village_id, name, name_key, birth_year, address, group_no, source, created_at)
      SELECT ${commune.id}, ids[1 + n % cardinality(ids)], 'Người ' || n, 'nguoi ' || n, 1970, 'bac', 1, 'chat', now() FROM given, villages RETURNING id, name
    )
    INSERT INTO contact (commune_id, account_id, channel_user_id, person_id, first_seen_at, last_inbound_at, follows)
    SELECT ${commune.id}, ${commune.account_id}, user_id, made.id, now(), now() - CASE WHEN open THEN interval '2 hours' ELSE interval '60 days' END, true
    FROM given JOIN made ON made.name = 'Người ' || n`
  const blocked = new Set<string>()
  for (const phone of phones) {
    if (dice.chance() >= 0.01) continue
    blocked.add(phone.user_id)
    await person(simulator, `/people/${phone.id}/block`, { oa_id: ACCOUNT.oaId, blocked: true })
  }
  const open = new Set(rows.filter((row) => row.open).map((row) => row.user_id))
  const writers = phones.filter((phone) => !open.has(phone.user_id) && !blocked.has(phone.user_id)).slice(0, WRITERS)
  return { communeId: commune.id, open, blocked, writers: writers.map((phone) => ({ id: phone.id, userId: phone.user_id })) }
}

async function writeNow(simulator: SimulatorProcess, writers: People['writers'], dice: Dice): Promise<void> {
  await Promise.all(
    writers.map(async ({ id }) => {
      await sleep(dice.below(12_000))
      await person(simulator, `/people/${id}/messages`, { oa_id: ACCOUNT.oaId, kind: 'text', text: 'xin chào' })
    }),
  )
}

async function person(simulator: SimulatorProcess, path: string, body: object): Promise<void> {
  const response = await fetch(`${simulator.personUrl}/phone/api${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
}

/** Every way a platform fails: refused, accepted and refused, torn off before and after, not JSON, slow. */
async function addFaults(simulator: SimulatorProcess): Promise<void> {
  const endpoint = 'message/cs'
  for (const call of [
    { endpoint, when: 'after', answer: { code: -200 }, probability: 0.003 },
    { endpoint, when: 'before', answer: { code: -200 }, probability: 0.003 },
    { endpoint, when: 'after', answer: { reset: true }, probability: 0.002 },
    { endpoint, when: 'before', answer: { reset: true }, probability: 0.002 },
    { endpoint, when: 'before', answer: { html: 502 }, probability: 0.002 },
    { endpoint, when: 'before', answer: { code: -214 }, probability: 0.005 },
    { endpoint, when: 'before', answer: { code: -248 }, probability: 0.003 },
    { endpoint, when: 'before', answer: { slow_ms: 600 }, probability: 0.02 },
    // As far away as a platform is: without it hardly a kill would meet a send in flight
    { endpoint, when: 'before', answer: { slow_ms: 120 } },
  ])
    await simulator.control('POST', '/faults', { call })
}

async function hits(simulator: SimulatorProcess): Promise<number> {
  const rules = (await simulator.control('GET', '/faults')) as {
    hits: number
    call?: { answer?: { code?: number; reset?: boolean; html?: number } }
  }[]
  return rules.reduce(
    (sum, { hits: n, call }) => sum + (call?.answer && (call.answer.code === -200 || call.answer.reset || call.answer.html) ? n : 0),
    0,
  )
}

/** Recipients whose sender is dead at this moment. */
async function strandedNow(database: Database): Promise<number> {
  try {
    const living = await livingInstances(database)
    const [row] = await database.sql<{ n: number }[]>`
      SELECT coalesce(sum(cardinality(person_ids)), 0)::int AS n FROM recipient_batch WHERE claimed_by NOT IN ${database.sql([0, ...living])}`
    return row?.n ?? 0
  } catch {
    return 0
  }
}

async function openNow({ sql }: Database, campaignId: number): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    SELECT count(*)::int AS n FROM recipient WHERE campaign_id = ${campaignId} AND ((status = 'uncertain' AND not_before IS NOT NULL) OR (status = 'waiting' AND not_before IS NOT NULL))`
  return row?.n ?? 0
}

/** What `pg_ctl stop -m immediate` does; the watch of the embedded server starts it again. */
function stopPostgres(folder: string): void {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('postmaster.pid')) continue
    process.kill(Number(readFileSync(join(folder, path), 'utf8').split('\n')[0]), 'SIGQUIT')
  }
}

type Message = { user_id: string; from: string; text?: string; at: number }

async function transcript(simulator: SimulatorProcess): Promise<Message[]> {
  const response = await fetch(`${simulator.personUrl}/phone/control/transcript?oa_id=${ACCOUNT.oaId}`)
  return (await response.text())
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Message)
}

type Row = { channel_user_id: string; status: string; class_or_reason: string }

/** Holds the ledger against what the phones have. Knows nothing of the database. */
function judge(csv: string, messages: Message[], people: People & { recipients: number }) {
  const arrived = new Map<string, number>()
  const sentAt: number[] = []
  for (const message of messages) {
    if (message.from !== 'oa' || !message.text?.startsWith(TEXT)) continue
    arrived.set(message.user_id, (arrived.get(message.user_id) ?? 0) + 1)
    sentAt.push(message.at)
  }
  sentAt.sort((a, b) => a - b)
  const rows = parse(csv, { columns: true }) as Row[]
  const doubled = [...arrived].filter(([, n]) => n > 1).map(([userId]) => userId)
  const writers = new Set(people.writers.map((writer) => writer.userId))
  const lost: string[] = []
  const problems: string[] = []
  for (const row of rows) {
    const n = arrived.get(row.channel_user_id) ?? 0
    const what = `${row.channel_user_id} is ${row.status} ${row.class_or_reason}, arrived ${n} times`
    if (row.status === 'sent' && n === 0) lost.push(what)
    if (!['sent', 'uncertain'].includes(row.status) && n > 0) problems.push(what)
    const mustHave = people.open.has(row.channel_user_id) || writers.has(row.channel_user_id)
    if (mustHave && row.status === 'waiting') lost.push(what)
    if (!mustHave && row.status !== 'waiting') problems.push(what)
  }
  if (rows.length !== people.recipients) problems.push(`the export has ${rows.length} rows of ${people.recipients}`)
  if (new Set(rows.map((row) => row.channel_user_id)).size !== rows.length) problems.push('somebody stands in the export twice')
  return {
    lost,
    doubled,
    sentAt,
    problems: [...problems, ...lost.map((one) => `lost: ${one}`), ...doubled.map((one) => `doubled: ${one}`)].slice(0, 20),
  }
}

import { spawn } from 'node:child_process'
import { appendFileSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDb, type Database } from '../../src/db/connect.ts'
import { livingInstances } from '../../src/db/instance.ts'
import { createCampaign, resumeCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { findCampaign } from '../../src/outreach/campaign-row.ts'
import { listUncertain } from '../../src/outreach/uncertain.ts'
import { createFakePlatform, createTestOutreach, type TestOutreach } from '../outreach/commune.ts'
import { createDice, type Dice } from '../run/dice.ts'
import { ACCOUNT, makeDataDir, ROOT, runCli, type SimulatorProcess, startSimulator } from '../run/processes.ts'
import type { Checked } from './check-ledger.ts'
import { type Arrangement, type Installation, install } from './installation.ts'
import { addFault, asPerson, type Settled, settle, TEXT } from './roll.ts'

export type TrialOptions = {
  seed: number
  arrangement: Arrangement
  /** Rows of the ledger. */
  recipients: number
  /** Whose window is open, percent. */
  openPercent: number
  perSecond: number
  /** A random process is killed so often, Redis flushed once, PostgreSQL stopped once; absent: nothing is. */
  killEveryMs?: number
  /** People outside the window who write meanwhile, so many a second. */
  writesPerSecond: number
  /** Faults that take long (a minute's pause of the account, a time-out), too. */
  long: boolean
  /** Waits until every chat of an uncertain message was asked; else they are left listed. */
  untilSettled: boolean
  /** Most faults for which an officer has to resume the campaign. */
  mostPauses: number
  say: (line: string) => void
}

export type TrialResult = {
  seed: number
  arrangement: Arrangement
  recipients: number
  /** Exports of the ledger that were checked while it ran. */
  samples: number
  kills: number
  /** Kills at which the platform had calls open whose caller was gone, or a message was claimed and its result not recorded. */
  inFlightKills: number
  /** Calls open at all kills. */
  inFlight: number
  lost: number
  doubled: number
  uncertain: number
  uncertainBound: number
  settled: number
  open: number
  /** From a kill to the killed one being ready again, at most. */
  readySeconds: number
  /** The longest silence of the campaign that began within 3 s of a kill. */
  sendSeconds: number
  /** The same of PostgreSQL's stop. */
  databaseSeconds: number
  /** Messages of the campaign a second, while it was being sent. */
  perSecond: number
  seconds: number
  problems: string[]
  last: Checked
}

const RESERVE = 0.8
// As far away as a platform is: without it hardly a kill would meet a send in flight
const LATENCY_MS = 250
const STILL_RUNNING = 150
// 128 calls under way (src/outreach/sender.ts), and as many answered whose results are being recorded
const MOST_CLAIMED = 256
// What a kill or a stop does shows within so long
const SILENCE_MS = 3_000
const SAMPLE_EVERY_MS = 6_000
const LOOK_MS = 250
// A busy machine takes its time; what was promised of time is judged by the figures
const END_MS = 240_000
const END_MS_EACH = 20
// A crash recovery of PostgreSQL, and the start of a program before it
const HELD_MS = 10_000
// These wait for the next day, as they should
const NEXT_DAY = ['night', 'recipient_quota', 'article_quota', 'quota_used_up']

/**
 * A campaign to a whole commune while the platform fails in every way it can and, with `killEveryMs`, processes are killed. What became of
 * it is judged by `check-ledger.ts`, a program of its own, again and again from `export ledger` and the phones' own transcript.
 */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const began = performance.now()
  const { seed } = options
  const dataDir = makeDataDir()
  const simulator = await startSimulator({ seed, buttons: true, stateAgency: false, retryLadderMs: [300, 700, 1_000, 2_000, 4_000] })
  let installation: Installation | undefined
  let database: Database | undefined
  let deps: TestOutreach | undefined
  try {
    const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
    installation = await install(options.arrangement, { simulator, dataDir, refreshToken: refresh_token, env: {} })
    database = createDb(installation.databaseUrl, { max: 4 })
    await configure(database, options)
    const settled = await settle(database, simulator, options)
    await simulator.control('PUT', '/webhook', {
      oa_id: ACCOUNT.oaId,
      url: installation.webhookUrl,
      events: { user_received_message: false, user_seen_message: false },
    })
    await addNoise(simulator)
    const withoutLatency = await addLatency(simulator)
    deps = await createTestOutreach(installation.databaseUrl, () => createFakePlatform().channel, { database })
    const run = {
      ...options,
      dataDir,
      simulator,
      installation,
      database,
      deps: { ...deps, now: () => new Date() },
      settled,
      withoutLatency,
      wrote: [],
    }
    return await watch(run, await begin(run), began)
  } finally {
    await installation?.close()
    await deps?.close()
    await database?.close()
    await simulator.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

type Run = TrialOptions & {
  dataDir: string
  simulator: SimulatorProcess
  installation: Installation
  database: Database
  deps: TestOutreach
  settled: Settled
  withoutLatency: () => Promise<unknown>
  /** Chats in which somebody has written. */
  wrote: string[]
}

type Kill = { at: number; held: number; open: number; readySeconds: number }

async function begin({ deps, settled, say, dataDir }: Run): Promise<number> {
  const made = await createCampaign(deps, {
    communeId: settled.communeId,
    authorContactId: null,
    text: `${TEXT}, mời {xưng hô} {tên}`,
    rule: {},
  })
  if (made.type !== 'created') throw new Error(JSON.stringify(made))
  const { campaignId } = made
  const shown = await showCampaign(deps, { campaignId })
  if (shown.type !== 'shown') throw new Error(JSON.stringify(shown))
  writeFileSync(join(dataDir, 'roll.json'), JSON.stringify(settled.roll))
  writeFileSync(join(dataDir, 'deliveries.jsonl'), '')
  writeFileSync(join(dataDir, 'wrote.json'), '[]')
  const begun = await startCampaign(deps, { campaignId, confirmed: shown.preview.people, actor: 'cli' })
  if (begun.type !== 'started') throw new Error(JSON.stringify(begun))
  say(`${begun.recipients} recipients, ${shown.preview.now} at once`)
  return campaignId
}

/** Kills, samples, writes and resumes until the campaign is through, then judges. */
async function watch(run: Run, campaignId: number, began: number): Promise<TrialResult> {
  const { simulator, settled, database, say, seed } = run
  const dice = createDice(seed, 'kill')
  const startedAt = Date.now()
  const endMs = END_MS + settled.roll.recipients * END_MS_EACH
  const deadline = startedAt + endMs
  const problems: string[] = []
  const pauses: string[] = []
  let through = false
  let sending = true
  const writing = write(run, () => sending)
  const killing = run.killEveryMs === undefined ? undefined : killAgainAndAgain(run, run.killEveryMs, dice, () => sending)
  const sampling = sample(run, campaignId, problems, () => !through)
  const last = [...settled.last]
  let throughSince = 0
  while (Date.now() < deadline) {
    await sleep(LOOK_MS)
    const state = await look(run, campaignId, pauses)
    if (state === undefined) continue
    if (state.toSend === 0) sending = false
    if (state.open > 0 || sending) {
      throughSince = 0
      continue
    }
    throughSince ||= Date.now()
    // Whoever was just written to may be on the way to the ledger still
    if (Date.now() - throughSince < 1_500) continue
    const next = last.shift()
    if (!next) break
    await run.withoutLatency()
    await addFault(simulator, next.fault, next.userId)
    await writeOnce(run, next)
    say(`everybody waits: ${next.fault.name}`)
    throughSince = 0
    await sleep(3_000)
  }
  if (Date.now() >= deadline) problems.push(`it was not through after ${endMs / 1_000} s: ${await leftOver(run, campaignId)}`)
  sending = false
  await writing
  const { kills, databaseAt } = (await killing) ?? { kills: [], databaseAt: 0 }
  through = true
  const samples = await sampling
  await simulator.control('POST', '/flush')
  await sleep(1_500)

  const checked = await check(run, campaignId, ['--final', ...(kills.length > 0 ? ['--killed'] : [])])
  problems.push(...checked.problems, ...(await countsThatDiffer(database, campaignId)))
  // Several of one moment are one pause
  if (kills.length === 0 && settled.pauses.length > 0 && pauses.length === 0) problems.push('it never paused')
  const mayPause = [...settled.pauses, ...(kills.length > 0 ? ['grant_dead'] : [])]
  for (const reason of pauses) if (!mayPause.includes(reason)) problems.push(`it paused for ${reason}`)
  const [asked] = await database.sql<{ settled: number }[]>`
    SELECT count(*) FILTER (WHERE class LIKE 'settled%')::int AS settled FROM recipient WHERE campaign_id = ${campaignId}`
  const open = checked.statuses.uncertain ?? 0
  const listed = (await listUncertain(run.deps, { campaignId, limit: 10_000 })).length
  if (listed !== open) problems.push(`${open} are uncertain and ${listed} are listed`)
  const uncertain = open + (asked?.settled ?? 0)
  const uncertainBound = kills.reduce((sum, kill) => sum + kill.held, 0) + settled.ambiguous
  // On a busy machine the count after a kill may come too late to see what was claimed; a process never has more than this
  const most = kills.length * MOST_CLAIMED + settled.ambiguous
  if (uncertain > Math.max(uncertainBound, most))
    problems.push(`${uncertain} uncertain, at most ${Math.max(uncertainBound, most)} were in flight or answered ambiguously`)

  const sentAt = deliveriesOf(run)
  // The longest silence that begins within some seconds, while there was enough left to send: what is in flight goes on for a while
  const silence = (from: number) => {
    const later = sentAt.filter((at) => at > from)
    if (later.length < STILL_RUNNING) return 0
    const first = later.findIndex((at) => at >= from + SILENCE_MS)
    const times = [from, ...(first < 0 ? later : later.slice(0, first + 1))]
    return Math.max(...times.slice(1).map((at, place) => at - times[place]!)) / 1_000
  }
  const middle = sentAt.slice(0, Math.floor(sentAt.length * 0.95))
  return {
    seed,
    arrangement: run.arrangement,
    recipients: settled.roll.recipients,
    samples,
    kills: kills.length,
    inFlightKills: kills.filter((kill) => kill.open > 0 || kill.held > 0).length,
    inFlight: kills.reduce((sum, kill) => sum + kill.open, 0),
    lost: checked.lost.length,
    doubled: checked.doubled.length,
    uncertain,
    uncertainBound,
    settled: asked?.settled ?? 0,
    open,
    readySeconds: Math.max(0, ...kills.map((kill) => kill.readySeconds)),
    sendSeconds: Math.max(0, ...kills.map((kill) => silence(kill.at))),
    databaseSeconds: databaseAt === 0 ? 0 : silence(databaseAt),
    perSecond: middle.length < 2 ? 0 : (middle.length * 1_000) / (middle.at(-1)! - middle[0]!),
    seconds: (performance.now() - began) / 1_000,
    problems: [...checked.lost.map((one) => `lost: ${one}`), ...checked.doubled.map((one) => `doubled: ${one}`), ...problems],
    last: checked,
  }
}

async function configure({ sql }: Database, { perSecond }: TrialOptions): Promise<void> {
  const perMinute = Math.round((perSecond * 60) / RESERVE)
  for (const [key, value] of Object.entries({
    'account.per_minute.growth': perMinute,
    'account.per_minute.app': 10_000_000,
    'quiet.from': '00:00',
    'quiet.to': '00:00',
  })) {
    await sql`INSERT INTO setting (unit_id, key, value) VALUES (0, ${key}, ${JSON.stringify(value)}::text::jsonb) ON CONFLICT (unit_id, key) DO UPDATE SET value = excluded.value`
  }
}

/** The way to the platform takes its time; as the last of the rules it leaves the faults to those before it. */
async function addLatency(simulator: SimulatorProcess): Promise<() => Promise<unknown>> {
  const { ids } = (await simulator.control('POST', '/faults', { call: { endpoint: 'message/cs', answer: { slow_ms: LATENCY_MS } } })) as {
    ids: string[]
  }
  return () => simulator.control('DELETE', `/faults?id=${ids[0]}`)
}

/** The platform's reports come twice or late now and then. */
async function addNoise(simulator: SimulatorProcess): Promise<void> {
  for (const webhook of [
    { copies: 2, probability: 0.02 },
    { delay_ms: 1_500, probability: 0.02 },
  ])
    await simulator.control('POST', '/faults', { webhook })
}

/** People write one after the other, each one word, whatever is up or down, as long as the campaign is being sent. Returns who. */
async function write(run: Run, goesOn: () => boolean): Promise<void> {
  const everyMs = 1_000 / run.writesPerSecond
  const wrote: Promise<void>[] = []
  let due = Date.now()
  for (const writer of run.settled.writers) {
    due += everyMs
    await sleep(Math.max(0, due - Date.now()))
    if (!goesOn()) break
    wrote.push(writeOnce(run, writer))
  }
  await Promise.all(wrote)
}

async function writeOnce({ simulator, wrote }: Run, { id, userId }: { id: string; userId: string }): Promise<void> {
  wrote.push(userId)
  await asPerson(simulator, `/people/${id}/messages`, { oa_id: ACCOUNT.oaId, kind: 'text', text: 'xin chào' })
}

/** What is left, and the officer's part: a campaign that paused is looked at and resumed. Undefined while the database is away. */
async function look(run: Run, campaignId: number, pauses: string[]): Promise<{ toSend: number; open: number } | undefined> {
  try {
    const found = await findCampaign(run.deps, campaignId)
    if (found?.state === 'paused') {
      if (found.pauseDetail === 'grant_dead') await consentAnew(run)
      const resumed = await resumeCampaign(run.deps, { campaignId, actor: 'cli' })
      if (resumed.type === 'done') pauses.push(found.pauseClass === 'account' ? (found.pauseDetail ?? '') : (found.pauseClass ?? ''))
    }
    const { sql } = run.database
    const [left] = await sql<{ to_send: number; open: number }[]>`
      SELECT (SELECT count(*)::int FROM recipient WHERE campaign_id = ${campaignId} AND status = 'waiting' AND route = 'now' AND not_before IS NULL) AS to_send,
        (SELECT count(*)::int FROM recipient WHERE campaign_id = ${campaignId} AND status IN ${sql(run.untilSettled ? ['waiting', 'uncertain'] : ['waiting'])} AND not_before IS NOT NULL
          AND coalesce(class, '') NOT IN ${sql(NEXT_DAY)})
        + (SELECT count(*)::int FROM recipient_batch)
        + (SELECT count(*)::int FROM inbound_event WHERE handled_at IS NULL)
        + (SELECT count(*)::int FROM outbound_message WHERE status = 'waiting') AS open`
    return left && { toSend: left.to_send, open: left.open + left.to_send }
  } catch {
    return undefined
  }
}

/** What kept it from its end, in figures. */
async function leftOver({ database: { sql } }: Run, campaignId: number): Promise<string> {
  const now = new Date().toISOString()
  const rows = await sql`
    SELECT state AS what, '' AS class, NULL::float8 AS due_in, 1 AS n FROM campaign WHERE id = ${campaignId}
    UNION ALL SELECT status || ' ' || route, class, min(extract(epoch FROM not_before - ${now}::timestamptz)), count(*)::int FROM recipient
      WHERE campaign_id = ${campaignId} AND (status = 'uncertain' OR (status = 'waiting' AND (route = 'now' OR not_before IS NOT NULL))) GROUP BY 1, 2
    UNION ALL SELECT 'claimed', claimed_by::text, min(extract(epoch FROM claimed_at - ${now}::timestamptz)), sum(cardinality(person_ids))::int FROM recipient_batch GROUP BY 1, 2
    UNION ALL SELECT 'event', NULL, min(extract(epoch FROM received_at - ${now}::timestamptz)), count(*)::int FROM inbound_event WHERE handled_at IS NULL
    UNION ALL SELECT 'reply ' || status, class, min(extract(epoch FROM not_before - ${now}::timestamptz)), count(*)::int FROM outbound_message
      WHERE status = 'waiting' GROUP BY 1, 2`
  return JSON.stringify(rows)
}

/** A kill between the platform's new tokens and their storing loses the grant (token-source.ts): a human has to consent anew. */
async function consentAnew({ simulator, installation, say }: Run): Promise<void> {
  const { refresh_token } = (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
  await runCli(['zalo', 'token', 'set'], installation.env, refresh_token)
  say('the grant was lost by a kill; consented anew')
}

/** SIGKILL of a random process again and again; Redis is flushed and PostgreSQL stopped on the way. */
async function killAgainAndAgain(run: Run, everyMs: number, dice: Dice, goesOn: () => boolean) {
  const { installation, simulator, say } = run
  const kills: Kill[] = []
  const known = new Set<string>()
  let databaseAt = 0
  const restarts: Promise<void>[] = []
  for (let round = 1; goesOn(); round++) {
    for (const until = Date.now() + everyMs; goesOn() && Date.now() < until; )
      await sleep(Math.min(LOOK_MS, Math.max(1, until - Date.now())))
    if (!goesOn()) break
    if (round === 2 && installation.flushRedis) {
      await installation.flushRedis()
      say('Redis flushed')
    }
    if (round === 3) {
      databaseAt = Date.now()
      installation.stopPostgres()
      say('PostgreSQL stopped at once')
      continue
    }
    const victims = installation.victims()
    if (victims.length === 0) continue
    const victim = dice.pick(victims)
    const before = await abandoned(simulator)
    const at = Date.now()
    await victim.kill()
    const kill: Kill = { at, held: 0, open: 0, readySeconds: 0 }
    kills.push(kill)
    const restart = victim.restart().then(
      (seconds) => {
        kill.readySeconds = seconds
        say(`${victim.name} is ready again after ${seconds.toFixed(1)} s`)
      },
      (error) => say(`PROBLEM ${victim.name} does not start: ${error}`),
    )
    restarts.push(restart)
    kill.open = (await abandoned(simulator)) - before
    kill.held = await heldByTheDead(installation.databaseUrl, known)
    say(`killed ${victim.name}: ${kill.open} calls open, ${kill.held} claimed`)
    // One process alone is given its time to come back: nothing would ever be sent else
    if (installation.arrangement === 'one') await restart
  }
  await Promise.all(restarts)
  return { kills, databaseAt }
}

/** Calls to send whose caller was gone before the answer, so far: the platform's own count. */
async function abandoned(simulator: SimulatorProcess): Promise<number> {
  await sleep(30)
  const counters = (await simulator.control('GET', '/counters')) as { abandoned: Record<string, number> }
  return Object.entries(counters.abandoned).reduce((sum, [endpoint, n]) => sum + (endpoint.includes('/message') ? n : 0), 0)
}

/** Recipients whose sender has died since the last time: claimed, and their results not recorded. PostgreSQL may have to come back first; what was claimed is left alone until it was there for a while. */
async function heldByTheDead(databaseUrl: string, known: Set<string>): Promise<number> {
  for (const until = Date.now() + HELD_MS; Date.now() < until; await sleep(50)) {
    const database = createDb(databaseUrl, { max: 1 })
    try {
      const living = await livingInstances(database)
      const batches = await database.sql<{ id: string; n: number }[]>`
        SELECT id, cardinality(person_ids)::int AS n FROM recipient_batch WHERE claimed_by NOT IN ${database.sql([0, ...living])}`
      const fresh = batches.filter(({ id }) => !known.has(id))
      for (const { id } of fresh) known.add(id)
      return fresh.reduce((sum, { n }) => sum + n, 0)
    } catch {
      // It is not back yet
    } finally {
      await database.close()
    }
  }
  return 0
}

/** Has the ledger checked from outside again and again while it is being written. Returns how often. */
async function sample(run: Run, campaignId: number, problems: string[], goesOn: () => boolean): Promise<number> {
  let samples = 0
  while (goesOn()) {
    for (const until = Date.now() + SAMPLE_EVERY_MS; goesOn() && Date.now() < until; ) await sleep(LOOK_MS)
    if (!goesOn()) break
    try {
      const found = await check(run, campaignId, [])
      problems.push(...[...found.problems, ...found.lost, ...found.doubled].map((one) => `in the middle: ${one}`))
      problems.push(...(await countsThatDiffer(run.database, campaignId)))
      samples++
    } catch (error) {
      // The command needs the database, which may be away just now
      const said = `no export at this moment: ${error instanceof Error ? error.message.split('\n').at(-1) : error}`
      if (run.killEveryMs === undefined) problems.push(said)
      else run.say(said)
    }
  }
  return samples
}

/** Exports the ledger, then the phones' transcript, and has both read by a program that knows nothing else. */
async function check({ dataDir, installation, simulator, wrote }: Run, campaignId: number, flags: string[]): Promise<Checked> {
  const at = (name: string) => join(dataDir, name)
  rmSync(at('next.csv'), { force: true })
  await runCli(['export', 'ledger', '--campaign', String(campaignId), '--out', at('next.csv')], installation.env)
  if (existsSync(at('ledger.csv'))) copyFileSync(at('ledger.csv'), at('before.csv'))
  renameSync(at('next.csv'), at('ledger.csv'))
  await fetchDeliveries(simulator, at('deliveries.jsonl'))
  writeFileSync(at('wrote.json'), JSON.stringify(wrote))
  const child = spawn(process.execPath, [join(ROOT, 'tests/kill/check-ledger.ts'), dataDir, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  const code = await new Promise((done) => child.once('close', done))
  if (code !== 0) throw new Error(`the check of the ledger ended with ${code}`)
  return JSON.parse(out) as Checked
}

/** Adds what the phones have received since the last time; the last millisecond comes again and is told by its ids. */
async function fetchDeliveries(simulator: SimulatorProcess, path: string): Promise<void> {
  const lastLine = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1)
  const after = lastLine ? (JSON.parse(lastLine) as { at: number }).at - 1 : 0
  const response = await fetch(`${simulator.personUrl}/phone/control/transcript?oa_id=${ACCOUNT.oaId}&after=${after}`)
  if (!response.ok) throw new Error(`the transcript answered ${response.status}`)
  appendFileSync(path, await response.text())
}

/** What officers are shown, against the rows themselves: one statement, and so one moment. */
async function countsThatDiffer({ sql }: Database, campaignId: number): Promise<string[]> {
  const rows = await sql<{ status: string; route: string; class: string; rows: number; counted: number }[]>`
    SELECT * FROM (
      SELECT status, route, coalesce(class, '') AS class, count(*)::int AS rows FROM recipient WHERE campaign_id = ${campaignId} GROUP BY 1, 2, 3
    ) r FULL JOIN (
      SELECT status, route, class, n AS counted FROM recipient_count WHERE campaign_id = ${campaignId} AND n <> 0
    ) k USING (status, route, class) WHERE rows IS DISTINCT FROM counted`
  return rows.map((row) => `${row.status} ${row.route} ${row.class}: ${row.rows} rows, ${row.counted} counted`)
}

function deliveriesOf({ dataDir }: Run): number[] {
  const times = new Map<string, number>()
  for (const line of readFileSync(join(dataDir, 'deliveries.jsonl'), 'utf8').split('\n')) {
    if (line === '') continue
    const { msg_id, from, kind, text, at } = JSON.parse(line) as { msg_id: string; from: string; kind: string; text?: string; at: number }
    if (from === 'oa' && kind === 'text' && text?.startsWith(TEXT)) times.set(msg_id, at)
  }
  return [...times.values()].sort((a, b) => a - b)
}

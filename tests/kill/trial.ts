import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDb, type Database } from '../../src/db/connect.ts'
import { livingInstances } from '../../src/db/instance.ts'
import { createSealer } from '../../src/lib/crypto.ts'
import { createCampaign, resumeCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { findCampaign } from '../../src/outreach/campaign-row.ts'
import { listUncertain } from '../../src/outreach/uncertain.ts'
import { createFakePlatform, createTestOutreach, type TestOutreach } from '../outreach/commune.ts'
import { createDice, type Dice } from '../run/dice.ts'
import { ACCOUNT, makeDataDir, ROOT, runCli, type SimulatorProcess, startSimulator } from '../run/processes.ts'
import { startTelegramServer } from '../support/telegram/server.ts'
import type { Checked } from './check-ledger.ts'
import { type Arrangement, type Installation, install } from './installation.ts'
import { type Delivery, openRecord, type PhoneRecord } from './phones.ts'
import { addFault, asPerson, NOTICES, type Platforms, type Settled, settle, type Writer } from './roll.ts'

export type TrialOptions = {
  seed: number
  arrangement: Arrangement
  /** Rows of each ledger. */
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
  /** Rows of all ledgers. */
  recipients: number
  /** Exports of the ledgers that were checked while it ran. */
  samples: number
  kills: number
  /** Kills at which the platform had calls open whose caller was gone, or a message was claimed and its result not recorded. */
  inFlightKills: number
  /** Calls open at all kills. */
  inFlight: number
  lost: number
  doubled: number
  /** Messages to Zalo chats of which the ledger knows that they arrived, of all whose id it knows. */
  receipts: { kept: number; of: number }
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
  /** Messages of the campaigns a second to Zalo chats, while they were being sent. */
  perSecond: number
  /** Of these the first campaign's, percent, while both had some to send. */
  share: number
  seconds: number
  problems: string[]
  /** Of each campaign. */
  last: Checked[]
}

const RESERVE = 0.8
// As far away as a platform is: without it hardly a kill would meet a send in flight
const LATENCY_MS = 250
const STILL_RUNNING = 150
// Of each of two accounts 64 calls under way (src/outreach/sender.ts), and as many answered whose results are being recorded
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
// These wait for hours or for the next day, as they should
const LATER = ['night', 'recipient_quota', 'article_quota', 'quota_used_up', 'daily_limit', 'unreachable']
// The platform brings an article to its readers after a review; half an hour where it is not simulated
const REVIEW_MS = 2_000
const TEMPLATE = { id: '123456', text: 'Hội Khuyến học xã gửi <ho_ten>: <noi_dung>', approved: true, byUserId: false }
const FORWARDED = 'Đã chuyển'
const FORWARD_MS = 20_000

/**
 * Two campaigns to a whole commune, over every way there is, while the platforms fail in every way they can and, with `killEveryMs`, processes
 * are killed. What became of them is judged by `check-ledger.ts`, a program of its own, again and again from `export ledger` and the phones'
 * own transcript.
 */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const began = performance.now()
  const { seed } = options
  const dataDir = makeDataDir()
  const simulator = await startSimulator({
    ...{ seed, buttons: true, stateAgency: false, retryLadderMs: [300, 700, 1_000, 2_000, 4_000] },
    broadcastReviewMs: REVIEW_MS,
  })
  const telegram = await startTelegramServer()
  const platforms = { simulator, telegram }
  const secretKey = randomBytes(32)
  let installation: Installation | undefined
  let database: Database | undefined
  let deps: TestOutreach | undefined
  try {
    const { access_token, refresh_token } = await mintTokens(simulator)
    const env = {
      SECRET_KEY: secretKey.toString('base64'),
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_URL: telegram.url,
    }
    installation = await install(options.arrangement, { simulator, dataDir, refreshToken: refresh_token, env })
    database = createDb(installation.databaseUrl, { max: 4 })
    await configure(database, options)
    const settled = await settle(database, createSealer(secretKey), platforms, options)
    await simulator.control('PATCH', `/account?oa_id=${ACCOUNT.oaId}`, { templates: [TEMPLATE], adminPhones: settled.adminPhones })
    await simulator.control('PUT', '/webhook', { oa_id: ACCOUNT.oaId, url: installation.webhookUrl })
    await addNoise(simulator)
    const withoutLatency = await addLatency(simulator)
    deps = await createTestOutreach(installation.databaseUrl, () => createFakePlatform().channel, { database })
    const checkDir = join(dataDir, 'check')
    mkdirSync(checkDir)
    const run: Run = {
      ...options,
      ...platforms,
      checkDir,
      installation,
      database,
      deps: { ...deps, now: () => new Date() },
      settled,
      withoutLatency,
      record: openRecord(platforms, join(checkDir, 'deliveries.jsonl')),
      wrote: [],
      campaigns: [],
      atOnce: [],
    }
    await begin(run, access_token)
    return await watch(run, began)
  } finally {
    await installation?.close()
    await deps?.close()
    await database?.close()
    await telegram.close()
    await simulator.stop()
    // A server that was just stopped may take its files away at the same moment
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
}

type Run = TrialOptions &
  Platforms & {
    /** Where the program that checks finds everything. */
    checkDir: string
    installation: Installation
    database: Database
    deps: TestOutreach
    settled: Settled
    withoutLatency: () => Promise<unknown>
    record: PhoneRecord
    /** Chats in which somebody has written. */
    wrote: string[]
    /** Their numbers, in the order of NOTICES, and how many each sends to Zalo chats at once. */
    campaigns: number[]
    atOnce: number[]
  }

type Kill = { at: number; held: number; open: number; readySeconds: number }

/** Both campaigns begin in the same moment. */
async function begin(run: Run, accessToken: string): Promise<void> {
  const { deps, settled, say, campaigns, atOnce, checkDir, simulator } = run
  const drafts: { campaignId: number; confirmed: number }[] = []
  writeFileSync(join(checkDir, 'wrote.json'), '[]')
  for (const [place, { text, byPhone, article }] of NOTICES.entries()) {
    const routes = {
      ...(byPhone && { template: { id: TEMPLATE.id, development: true } }),
      ...(article !== undefined && { articleId: await publish(simulator, accessToken, article) }),
    }
    const draft = { communeId: settled.communeId, authorContactId: null, text: `${text}, mời {xưng hô} {tên}`, rule: {}, routes }
    const made = await createCampaign(deps, draft)
    if (made.type !== 'created') throw new Error(JSON.stringify(made))
    const shown = await showCampaign(deps, made)
    if (shown.type !== 'shown') throw new Error(JSON.stringify(shown))
    drafts.push({ campaignId: made.campaignId, confirmed: shown.preview.people })
    atOnce.push(shown.preview.routes.now ?? 0)
    mkdirSync(folderOf(run, place))
    writeFileSync(join(folderOf(run, place), 'roll.json'), JSON.stringify(settled.rolls[place]))
    say(`campaign ${made.campaignId}: ${JSON.stringify(shown.preview.routes)}`)
  }
  for (const draft of drafts) {
    const begun = await startCampaign(deps, { ...draft, actor: 'cli' })
    if (begun.type !== 'started') throw new Error(JSON.stringify(begun))
    campaigns.push(draft.campaignId)
  }
}

const folderOf = ({ checkDir }: Run, place: number) => join(checkDir, `campaign-${place + 1}`)

/** As the office does in the account's own tool; its id. */
async function publish({ platformUrl }: SimulatorProcess, accessToken: string, title: string): Promise<string> {
  const headers = { access_token: accessToken, 'content-type': 'application/json' }
  const cover = { cover_type: 'photo', photo_url: 'https://example.vn/a.png', status: 'show' }
  const body = [{ type: 'text', content: title }]
  const article = { type: 'normal', title, author: 'Hội Khuyến học', description: title, cover, status: 'show', body }
  await fetch(`${platformUrl}/v2.0/article/create`, { method: 'POST', headers, body: JSON.stringify(article) })
  const slice = await fetch(`${platformUrl}/v2.0/article/getslice?offset=0&limit=1`, { headers })
  const { data } = (await slice.json()) as { data: { medias: { id: string }[] } }
  return data.medias[0]!.id
}

/** Kills, samples, writes and resumes until the campaigns are through, then judges. */
async function watch(run: Run, began: number): Promise<TrialResult> {
  const { simulator, settled, database, say, seed, campaigns } = run
  const dice = createDice(seed, 'kill')
  const startedAt = Date.now()
  const endMs = END_MS + run.recipients * END_MS_EACH
  const deadline = startedAt + endMs
  const problems: string[] = []
  const pauses: string[] = []
  let through = false
  let sending = true
  const writing = write(run, () => sending)
  const killing = run.killEveryMs === undefined ? undefined : killAgainAndAgain(run, run.killEveryMs, dice, () => sending)
  const sampling = sample(run, problems, () => !through)
  const last = [...settled.last]
  let throughSince = 0
  while (Date.now() < deadline) {
    await sleep(LOOK_MS)
    const state = await look(run, pauses)
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
    await addFault(run, next.fault, next.userId)
    await writeOnce(run, next)
    say(`everybody waits: ${next.fault.name}`)
    throughSince = 0
    await sleep(3_000)
  }
  if (Date.now() >= deadline) problems.push(`it was not through after ${endMs / 1_000} s: ${await leftOver(run)}`)
  sending = false
  await writing
  const { kills, databaseAt } = (await killing) ?? { kills: [], databaseAt: 0 }
  through = true
  const samples = await sampling
  problems.push(...(await forward(run)))
  await simulator.control('POST', '/flush')
  await sleep(1_500)

  const checked = await check(run, ['--final', ...(kills.length > 0 ? ['--killed'] : [])])
  const all = <T>(of: (one: Checked) => readonly T[]) => checked.flatMap(of)
  problems.push(...all((one) => one.problems), ...(await countsThatDiffer(run)))
  // Several of one moment are one pause
  if (kills.length === 0 && settled.pauses.length > 0 && pauses.length === 0) problems.push('it never paused')
  const mayPause = [...settled.pauses, ...(kills.length > 0 ? ['grant_dead'] : [])]
  for (const reason of pauses) if (!mayPause.includes(reason)) problems.push(`it paused for ${reason}`)
  const [asked] = await database.sql<{ settled: number }[]>`
    SELECT count(*) FILTER (WHERE class LIKE 'settled%')::int AS settled FROM recipient WHERE campaign_id IN ${database.sql(campaigns)}`
  const open = checked.reduce((sum, { statuses }) => sum + (statuses.uncertain ?? 0), 0)
  const lists = await Promise.all(campaigns.map((campaignId) => listUncertain(run.deps, { campaignId, limit: 10_000 })))
  if (lists.flat().length !== open) problems.push(`${open} are uncertain and ${lists.flat().length} are listed`)
  const uncertain = open + (asked?.settled ?? 0)
  const uncertainBound = kills.reduce((sum, kill) => sum + kill.held, 0) + settled.ambiguous
  // On a busy machine the count after a kill may come too late to see what was claimed; a process never has more than this
  const most = kills.length * MOST_CLAIMED + settled.ambiguous
  if (uncertain > Math.max(uncertainBound, most))
    problems.push(`${uncertain} uncertain, at most ${Math.max(uncertainBound, most)} were in flight or answered ambiguously`)

  const receipts = await receiptsKept(run)
  if (receipts.kept < receipts.of) problems.push(`${receipts.kept} receipts were kept of ${receipts.of}`)

  const sent = sentToChats(run)
  const sentAt = sent.flat().sort((a, b) => a - b)
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
    recipients: run.recipients * campaigns.length,
    samples,
    kills: kills.length,
    inFlightKills: kills.filter((kill) => kill.open > 0 || kill.held > 0).length,
    inFlight: kills.reduce((sum, kill) => sum + kill.open, 0),
    lost: all((one) => one.lost).length,
    doubled: all((one) => one.doubled).length,
    receipts,
    uncertain,
    uncertainBound,
    settled: asked?.settled ?? 0,
    open,
    readySeconds: Math.max(0, ...kills.map((kill) => kill.readySeconds)),
    sendSeconds: Math.max(0, ...kills.map((kill) => silence(kill.at))),
    databaseSeconds: databaseAt === 0 ? 0 : silence(databaseAt),
    perSecond: middle.length < 2 ? 0 : (middle.length * 1_000) / (middle.at(-1)! - middle[0]!),
    share: shareOfFirst(sent, run.atOnce),
    seconds: (performance.now() - began) / 1_000,
    problems: [
      ...all((one) => one.lost).map((one) => `lost: ${one}`),
      ...all((one) => one.doubled).map((one) => `doubled: ${one}`),
      ...problems,
    ],
    last: checked,
  }
}

/** The platform tells of every message that has reached a phone until we have acknowledged it, and so none may be missing. */
async function receiptsKept({ database: { sql }, campaigns }: Run): Promise<TrialResult['receipts']> {
  const [row] = await sql<{ kept: number; of: number }[]>`
    SELECT count(r.received_at)::int AS kept, count(*)::int AS of FROM recipient r JOIN account a ON a.id = r.account_id
    WHERE r.campaign_id IN ${sql(campaigns)} AND r.status = 'sent' AND r.platform_message_id IS NOT NULL AND a.channel = 'zalo' AND r.route <> 'zbs'`
  return row ?? { kept: 0, of: 0 }
}

async function configure({ sql }: Database, { perSecond }: TrialOptions): Promise<void> {
  const perMinute = Math.round((perSecond * 60) / RESERVE)
  for (const [key, value] of Object.entries({
    'account.per_minute.growth': perMinute,
    'account.per_minute.app': 10_000_000,
    'campaign.article': 'yes',
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

async function writeOnce({ simulator, wrote }: Run, { id, userId }: Writer): Promise<void> {
  wrote.push(userId)
  await asPerson(simulator, `/people/${id}/messages`, { oa_id: ACCOUNT.oaId, kind: 'text', text: 'xin chào' })
}

/** What is left, and the officer's part: a campaign that paused is looked at and resumed. Undefined while the database is away. */
async function look(run: Run, pauses: string[]): Promise<{ toSend: number; open: number } | undefined> {
  const { deps, campaigns, untilSettled } = run
  const { sql } = run.database
  try {
    for (const campaignId of campaigns) {
      const found = await findCampaign(deps, campaignId)
      if (found?.state !== 'paused') continue
      if (found.pauseDetail === 'grant_dead') await consentAnew(run)
      const resumed = await resumeCampaign(deps, { campaignId, actor: 'cli' })
      if (resumed.type === 'done') pauses.push(found.pauseClass === 'account' ? (found.pauseDetail ?? '') : (found.pauseClass ?? ''))
    }
    const [left] = await sql<{ to_send: number; open: number }[]>`
      SELECT (SELECT count(*)::int FROM recipient WHERE campaign_id IN ${sql(campaigns)} AND status = 'waiting' AND not_before IS NULL
          AND route IN ('now', 'telegram', 'zbs', 'article')) AS to_send,
        (SELECT count(*)::int FROM recipient WHERE campaign_id IN ${sql(campaigns)} AND status IN ${sql(untilSettled ? ['waiting', 'uncertain'] : ['waiting'])}
          AND not_before IS NOT NULL AND coalesce(class, '') NOT IN ${sql(LATER)})
        + (SELECT count(*)::int FROM recipient_batch)
        + (SELECT count(*)::int FROM village_notice WHERE sent_at IS NULL)
        + (SELECT count(*)::int FROM inbound_event WHERE handled_at IS NULL)
        + (SELECT count(*)::int FROM outbound_message WHERE status = 'waiting') AS open`
    return left && { toSend: left.to_send, open: left.open + left.to_send }
  } catch {
    return undefined
  }
}

/** What kept them from their end, in figures. */
async function leftOver({ database: { sql }, campaigns }: Run): Promise<string> {
  const now = new Date().toISOString()
  const rows = await sql`
    SELECT state AS what, '' AS class, NULL::float8 AS due_in, 1 AS n FROM campaign WHERE id IN ${sql(campaigns)}
    UNION ALL SELECT status || ' ' || route, class, min(extract(epoch FROM not_before - ${now}::timestamptz)), count(*)::int FROM recipient
      WHERE campaign_id IN ${sql(campaigns)} AND (status = 'uncertain' OR (status = 'waiting' AND (route <> 'next' OR not_before IS NOT NULL))) GROUP BY 1, 2
    UNION ALL SELECT 'claimed', claimed_by::text, min(extract(epoch FROM claimed_at - ${now}::timestamptz)), sum(cardinality(person_ids))::int FROM recipient_batch GROUP BY 1, 2
    UNION ALL SELECT 'event', NULL, min(extract(epoch FROM received_at - ${now}::timestamptz)), count(*)::int FROM inbound_event WHERE handled_at IS NULL
    UNION ALL SELECT 'notice to pass on', NULL, NULL, count(*)::int FROM village_notice WHERE sent_at IS NULL
    UNION ALL SELECT 'reply ' || status, class, min(extract(epoch FROM not_before - ${now}::timestamptz)), count(*)::int FROM outbound_message
      WHERE status = 'waiting' GROUP BY 1, 2`
  return JSON.stringify(rows)
}

/** The leaders have passed on what they got and tap so. What is not known of it after a while. */
async function forward(run: Run): Promise<string[]> {
  const { simulator, record, settled, database, campaigns, killEveryMs } = run
  await record.fetch()
  const deliveries = record.read()
  for (const { id, userId } of settled.leaders)
    for (const { user_id, msg_id, buttons = [] } of deliveries) {
      const button = buttons.findIndex(({ title }) => title === FORWARDED)
      if (user_id === userId && button >= 0) await asPerson(simulator, `/people/${id}/tap`, { oa_id: ACCOUNT.oaId, msg_id, button })
    }
  for (const until = Date.now() + FORWARD_MS; ; await sleep(LOOK_MS)) {
    // What a dying process was sending is uncertain, and what we start is never said twice
    const open = await database.sql`
      SELECT n.village_id, o.status FROM village_notice n LEFT JOIN outbound_message o ON o.id = n.outbound_message_id
      WHERE n.campaign_id IN ${database.sql(campaigns)} AND n.forwarded_at IS NULL AND NOT (${killEveryMs !== undefined} AND o.status = 'uncertain')`
    if (open.length === 0) return []
    if (Date.now() > until) return [`notices were passed on and are not known to be: ${JSON.stringify(open)}`]
  }
}

const mintTokens = async (simulator: SimulatorProcess) =>
  (await simulator.control('POST', '/tokens', { oa_id: ACCOUNT.oaId })) as { access_token: string; refresh_token: string }

/** A kill between the platform's new tokens and their storing loses the grant (token-source.ts): a human has to consent anew. */
async function consentAnew({ simulator, installation, say }: Run): Promise<void> {
  const { refresh_token } = await mintTokens(simulator)
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

/** Has the ledgers checked from outside again and again while they are being written. Returns how often. */
async function sample(run: Run, problems: string[], goesOn: () => boolean): Promise<number> {
  let samples = 0
  while (goesOn()) {
    for (const until = Date.now() + SAMPLE_EVERY_MS; goesOn() && Date.now() < until; ) await sleep(LOOK_MS)
    if (!goesOn()) break
    try {
      const found = (await check(run, [])).flatMap((one) => [...one.problems, ...one.lost, ...one.doubled])
      problems.push(...found.map((one) => `in the middle: ${one}`), ...(await countsThatDiffer(run)))
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

/** Exports the ledgers, then the phones' record, and has all read by a program that knows nothing else. */
async function check(run: Run, flags: string[]): Promise<Checked[]> {
  const { checkDir, installation, record, wrote, campaigns } = run
  const folders = campaigns.map((_, place) => folderOf(run, place))
  await Promise.all(
    campaigns.map(async (campaignId, place) => {
      const next = join(folders[place]!, 'next.csv')
      rmSync(next, { force: true })
      await runCli(['export', 'ledger', '--campaign', String(campaignId), '--out', next], installation.env)
    }),
  )
  for (const folder of folders) {
    const ledger = join(folder, 'ledger.csv')
    if (existsSync(ledger)) copyFileSync(ledger, join(folder, 'before.csv'))
    renameSync(join(folder, 'next.csv'), ledger)
  }
  await record.fetch()
  writeFileSync(join(checkDir, 'wrote.json'), JSON.stringify(wrote))
  const child = spawn(process.execPath, [join(ROOT, 'tests/kill/check-ledger.ts'), checkDir, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk
  })
  const code = await new Promise((done) => child.once('close', done))
  if (code !== 0) throw new Error(`the check of the ledgers ended with ${code}`)
  return JSON.parse(out) as Checked[]
}

/** What officers are shown, against the rows themselves: one statement, and so one moment. */
async function countsThatDiffer({ database: { sql }, campaigns }: Run): Promise<string[]> {
  const rows = await sql<{ campaign_id: number; status: string; route: string; class: string; rows: number; counted: number }[]>`
    SELECT * FROM (
      SELECT campaign_id, status, route, coalesce(class, '') AS class, count(*)::int AS rows FROM recipient
      WHERE campaign_id IN ${sql(campaigns)} GROUP BY 1, 2, 3, 4
    ) r FULL JOIN (
      SELECT campaign_id, status, route, class, n AS counted FROM recipient_count WHERE campaign_id IN ${sql(campaigns)} AND n <> 0
    ) k USING (campaign_id, status, route, class) WHERE rows IS DISTINCT FROM counted`
  return rows.map((row) => `campaign ${row.campaign_id}, ${row.status} ${row.route} ${row.class}: ${row.rows} rows, ${row.counted} counted`)
}

/** When messages of each campaign came to Zalo chats, in order. */
function sentToChats({ record }: Run): number[][] {
  const isChat = ({ channel, from, kind }: Delivery) => channel === 'zalo' && from === 'oa' && kind === 'text'
  const deliveries = record.read().filter(isChat)
  return NOTICES.map(({ text }) =>
    deliveries
      .filter((delivery) => delivery.text?.startsWith(text))
      .map(({ at }) => at)
      .sort((a, b) => a - b),
  )
}

/** Of the messages that left while both campaigns had some, how many were the first one's, percent. */
function shareOfFirst(sent: readonly number[][], atOnce: readonly number[]): number {
  const from = Math.max(...sent.map(([first = 0]) => first))
  // The last ones are those that were put off
  const until = Math.min(...sent.map((moments, place) => moments[Math.floor((atOnce[place] ?? 0) * 0.8)] ?? 0))
  const [first = 0, ...others] = sent.map((moments) => moments.filter((at) => at >= from && at <= until).length)
  return (
    (100 * first) /
    Math.max(
      1,
      others.reduce((sum, n) => sum + n, first),
    )
  )
}

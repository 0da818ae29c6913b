import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createDb } from '../../src/db/connect.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { createCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { createFakePlatform, createTestOutreach } from '../outreach/commune.ts'
import { openBook } from '../run/book.ts'
import { ACCOUNT, type BotProcess, freePort, makeDataDir, ROOT, startBot } from '../run/processes.ts'
import { percentile } from '../run/trial.ts'
import { describeMachine } from './machine.ts'

// The time a person waits for a machine that has nothing else to do: from the moment the platform sends the webhook to the moment the
// send request reaches it. One person writes at a time; bot and platform are separate processes and speak HTTP.

const TURNS = 1_000
const WARM_UP = 100
const QUESTIONS = 10
const TIMEOUT_MS = 10_000

// npm run bench -- reply --broadcast: the same while a campaign runs at its share of a limit that the replies fit into
// More than are reached while the answers are measured
const BROADCAST_PEOPLE = 18_075
const PER_MINUTE = 6_000
// Ten replies a second: half of what is kept for them
const BROADCAST_TURN_MS = 100
const BROADCAST_TURNS = 600

/** Latency of one reply, on an idle machine or while a campaign runs. */
export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: { turns: { type: 'string' }, broadcast: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const { broadcast } = values
  const turns = Number(values.turns ?? (broadcast ? BROADCAST_TURNS : TURNS))
  const dataDir = makeDataDir()
  const server = broadcast ? await startEmbeddedPostgres({ dataDir: join(dataDir, 'server') }) : undefined
  const simulator = await createSimulator({
    accounts: [{ ...ACCOUNT, oaType: 2, verified: true, package: 'comprehensive', buttons: 'accepted', perMinute: 10_000_000 }],
    appPerMinute: 10_000_000,
    neverDisable: true,
    retryLadderMs: [500],
    seed: 1,
  })
  const arrivals = watchSends(simulator)
  let bot: BotProcess | undefined
  try {
    const platformUrl = await simulator.platform.listen({ host: '127.0.0.1', port: 0 })
    const port = await freePort()
    const account = simulator.account(ACCOUNT.oaId)
    const refreshToken = account.mintTokens().refresh_token
    const env = server && { DATABASE_URL: server.url, SECRET_KEY: randomBytes(32).toString('base64') }
    bot = await startBot({ dataDir, port, platformUrl, refreshToken, ...(env && { env }) })
    await account.saveWebhook(`http://127.0.0.1:${port}/webhooks/zalo`)
    console.error(`ready after ${Math.round(bot.readyMs)} ms; ${WARM_UP} turns to warm up, then ${turns}`)

    const times: number[] = []
    const everyMs = broadcast ? BROADCAST_TURN_MS : 0
    const campaign = server && (await beginCampaign(server.url, simulator))
    for (let person = 0; times.length < WARM_UP + turns; person++) times.push(...(await answerAll(simulator, arrivals, person, everyMs)))
    const progress = await campaign?.end()
    const measured = times.slice(WARM_UP, WARM_UP + turns)
    const ms = (value: number) => value.toFixed(2)
    return `## Reply${progress ? ' while a broadcast runs' : ''}

${describeMachine()}

Webhook sent by the platform → send request received by it, one person at a time, ${measured.length} answers to questions after ${WARM_UP} to warm up.
${progress ? `\nMeanwhile ${progress.sent} campaign messages went out, ${progress.perMinute.toFixed(0)} a minute of the ${PER_MINUTE} the account may; ${progress.waiting} were still to come.\n` : ''}
| p50 | p90 | p99 | max |
|---|---|---|---|
| ${ms(percentile(measured, 0.5))} ms | ${ms(percentile(measured, 0.9))} ms | ${ms(percentile(measured, 0.99))} ms | ${ms(percentile(measured, 1))} ms |`
  } finally {
    await bot?.stop()
    await simulator.close()
    await server?.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

type Arrivals = { next(userId: string): Promise<number> }

function watchSends(simulator: Simulator): Arrivals {
  let waited: { userId: string; wake: (at: number) => void } | undefined
  const cameAt = new WeakMap<object, number>()
  simulator.platform.addHook('onRequest', async (request) => {
    cameAt.set(request, performance.now())
  })
  // The body says to whom: meanwhile a campaign writes to others
  simulator.platform.addHook('preHandler', async (request) => {
    const body = request.body as { recipient?: { user_id?: string } } | undefined
    if (waited && body?.recipient?.user_id === waited.userId) waited.wake(cameAt.get(request) ?? 0)
  })
  return {
    next: (userId) =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no reply within ${TIMEOUT_MS / 1_000} s`)), TIMEOUT_MS)
        waited = {
          userId,
          wake(at) {
            clearTimeout(late)
            resolve(at)
          },
        }
      }),
  }
}

/** Begins a campaign to people with phones at the platform; `end` says how far it came. */
async function beginCampaign(url: string, simulator: Simulator) {
  const database = createDb(url)
  const { sql } = database
  const settings = { 'account.package': 'growth', 'account.per_minute.growth': PER_MINUTE, 'quiet.from': '00:00', 'quiet.to': '00:00' }
  for (const [key, value] of Object.entries({ ...settings, 'account.per_minute.app': 10_000_000 }))
    await sql`INSERT INTO setting (unit_id, key, value) VALUES (0, ${key}, ${JSON.stringify(value)}::text::jsonb)`
  const [commune] = await sql<{ id: number; account_id: number }[]>`
    SELECT u.id::int AS id, a.id::int AS account_id FROM unit u JOIN account a ON a.commune_id = u.id WHERE u.level = 'xa' LIMIT 1`
  if (!commune) throw new Error('there is no commune')
  const users = Array.from({ length: BROADCAST_PEOPLE }, (_, n) => {
    const { id } = simulator.people.create({ name: `Người nhận ${n}` })
    return simulator.people.follow(id, ACCOUNT.oaId, { quiet: true }).userId
  })
  // As chats of people who have not registered: those of the sample stay out of it
  await sql`
    INSERT INTO contact (commune_id, account_id, channel_user_id, first_seen_at, last_inbound_at, follows)
    SELECT ${commune.id}, ${commune.account_id}, user_id, now(), now() - interval '2 hours', true
    FROM json_array_elements_text(${JSON.stringify(users)}::text::json) AS given (user_id)`
  const deps = await createTestOutreach(url, () => createFakePlatform().channel, { now: new Date(), database })
  const text = 'Kính mời {xưng hô} tham gia Tuần lễ học tập suốt đời.'
  const made = await createCampaign(deps, { communeId: commune.id, authorContactId: null, text, rule: { state: 'not_registered' } })
  if (made.type !== 'created') throw new Error(JSON.stringify(made))
  const shown = await showCampaign(deps, made)
  if (shown.type !== 'shown') throw new Error(JSON.stringify(shown))
  const begun = await startCampaign(deps, { ...made, confirmed: shown.preview.people, actor: 'cli' })
  if (begun.type !== 'started') throw new Error(JSON.stringify(begun))
  const from = Date.now()
  return {
    async end() {
      const progress = await campaignProgress(deps, made.campaignId)
      const sent = progress?.statuses.sent ?? 0
      await deps.close()
      await database.close()
      return { sent, waiting: progress?.waiting.now ?? 0, perMinute: (sent * 60_000) / (Date.now() - from) }
    },
  }
}

/** Registers a new person and answers the questions; the times of those answers. */
async function answerAll(simulator: Simulator, arrivals: Arrivals, index: number, everyMs: number): Promise<number[]> {
  const { people } = simulator
  const book = openBook(ROOT)
  const person = people.create({ name: `Người ${index}` })
  const thread = people.follow(person.id, ACCOUNT.oaId, { quiet: true })
  const times: number[] = []
  const LIMIT = 60
  let text = 'BẮT ĐẦU'
  for (let turn = 0; turn < LIMIT && times.length < QUESTIONS; turn++) {
    if (everyMs > 0) await sleep(everyMs)
    const arrival = arrivals.next(thread.userId)
    const before = thread.messages.length
    const sentAt = performance.now()
    await people.say(person.id, ACCOUNT.oaId, { kind: 'text', text })
    const isAnswer = turn > 0 && book.read(lastReply(thread.messages.slice(0, before)))?.kind === 'question'
    const took = (await arrival) - sentAt
    if (isAnswer) times.push(took)
    while (!thread.messages.slice(before).some(({ from }) => from === 'oa')) await new Promise((resolve) => setTimeout(resolve, 1))
    const asked = book.read(lastReply(thread.messages))
    if (!asked) throw new Error(`nothing was asked: ${lastReply(thread.messages)}`)
    text = wordsFor(asked.ref, index, turn)
  }
  return times
}

const lastReply = (messages: readonly { from: string; text?: string }[]) => messages.findLast(({ from }) => from === 'oa')?.text ?? ''

function wordsFor(ref: string, index: number, turn: number): string {
  const letters = [...String(index)].map((digit) => 'ABCDEFGHIK'[Number(digit)]).join(' ')
  switch (ref) {
    case 'name':
      return `Lò Văn ${letters}`
    case 'head_name':
      return `Vàng A ${letters}`
    case 'birth_year':
      return '1970'
    case 'village':
      return String(1 + (index % 35))
    case 'adults':
      return '3'
    case 'consent':
    case 'readback':
    case 'review':
      return '1'
    default:
      return String(1 + (turn % 2))
  }
}

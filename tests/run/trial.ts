import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTelegramServer, type TelegramServer } from '../support/telegram/server.ts'
import { type Book, openBook } from './book.ts'
import { createDice } from './dice.ts'
import { judgeAnswers, judgeTally, readAnswers, recount, TallyBy, TallyJson } from './judge.ts'
import { planPeople } from './people.ts'
import { type Life, livePlan } from './person.ts'
import {
  ACCOUNT,
  type BotProcess,
  botEnv,
  freePort,
  makeDataDir,
  ROOT,
  runCli,
  type SimulatorProcess,
  startBot,
  startSimulator,
} from './processes.ts'
import { createTelegramPhones } from './telegram-phones.ts'
import { createZaloPhones } from './zalo-phones.ts'

export type TrialOptions = {
  people: number
  concurrency: number
  seed: number
  /** Share of events delivered twice, and late. */
  duplicates: number
  late: number
  buttons: boolean
  stateAgency: boolean
  /** The people are on Telegram, which is asked for updates or calls the bot; without it they are on Zalo. */
  telegram?: 'poll' | 'webhook'
  /** Every so many seconds, by chance between the two, everything of the bot is killed and started again. */
  killEverySeconds?: [number, number]
  maxKills?: number
  /** How long a person takes before each step, at most; so that a few people's talk spans the kills. */
  thinkMs?: number
  /** Only people who answer straight on, for measuring. */
  plain?: boolean
  /** Only these of the planned people: to see one again. */
  only?: number[]
  env?: Record<string, string>
  onProgress?: (line: string) => void
}

export type TrialResult = {
  seed: number
  people: number
  finished: number
  ends: Record<Life['end'], number>
  expectedAnswers: number
  wrong: string[]
  extras: string[]
  lost: string[]
  stuck: string[]
  miscounted: string[]
  repeats: number
  typedAgain: number
  notUnderstood: string[]
  duplicatesInjected: number
  lateInjected: number
  personMessages: number
  replies: number
  kills: number
  readyMs: number[]
  latenciesMs: { p50: number; p99: number; max: number }
  secondsTaken: number
  lives: Life[]
  botLog: string
  notices: string[]
}

/** What a late event waits; a late second copy waits longer, so that it meets a later question. */
const LATE_MS = 1_500
const LATE_COPY_MS = 2_500
// Longer than anything a late event may cause
const QUIET_MS = 2_500
const TIMEOUT_MS = 20_000
// Recovery and the webhook's next try lie in between
const KILL_TIMEOUT_MS = 15_000
const VILLAGES = 35
const UNIT = 'binh-lu'
const LADDER_MS = [300, 700, 1_000]

/** Runs seeded people against a freshly started bot and platform, and judges what stands in the end. */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const startedAt = performance.now()
  const say = options.onProgress ?? (() => {})
  const book = openBook(ROOT)
  const year = vietnamYear()
  const dataDir = makeDataDir()
  const notices: string[] = []
  const simulator = await startSimulator({ ...options, retryLadderMs: LADDER_MS })
  const port = await freePort()
  const telegram = options.telegram && (await startTelegram(options, port))
  let bot: BotProcess | undefined
  try {
    const { refresh_token } = (await simulator.control('POST', `/tokens`, { oa_id: ACCOUNT.oaId })) as { refresh_token: string }
    const setup = {
      dataDir,
      port,
      platformUrl: simulator.platformUrl,
      refreshToken: refresh_token,
      env: { ...options.env, ...telegramEnv(telegram, options) },
    }
    bot = await startBot(setup)
    const readyMs = [bot.readyMs]
    say(`ready after ${Math.round(bot.readyMs)} ms`)
    const env = botEnv(setup)
    await liftPace(env, notices)
    const { probe } = (await simulator.control('PUT', '/webhook', {
      oa_id: ACCOUNT.oaId,
      url: `http://127.0.0.1:${port}/webhooks/zalo`,
    })) as {
      probe: { saved: boolean }
    }
    if (!probe.saved) throw new Error(`the platform could not save the webhook address: ${JSON.stringify(probe)}`)
    const faults = telegram ? countShaken(telegram) : await addFaults(simulator, options)

    const phones = telegram ? createTelegramPhones(telegram) : createZaloPhones({ personUrl: simulator.personUrl, oaId: ACCOUNT.oaId })
    const plans = planPeople(book, { ...options, villages: VILLAGES, year }).filter(({ index }) => options.only?.includes(index) ?? true)
    const killing = options.killEverySeconds !== undefined
    let over = false
    let kills = 0
    const logs: string[] = []
    const killer = killing
      ? (async () => {
          const dice = createDice(options.seed, 'kills')
          const [from, to] = options.killEverySeconds!
          while (!over && kills < (options.maxKills ?? Number.POSITIVE_INFINITY)) {
            await sleep((from + dice.chance() * (to - from)) * 1_000)
            if (over) break
            logs.push(bot!.log())
            const gone = await bot!.kill()
            kills++
            bot = await startBot(setup)
            readyMs.push(bot.readyMs)
            say(`kill ${kills}: ${gone} processes, ready again after ${Math.round(bot.readyMs)} ms`)
          }
        })()
      : Promise.resolve()

    const lives: Life[] = []
    const closers: (() => void)[] = []
    const queue = [...plans]
    const lifeOptions = {
      book,
      year,
      awayMs: 400,
      thinkMs: options.thinkMs ?? 0,
      timeoutMs: killing ? KILL_TIMEOUT_MS : TIMEOUT_MS,
      quietMs: QUIET_MS,
      tries: 4,
      killing,
    }
    const villages = await learnVillages(env, year)
    const seat = async () => {
      for (let plan = queue.shift(); plan; plan = queue.shift()) {
        const phone = await phones.open(`Máy ${plan.index + 1}`)
        closers.push(phone.close)
        lives.push(await livePlan(phone, plan, { ...lifeOptions, villages }))
        if (lives.length % 25 === 0) say(`${lives.length} of ${plans.length} people done`)
      }
    }
    const seats = Promise.all(Array.from({ length: options.concurrency }, seat))
    await Promise.race([seats, killer.then(() => seats)])
    over = true
    await killer
    // What comes now comes to people who wait for nothing
    await sleep(LATE_COPY_MS)
    await simulator.control('POST', '/flush')
    await sleep(500)
    for (const close of closers) close()

    const rows = readAnswers(await exportAnswers(env, year, dataDir))
    const { expected, wrong } = judgeAnswers(book, lives, rows)
    const miscounted = judgeTally(recount(book, rows), {
      all: TallyJson.parse(await runTally(env, year)),
      byVillage: TallyBy.parse(await runTally(env, year, ['--by', 'village'])),
      byQuestion: TallyBy.parse(await runTally(env, year, ['--by', 'question'])),
    })
    logs.push(bot.log())
    lives.sort((a, b) => a.plan.index - b.plan.index)
    return summarise({
      options,
      book,
      lives,
      expected,
      wrong,
      miscounted,
      kills,
      readyMs,
      notices,
      logs,
      startedAt,
      hits: await faults.count(),
    })
  } finally {
    await bot?.stop()
    await simulator.stop()
    await telegram?.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

// An address nobody resolves: the server of this process stands before the bot
const PUBLIC_URL = 'https://bot.example.org'

function startTelegram({ seed, duplicates, late }: TrialOptions, port: number): Promise<TelegramServer> {
  const { chance: random } = createDice(seed, 'shake')
  return startTelegramServer({
    webhookRetryMs: 300,
    front: (url) => url.replace(PUBLIC_URL, `http://127.0.0.1:${port}`),
    shake: { duplicates, late, copyDelayMs: LATE_COPY_MS, lateMs: LATE_MS, random },
  })
}

function telegramEnv(server: TelegramServer | undefined, { telegram }: TrialOptions): Record<string, string> {
  if (!server) return {}
  const env = { TELEGRAM_BOT_TOKEN: server.token, TELEGRAM_API_URL: server.url }
  return telegram === 'webhook' ? { ...env, PUBLIC_URL } : env
}

const countShaken = ({ bot }: TelegramServer) => ({ count: () => Promise.resolve(bot.shaken) })

/** Whether anything happened that must not. */
export function violations(result: TrialResult): string[] {
  return [
    ...result.wrong.map((one) => `wrong answer: ${one}`),
    ...result.extras.map((one) => `extra reply: ${one}`),
    ...result.lost.map((one) => `lost: ${one}`),
    ...result.stuck.map((one) => `stuck: ${one}`),
    ...result.miscounted.map((one) => `miscounted: ${one}`),
  ]
}

/** The account's pace would be the measure of everything; here the program is. */
async function liftPace(env: Record<string, string>, notices: string[]): Promise<void> {
  try {
    for (const name of ['growth', 'comprehensive', 'app']) await runCli(['setting', 'set', `account.per_minute.${name}`, '1000000'], env)
  } catch (error) {
    notices.push(`the pace stayed as it is: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
  }
}

async function addFaults(simulator: SimulatorProcess, { duplicates, late }: TrialOptions) {
  const rules = [
    ...(duplicates > 0
      ? [
          { copies: 2, probability: duplicates / 2 },
          { copies: 2, delay_ms: LATE_COPY_MS, probability: duplicates / 2 },
        ]
      : []),
    ...(late > 0 ? [{ delay_ms: LATE_MS, probability: late }] : []),
  ]
  for (const webhook of rules) await simulator.control('POST', '/faults', { webhook })
  return {
    async count() {
      const list = (await simulator.control('GET', '/faults')) as { hits: number; webhook?: { copies?: number } }[]
      const sum = (twice: boolean) =>
        list.filter(({ webhook }) => (webhook?.copies !== undefined) === twice).reduce((all, { hits }) => all + hits, 0)
      return { duplicates: sum(true), late: sum(false) }
    },
  }
}

/** What people of the commune know: how each village is called. */
async function learnVillages(env: Record<string, string>, year: number): Promise<Map<number, string>> {
  const { rows } = TallyBy.parse(await runTally(env, year, ['--by', 'village']))
  return new Map(rows.map(({ key, name = '' }) => [Number(/\d+$/.exec(key)?.[0]), name.normalize('NFC')]))
}

async function runTally(env: Record<string, string>, year: number, more: string[] = []): Promise<unknown> {
  const out = await runCli(['tally', '--unit', UNIT, '--year', String(year), ...more, '--json'], env)
  return JSON.parse(out.trim().split('\n').at(-1)!)
}

async function exportAnswers(env: Record<string, string>, year: number, dataDir: string): Promise<string> {
  const file = join(dataDir, 'judged.csv')
  await runCli(['export', 'answers', '--unit', UNIT, '--year', String(year), '--out', file], env)
  return readFileSync(file, 'utf8')
}

type Summary = {
  options: TrialOptions
  book: Book
  lives: Life[]
  expected: number
  wrong: string[]
  miscounted: string[]
  kills: number
  readyMs: number[]
  notices: string[]
  logs: string[]
  startedAt: number
  hits: { duplicates: number; late: number }
}

function summarise({ options, lives, expected, wrong, miscounted, kills, readyMs, notices, logs, startedAt, hits }: Summary): TrialResult {
  const sum = (of: (life: Life) => number) => lives.reduce((all, life) => all + of(life), 0)
  const named = (life: Life, text: string) => `person ${life.plan.index}: ${text.replaceAll('\n', ' / ').slice(0, 300)}`
  const latencies = lives.flatMap(({ account }) => account.latenciesMs).filter((ms) => ms < LATE_MS)
  const ends = { finished: 0, declined: 0, child: 0, lost: 0, stuck: 0 }
  for (const { end } of lives) ends[end]++
  return {
    seed: options.seed,
    people: lives.length,
    finished: ends.finished + ends.declined + ends.child,
    ends,
    expectedAnswers: expected,
    wrong,
    extras: lives.flatMap((life) => life.account.extras.map((extra) => named(life, extra.text))),
    lost: lives.flatMap((life) => life.account.lost.map((words) => named(life, words))),
    stuck: lives.flatMap((life) => (life.end === 'stuck' ? [named(life, life.trouble ?? 'without a reason')] : [])),
    miscounted,
    repeats: sum(({ account }) => account.repeats),
    typedAgain: sum(({ account }) => account.typedAgain),
    notUnderstood: lives.flatMap((life) => life.notUnderstood.map((text) => named(life, text))),
    duplicatesInjected: hits.duplicates,
    lateInjected: hits.late,
    personMessages: sum(({ account }) => account.sent),
    replies: sum(({ account }) => account.replies),
    kills,
    readyMs,
    latenciesMs: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99), max: percentile(latencies, 1) },
    secondsTaken: (performance.now() - startedAt) / 1_000,
    lives,
    botLog: logs.join('\n'),
    notices,
  }
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}

function vietnamYear(): number {
  return Number(new Intl.DateTimeFormat('en', { timeZone: 'Asia/Ho_Chi_Minh', year: 'numeric' }).format(new Date()))
}

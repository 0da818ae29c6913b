import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts'
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

/** Latency of one reply on an idle machine. */
export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: { turns: { type: 'string', default: String(TURNS) }, text: { type: 'boolean', default: false } },
  })
  const turns = Number(values.turns)
  const dataDir = makeDataDir()
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
    bot = await startBot({ dataDir, port, platformUrl, refreshToken: account.mintTokens().refresh_token })
    await account.saveWebhook(`http://127.0.0.1:${port}/webhooks/zalo`)
    console.error(`ready after ${Math.round(bot.readyMs)} ms; ${WARM_UP} turns to warm up, then ${turns}`)

    const times: number[] = []
    for (let person = 0; times.length < WARM_UP + turns; person++) times.push(...(await answerAll(simulator, arrivals, person)))
    const measured = times.slice(WARM_UP, WARM_UP + turns)
    const ms = (value: number) => value.toFixed(2)
    return `## Reply

${describeMachine()}

Webhook sent by the platform → send request received by it, one person at a time, ${measured.length} answers to questions after ${WARM_UP} to warm up.

| p50 | p90 | p99 | max |
|---|---|---|---|
| ${ms(percentile(measured, 0.5))} ms | ${ms(percentile(measured, 0.9))} ms | ${ms(percentile(measured, 0.99))} ms | ${ms(percentile(measured, 1))} ms |`
  } finally {
    await bot?.stop()
    await simulator.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

type Arrivals = { next(): Promise<number> }

function watchSends(simulator: Simulator): Arrivals {
  let wake: (at: number) => void = () => {}
  simulator.platform.addHook('onRequest', async ({ url }) => {
    if (url.includes('/oa/message')) wake(performance.now())
  })
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`no reply within ${TIMEOUT_MS / 1_000} s`)), TIMEOUT_MS)
        wake = (at) => {
          clearTimeout(late)
          resolve(at)
        }
      }),
  }
}

/** Registers a new person and answers the questions; the times of those answers. */
async function answerAll(simulator: Simulator, arrivals: Arrivals, index: number): Promise<number[]> {
  const { people } = simulator
  const book = openBook(ROOT)
  const person = people.create({ name: `Người ${index}` })
  const thread = people.follow(person.id, ACCOUNT.oaId, { quiet: true })
  const times: number[] = []
  const LIMIT = 60
  let text = 'BẮT ĐẦU'
  for (let turn = 0; turn < LIMIT && times.length < QUESTIONS; turn++) {
    const arrival = arrivals.next()
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

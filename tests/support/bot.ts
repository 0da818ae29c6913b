import { pino } from 'pino'
import { createApp } from '../../src/app.ts'
import type { Config } from '../../src/config.ts'
import type { Content } from '../../src/content/load.ts'
import { createSampleCommune } from '../../src/registry/sample.ts'
import { importUnits } from '../../src/registry/units.ts'
import { createSimulator } from '../../src/simulator/simulator.ts'
import { createTestDatabase } from './postgres.ts'

type Options = {
  /** `sample`: the whole sample commune with its invented people; by default a commune with three villages and nobody in it. */
  commune?: 'sample' | 'small'
  /** Whether reminders, digests and clocks run by themselves. */
  rounds?: boolean
  /** The time all of it lives in; by default the machine's. */
  clock?: { now(): number }
  oaType?: 2 | 4
  buttons?: 'accepted' | 'refused'
  /** What it says and asks; by default the project's own. */
  content?: Content
}

const OA = { oaId: '4000000000000000001', appId: '4000000000000000002', appSecret: 'app-secret', oaSecretKey: 'oa-secret' }

/** The real bot on a real database, talking over HTTP to the simulated platform, in this process. */
export type Bot = Awaited<ReturnType<typeof startBot>>

export async function startBot({ commune = 'small', clock, oaType = 2, buttons = 'accepted', rounds = true, content }: Options = {}) {
  const databaseUrl = await createTestDatabase()
  const simulator = await createSimulator({
    accounts: [{ ...OA, name: 'Hội Khuyến học xã', oaType, verified: true, package: 'comprehensive', buttons, perMinute: 1_000_000 }],
    appPerMinute: 1_000_000,
    retryLadderMs: [200, 500, 1_000],
    neverDisable: true,
    // Half an hour at the platform
    broadcastReviewMs: 100,
    ...(clock ? { clock } : {}),
  })
  const address = await simulator.platform.listen({ host: '127.0.0.1', port: 0 })
  const account = simulator.account(OA.oaId)
  const config: Config = {
    host: '127.0.0.1',
    port: 0,
    dataDir: '/nonexistent',
    databaseUrl,
    role: 'all',
    secretKey: Buffer.alloc(32, 7),
    zalo: { ...OA, refreshToken: account.mintTokens().refresh_token, apiUrl: address, oauthUrl: address },
    sampleData: false,
    metricsToken: 'metrics',
    logLevel: 'silent',
  }
  let url = ''
  const now = () => new Date(clock?.now() ?? Date.now())

  async function open() {
    const app = await createApp({
      config,
      databaseUrl,
      log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
      now,
      localUrl: () => url,
      rounds,
      ...(content && { content }),
      prepare: commune === 'sample' ? createSampleCommune : createSmallCommune,
    })
    url = await app.http.listen({ host: '127.0.0.1', port: 0 })
    await app.start()
    await account.saveWebhook(`${url}/webhooks/zalo`)
    return app
  }
  let app = await open()

  /** Somebody with a phone. `say` waits until the bot has answered all it was sent, and gives what came back. */
  async function person(name: string) {
    const { id } = simulator.people.create({ name })
    const messages = () => simulator.people.thread(id, OA.oaId).messages
    let read = 0
    async function settle(): Promise<string> {
      await simulator.flush()
      await app.idle()
      await simulator.flush()
      const fresh = messages().slice(read)
      read = messages().length
      return fresh
        .filter((message) => message.from === 'oa')
        .map((message) => message.text ?? `[${message.kind}]`)
        .join('\n---\n')
    }
    const say = async (...texts: string[]): Promise<string> => {
      for (const text of texts) await simulator.people.say(id, OA.oaId, { kind: 'text', text })
      return settle()
    }
    return {
      id,
      /** All messages of the chat, as the phone holds them. */
      messages,
      /** Our messages since the last time, after everything sent was answered. */
      settle,
      /** Sends all texts at once. */
      say,
      /** One after the other, each after the answer to the one before; gives the last answer. */
      async talk(...texts: readonly string[]): Promise<string> {
        let last = ''
        for (const text of texts) last = await say(text)
        return last
      },
      /** Taps a button by its label, of the newest message that has it; `times` in one breath. */
      async tap(label: string, times = 1): Promise<string> {
        const message = messages().findLast((item) => item.buttons?.some((button) => button.title === label))
        if (!message) throw new Error(`no button ${label}`)
        const button = message.buttons?.findIndex((item) => item.title === label) ?? 0
        for (let n = 0; n < times; n++) simulator.people.tap(id, { oaId: OA.oaId, messageId: message.id, button })
        return settle()
      },
    }
  }

  return {
    simulator,
    account,
    oaId: OA.oaId,
    platformUrl: address,
    databaseUrl,
    person,
    get app() {
      return app
    },
    get url() {
      return url
    },
    get sql() {
      return app.deps.database.sql
    },
    /** As after a crash: the old process is gone without a word, a new one starts on what the database holds. */
    async restart() {
      await app.stop()
      app = await open()
    },
    async close() {
      await app.stop()
      await simulator.close()
    },
  }
}

const VILLAGES = ['Nà Đa', 'Nà Khan', 'Hua Bó']

const createSmallCommune: typeof createSampleCommune = async ({ db, randomInt }, { now }) => {
  const unit = (row: number, code: string, level: 'tinh' | 'xa' | 'thon_ban', label: string, name: string, parentCode?: string) => ({
    row,
    code,
    level,
    label,
    name,
    predecessorCodes: [],
    ...(parentCode ? { parentCode } : {}),
  })
  await importUnits(db, {
    rows: [
      unit(2, 'lai-chau', 'tinh', 'tỉnh', 'Lai Châu'),
      unit(3, 'binh-lu', 'xa', 'xã', 'Bình Lư', 'lai-chau'),
      ...VILLAGES.map((name, index) => unit(4 + index, `binh-lu-0${index + 1}`, 'thon_ban', 'bản', name, 'binh-lu')),
    ],
    actor: 'test',
    now,
    randomInt,
  })
  return { type: 'created' }
}

/** What a person says to be registered, up to the first question. */
export const REGISTRATION = ['chào', '1', 'Nà Đa', 'Lò Văn Pâng', '1967', '3', '1', '1', '4', '1'] as const

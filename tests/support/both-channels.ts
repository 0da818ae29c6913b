import { vi } from 'vitest'
import { createSimulator } from '../../src/simulator/simulator.ts'
import { startTestApp, type TestApp, ZALO } from './app.ts'
import { startTelegramServer, type TelegramServer } from './telegram/server.ts'

/** Somebody's chat with the bot on one channel. */
export type Chat = {
  userId: string
  /** Says something and returns the bot's next message. */
  say(text: string): Promise<string>
  /** Taps a button of the newest message that has it. */
  tap(label: string): Promise<string>
  /** What the bot said last. */
  last(): string
  /** How many messages of the bot there are. */
  count(): number
}

export type BothChannels = {
  /** The newest one, after a restart. */
  readonly bot: TestApp
  telegram: TelegramServer
  openZalo(name: string): Chat
  openTelegram(): Chat
  /** The process ends, and a new one goes on with what the database holds. */
  restart(): Promise<void>
  stop(): Promise<void>
}

type Options = {
  /** More of the bot's environment. */
  environment?: Record<string, string>
  /** Whether the Zalo platform takes messages with buttons: both kinds of account exist. */
  buttons?: 'accepted' | 'refused'
}

const WAIT = { timeout: 15_000, interval: 5 }

/** The bot with a Zalo platform and a Bot API server of this process, all over loopback. */
export async function startBothChannels({ environment = {}, buttons = 'accepted' }: Options = {}): Promise<BothChannels> {
  const telegram = await startTelegramServer()
  const simulator = await createSimulator({
    accounts: [
      {
        oaId: ZALO.ZALO_OA_ID,
        name: 'Hội Khuyến học xã Bình Lư',
        appId: ZALO.ZALO_APP_ID,
        appSecret: ZALO.ZALO_APP_SECRET,
        oaSecretKey: ZALO.ZALO_OA_SECRET_KEY,
        oaType: 2,
        verified: true,
        package: 'comprehensive',
        buttons,
      },
    ],
  })
  const platform = await simulator.platform.listen({ host: '127.0.0.1', port: 0 })
  const account = simulator.account(ZALO.ZALO_OA_ID)
  const refreshToken = account.mintTokens().refresh_token
  const makeBot = (databaseUrl?: string) =>
    startTestApp({
      environment: {
        ZALO_API_URL: platform,
        ZALO_OAUTH_URL: platform,
        ZALO_REFRESH_TOKEN: refreshToken,
        TELEGRAM_BOT_TOKEN: telegram.token,
        TELEGRAM_API_URL: telegram.url,
        ...environment,
      },
      ...(databaseUrl && { databaseUrl }),
    })
  const open = async ({ app }: TestApp) => {
    const address = await app.http.listen({ host: '127.0.0.1', port: 0 })
    await app.start()
    await account.saveWebhook(`${address}/webhooks/zalo`)
  }
  let bot = await makeBot()
  // The account's pace would be the measure of everything
  for (const name of ['growth', 'comprehensive']) {
    await bot.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, ${`account.per_minute.${name}`}, '1000000'::jsonb)`
  }
  await open(bot)
  let next = 500_000_001

  function chat(userId: string, ours: () => { text: string }[], say: (text: string) => unknown, tap: (label: string) => unknown): Chat {
    const answered = async (act: () => unknown) => {
      const before = ours().length
      await act()
      await vi.waitFor(() => {
        if (ours().length === before) throw new Error(`no answer yet after: ${ours().at(-1)?.text.slice(0, 300) ?? ''}`)
      }, WAIT)
      return ours()[before]?.text ?? ''
    }
    return {
      userId,
      say: (text) => answered(() => say(text)),
      tap: (label) => answered(() => tap(label)),
      last: () => ours().at(-1)?.text ?? '',
      count: () => ours().length,
    }
  }

  return {
    get bot() {
      return bot
    },
    telegram,
    openZalo(name) {
      const { id } = simulator.people.create({ name })
      const thread = () => simulator.people.thread(id, ZALO.ZALO_OA_ID)
      const ours = () => thread().messages.filter((message) => message.from === 'oa')
      return chat(
        thread().userId,
        () => ours().map((message) => ({ text: message.text ?? '' })),
        (text) => simulator.people.say(id, ZALO.ZALO_OA_ID, { kind: 'text', text }),
        (label) => {
          const message = ours().findLast((each) => each.buttons?.some((button) => button.title === label))
          if (!message) throw new Error(`there is no button ${label}`)
          const button = message.buttons?.findIndex((each) => each.title === label)
          simulator.people.tap(id, { oaId: ZALO.ZALO_OA_ID, messageId: message.id, button })
        },
      )
    },
    openTelegram() {
      const id = next++
      telegram.person.meet(id)
      return chat(
        String(id),
        () => telegram.person.outbox(id).map((message) => ({ text: message.text ?? message.caption ?? '' })),
        (text) => telegram.person.text(id, text),
        (label) => telegram.person.tap(id, label),
      )
    },
    async restart() {
      const { databaseUrl } = bot
      await bot.stop()
      bot = await makeBot(databaseUrl)
      await open(bot)
    },
    async stop() {
      await bot.stop()
      await simulator.close()
      await telegram.close()
    },
  }
}

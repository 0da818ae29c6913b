import { once } from 'node:events'
import { createServer } from 'node:net'
import { TelegramServer } from 'telegram-test-api/lib/telegramServer.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTelegramChannel, type TelegramChannel } from '../../src/channels/telegram/channel.ts'
import { createTelegramClient, type TelegramClient } from '../../src/channels/telegram/client.ts'
import { parseUpdates } from '../../src/channels/telegram/parse.ts'
import { createTelegramPoller, type TelegramPoller } from '../../src/channels/telegram/poller.ts'
import type { InboundEvent } from '../../src/model/inbound.ts'

// A server written by others, as a witness that we speak the Bot API and not only what our own server understands. It knows few
// methods, answers a long poll at once and does not mind the offset: so each poller here is stopped as soon as it has what it wants.

const TOKEN = '700000007:witness'

// It takes no port 0
async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, 'localhost')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

describe('against telegram-test-api', () => {
  let server: TelegramServer
  let person: ReturnType<TelegramServer['getClient']>
  let telegram: TelegramClient
  let channel: TelegramChannel
  let poller: TelegramPoller | undefined

  beforeEach(async () => {
    server = new TelegramServer({ port: await findFreePort() })
    await server.start()
    person = server.getClient(TOKEN, { userId: 555, chatId: 555, firstName: 'Lan', timeout: 2_000, interval: 5 })
    telegram = createTelegramClient({ token: TOKEN, apiUrl: server.config.apiURL, timeoutMs: 2_000 })
    channel = createTelegramChannel({ token: TOKEN, apiUrl: server.config.apiURL, timeoutMs: 2_000, now: Date.now, telegram })
  })
  afterEach(async () => {
    await poller?.stop()
    await channel.close()
    telegram.close()
    await server.stop()
  })

  const nextEvents = () =>
    new Promise<{ events: InboundEvent[]; callbackIds: string[] }>((resolve) => {
      poller = createTelegramPoller({
        telegram,
        isLeader: async () => true,
        async onUpdates(updates) {
          resolve(parseUpdates(updates, { botId: '700000007', slashWords: { menu: 'MENU' }, nowMs: Date.now() }))
          void poller?.stop()
        },
        onProblem: (problem) => {
          throw new Error(JSON.stringify(problem))
        },
      })
      poller.start()
    })

  it('a text goes both ways', async () => {
    await person.sendMessage(person.makeMessage('xin chào'))
    const { events } = await nextEvents()
    expect(events).toMatchObject([{ channelUserId: '555', content: { kind: 'text', text: 'xin chào' } }])

    const outcome = await channel.send('555', { text: 'Chào chị Lan!' })
    expect(outcome).toMatchObject({ kind: 'sent', platformMessageId: expect.stringMatching(/^555:\d+$/) })
    expect((await person.getUpdates()).result).toMatchObject([{ message: { text: 'Chào chị Lan!', chat_id: '555' } }])
  })

  it('a start link brings its code, a command its word', async () => {
    await person.sendCommand(person.makeCommand('/start ap-huynh_01'))
    await person.sendCommand(person.makeCommand('/menu'))
    const { events } = await nextEvents()
    expect(events.map(({ content }) => content)).toEqual([
      { kind: 'start', code: 'ap-huynh_01' },
      { kind: 'text', text: 'MENU' },
    ])
  })

  it('a choice comes back as a tap, and the tap is answered', async () => {
    const choices = [{ number: '1', label: 'Có', payload: 's1:doc:co' }]
    const outcome = await channel.send('555', { text: 'Ông bà có đọc báo không?', choices })
    if (outcome.kind !== 'sent') throw new Error(`not sent: ${outcome.kind}`)
    const [shown] = (await person.getUpdates()).result
    expect(shown?.message.reply_markup).toEqual({ inline_keyboard: [[{ text: 'Có', callback_data: 's1:doc:co' }]] })

    const query = person.makeCallbackQuery('s1:doc:co')
    await person.sendCallback({ ...query, message: { ...query.message, message_id: outcome.order } })
    const { events, callbackIds } = await nextEvents()
    expect(events).toMatchObject([{ order: outcome.order, content: { kind: 'tap', payload: 's1:doc:co' } }])
    expect(callbackIds).toHaveLength(1)
    expect(await channel.answerTap(callbackIds[0] ?? '')).toBe(true)
  })
})

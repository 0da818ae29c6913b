import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../support/app.ts'
import { startTelegramServer, type TelegramServer } from '../support/telegram/server.ts'
import { webhookOf } from './webhook.ts'

const SECRET = 'hook_SECRET-1'
const URL = '/webhooks/telegram'

let server: TelegramServer
let bot: TestApp
beforeAll(async () => {
  server = await startTelegramServer()
  bot = await startTestApp({
    environment: {
      TELEGRAM_BOT_TOKEN: server.token,
      TELEGRAM_API_URL: server.url,
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      PUBLIC_URL: 'https://bot.example.org',
    },
  })
})
afterAll(async () => {
  await bot.stop()
  await server.close()
})

type Fields = Record<string, unknown>
let made = 100
const message = (changes: Fields = {}) => ({
  message_id: ++made,
  date: Math.floor(Date.now() / 1_000),
  chat: { id: made, type: 'private' },
  text: 'xin chào',
  ...changes,
})
const update = (fields: Fields) => JSON.stringify({ update_id: 700_000_000 + ++made, ...fields })
const { post: postAs, rowsMadeBy, contentsOf, expectNothingStored } = webhookOf(() => bot, URL)
const post = (payload: string, headers: Record<string, string> = secret(SECRET)) => postAs(payload, headers)
const plain = () => update({ message: message() })
const secret = (value: string) => ({ 'X-Telegram-Bot-Api-Secret-Token': value })

/** [what, status, counted as, the request] */
const NOTHING_STORED: [string, number, string | undefined, () => Promise<number>][] = [
  ['no secret', 401, 'bad_signature', () => post(plain(), {})],
  ['an empty secret', 401, 'bad_signature', () => post(plain(), secret(''))],
  ['a wrong secret', 401, 'bad_signature', () => post(plain(), secret('wrong'))],
  ['a secret that begins rightly', 401, 'bad_signature', () => post(plain(), secret(`${SECRET}x`))],
  ['no JSON and no secret', 401, 'bad_signature', () => post('{"a', {})],
  ['no JSON', 400, 'bad_body', () => post('{"a')],
  ['nothing at all', 400, 'bad_body', () => post('')],
  ['an array', 400, 'bad_body', () => post('[]')],
  ['a text', 400, 'bad_body', () => post('"xin chào"')],
  ['no update', 400, 'bad_body', () => post('{"hello":"world"}')],
  ['over 1 MB', 413, undefined, () => post(update({ message: message({ text: 'a'.repeat(1024 * 1024) }) }))],
  ['an edited message', 200, 'unknown_event', () => post(update({ edited_message: message() }))],
  ['a kind from the future', 200, 'unknown_event', () => post(update({ something_new: {} }))],
  ['a message of a group', 200, 'unknown_event', () => post(update({ message: message({ chat: { id: -5, type: 'group' } }) }))],
  [
    'a tap in a group',
    200,
    'unknown_event',
    () => post(update({ callback_query: { id: '1', from: { id: 5 }, message: message({ chat: { id: -5, type: 'group' } }), data: 'x' } })),
  ],
  ['a message without anything in it', 200, 'unknown_event', () => post(update({ message: message({ text: undefined }) }))],
]

describe('nothing is stored for', () => {
  test.each(NOTHING_STORED)('%s: %i', (_what, status, outcome, request) => expectNothingStored(request, status, outcome))
})

describe('stored before 200, and once', () => {
  test('a message', async () => {
    const rows = await rowsMadeBy(async () => expect(await post(plain())).toBe(200))
    expect(rows).toMatchObject({ contact: 1, inbound_event: 1 })
  })

  test('one update delivered again and again, at once and later', async () => {
    const same = plain()
    const rows = await rowsMadeBy(async () => {
      const statuses = await Promise.all(Array.from({ length: 20 }, () => post(same)))
      expect([...statuses, await post(same)]).toEqual(Array(21).fill(200))
    })
    expect(rows).toMatchObject({ contact: 1, inbound_event: 1 })
  })

  test('of a place, a phone number and a file only that they were sent', async () => {
    const parts = ['22.3864', '103.4701', '0912345678', 'AgACAgUAAx']
    const chat = { id: 4711, type: 'private' }
    await post(update({ message: message({ chat, text: undefined, location: { latitude: 22.3864, longitude: 103.4701 } }) }))
    await post(update({ message: message({ chat, text: undefined, contact: { phone_number: '0912345678', first_name: 'Páo' } }) }))
    await post(update({ message: message({ chat, text: undefined, photo: [{ file_id: 'AgACAgUAAx', width: 1, height: 1 }] }) }))
    const contents = await contentsOf('4711')
    expect(contents).toEqual(['location', 'card', 'image'].map((media) => ({ kind: 'media', media })))
    for (const part of parts) expect(bot.logged()).not.toContain(part)
  })
})

test('a tap is answered once it is stored, whatever it was about', async () => {
  server.bot.openTaps.add('cb-1')
  const answered = new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (server.bot.openTaps.has('cb-1')) return
      clearInterval(look)
      resolve()
    }, 5)
  })
  await post(
    update({
      callback_query: { id: 'cb-1', from: { id: 99 }, message: message({ chat: { id: 99, type: 'private' } }), data: '1.consent.dong_y' },
    }),
  )
  await answered
})

test('without a bot token the door is shut, and Telegram is not even asked', async () => {
  const other = await startTestApp()
  try {
    const response = await other.app.http.inject({ method: 'POST', url: URL, headers: secret(SECRET), payload: plain() })
    expect(response.statusCode).toBe(401)
    expect(await other.sql`SELECT 1 FROM account WHERE channel = 'telegram'`).toEqual([])
  } finally {
    await other.stop()
  }
})

test('token, secret and words stay out of the log', () => {
  for (const part of [server.token, server.token.split(':')[1] ?? '', SECRET, 'xin chào']) expect(bot.logged()).not.toContain(part)
})

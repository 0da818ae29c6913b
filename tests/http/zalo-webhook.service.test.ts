import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signWebhook } from '../../src/zalo-oa-api-client/index.ts'
import { startTestApp, type TestApp, ZALO } from '../support/app.ts'
import { webhookOf } from './webhook.ts'

// Half a day after the golden webhook below was sent
const NOW = 1_795_343_000_000
const DAY_MS = 86_400_000
const keys = { appId: ZALO.ZALO_APP_ID, oaSecretKey: ZALO.ZALO_OA_SECRET_KEY }

let bot: TestApp
beforeAll(async () => {
  bot = await startTestApp({ now: () => new Date(NOW) })
})
afterAll(() => bot.stop())

type Fields = Record<string, unknown>
let made = 0
/** A person's message as the platform reports it; `undefined` takes a field away. */
const event = (changes: Fields = {}): Fields => ({
  app_id: ZALO.ZALO_APP_ID,
  event_name: 'user_send_text',
  timestamp: String(NOW - 1_000),
  sender: { id: `person-${++made}` },
  recipient: { id: ZALO.ZALO_OA_ID },
  message: { msg_id: `msg-${made}`, text: 'xin chào' },
  ...changes,
})

const { post, rowsMadeBy, contentsOf, expectNothingStored } = webhookOf(() => bot, '/webhooks/zalo')
const sign = (payload: string | Buffer, by = keys) => ({ 'X-ZEvent-Signature': signWebhook(Buffer.from(payload), by) })
const postSigned = (payload: string) => post(payload, sign(payload))
const send = (fields: Fields) => postSigned(JSON.stringify(fields))

const plain = JSON.stringify(event())
const arrayText = '[]'
const notAnObject = '"xin chào"'
const foreign = JSON.stringify(event({ app_id: '42' }))
const tooLong = JSON.stringify(event({ message: { msg_id: 'long', text: 'a'.repeat(1024 * 1024) } }))

/** [what, status, counted as, the request] */
const NOTHING_STORED: [string, number, string | undefined, () => Promise<number>][] = [
  ['{} unsigned', 200, 'probe', () => post('{}')],
  ['{} with a wrong signature', 401, 'bad_signature', () => post('{}', { 'X-ZEvent-Signature': `mac=${'0'.repeat(64)}` })],
  ['no signature', 401, 'bad_signature', () => post(plain)],
  ['a wrong signature', 401, 'bad_signature', () => post(plain, { 'X-ZEvent-Signature': `mac=${'0'.repeat(64)}` })],
  ['an empty signature', 401, 'bad_signature', () => post(plain, { 'X-ZEvent-Signature': '' })],
  ['the signature of another body', 401, 'bad_signature', () => post(plain, sign(`${plain} `))],
  ['a signature with the app secret', 401, 'bad_signature', () => post(plain, sign(plain, { ...keys, oaSecretKey: ZALO.ZALO_APP_SECRET }))],
  ['a foreign app_id, signed with our key', 401, 'bad_signature', () => postSigned(foreign)],
  ['a foreign app_id, signed with its own', 401, 'bad_signature', () => post(foreign, sign(foreign, { ...keys, appId: '42' }))],
  ['no JSON', 400, 'bad_body', () => post('{"event_name":')],
  ['no JSON, with a signature', 400, 'bad_body', () => post('chào', sign(plain))],
  ['an array', 400, 'bad_body', () => post(arrayText, sign(plain))],
  ['a text', 400, 'bad_body', () => post(notAnObject, sign(plain))],
  ['bytes that are no UTF-8', 400, 'bad_body', () => post(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
  ['nothing at all', 400, 'bad_body', () => post('')],
  ['over 1 MB', 413, undefined, () => postSigned(tooLong)],
  ['an unknown event', 200, 'unknown_event', () => send(event({ event_name: 'user_does_something_new' }))],
  ['an event without a name', 200, 'probe', () => send(event({ event_name: undefined }))],
  [
    'a reaction',
    200,
    'unknown_event',
    () => send(event({ event_name: 'user_reacted_message', message: { msg_id: 'r1', react_icon: '/-heart' } })),
  ],
  ['a visitor without an account', 200, 'unknown_event', () => send(event({ event_name: 'anonymous_send_text' }))],
  ['a word in a group', 200, 'unknown_event', () => send(event({ event_name: 'user_send_group_text' }))],
  ['an unknown account', 200, 'unknown_account', () => send(event({ recipient: { id: '999' } }))],
  ['an event older than 7 days', 200, 'too_old', () => send(event({ timestamp: String(NOW - 7 * DAY_MS - 1) }))],
]

describe('nothing is stored for', () => {
  test.each(NOTHING_STORED)('%s: %i', (_what, status, outcome, request) => expectNothingStored(request, status, outcome))
})

const STORED = { contact: 1, inbound_event: 1 }
const kept = (made: Record<string, number>) => ({ contact: made.contact ?? 0, inbound_event: made.inbound_event ?? 0 })

/** [what, the events in their order, how many are stored] */
const ONCE: [string, () => Fields[], number][] = [
  ['a message', () => [event()], 1],
  ['an event of almost 7 days ago', () => [event({ timestamp: String(NOW - 7 * DAY_MS + 1) })], 1],
  [
    'a repeat by msg_id',
    () => [
      event({ sender: { id: 'p-a' }, message: { msg_id: 'same', text: 'một' } }),
      event({ sender: { id: 'p-a' }, message: { msg_id: 'same', text: 'một' } }),
    ],
    1,
  ],
  [
    'a repeat by msg_id with another timestamp',
    () => [
      event({ sender: { id: 'p-b' }, message: { msg_id: 'same-b', text: 'một' } }),
      event({ sender: { id: 'p-b' }, timestamp: String(NOW - 5), message: { msg_id: 'same-b', text: 'một' } }),
    ],
    1,
  ],
  [
    'the same msg_id in another event',
    () => [
      event({ sender: { id: 'p-c' }, message: { msg_id: 'same-c', text: 'một' } }),
      event({
        sender: { id: 'p-c' },
        event_name: 'user_send_sticker',
        message: { msg_id: 'same-c', attachments: [{ type: 'sticker', payload: { id: '1' } }] },
      }),
    ],
    2,
  ],
  ['a repeat by event, timestamp and subject', () => [follow('p-d'), follow('p-d')], 1],
  ['a follow at another time', () => [follow('p-e'), follow('p-e', NOW - 2_000)], 2],
  ['a follow of another person', () => [follow('p-f'), follow('p-g')], 2],
]
const follow = (id: string, atMs = NOW - 1_000): Fields => ({
  app_id: ZALO.ZALO_APP_ID,
  oa_id: ZALO.ZALO_OA_ID,
  event_name: 'follow',
  source: 'testing_click',
  timestamp: String(atMs),
  follower: { id },
})

describe('stored before 200, and once', () => {
  test.each(ONCE)('%s', async (_what, events, stored) => {
    const rows = await rowsMadeBy(async () => {
      for (const each of events()) expect(await send(each)).toBe(200)
    })
    expect(rows.inbound_event).toBe(stored)
  })

  test('many at once of one event', async () => {
    const same = JSON.stringify(event())
    const rows = await rowsMadeBy(async () => {
      const statuses = await Promise.all(Array.from({ length: 20 }, () => postSigned(same)))
      expect(new Set(statuses)).toEqual(new Set([200]))
    })
    expect(kept(rows)).toEqual(STORED)
  })

  test('the golden webhook as it came, byte for byte', async () => {
    const body =
      '{"app_id":"1234567890123456789","user_id_by_app":"5550001112223334445","event_name":"user_send_text","timestamp":"1795299433840","sender":{"id":"9876543210987654321"},"recipient":{"id":"1122334455667788990"},"message":{"msg_id":"a1b2c3d4e5f60718293a","text":"Cho tôi hỏi thủ tục khai sinh"}}'
    const header = { 'X-ZEvent-Signature': 'mac=13fd6d2ce0ff39afe08cedd4c19545fce308ce68aa483d6d1199e591cd2e4a15' }
    expect(kept(await rowsMadeBy(async () => expect(await post(body, header)).toBe(200)))).toEqual(STORED)
    const contents = await contentsOf('9876543210987654321')
    expect(contents).toEqual([{ kind: 'text', text: 'Cho tôi hỏi thủ tục khai sinh' }])
  })
})

describe('of what people share nothing is kept but that they did', () => {
  const SECRET_PARTS = ['22.3864', '103.4701', '0912345678', 'Nhà ông Páo', 'https://f.zalo.example/x.jpg']
  test.each([
    [
      'a place',
      'user_send_location',
      {
        text: 'Nhà ông Páo',
        attachments: [{ type: 'location', payload: { coordinates: { latitude: '22.3864', longitude: '103.4701' } } }],
      },
      'location',
    ],
    [
      'a phone card',
      'user_send_business_card',
      {
        text: '{"phone":"0912345678"}',
        attachments: [{ type: 'link', payload: { description: '{"phone":"0912345678","gUid":"x"}', url: '' } }],
      },
      undefined,
    ],
    [
      'a picture',
      'user_send_image',
      { attachments: [{ type: 'image', payload: { url: 'https://f.zalo.example/x.jpg', thumbnail: 'https://f.zalo.example/x.jpg' } }] },
      'image',
    ],
  ] as const)('%s', async (_what, event_name, message, media) => {
    const id = `sharer-${event_name}`
    await send(event({ event_name, sender: { id }, message: { msg_id: `m-${event_name}`, ...message } }))
    const contents = await contentsOf(id)
    for (const part of SECRET_PARTS) expect(JSON.stringify(contents)).not.toContain(part)
    if (media) expect(contents).toEqual([{ kind: 'media', media }])
    for (const part of SECRET_PARTS) expect(bot.logged()).not.toContain(part)
  })
})

test('secrets and words stay out of the log', () => {
  for (const secret of [ZALO.ZALO_APP_SECRET, ZALO.ZALO_OA_SECRET_KEY, 'xin chào']) expect(bot.logged()).not.toContain(secret)
})

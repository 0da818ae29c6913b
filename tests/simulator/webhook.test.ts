import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { signatureOf } from '../../src/simulator/webhook/signature.ts'
import { accountInput, call, meet, OA, START, startSimulator, startWebhook, text } from './start.ts'

const MINUTE_MS = 60_000

async function startBoth(options: Parameters<typeof startSimulator>[0] = {}) {
  const webhook = await startWebhook()
  // one at a time, so that the order of arrival is the order of sending
  const simulator = await startSimulator({ accounts: [accountInput({ webhookUrl: webhook.url })], webhookConcurrency: 1, ...options })
  return { webhook, simulator }
}

describe('the signature', () => {
  // the golden vector of our platform notes, computed apart from this code
  const event = {
    appId: '1234567890123456789',
    body: '{"app_id":"1234567890123456789","user_id_by_app":"5550001112223334445","event_name":"user_send_text","timestamp":"1795299433840","sender":{"id":"9876543210987654321"},"recipient":{"id":"1122334455667788990"},"message":{"msg_id":"a1b2c3d4e5f60718293a","text":"Cho tôi hỏi thủ tục khai sinh"}}',
    timestamp: '1795299433840',
    oaSecretKey: 'OA_SECRET_made_up_0001',
  }
  test('is a plain SHA-256 over app id, exact body, timestamp and OA secret key', () => {
    expect(Buffer.byteLength(event.body)).toBe(298)
    expect(signatureOf(event)).toBe('mac=13fd6d2ce0ff39afe08cedd4c19545fce308ce68aa483d6d1199e591cd2e4a15')
  })

  test('fits the bytes as they are sent', async () => {
    const { webhook, simulator } = await startBoth()
    await meet(simulator)
    await simulator.flush()
    const [{ headers, raw, body }] = webhook.received as [(typeof webhook.received)[0]]
    const { appId, oaSecretKey } = event
    expect(headers['x-zevent-signature']).toBe(signatureOf({ appId, oaSecretKey, body: raw, timestamp: body.timestamp }))
    expect(headers).toMatchObject({ 'x-zevent-server': 'OA OpenAPI', 'user-agent': 'ZaloWebhook', 'content-type': 'application/json' })
    expect(headers['x-zevent-timestamp']).toBeUndefined()
    expect(body).toMatchObject({ app_id: appId, timestamp: String(START), recipient: { id: OA }, message: { text: 'Xin chào' } })
  })
})

describe('events', () => {
  test('of a conversation: the person, the echo, received, seen', async () => {
    const { webhook, simulator } = await startBoth()
    const { id, userId } = await meet(simulator)
    const sent = await call(simulator, '/v3.0/oa/message/cs', text(userId))
    simulator.people.see(id, OA)
    await simulator.flush()
    expect(webhook.names().sort()).toEqual(['oa_send_text', 'user_received_message', 'user_seen_message', 'user_send_text'])
    const find = (name: string) => webhook.received.find(({ body }) => body.event_name === name)?.body
    const { message_id } = sent.body.data
    const sides = { sender: { id: OA }, recipient: { id: userId } }
    expect(find('oa_send_text')).toMatchObject({ ...sides, message: { msg_id: message_id, text: 'Chào bà con' } })
    expect(find('oa_send_text').sender.admin_id).toBeUndefined()
    expect(find('user_received_message')).toMatchObject({ ...sides, message: { msg_id: message_id } })
    expect(find('user_seen_message')).toMatchObject({ ...sides, message: { msg_ids: [message_id] } })
  })

  test('of an officer who answers by hand carry the officer', async () => {
    const { webhook, simulator } = await startBoth()
    const { id, userId } = await meet(simulator)
    simulator.people.staffSays(OA, userId, { text: 'Dạ vâng', adminId: '7700000000000000001' })
    simulator.people.see(id, OA)
    await simulator.flush()
    // received and seen are told only to the app that sent
    expect(webhook.names()).toEqual(['user_send_text', 'oa_send_text'])
    expect(webhook.received[1]?.body.sender).toEqual({ id: OA, admin_id: '7700000000000000001' })
  })

  test.each([
    ['image', 'user_send_image', 'image'],
    ['gif', 'user_send_gif', 'gif'],
    ['voice', 'user_send_audio', 'audio'],
    ['file', 'user_send_file', 'file'],
    ['sticker', 'user_send_sticker', 'sticker'],
    ['location', 'user_send_location', 'location'],
    ['card', 'user_send_business_card', 'link'],
  ] as const)('%s', async (kind, name, type) => {
    const { webhook, simulator } = await startBoth()
    await simulator.platform.listen({ port: 0 })
    const person = simulator.people.create({ name: 'Mùa A Tủa' })
    await simulator.people.say(person.id, OA, { kind })
    await simulator.flush()
    const { body } = webhook.received[0]!
    expect([body.event_name, body.message.attachments[0].type]).toEqual([name, type])
    if (kind === 'location') expect(typeof body.message.attachments[0].payload.coordinates.latitude).toBe('string')
    const { url } = body.message.attachments[0].payload
    if (kind === 'image' || kind === 'file') expect((await fetch(url)).status).toBe(200)
  })

  test('of a tapped button are plain text with its payload, at any time later', async () => {
    const { webhook, simulator } = await startBoth()
    const { id, userId } = await meet(simulator)
    const buttons = [
      { title: 'Có', type: 'oa.query.hide', payload: 'CO' },
      { title: 'Không', type: 'oa.query.show', payload: 'KHÔNG' },
    ]
    const message = { text: 'Chọn', attachment: { type: 'template', payload: { buttons } } }
    const sent = await call(simulator, '/v3.0/oa/message/cs', text(userId, message))
    const messageId = sent.body.data.message_id
    await simulator.clock.advance(MINUTE_MS)
    const hidden = simulator.people.tap(id, { oaId: OA, messageId, button: 0 })
    const shown = simulator.people.tap(id, { oaId: OA, messageId, button: 1 })
    await simulator.flush()
    expect([hidden.message?.hidden, shown.message?.hidden]).toEqual([true, undefined])
    const taps = webhook.received.filter(({ body }) => body.event_name === 'user_send_text').slice(1)
    expect(taps.map(({ body }) => body.message.text)).toEqual(['CO', 'KHÔNG'])
  })

  test('of following have no sender', async () => {
    const { webhook, simulator } = await startBoth()
    const person = simulator.people.create({ name: 'Tẩn Mẩy' })
    const { userId } = simulator.people.follow(person.id, OA)
    simulator.people.unfollow(person.id, OA)
    await simulator.flush()
    expect(webhook.names()).toEqual(['follow', 'unfollow'])
    expect(webhook.received[0]?.body).toMatchObject({ oa_id: OA, follower: { id: userId }, source: 'oa_profile' })
    expect(webhook.received[0]?.body.sender).toBeUndefined()
  })

  test.each([
    ['old', { name: 'Lò Thị Ánh', phone: '84900000003', address: 'Bản 3', district: '', city: 'Lai Châu' }],
    [
      'new',
      {
        name: 'Lò Thị Ánh',
        phone: '84900000003',
        user_dob: '',
        gender: '',
        full_address: { user_city: 'Lai Châu', user_ward: '', user_address: 'Bản 3' },
      },
    ],
  ] as const)('of shared contact data come in the %s shape', async (submitInfo, info) => {
    const webhook = await startWebhook()
    const simulator = await startSimulator({ accounts: [accountInput({ webhookUrl: webhook.url, submitInfo, userIdByApp: false })] })
    const person = simulator.people.create({ name: 'Lò Thị Ánh' })
    simulator.people.submitInfo(person.id, OA, { name: 'Lò Thị Ánh', phone: '84900000003', address: 'Bản 3', city: 'Lai Châu' })
    await simulator.flush()
    expect(webhook.received[0]?.body).toMatchObject({ event_name: 'user_submit_info', info })
    expect(webhook.received[0]?.body).not.toHaveProperty('user_id_by_app')
  })

  test('can be switched off one by one', async () => {
    const { webhook, simulator } = await startBoth()
    simulator.account(OA).setEvent('user_received_message', false)
    const { userId } = await meet(simulator)
    await call(simulator, '/v3.0/oa/message/cs', text(userId))
    await simulator.flush()
    expect(webhook.names()).toEqual(['user_send_text', 'oa_send_text'])
  })

  test('of an offline phone wait: both ways', async () => {
    const { webhook, simulator } = await startBoth()
    const { id, userId } = await meet(simulator)
    simulator.people.setOnline(id, false)
    const said = await simulator.people.say(id, OA, { kind: 'text', text: 'Ở nương' })
    await call(simulator, '/v3.0/oa/message/cs', text(userId))
    await simulator.flush()
    expect([webhook.names(), said.status]).toEqual([['user_send_text', 'oa_send_text'], 'waiting'])
    await simulator.clock.advance(MINUTE_MS)
    simulator.people.setOnline(id, true)
    await simulator.flush()
    expect(webhook.names().slice(2).sort()).toEqual(['user_received_message', 'user_send_text'])
    const late = webhook.received.find(({ body }) => body.message.text === 'Ở nương')
    expect(late?.body.timestamp).toBe(String(START + MINUTE_MS))
    expect([said.status, said.at]).toEqual(['sent', START + MINUTE_MS])
  })
})

describe('an unacknowledged event', () => {
  test('is tried again after 30 s, 5, 15, 30 and 60 minutes; then the webhook is off', async () => {
    const { webhook, simulator } = await startBoth()
    webhook.answer = 500
    await meet(simulator)
    await simulator.flush()
    const counts: number[] = [webhook.received.length]
    for (const wait of [29_999, 1, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS]) {
      await simulator.clock.advance(wait)
      counts.push(webhook.received.length)
    }
    expect(counts).toEqual([1, 1, 2, 3, 4, 5, 6])
    expect(webhook.received.map(({ headers }) => headers.num_retry)).toEqual([undefined, '1', '2', '3', '4', '5'])
    expect(new Set(webhook.received.map(({ raw }) => raw)).size).toBe(1)
    expect(simulator.account(OA).settings().webhookEnabled).toBe(false)
    webhook.answer = 200
    await meet(simulator)
    await simulator.flush()
    expect(webhook.received).toHaveLength(6)
    simulator.account(OA).enableWebhook()
    await meet(simulator)
    await simulator.flush()
    expect(webhook.received).toHaveLength(7)
  })

  test('one long jump of the clock passes through every step', async () => {
    const { webhook, simulator } = await startBoth()
    webhook.answer = 'reset'
    await meet(simulator)
    await simulator.clock.advance(2 * 60 * MINUTE_MS)
    expect(webhook.received).toHaveLength(6)
  })

  test('ends at the first 200', async () => {
    const { webhook, simulator } = await startBoth()
    webhook.answer = 404
    await meet(simulator)
    await simulator.flush()
    webhook.answer = 200
    await simulator.clock.advance(6 * 60 * MINUTE_MS)
    expect(webhook.received).toHaveLength(2)
  })

  test('is one that is not answered in time', async () => {
    const { webhook, simulator } = await startBoth({ webhookTimeoutMs: 20 })
    webhook.answer = 'hang'
    await meet(simulator)
    await simulator.flush()
    expect(simulator.counters().webhooks).toEqual({ delivered: 0, dropped: 0, answers: { failed: 1 } })
  })

  test('has a ladder of its own, for ever when told so', async () => {
    const { webhook, simulator } = await startBoth({ retryLadderMs: [10, 20], neverDisable: true })
    webhook.answer = 503
    await meet(simulator)
    await simulator.clock.advance(10 + 20 * 10)
    expect(webhook.received).toHaveLength(12)
    expect(simulator.account(OA).settings().webhookEnabled).toBe(true)
  })

  test('is not one whose kept-alive connection had just been closed: a fresh one is tried at once', async () => {
    const served = new WeakSet<Socket>()
    const server = createServer((request, response) => {
      if (served.has(request.socket)) request.socket.destroy()
      else response.end()
      served.add(request.socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const simulator = await startSimulator({ accounts: [accountInput({ webhookUrl })] })
    for (let i = 0; i < 3; i++) {
      await meet(simulator)
      await simulator.flush()
    }
    expect(simulator.counters().webhooks).toEqual({ delivered: 3, dropped: 0, answers: { '200': 3 } })
  })

  test('is gone when the console does not retry', async () => {
    const webhook = await startWebhook()
    const simulator = await startSimulator({ accounts: [accountInput({ webhookUrl: webhook.url, webhookRetry: false })] })
    webhook.answer = 500
    await meet(simulator)
    await simulator.clock.advance(3 * 60 * MINUTE_MS)
    expect(webhook.received).toHaveLength(1)
  })
})

test('saving an address probes it with an unsigned {} and keeps it only after 200', async () => {
  const webhook = await startWebhook()
  const simulator = await startSimulator()
  webhook.answer = 401
  expect(await simulator.account(OA).saveWebhook(webhook.url)).toEqual({ status: 401, saved: false })
  expect(simulator.account(OA).settings().webhookUrl).toBeUndefined()
  webhook.answer = 200
  expect(await simulator.account(OA).saveWebhook(webhook.url)).toEqual({ status: 200, saved: true })
  expect(webhook.received.map(({ raw }) => raw)).toEqual(['{}', '{}'])
  expect(webhook.received[0]?.headers['x-zevent-signature']).toBeUndefined()
  expect(simulator.account(OA).settings().webhookUrl).toBe(webhook.url)
})

test('reactions, the first click on "Nhắn tin", a withdrawal and shared contact data are events; the last is known of the person', async () => {
  const { webhook, simulator } = await startBoth()
  const person = simulator.people.create({ name: 'Lò Thị Ánh' })
  const { userId } = simulator.people.thread(person.id, OA)
  simulator.people.clickChatNow(person.id, OA)
  simulator.people.clickChatNow(person.id, OA)
  const said = await simulator.people.say(person.id, OA, { kind: 'text', text: 'Chào' })
  const sent = await call(simulator, '/v3.0/oa/message/cs', text(userId))
  simulator.people.react(person.id, sent.body.data.message_id, '/-heart')
  const reaction = { recipient: { user_id: userId }, sender_action: { react_icon: '/-strong', react_message_id: said.id } }
  expect((await call(simulator, '/v2.0/oa/message', reaction)).body.error).toBe(0)
  simulator.people.submitInfo(person.id, OA, { name: 'Lò Thị Ánh', phone: '84900000003' })
  simulator.people.withdraw(person.id, OA)
  await simulator.flush()
  expect(webhook.names()).toEqual([
    'user_click_chatnow',
    'user_send_text',
    'oa_send_text',
    'user_received_message',
    'user_reacted_message',
    'oa_reacted_message',
    'user_submit_info',
    'user_withdraw',
  ])
  const detail = await call(simulator, `/v3.0/oa/user/detail?data=${encodeURIComponent(JSON.stringify({ user_id: userId }))}`)
  expect(detail.body.data.shared_info).toMatchObject({ phone: '84900000003' })
})

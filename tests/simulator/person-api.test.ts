import fastify, { type FastifyInstance } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { accountInput, call, meet, OA, START, startSimulator, startWebhook, text } from './start.ts'

async function startDoor(simulator: Simulator): Promise<FastifyInstance> {
  const door = fastify({ forceCloseConnections: true })
  await door.register(simulator.personApi, { prefix: '/phone' })
  onTestFinished(() => door.close())
  return door
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

async function ask(door: FastifyInstance, method: Method, path: string, payload?: object) {
  const response = await door.inject({ method, url: `/phone${path}`, ...(payload && { payload }) })
  return { status: response.statusCode, body: response.json() }
}

test('a person is created, follows, writes, reads, taps, sees', async () => {
  const simulator = await startSimulator()
  const door = await startDoor(simulator)
  expect((await ask(door, 'GET', '/api/accounts')).body).toEqual([{ oa_id: OA, name: 'UBND xã Bình Lư', oa_type: 2, buttons: true }])
  const created = await ask(door, 'POST', '/api/people', { name: 'Giàng A Páo', label: 'Trưởng bản' })
  expect(created).toMatchObject({ status: 201, body: { name: 'Giàng A Páo', label: 'Trưởng bản', following: [], online: true } })
  const person = `/api/people/${created.body.id}`
  await ask(door, 'POST', `${person}/follow`, { oa_id: OA })
  expect((await ask(door, 'GET', '/api/people')).body[0].following).toEqual([OA])
  const said = await ask(door, 'POST', `${person}/messages`, { oa_id: OA, kind: 'text', text: 'Xin chào' })
  expect(said.body).toEqual({ msg_id: expect.stringMatching(/^[0-9a-f]{20}$/), at: START })
  await ask(door, 'POST', `${person}/messages`, { oa_id: OA, kind: 'image' })
  const { userId } = simulator.people.thread(created.body.id, OA)
  const buttons = [{ title: 'Có', type: 'oa.query.hide', payload: 'CO' }]
  const message = { text: 'Chọn', attachment: { type: 'template', payload: { buttons } } }
  const sent = await call(simulator, '/v3.0/oa/message/cs', text(userId, message))
  await ask(door, 'POST', `${person}/seen`, { oa_id: OA })
  await ask(door, 'POST', `${person}/tap`, { oa_id: OA, msg_id: sent.body.data.message_id, button: 0 })
  const { body } = await ask(door, 'GET', `${person}/messages?oa_id=${OA}&after=1`)
  expect(body).toMatchObject([
    { seq: 2, from: 'person', kind: 'text', text: 'Xin chào', status: 'sent' },
    { seq: 3, from: 'person', kind: 'image', url: expect.stringMatching(/^\/phone\/files\//) },
    { seq: 4, from: 'oa', kind: 'text', text: 'Chọn', buttons, status: 'seen' },
    { seq: 5, from: 'person', kind: 'text', text: 'CO', hidden: true },
  ])
  expect((await door.inject(body[1].url)).headers['content-type']).toBe('image/png')
  await ask(door, 'POST', '/api/staff', { oa_id: OA, user_id: userId, text: 'Dạ', admin_id: '77' })
  expect((await ask(door, 'GET', `${person}/messages?oa_id=${OA}&after=5`)).body).toMatchObject([{ from: 'staff', text: 'Dạ' }])
})

test('a mistake is answered with one sentence', async () => {
  const simulator = await startSimulator()
  const door = await startDoor(simulator)
  const { id } = await meet(simulator)
  const answers = [
    await ask(door, 'POST', '/api/people', {}),
    await ask(door, 'GET', '/api/people/5/messages'),
    await ask(door, 'POST', `/api/people/${id}/messages`, { oa_id: '5', kind: 'text', text: 'x' }),
    await ask(door, 'POST', `/api/people/${id}/tap`, { oa_id: OA, msg_id: 'x', button: 0 }),
  ]
  expect(answers.map(({ status }) => status)).toEqual([400, 404, 404, 404])
  for (const { body } of answers) expect(body).toEqual({ error: expect.any(String) })
})

test('an open phone hears of messages and of what becomes of them', async () => {
  const simulator = await startSimulator()
  const door = await startDoor(simulator)
  const { id, userId } = await meet(simulator)
  const origin = await door.listen({ port: 0 })
  const response = await fetch(`${origin}/phone/api/people/${id}/stream`)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let heard = ''
  const until = async (part: string) => {
    while (!heard.includes(part)) heard += (await reader.read()).value ?? ''
  }
  await until(': open')
  await call(simulator, '/v3.0/oa/message/cs', text(userId))
  await until('Chào bà con')
  simulator.people.see(id, OA)
  await until('"status":"seen"')
  expect(heard).toMatch(/event: message\ndata: \{"oa_id":"1122334455667788990","seq":2,/)
  expect(heard).toMatch(/event: status\ndata: /)
  await reader.cancel()
})

test('another process steers the platform', async () => {
  const webhook = await startWebhook()
  const simulator = await startSimulator({ accounts: [accountInput({ perMinute: 1_000 })] })
  const door = await startDoor(simulator)
  const probe = await ask(door, 'PUT', '/control/webhook', { oa_id: OA, url: webhook.url, events: { user_seen_message: false } })
  expect(probe.body).toMatchObject({ probe: { status: 200, saved: true }, enabled: true, events_off: ['user_seen_message'] })
  const tokens = (await ask(door, 'POST', '/control/tokens', { oa_id: OA })).body
  const people = (await ask(door, 'POST', '/control/people', { oa_id: OA, count: 3 })).body
  await ask(door, 'POST', '/control/faults', { call: { endpoint: 'message/cs', nth: 1, when: 'after', answer: { code: -200 } } })
  for (const { user_id } of people) await call(simulator, '/v3.0/oa/message/cs', text(user_id), { token: tokens.access_token })
  await ask(door, 'POST', '/control/flush')
  const counters = (await ask(door, 'GET', '/control/counters')).body
  expect(counters).toMatchObject({
    requests: { '/v3.0/oa/message/cs': 3 },
    answers: { '/v3.0/oa/message/cs': { '0': 3 } },
    faults: { code: 1 },
    webhooks: { delivered: 6 },
    waiting: 0,
  })
  const transcript = (await door.inject(`/phone/control/transcript?oa_id=${OA}`)).body.trim().split('\n')
  expect(transcript.map((line) => JSON.parse(line).user_id)).toEqual(people.map((person: { user_id: string }) => person.user_id))
  expect((await ask(door, 'PUT', '/control/clock', { advance_ms: 90_000_000 })).body).toEqual({
    now: START + 90_000_000,
    offset_ms: 90_000_000,
  })
  expect((await call(simulator, '/v2.0/oa/getoa', undefined, { token: tokens.access_token })).body.error).toBe(-216)
  expect((await ask(door, 'PATCH', `/control/account?oa_id=${OA}`, { package: 'basic' })).body.package).toBe('basic')
  expect((await call(simulator, '/v2.0/oa/getoa')).body.error).toBe(-224)
  expect((await ask(door, 'PATCH', `/control/account?oa_id=${OA}`, { package: 'gold' })).status).toBe(400)
  expect((await ask(door, 'DELETE', '/control/faults')).body).toEqual([])
})

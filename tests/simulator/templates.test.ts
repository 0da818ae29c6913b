import { expect, test } from 'vitest'
import { accountInput, call, DAY_MS, meet, OA, startSimulator, startWebhook } from './start.ts'

const template = { id: '272889', text: 'Chào <ho_ten>, hồ sơ <ma_ho_so> đã xong.' }
const data = { ho_ten: 'Giàng A Páo', ma_ho_so: 'HS-01' }
const ADMIN = '84900000001'
const CITIZEN = '84900000002'

test('by the person’s id, also when the window is closed', async () => {
  const simulator = await startSimulator({ accounts: [accountInput({ templates: [template, { ...template, id: '2', byUserId: false }] })] })
  const { id, userId } = await meet(simulator)
  await simulator.clock.advance(30 * DAY_MS)
  const send = async (changes: object) =>
    (await call(simulator, '/v3.0/oa/message/template', { user_id: userId, template_id: template.id, template_data: data, ...changes }))
      .body.error
  expect(await send({})).toBe(0)
  expect(simulator.people.thread(id, OA).messages.at(-1)?.text).toBe('Chào Giàng A Páo, hồ sơ HS-01 đã xong.')
  expect(await send({ template_data: { ho_ten: 'x' } })).toBe(-201)
  expect(await send({ template_id: '1' })).toBe(-201)
  expect(await send({ template_id: '2' })).toBe(-249)
  expect(await send({ tracking_id: 'x' })).toBe(-201)
  simulator.people.setMuted(id, OA, true)
  expect(await send({})).toBe(-244)
})

test.each<[name: string, changes: object, error: number]>([
  ['as it should be', {}, 0],
  ['phone without country', { phone: '0900000001' }, -108],
  ['no tracking id', { tracking_id: undefined }, -132],
  ['tracking id of 49', { tracking_id: 'x'.repeat(49) }, -132],
  ['unknown template', { template_id: '1' }, -109],
  ['missing data', { template_data: {} }, -112],
  ['development to someone who is no administrator', { phone: CITIZEN }, -127],
  ['a template not yet approved, in earnest', { mode: undefined }, -131],
  ['a phone without the app', { phone: '84900000009' }, -127],
])('by phone in development mode: %s', async (_name, changes, error) => {
  const webhook = await startWebhook()
  const account = accountInput({ webhookUrl: webhook.url, templates: [{ ...template, approved: false }], adminPhones: [ADMIN] })
  const simulator = await startSimulator({ accounts: [account] })
  const person = simulator.people.create({ name: 'Cán bộ', phone: ADMIN })
  simulator.people.create({ name: 'Người dân', phone: CITIZEN })
  const body = { phone: ADMIN, template_id: template.id, template_data: data, tracking_id: 'hs-01', mode: 'development', ...changes }
  const answer = await call(simulator, '/message/template', body)
  expect(answer.body.error).toBe(error)
  await simulator.flush()
  if (error !== 0) return expect(webhook.received).toEqual([])
  expect(answer.body.data).toMatchObject({ sending_mode: '1', quota: { dailyQuota: '500', remainingQuota: '499' } })
  expect(simulator.people.thread(person.id, OA).messages).toHaveLength(1)
  expect(webhook.received.map(({ headers }) => headers['x-zevent-server'])).toEqual(['ZNS'])
  expect(webhook.received[0]?.body).toMatchObject({
    event_name: 'user_received_message',
    recipient: { id: ADMIN },
    message: { msg_id: answer.body.data.msg_id, tracking_id: 'hs-01' },
  })
})

test('a wrong token has its own number on the business host', async () => {
  const simulator = await startSimulator()
  expect((await call(simulator, '/message/template', {}, { token: 'x' })).body.error).toBe(-124)
})

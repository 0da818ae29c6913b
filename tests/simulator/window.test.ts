import { describe, expect, test } from 'vitest'
import { accountInput, call, DAY_MS, meet, OA, startSimulator, text } from './start.ts'

const HOUR_MS = 3_600_000

describe('the window since the last interaction', () => {
  test.each<[name: string, waitMs: number, error: number, quota: string | undefined]>([
    ['at once', 0, 0, 'reply'],
    ['after 48 hours', 48 * HOUR_MS, 0, 'reply'],
    ['a moment later it is of the paid kind', 48 * HOUR_MS + 1, 0, 'sub_quota'],
    ['after 7 days', 7 * DAY_MS, 0, 'sub_quota'],
    ['a moment later it is closed', 7 * DAY_MS + 1, -230, undefined],
  ])('%s', async (_name, waitMs, error, quota) => {
    const simulator = await startSimulator()
    const { userId } = await meet(simulator)
    await simulator.clock.advance(waitMs)
    const { body } = await call(simulator, '/v3.0/oa/message/cs', text(userId))
    expect([body.error, body.data?.quota?.quota_type]).toEqual([error, quota])
  })

  test('is opened by following, tapping, clicking "Nhắn tin"; never before', async () => {
    const simulator = await startSimulator()
    const person = simulator.people.create({ name: 'Vàng A Sử' })
    const { userId } = simulator.people.thread(person.id, OA)
    const send = async () => (await call(simulator, '/v3.0/oa/message/cs', text(userId))).body.error
    const late = async () => {
      await simulator.clock.advance(8 * DAY_MS)
      return send()
    }
    expect(await send()).toBe(-232)
    simulator.people.clickChatNow(person.id, OA)
    expect(await send()).toBe(0)
    expect(await late()).toBe(-230)
    simulator.people.follow(person.id, OA)
    const url = { title: 'Xem', type: 'oa.open.url', payload: { url: 'https://example.vn' } }
    const message = { text: 'Xem', attachment: { type: 'template', payload: { buttons: [url] } } }
    const sent = await call(simulator, '/v3.0/oa/message/cs', text(userId, message))
    expect(await late()).toBe(-230)
    const tapped = simulator.people.tap(person.id, { oaId: OA, messageId: sent.body.data.message_id, button: 0 })
    expect(tapped).toEqual({ opens: { type: 'oa.open.url', target: 'https://example.vn' } })
    expect(await send()).toBe(0)
  })

  test('when the package is used up, money decides', async () => {
    const simulator = await startSimulator({ accounts: [accountInput({ monthlyQuota: 2 })] })
    const { userId } = await meet(simulator)
    await simulator.clock.advance(3 * DAY_MS)
    const send = () => call(simulator, '/v3.0/oa/message/cs', text(userId))
    expect([(await send()).body.data.quota.remain, (await send()).body.data.quota.remain]).toEqual(['1', '0'])
    const billed = await send()
    expect([billed.body.error, billed.body.data.quota]).toEqual([0, undefined])
    simulator.account(OA).change({ zaloCloud: 'none' })
    expect((await send()).body.error).toBe(-320)
    simulator.account(OA).change({ zaloCloud: 'empty' })
    expect((await send()).body.error).toBe(-321)
    expect((await call(simulator, '/v2.0/oa/quota/message', {})).body.data).toEqual({ type: 'active', remain: 0, total: 2 })
  })
})

test.each<[name: string, act: (people: Awaited<ReturnType<typeof startSimulator>>['people'], id: string) => void, error: number]>([
  ['muted', (people, id) => people.setMuted(id, OA, true), -244],
  ['blocked', (people, id) => people.setBlocked(id, OA, true), -213],
  ['banned', (people, id) => people.setBanned(id, true), -227],
  ['unfollowed', (people, id) => people.unfollow(id, OA), -213],
])('a person who %s the account', async (_name, act, error) => {
  const simulator = await startSimulator()
  const { id, userId } = await meet(simulator)
  simulator.people.follow(id, OA)
  act(simulator.people, id)
  expect((await call(simulator, '/v3.0/oa/message/cs', text(userId))).body.error).toBe(error)
})

test('who unfollowed and then writes can be answered', async () => {
  const simulator = await startSimulator()
  const { id, userId } = await meet(simulator)
  simulator.people.follow(id, OA)
  simulator.people.unfollow(id, OA)
  await simulator.people.say(id, OA, { kind: 'text', text: 'Hỏi thêm' })
  expect((await call(simulator, '/v3.0/oa/message/cs', text(userId))).body.error).toBe(0)
})

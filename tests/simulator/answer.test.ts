import { expect, test } from 'vitest'
import { call, meet, OA, START, startSimulator, text } from './start.ts'

test('a sent message is answered with ids as text, its time and the quota that pays for it', async () => {
  const simulator = await startSimulator()
  const { userId } = await meet(simulator)
  const { body, headers } = await call(simulator, '/v3.0/oa/message/cs', text(userId))
  expect(body).toEqual({
    data: {
      message_id: expect.stringMatching(/^[0-9a-f]{20}$/),
      user_id: userId,
      sent_time: String(START),
      quota: { quota_type: 'reply', remain: '8', total: '8', expired_date: '24/11/2026', owner_type: 'OA', owner_id: OA },
    },
    error: 0,
    message: 'Success',
  })
  expect(BigInt(userId)).toBeGreaterThan(BigInt(Number.MAX_SAFE_INTEGER))
  expect(headers).toMatchObject({ 'x-ratelimit-limit': '100', 'x-ratelimit-remain': '99' })
})

test('the answer may be to a message instead of a person, eight times', async () => {
  const simulator = await startSimulator()
  const person = simulator.people.create({ name: 'Lò Thị Ánh' })
  const asked = await simulator.people.say(person.id, OA, { kind: 'text', text: 'Hỏi' })
  const body = { recipient: { message_id: asked.id }, message: { text: 'Đáp' } }
  for (let i = 0; i < 8; i++) expect((await call(simulator, '/v3.0/oa/message/cs', body)).body.error).toBe(0)
  expect((await call(simulator, '/v3.0/oa/message/cs', body)).body.error).toBe(-211)
})

test('getoa tells the type of the account', async () => {
  const simulator = await startSimulator()
  expect((await call(simulator, '/v2.0/oa/getoa')).body.data).toMatchObject({ oa_id: OA, oa_type: 2, is_verified: true, num_follower: 0 })
})

test('a conversation is read newest first, ten at most', async () => {
  const simulator = await startSimulator()
  const { id, userId } = await meet(simulator)
  await call(simulator, '/v3.0/oa/message/cs', text(userId))
  simulator.people.setOnline(id, false)
  await simulator.people.say(id, OA, { kind: 'text', text: 'Chưa gửi được' })
  const read = (data: unknown) => call(simulator, `/v2.0/oa/conversation?data=${encodeURIComponent(JSON.stringify(data))}`)
  const { body } = await read({ user_id: userId, offset: 0, count: 10 })
  expect(body.data).toMatchObject([
    { src: 0, type: 'text', message: 'Chào bà con', from_id: OA, to_id: userId },
    { src: 1, type: 'text', message: 'Xin chào', from_id: userId, to_id: OA },
  ])
  expect((await read({ user_id: userId, offset: 0, count: 11 })).body.error).toBe(-210)
  expect((await call(simulator, `/v2.0/oa/conversation?user_id=${userId}`)).body.error).toBe(-201)
})

test('people are listed and tagged', async () => {
  const simulator = await startSimulator()
  const { id, userId } = await meet(simulator)
  await meet(simulator)
  simulator.people.follow(id, OA)
  const list = (data: unknown) => call(simulator, `/v3.0/oa/user/getlist?data=${encodeURIComponent(JSON.stringify(data))}`)
  expect((await list({ offset: 0, count: 50 })).body.data.total).toBe(2)
  expect((await list({ offset: 0, count: 50, is_follower: true })).body.data.users).toEqual([{ user_id: userId }])
  expect((await list({ offset: 0, count: 51 })).body.error).toBe(-210)
  expect((await list({ offset: 9_952, count: 50 })).body.error).toBe(-210)
  expect((await list({ offset: 0, count: 50, last_interaction_period: 'TODAY' })).body.data.total).toBe(2)
  expect((await list({ offset: 0, count: 50, last_interaction_period: 'YESTERDAY' })).body.data.total).toBe(0)
  await call(simulator, '/v2.0/oa/tag/tagfollower', { user_id: userId, tag_name: 'Bản Tân Bình' })
  expect((await call(simulator, '/v2.0/oa/tag/gettagsofoa')).body.data).toEqual(['Bản Tân Bình'])
  expect((await list({ offset: 0, count: 50, tag_name: 'Bản Tân Bình' })).body.data.total).toBe(1)
  const detail = await call(simulator, `/v3.0/oa/user/detail?data=${encodeURIComponent(JSON.stringify({ user_id: userId }))}`)
  expect(detail.body.data).toMatchObject({ display_name: 'Giàng A Páo', user_is_follower: true, user_last_interaction_date: '22/11/2026' })
})

test('an article is processed, then broadcast to followers, never at night', async () => {
  const simulator = await startSimulator()
  const { id } = await meet(simulator)
  await meet(simulator)
  const thread = simulator.people.follow(id, OA)
  const article = {
    type: 'normal',
    title: 'Ngày hội học tập',
    author: 'Hội Khuyến học',
    description: 'Mời bà con',
    cover: { cover_type: 'photo', photo_url: 'https://example.vn/a.png', status: 'show' },
    body: [{ type: 'text', content: 'Nội dung' }],
  }
  const { token } = (await call(simulator, '/v2.0/article/create', article)).body.data
  expect((await call(simulator, '/v2.0/article/verify', { token })).body.error).toBe(-214)
  await simulator.clock.advance(5_000)
  const { id: articleId } = (await call(simulator, '/v2.0/article/verify', { token })).body.data
  const body = {
    recipient: { target: { cities: '9' } },
    message: {
      attachment: {
        type: 'template',
        payload: { template_type: 'media', elements: [{ media_type: 'article', attachment_id: articleId }] },
      },
    },
  }
  expect((await call(simulator, '/v2.0/oa/message', body)).body.error).toBe(0)
  await simulator.clock.advance(30 * 60_000)
  expect(thread.messages.at(-1)).toMatchObject({ kind: 'list', elements: [{ title: 'Ngày hội học tập' }] })
  expect(simulator.account(OA).threads()[1]?.messages).toHaveLength(1)
  await simulator.clock.advance(12 * 3_600_000)
  expect((await call(simulator, '/v2.0/oa/message', body)).body.error).toBe(-234)
})

test('a group message reaches a living group of the account only', async () => {
  const simulator = await startSimulator()
  const group = simulator.account(OA).addGroup({ name: 'Bản Tân Bình' })
  const body = (id: string) => ({ recipient: { group_id: id }, message: { text: 'Chào cả bản' } })
  expect((await call(simulator, '/v3.0/oa/group/message', body(group))).body.data.group_id).toBe(group)
  expect((await call(simulator, '/v3.0/oa/group/message', body('g1'))).body.error).toBe(-403)
  simulator.account(OA).setGroupDisabled(group, true)
  expect((await call(simulator, '/v3.0/oa/group/message', body(group))).body.error).toBe(-237)
})

import { afterEach, beforeEach, expect, test } from 'vitest'
import { endpointFor } from '../../src/zalo-oa-api-client/index.ts'
import { bodyOf, clientTo, errorOf, type FakeZalo, startFakeZalo } from './fake-zalo.ts'

const USER = '9876543210987654321'
const OA = '1122334455667788990'
let zalo: FakeZalo
beforeEach(async () => {
  zalo = await startFakeZalo()
})
afterEach(() => zalo.stop())

const queryOf = (index = 0) => JSON.parse(zalo.seen[index]?.query.get('data') ?? 'null')
const raw = (body: string) => (response: import('node:http').ServerResponse) => response.end(body)

test('a person in detail, with ids as strings however they came', async () => {
  zalo.next(
    '/v3.0/oa/user/detail',
    raw(`{"error":0,"data":{"user_id":${USER},"user_id_by_app":"5550001112223334445","user_external_id":"","display_name":"Bà A","user_alias":"A",
      "is_sensitive":false,"user_last_interaction_date":"21/11/2026","user_is_follower":true,"avatar":"https://example.vn/a","avatars":{"120":"x"},
      "dynamic_param":"","tags_and_notes_info":{"notes":["n"],"tag_names":["t"]},
      "shared_info":{"name":"A","phone":84900000000,"address":"","city":"Lai Châu"},"new_field":{"x":1}}}`),
  )
  expect(await clientTo(zalo).getUser(USER)).toEqual({
    userId: USER,
    userIdByApp: '5550001112223334445',
    externalId: undefined,
    displayName: 'Bà A',
    alias: 'A',
    isSensitive: false,
    lastInteractionDate: '21/11/2026',
    isFollower: true,
    avatarUrl: 'https://example.vn/a',
    tags: ['t'],
    notes: ['n'],
    shared: { name: 'A', phone: '84900000000', address: undefined, district: undefined, city: 'Lai Châu', birthDate: undefined },
  })
  expect(zalo.seen[0]).toMatchObject({ method: 'GET', path: '/v3.0/oa/user/detail' })
  expect(zalo.seen[0]?.query.get('data')).toBe(`{"user_id":"${USER}"}`)
})

test('a person of whom little is known', async () => {
  zalo.next('/v3.0/oa/user/detail', { error: 0, data: { user_id: USER } })
  expect(await clientTo(zalo).getUser(USER)).toMatchObject({ userId: USER, tags: [], notes: [], shared: undefined })
})

test('a page of people', async () => {
  zalo.next('/v3.0/oa/user/getlist', { error: 0, data: { total: 2, count: 50, offset: 0, users: [{ user_id: USER }, { user_id: '1' }] } })
  const client = clientTo(zalo)
  expect(await client.listUsers({ lastInteraction: 'L7D', isFollower: true })).toEqual({ total: 2, offset: 0, userIds: [USER, '1'] })
  expect(queryOf()).toEqual({ offset: 0, count: 50, last_interaction_period: 'L7D', is_follower: true })
  for (const bad of [{ offset: 9952 }, { offset: -1 }, { count: 51 }, { count: 0 }]) {
    expect(await errorOf(client.listUsers(bad))).toBeInstanceOf(RangeError)
  }
})

test('a conversation names the person on both sides and who wrote', async () => {
  const common = { type: 'text', from_display_name: 'x', to_display_name: 'y' }
  zalo.next('/v2.0/oa/conversation', {
    error: 0,
    data: [
      { ...common, src: 0, time: 1795299433840, message: 'Dạ vâng', message_id: 'm2', from_id: OA, to_id: USER },
      { src: '1', time: '1795299433000', message_id: 'm1', from_id: USER, to_id: OA, url: 'https://example.vn/i', extra: 1 },
    ],
  })
  const items = await clientTo(zalo).getConversation(USER)
  expect(items).toMatchObject([
    { messageId: 'm2', direction: 'outbound', userId: USER, displayName: 'y', timeMs: 1795299433840, text: 'Dạ vâng' },
    { messageId: 'm1', direction: 'inbound', userId: USER, timeMs: 1795299433000, text: undefined, url: 'https://example.vn/i' },
  ])
  expect(queryOf()).toEqual({ user_id: USER, offset: 0, count: 10 })
})

test('recent chats, and the limit of 10', async () => {
  zalo.next('/v2.0/oa/listrecentchat', { error: 0, data: [] })
  const client = clientTo(zalo)
  expect(await client.listRecentChats({ offset: 10, count: 5 })).toEqual([])
  expect(queryOf()).toEqual({ offset: 10, count: 5 })
  expect(await errorOf(client.getConversation(USER, { count: 11 }))).toBeInstanceOf(RangeError)
})

test('tags', async () => {
  zalo.next('/v2.0/oa/tag/gettagsofoa', { error: 0, data: ['a', 'b'] })
  const client = clientTo(zalo)
  expect(await client.listTags()).toEqual(['a', 'b'])
  await client.tagUser(USER, 'a')
  await client.untagUser(USER, 'a')
  await client.deleteTag('a')
  expect(zalo.seen.slice(1).map((one) => [one.path, bodyOf(one)])).toEqual([
    ['/v2.0/oa/tag/tagfollower', { user_id: USER, tag_name: 'a' }],
    ['/v2.0/oa/tag/rmfollowerfromtag', { user_id: USER, tag_name: 'a' }],
    ['/v2.0/oa/tag/rmtag', { tag_name: 'a' }],
  ])
})

test('quota of a person and of the account', async () => {
  const path = '/v3.0/oa/quota/message'
  zalo.next(
    path,
    { error: 0, data: { last_interaction: '1795200000000', cs_reply: { remain: 8, total: '8' }, promotion: { daily_remain: 1 } } },
    { error: 0, data: { last_interaction: '1795200000000' } },
    { error: 0, data: [{ product_type: 'cs', quota_type: 'sub_quota', remain: 499, total: '500', asset_id: 'x' }] },
    { error: 0, data: { type: 'active', remain: 1, total: 2 } },
  )
  const client = clientTo(zalo)
  expect(await client.getUserQuota(USER)).toMatchObject({ lastInteractionMs: 1795200000000, reply: { remain: 8, total: 8 } })
  expect(await client.getUserQuota(USER)).toEqual({ lastInteractionMs: 1795200000000, reply: undefined, promotion: undefined })
  expect(await client.getAccountQuota()).toEqual([{ type: 'sub_quota', product: 'cs', assetId: 'x', remain: 499, total: 500 }])
  expect(await client.getAccountQuota({ productType: 'transaction', quotaType: 'purchase_quota' })).toMatchObject([
    { type: 'active', remain: 1 },
  ])
  expect(zalo.seen.map(bodyOf)).toEqual([
    { user_id: USER },
    { user_id: USER },
    { quota_owner: 'OA', product_type: 'cs', quota_type: 'sub_quota' },
    { quota_owner: 'OA', product_type: 'transaction', quota_type: 'purchase_quota' },
  ])
})

test.each([
  [`{"oaid":${OA},"oa_type":4,"is_verified":true}`, 4, true, 'v2.0'],
  [`{"oa_id":"${OA}","oa_type":"2","is_verified":"false"}`, 2, false, 'v3.0'],
  [`{"oa_id":"${OA}"}`, undefined, undefined, 'v3.0'],
])('the account %s', async (data, oaType, isVerified, endpoint) => {
  zalo.next('/v2.0/oa/getoa', raw(`{"error":0,"data":${data}}`))
  const account = await clientTo(zalo).getAccount()
  expect(account).toMatchObject({ oaId: OA, oaType, isVerified })
  expect(endpointFor(account)).toBe(endpoint)
})

test('articles, hidden ones as such', async () => {
  const medias = [
    { id: 'a1', title: 'Tuần lễ học tập', status: 'show', create_date: '1795200000000' },
    { id: 'a2', title: 'Nháp', type: 'normal' },
  ]
  zalo.next('/v2.0/article/getslice', { error: 0, data: { total: 2, medias } }, { error: 0, data: {} })
  expect(await clientTo(zalo).listArticles()).toEqual([
    { id: 'a1', title: 'Tuần lễ học tập', isShown: true, createdMs: 1795200000000 },
    { id: 'a2', title: 'Nháp', isShown: false },
  ])
  expect(await clientTo(zalo).listArticles()).toEqual([])
})

test('a read that fails without an answer, or with -200, may be repeated', async () => {
  zalo.next('/v2.0/oa/getoa', { error: -200 }, raw('<html>'), (response) => response.socket?.resetAndDestroy())
  for (let i = 0; i < 3; i++) expect(await errorOf(clientTo(zalo).getAccount())).toMatchObject({ action: 'retry', retryable: true })
})

test('data of another shape is named by its field', async () => {
  zalo.next('/v3.0/oa/user/detail', { error: 0, data: { user: {} } })
  const error = await errorOf(clientTo(zalo).getUser(USER))
  expect(error).toMatchObject({ action: 'retry', reason: 'unreadable_answer' })
  expect(String(error)).toContain('user_id')
})

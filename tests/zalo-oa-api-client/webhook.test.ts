import { expect, test } from 'vitest'
import { parseWebhook } from '../../src/zalo-oa-api-client/index.ts'

const OA = '1122334455667788990'
const USER = '9876543210987654321'
const isOa = (id: string) => id === OA
const common = { app_id: '1234567890123456789', timestamp: '1795299433840' }
const fromUser = { ...common, sender: { id: USER }, recipient: { id: OA } }
const fromOa = { ...common, sender: { id: OA }, recipient: { id: USER } }

function parse(body: unknown) {
  const parsed = parseWebhook(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), { isOa })
  if (parsed.kind !== 'event') throw new Error(parsed.kind)
  return parsed.event
}

const attachment = (type: string, payload: object) => ({ message: { msg_id: 'm', attachments: [{ type, payload }] } })
const url = 'https://example.vn/x'
const pictures = { thumbnail: url, url }

test.each<[string, object, object]>([
  [
    'user_send_text',
    { message: { msg_id: 'm', text: 'Chào', quote_msg_id: 'q' } },
    { direction: 'inbound', text: 'Chào', quotedMessageId: 'q' },
  ],
  ['user_send_image', attachment('image', pictures), { attachments: [{ type: 'image', url, thumbnailUrl: url }] }],
  ['user_send_gif', attachment('gif', pictures), { attachments: [{ type: 'gif', url, thumbnailUrl: url }] }],
  [
    'user_send_link',
    attachment('link', { ...pictures, description: 'd' }),
    { attachments: [{ type: 'link', url, thumbnailUrl: url, description: 'd' }] },
  ],
  ['user_send_audio', attachment('audio', { url }), { attachments: [{ type: 'audio', url }] }],
  [
    'user_send_video',
    attachment('video', { ...pictures, description: 'd' }),
    { attachments: [{ type: 'video', url, thumbnailUrl: url, description: 'd' }] },
  ],
  ['user_send_sticker', attachment('sticker', { url, id: 12 }), { attachments: [{ type: 'sticker', url, stickerId: '12' }] }],
  [
    'user_send_location',
    {
      message: {
        msg_id: 'm',
        text: 'Nhà văn hóa',
        attachments: [{ type: 'location', payload: { coordinates: { latitude: '16.047079', longitude: '108.2' } } }],
      },
    },
    { text: 'Nhà văn hóa', attachments: [{ type: 'location', latitude: 16.047079, longitude: 108.2 }] },
  ],
  [
    'user_send_business_card',
    attachment('link', { ...pictures, description: '{"phone":"84900000000","caption":"A"}' }),
    { attachments: [{ type: 'business_card', url, phone: '84900000000' }] },
  ],
  [
    'user_send_file',
    attachment('file', { url, size: '12345', name: 'don.pdf', checksum: 'c', type: 'pdf' }),
    { attachments: [{ type: 'file', url, name: 'don.pdf', sizeBytes: 12345, md5: 'c', extension: 'pdf' }] },
  ],
  ['user_send_something_new', attachment('hologram', { url }), { attachments: [{ type: 'unknown', platformType: 'hologram' }] }],
])('%s', (event_name, more, expected) => {
  expect(parse({ ...fromUser, event_name, ...more })).toMatchObject({
    kind: 'message',
    direction: 'inbound',
    eventName: event_name,
    oaId: OA,
    userId: USER,
    messageId: 'm',
    timestampMs: 1795299433840,
    key: `${event_name}:m`,
    ...expected,
  })
})

test.each(['text', 'image', 'gif', 'list', 'file', 'sticker', 'template'])(
  'oa_send_%s is our own, with or without a human behind it',
  (kind) => {
    const event = { ...fromOa, event_name: `oa_send_${kind}`, message: { msg_id: 'e', text: 'Dạ vâng' } }
    expect(parse(event)).toMatchObject({ kind: 'message', direction: 'outbound', userId: USER, oaId: OA, messageId: 'e' })
    expect(parse(event)).not.toHaveProperty('adminId')
    expect(parse({ ...event, sender: { id: OA, admin_id: '7700000000000000001' } })).toMatchObject({ adminId: '7700000000000000001' })
  },
)

test('the direction follows the ids, not the name', () => {
  expect(parse({ ...fromOa, event_name: 'user_send_text', message: { msg_id: 'm', text: 'x' } })).toMatchObject({
    direction: 'outbound',
    userId: USER,
  })
})

test('an account that is not ours', () => {
  const foreign = { ...common, event_name: 'user_send_text', sender: { id: USER }, recipient: { id: '42' }, message: { msg_id: 'm' } }
  expect(parse(foreign)).toMatchObject({ kind: 'unknown', reason: 'account' })
})

test('anonymous visitors have a conversation', () => {
  const message = { msg_id: 'm', text: 'x', conversation_id: 'cv_1' }
  expect(parse({ ...fromUser, sender: { id: 'an_1' }, event_name: 'anonymous_send_text', message })).toMatchObject({
    kind: 'message',
    direction: 'inbound',
    userId: 'an_1',
    conversationId: 'cv_1',
  })
  expect(parse({ ...fromOa, recipient: { id: 'an_1' }, event_name: 'oa_send_anonymous_text', message })).toMatchObject({
    direction: 'outbound',
    userId: 'an_1',
  })
})

test('groups', () => {
  const inGroup = { ...common, oa_id: OA, recipient: { id: 'g1' } }
  expect(
    parse({ ...inGroup, sender: { id: USER }, event_name: 'user_send_group_text', message: { msg_id: 'm', text: 'x' } }),
  ).toMatchObject({
    kind: 'message',
    direction: 'inbound',
    userId: USER,
    groupId: 'g1',
  })
  const ours = parse({ ...inGroup, sender: { id: OA }, event_name: 'oa_send_group_text', message: { msg_id: 'm', text: 'x' } })
  expect(ours).toMatchObject({ kind: 'message', direction: 'outbound', groupId: 'g1' })
  expect(ours).not.toHaveProperty('userId')
  for (const event_name of ['create_group', 'user_join_group', 'reject_request_join_group', 'user_out_group', 'delete_group']) {
    expect(parse({ ...common, oa_id: OA, group_id: 'g1', event_name })).toMatchObject({ kind: 'group', groupId: 'g1', oaId: OA })
  }
})

test('seen, received, reactions', () => {
  expect(parse({ ...fromUser, event_name: 'user_seen_message', message: { msg_ids: ['a', 'b'] } })).toMatchObject({
    kind: 'seen',
    messageIds: ['a', 'b'],
    userId: USER,
  })
  expect(parse({ ...fromOa, event_name: 'user_received_message', message: { msg_id: 'a' } })).toMatchObject({
    kind: 'received',
    messageId: 'a',
    userId: USER,
  })
  const byPhone = { msg_id: 'z', delivery_time: '1795299433999', tracking_id: 'hs-01' }
  expect(parse({ ...fromOa, recipient: { id: '84900000000' }, event_name: 'user_received_message', message: byPhone })).toMatchObject({
    kind: 'received',
    userId: '84900000000',
    trackingId: 'hs-01',
    deliveryTimeMs: 1795299433999,
  })
  const reaction = { ...fromUser, event_name: 'user_reacted_message', message: { msg_id: 'a', react_icon: '/-heart' } }
  expect(parse(reaction)).toMatchObject({ kind: 'reaction', direction: 'inbound', messageId: 'a', icon: '/-heart' })
  expect(parse({ ...reaction, timestamp: '1795299433841' }).key).not.toBe(parse(reaction).key)
})

test('follow and unfollow name the person as follower', () => {
  const body = {
    ...common,
    oa_id: OA,
    event_name: 'follow',
    source: 'oa_profile',
    follower: { id: USER },
    user_id_by_app: '5550001112223334445',
  }
  expect(parse(body)).toEqual({
    kind: 'follow',
    eventName: 'follow',
    appId: '1234567890123456789',
    oaId: OA,
    userId: USER,
    userIdByApp: '5550001112223334445',
    timestampMs: 1795299433840,
    source: 'oa_profile',
    key: `follow:1795299433840:${USER}`,
  })
  expect(parse({ ...body, event_name: 'unfollow', source: undefined })).toMatchObject({ kind: 'unfollow', userId: USER })
})

test('both generations of user_submit_info', () => {
  const info = { name: 'Nguyễn Văn A', phone: 84900000000, address: 'Thôn 3', district: '', city: 'Đà Nẵng' }
  expect(parse({ ...fromUser, event_name: 'user_submit_info', info })).toMatchObject({
    kind: 'info_shared',
    info: { name: 'Nguyễn Văn A', phone: '84900000000', address: 'Thôn 3', city: 'Đà Nẵng' },
  })
  const full_address = { user_city: 'Lai Châu', user_ward: 'Bình Lư', user_address: 'Bản 1' }
  const event = parse({
    ...fromUser,
    event_name: 'user_submit_info',
    info: { name: 'A', phone: '84900000000', user_dob: '01/01/1960', gender: 'Nữ', full_address },
  })
  expect(event).toMatchObject({
    info: { name: 'A', phone: '84900000000', birthDate: '01/01/1960', gender: 'Nữ', city: 'Lai Châu', ward: 'Bình Lư', address: 'Bản 1' },
  })
})

test.each([
  ['user_click_chatnow', { oa_id: OA, user_id: USER }, { kind: 'chat_opened', userId: USER }],
  ['add_user_to_tag', { oa_id: OA, tag: { name: 't', user_ids: [USER] } }, { kind: 'tag', change: 'added', tagName: 't', userIds: [USER] }],
  ['remove_user_from_tag', { oa_id: OA, tag: { name: 't', user_ids: [USER] } }, { kind: 'tag', change: 'removed' }],
  ['remove_tag', { oa_id: OA, tag: { name: 't' } }, { kind: 'tag', change: 'deleted', userIds: [] }],
  ['update_user_info', { oa_id: OA, user_id: USER }, { kind: 'user_updated', userId: USER }],
  ['user_withdraw', { oa_id: OA, user_id: USER }, { kind: 'withdraw', userId: USER }],
  [
    'widget_interaction_accepted',
    { oa_id: OA, data: { user_id: USER, user_external_id: 'x', url } },
    { kind: 'widget', isAccepted: true, userId: USER, externalId: 'x', url },
  ],
  ['widget_failed_to_sync_user_external_id', { oa_id: OA, data: { user_id: USER } }, { kind: 'widget', isAccepted: false }],
  ['extension_purchased', {}, { kind: 'extension_purchased' }],
  [
    'oa_send_consent',
    { oa_id: OA, phone: '84900000000', request_type: 'SENT', create_time: '1795299433840', expired_time: 1795299433841 },
    { kind: 'call_consent_asked', phone: '84900000000', requestType: 'SENT', createdMs: 1795299433840, expiresMs: 1795299433841 },
  ],
  ['user_reply_consent', { oa_id: OA, user_consent: 'ALLOW' }, { kind: 'call_consent_answered', isAllowed: true }],
  ['user_reply_consent', { oa_id: OA, user_consent: 'USER_BLOCKED' }, { kind: 'call_consent_answered', isAllowed: false }],
  ['user_call_oa', { sender: { id: USER }, recipient: { id: OA } }, { kind: 'call', direction: 'inbound', userId: USER }],
  ['oa_call_user', { sender: { id: OA }, recipient: { id: USER } }, { kind: 'call', direction: 'outbound', userId: USER }],
  ['change_template_status', { oa_id: OA, template_id: 1 }, { kind: 'template', body: { template_id: 1 } }],
  ['change_oa_daily_quota', { oa_id: OA }, { kind: 'template' }],
  ['user_feedback', { oa_id: OA }, { kind: 'template' }],
  ['journey_time_out', { oa_id: OA }, { kind: 'template' }],
  ['from_the_future', { oa_id: OA }, { kind: 'unknown', reason: 'name', eventName: 'from_the_future' }],
  ['user_send_text', { sender: { id: USER }, recipient: { id: OA }, message: { text: 'no id' } }, { kind: 'unknown', reason: 'shape' }],
  ['add_user_to_tag', { oa_id: OA, tag: 'broken' }, { kind: 'unknown', reason: 'shape' }],
])('%s %j', (event_name, more, expected) => {
  expect(parse({ ...common, event_name, ...more })).toMatchObject(expected)
})

test('ids and times without quotes keep every digit', () => {
  const body = `{"event_name":"user_send_text","timestamp":1795299433840,"sender":{"id":${USER}},"recipient":{"id":${OA}},"message":{"msg_id":98765432109876543210,"text":"số 1234567890123456789"}}`
  expect(parse(body)).toMatchObject({ userId: USER, oaId: OA, messageId: '98765432109876543210', text: 'số 1234567890123456789' })
})

test.each([
  ['{}', 'probe'],
  ['{"a":1}', 'probe'],
  ['{"event_name":""}', 'probe'],
  ['[]', 'invalid'],
  ['null', 'invalid'],
  ['"x"', 'invalid'],
  ['', 'invalid'],
  ['{', 'invalid'],
])('%s is %s', (body, kind) => {
  expect(parseWebhook(body, { isOa })).toEqual({ kind })
})

import { describe, expect, test } from 'vitest'
import { accountInput, call, meet, OA, STATE_OA, startSimulator, text } from './start.ts'

const button = { title: 'Có', type: 'oa.query.hide', payload: 'CO' }
const buttons = (list: unknown) => ({ text: 'Chọn', attachment: { type: 'template', payload: { buttons: list } } })
const media = (element: unknown) => ({ attachment: { type: 'template', payload: { template_type: 'media', elements: [element] } } })
const list = (elements: unknown, more = {}) => ({ attachment: { type: 'template', payload: { template_type: 'list', elements, ...more } } })
const times = <T>(count: number, item: T) => Array.from({ length: count }, () => item)

describe('a message of the sending API', () => {
  test.each<[name: string, message: unknown, error: number]>([
    ['text', { text: 'Chào' }, 0],
    ['text of 2,000 characters', { text: 'ấ'.repeat(2_000) }, 0],
    ['text of 2,001 characters', { text: 'ấ'.repeat(2_001) }, -210],
    ['decomposed text that is short only when composed', { text: 'ấ'.normalize('NFD').repeat(700) }, -210],
    ['empty text', { text: '' }, -201],
    ['blank text', { text: '  ' }, -201],
    ['number as text', { text: 5 }, -201],
    ['nothing', {}, -201],
    ['unknown field', { text: 'Chào', texts: 'x' }, -201],
    ['five buttons', buttons(times(5, button)), 0],
    ['six buttons', buttons(times(6, button)), -210],
    ['no buttons', buttons([]), -201],
    ['buttons without text', { attachment: { type: 'template', payload: { buttons: [button] } } }, -201],
    [
      'the template type "button"',
      { text: 'x', attachment: { type: 'template', payload: { template_type: 'button', buttons: [button] } } },
      -201,
    ],
    ['title of 100', buttons([{ ...button, title: 'x'.repeat(100) }]), 0],
    ['title of 101', buttons([{ ...button, title: 'x'.repeat(101) }]), -210],
    ['payload of 1,000', buttons([{ ...button, payload: 'x'.repeat(1_000) }]), 0],
    ['payload of 1,001', buttons([{ ...button, payload: 'x'.repeat(1_001) }]), -210],
    ['payload that is no text', buttons([{ ...button, payload: { a: 1 } }]), -201],
    ['button of unknown type', buttons([{ ...button, type: 'oa.query' }]), -201],
    ['button without title', buttons([{ type: 'oa.query.show', payload: 'x' }]), -201],
    ['link button', buttons([{ title: 'x', type: 'oa.open.url', payload: { url: 'https://example.vn' } }]), 0],
    ['link button with a bare address', buttons([{ title: 'x', type: 'oa.open.url', payload: 'https://example.vn' }]), -201],
    ['link button to nowhere', buttons([{ title: 'x', type: 'oa.open.url', payload: { url: 'example' } }]), -201],
    ['phone button', buttons([{ title: 'x', type: 'oa.open.phone', payload: { phone_code: '84900000000' } }]), 0],
    ['sms button', buttons([{ title: 'x', type: 'oa.open.sms', payload: { content: 'Chào', phone_code: '84900000000' } }]), 0],
    ['sms of 161', buttons([{ title: 'x', type: 'oa.open.sms', payload: { content: 'x'.repeat(161), phone_code: '84900000000' } }]), -210],
    ['the obvious image', { attachment: { type: 'image', payload: { url: 'https://example.vn/a.png' } } }, -201],
    ['image by address', media({ media_type: 'image', url: 'https://example.vn/a.png' }), 0],
    ['image by address and id', media({ media_type: 'image', url: 'https://example.vn/a.png', attachment_id: 'x' }), -201],
    ['image by unknown id', media({ media_type: 'image', attachment_id: 'x' }), -201],
    ['gif without size', media({ media_type: 'gif', attachment_id: 'x' }), -201],
    ['sticker', media({ media_type: 'sticker', attachment_id: '46991' }), 0],
    ['media of unknown type', media({ media_type: 'video', attachment_id: 'x' }), -201],
    ['article to one person', media({ media_type: 'article', attachment_id: 'x' }), -233],
    ['unknown file', { attachment: { type: 'file', payload: { token: 'x' } } }, -201],
    ['file with text', { text: 'x', attachment: { type: 'file', payload: { token: 'x' } } }, -201],
    ['list', list([{ title: 'Một', default_action: { type: 'oa.open.url', url: 'https://example.vn/1' } }], { buttons: [] }), 0],
    ['list of six', list(times(6, { title: 'Một' })), -210],
    ['empty list', list([]), -201],
    ['subtitle of 501', list([{ title: 'Một', subtitle: 'x'.repeat(501) }]), -210],
    ['action with payload instead of url', list([{ title: 'Một', default_action: { type: 'oa.open.url', payload: 'x' } }]), -201],
    [
      'contact form',
      { attachment: { type: 'template', payload: { template_type: 'request_user_info', elements: [{ title: 'UBND xã' }] } } },
      0,
    ],
    ['quote of nothing', { text: 'Chào', quote_message_id: 'ffff' }, -201],
  ])('%s', async (_name, message, error) => {
    const simulator = await startSimulator()
    const { userId } = await meet(simulator)
    const answer = await call(simulator, '/v3.0/oa/message/cs', text(userId, message))
    expect(answer.status).toBe(200)
    expect(answer.body.error, answer.body.message).toBe(error)
    expect(simulator.account(OA).threads()[0]?.messages).toHaveLength(error === 0 ? 2 : 1)
  })

  test.each<[name: string, body: unknown, error: number]>([
    ['recipient as number', { recipient: { user_id: 1_122_334_455 }, message: { text: 'x' } }, -201],
    ['unknown person', { recipient: { user_id: '999' }, message: { text: 'x' } }, -201],
    ['no recipient', { message: { text: 'x' } }, -201],
    ['text beside the message', { recipient: { user_id: '999' }, message: { text: 'x' }, text: 'x' }, -201],
    ['a list', [], -201],
    ['null', null, -201],
  ])('%s', async (_name, body, error) => {
    const simulator = await startSimulator()
    expect((await call(simulator, '/v3.0/oa/message/cs', body)).body.error).toBe(error)
  })

  test('that is not JSON is a wrong parameter, with HTTP 200', async () => {
    const simulator = await startSimulator()
    const { access_token } = simulator.account(OA).mintTokens()
    for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
      const headers = { access_token, 'content-type': type }
      const response = await simulator.platform.inject({ method: 'POST', url: '/v3.0/oa/message/cs', headers, payload: '{"recipient":' })
      expect([response.statusCode, response.json().error]).toEqual([200, -201])
    }
  })
})

describe('the account decides', () => {
  test.each<[name: string, changes: Parameters<typeof accountInput>[0], error: number]>([
    ['basic package', { package: 'basic' }, -224],
    ['unverified', { verified: false }, -221],
    ['API not registered', { apiRegistered: false }, -212],
    ['not granted', { granted: false }, -223],
    ['app not active', { appActive: false }, -209],
    ['app removed', { appRemoved: true }, -219],
    ['account disabled', { oaEnabled: false }, -204],
    ['proof required', { proofRequired: true }, -242],
    ['state agency on v3.0', { oaType: 4 }, -235],
  ])('%s', async (_name, changes, error) => {
    const simulator = await startSimulator({ accounts: [accountInput(changes)] })
    const { userId } = await meet(simulator)
    expect((await call(simulator, '/v3.0/oa/message/cs', text(userId))).body.error).toBe(error)
  })

  test('v2.0 is for state agencies, v3.0 for enterprises', async () => {
    const simulator = await startSimulator({ accounts: [accountInput(), accountInput({ oaId: STATE_OA, oaType: 4 })] })
    const enterprise = await meet(simulator)
    const state = await meet(simulator, STATE_OA)
    expect((await call(simulator, '/v2.0/oa/message', text(enterprise.userId))).body.error).toBe(-240)
    expect((await call(simulator, '/v2.0/oa/message', text(state.userId), { oaId: STATE_OA })).body.error).toBe(0)
  })

  test.each([-233, -201] as const)('buttons may be refused with %i', async (buttonsRefusal) => {
    const simulator = await startSimulator({ accounts: [accountInput({ buttons: 'refused', buttonsRefusal })] })
    const { userId } = await meet(simulator)
    expect((await call(simulator, '/v3.0/oa/message/cs', text(userId, buttons([button])))).body.error).toBe(buttonsRefusal)
    expect((await call(simulator, '/v3.0/oa/message/cs', text(userId))).body.error).toBe(0)
  })

  test('a person of one account is unknown to another', async () => {
    const simulator = await startSimulator({ accounts: [accountInput(), accountInput({ oaId: STATE_OA, oaType: 4 })] })
    const { id, userId } = await meet(simulator)
    expect(simulator.people.thread(id, STATE_OA).userId).not.toBe(userId)
    expect((await call(simulator, '/v2.0/oa/message', text(userId), { oaId: STATE_OA })).body.error).toBe(-201)
  })

  test('a path the platform does not have', async () => {
    const simulator = await startSimulator()
    expect((await call(simulator, '/v3.0/oa/message/carousel', {})).body.error).toBe(404)
  })
})

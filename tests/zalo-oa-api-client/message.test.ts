import { expect, test } from 'vitest'
import {
  articleMessage,
  buttonsMessage,
  checkMessage,
  fileMessage,
  gifMessage,
  InvalidMessageError,
  imageMessage,
  listMessage,
  type OaMessage,
  requestUserInfoMessage,
  textMessage,
  withQuote,
} from '../../src/zalo-oa-api-client/index.ts'

const template = (payload: object) => ({ type: 'template', payload })
const url = 'https://example.vn'

test.each<[string, OaMessage, object]>([
  ['text', textMessage('Chào'), { text: 'Chào' }],
  ['quote', withQuote(textMessage('Chào'), 'm1'), { text: 'Chào', quote_message_id: 'm1' }],
  [
    'buttons: no template_type',
    buttonsMessage('Bà con cần gì ạ?', [
      { title: 'Thủ tục', type: 'oa.query.hide', payload: '#menu:thu-tuc' },
      { title: 'Cổng dịch vụ công', type: 'oa.open.url', payload: { url } },
    ]),
    {
      text: 'Bà con cần gì ạ?',
      attachment: template({
        buttons: [
          { title: 'Thủ tục', type: 'oa.query.hide', payload: '#menu:thu-tuc' },
          { title: 'Cổng dịch vụ công', type: 'oa.open.url', payload: { url } },
        ],
      }),
    },
  ],
  [
    'list',
    listMessage([{ title: 'Thông báo', subtitle: 'Ngày 25/11', image_url: url, default_action: { type: 'oa.open.url', url } }]),
    {
      attachment: template({
        template_type: 'list',
        elements: [{ title: 'Thông báo', subtitle: 'Ngày 25/11', image_url: url, default_action: { type: 'oa.open.url', url } }],
        buttons: [],
      }),
    },
  ],
  [
    'image by id',
    imageMessage({ attachmentId: 'ATT' }, 'Bản đồ'),
    { text: 'Bản đồ', attachment: template({ template_type: 'media', elements: [{ media_type: 'image', attachment_id: 'ATT' }] }) },
  ],
  ['image by url', imageMessage({ url }), { attachment: template({ template_type: 'media', elements: [{ media_type: 'image', url }] }) }],
  [
    'gif',
    gifMessage({ attachmentId: 'ATT', width: 120, height: 80 }),
    { attachment: template({ template_type: 'media', elements: [{ media_type: 'gif', attachment_id: 'ATT', width: 120, height: 80 }] }) },
  ],
  ['file', fileMessage('FILE'), { attachment: { type: 'file', payload: { token: 'FILE' } } }],
  [
    'request_user_info',
    requestUserInfoMessage({ title: 'UBND xã', subtitle: 'Bà con chia sẻ', imageUrl: url }),
    {
      attachment: template({
        template_type: 'request_user_info',
        elements: [{ title: 'UBND xã', subtitle: 'Bà con chia sẻ', image_url: url }],
      }),
    },
  ],
  [
    'article',
    articleMessage(['A']),
    { attachment: template({ template_type: 'media', elements: [{ media_type: 'article', attachment_id: 'A' }] }) },
  ],
])('%s has the exact shape', (_name, message, shape) => {
  expect(checkMessage(message)).toEqual(shape)
})

const button = (more: object = {}) => ({ title: 'Có', type: 'oa.query.show' as const, payload: '#co', ...more })
const times = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one)

test.each<[string, OaMessage, string, number | undefined]>([
  ['2001 characters', textMessage('x'.repeat(2001)), 'text', 2000],
  ['a blank text', textMessage(' \n'), 'text', undefined],
  ['nothing at all', {}, 'text', undefined],
  ['6 buttons', buttonsMessage('?', times(6, button())), 'attachment.payload.buttons', 5],
  ['no buttons', buttonsMessage('?', []), 'attachment.payload.buttons', undefined],
  ['a title of 101', buttonsMessage('?', [button(), button({ title: 'x'.repeat(101) })]), 'attachment.payload.buttons[1].title', 100],
  ['an empty title', buttonsMessage('?', [button({ title: '' })]), 'attachment.payload.buttons[0].title', undefined],
  ['a payload of 1001', buttonsMessage('?', [button({ payload: 'x'.repeat(1001) })]), 'attachment.payload.buttons[0].payload', 1000],
  [
    'an sms of 161',
    buttonsMessage('?', [{ title: 'A', type: 'oa.open.sms', payload: { content: 'x'.repeat(161), phone_code: '84900000000' } }]),
    'attachment.payload.buttons[0].payload.content',
    160,
  ],
  ['6 elements', listMessage(times(6, { title: 'A' })), 'attachment.payload.elements', 5],
  ['6 list buttons', listMessage([{ title: 'A' }], times(6, button())), 'attachment.payload.buttons', 5],
  ['a subtitle of 501', listMessage([{ title: 'A', subtitle: 'x'.repeat(501) }]), 'attachment.payload.elements[0].subtitle', 500],
  [
    'a tap payload of 1001',
    listMessage([{ title: 'A', default_action: { type: 'oa.query.hide', payload: 'x'.repeat(1001) } }]),
    'attachment.payload.elements[0].default_action.payload',
    1000,
  ],
  ['6 articles', articleMessage(times(6, 'A')), 'attachment.payload.elements', 5],
  ['an empty file token', fileMessage(''), 'attachment.payload.token', undefined],
])('%s is refused and named', (_name, message, field, limit) => {
  try {
    checkMessage(message)
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error
    expect({ field: error.field, limit: error.limit }).toEqual({ field, limit })
    return
  }
  throw new Error('expected InvalidMessageError')
})

test('exactly at the limits passes, counted in NFC', () => {
  const decomposed = 'ế'.normalize('NFD')
  expect(decomposed.length).toBe(3)
  expect(checkMessage(textMessage(decomposed.repeat(2000))).text).toBe('ế'.normalize('NFC').repeat(2000))
  const full = buttonsMessage('?', times(5, button({ title: decomposed.repeat(100), payload: 'x'.repeat(1000) })))
  expect(checkMessage(full)).toEqual(full)
})

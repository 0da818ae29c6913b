import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ParseContext, parseUpdate, parseUpdates } from '../../src/channels/telegram/parse.ts'

const context: ParseContext = { botId: '700000007', slashWords: { thongke: 'THỐNG KÊ', menu: 'MENU' }, nowMs: 1_795_299_999_000 }
const from = { id: 555, is_bot: false, first_name: 'Lan', language_code: 'vi' }
const chat = { id: 555, type: 'private', first_name: 'Lan' }

const message = (fields: object) => ({ update_id: 700000001, message: { message_id: 12, from, chat, date: 1_795_299_433, ...fields } })
const read = (update: unknown) => {
  const { parsed } = parseUpdate(update, context)
  return parsed.kind === 'events' ? parsed.events[0]?.content : parsed
}
const IGNORED = { kind: 'ignored', reason: 'unknown_event' }

describe('a Telegram update', () => {
  it('has the account, a key, a time and a place', () => {
    expect(parseUpdate(message({ text: 'dạ có ạ' }), context)).toEqual({
      parsed: {
        kind: 'events',
        accountExternalId: '700000007',
        events: [
          {
            channelUserId: '555',
            dedupeKey: 'update:700000001',
            atMs: 1_795_299_433_000,
            order: 12,
            content: { kind: 'text', text: 'dạ có ạ' },
          },
        ],
      },
      callbackIds: [],
    })
  })

  it.each([
    ['/start ap-huynh_01', { kind: 'start', code: 'ap-huynh_01' }],
    ['/start', { kind: 'start' }],
    ['/start@hoctap_bot ap-huynh_01', { kind: 'start', code: 'ap-huynh_01' }],
    ['/start xin chào', { kind: 'start' }],
    [`/start ${'x'.repeat(65)}`, { kind: 'start' }],
    ['/thongke', { kind: 'text', text: 'THỐNG KÊ' }],
    ['/ThongKe@hoctap_bot  Bản Huỳnh', { kind: 'text', text: 'THỐNG KÊ Bản Huỳnh' }],
    ['/menu', { kind: 'text', text: 'MENU' }],
    ['/constructor', { kind: 'text', text: 'constructor' }],
    ['/lạ', { kind: 'text', text: '/lạ' }],
    ['1/2', { kind: 'text', text: '1/2' }],
    ['', { kind: 'text', text: '' }],
  ])('with the words "%s"', (text, content) => {
    expect(read(message({ text }))).toEqual(content)
  })

  it.each([
    [
      'photo',
      { photo: [{ file_id: 'a', width: 1, height: 1 }], caption: 'giấy khen' },
      { kind: 'media', media: 'image', text: 'giấy khen', file: { ref: 'a' } },
    ],
    ['voice', { voice: { file_id: 'a', duration: 2 } }, { kind: 'media', media: 'voice' }],
    ['audio', { audio: { file_id: 'a', duration: 2 } }, { kind: 'media', media: 'voice' }],
    ['video', { video: { file_id: 'a' } }, { kind: 'media', media: 'video' }],
    ['round video', { video_note: { file_id: 'a' } }, { kind: 'media', media: 'video' }],
    ['moving picture', { animation: { file_id: 'a' }, document: { file_id: 'a' } }, { kind: 'media', media: 'video' }],
    ['sticker', { sticker: { emoji: '🙂' } }, { kind: 'media', media: 'sticker' }],
    ['document', { document: { file_id: 'a', file_name: 'a.pdf' } }, { kind: 'media', media: 'file', file: { ref: 'a', name: 'a.pdf' } }],
    ['location', { location: { latitude: 22.4, longitude: 103.6 } }, { kind: 'media', media: 'location' }],
    ['place', { venue: { title: 'Chợ' }, location: { latitude: 22.4, longitude: 103.6 } }, { kind: 'media', media: 'location' }],
    ['contact', { contact: { phone_number: '0912345678', first_name: 'Mai' } }, { kind: 'media', media: 'card' }],
    ['poll', { poll: { id: '1', question: 'a' } }, { kind: 'media', media: 'link' }],
    ['service message', { pinned_message: { message_id: 3 } }, IGNORED],
  ])('with a %s', (_name, fields, content) => {
    expect(read(message(fields))).toEqual(content)
  })

  it('loses coordinates, phone numbers, names, and files that are no picture or paper', () => {
    const update = message({
      contact: { phone_number: '0912345678', first_name: 'Mai', vcard: 'VCARD' },
      location: { latitude: 22.4123, longitude: 103.6123 },
      voice: { file_id: 'SECRETFILE' },
    })
    const text = JSON.stringify(parseUpdate(update, context))
    for (const lost of ['0912345678', 'Mai', 'VCARD', '22.4', '103.6', 'SECRETFILE', 'Lan']) expect(text).not.toContain(lost)
  })

  it('with a tap has the place of the message tapped, and the tap waits to be answered', () => {
    const update = {
      update_id: 700000002,
      callback_query: {
        id: '4382b9',
        from,
        message: { message_id: 13, chat, date: 1_795_299_434, text: 'Chọn' },
        chat_instance: '-1',
        data: 'm:1',
      },
    }
    expect(parseUpdate(update, context)).toEqual({
      parsed: {
        kind: 'events',
        accountExternalId: '700000007',
        events: [
          { channelUserId: '555', dedupeKey: 'update:700000002', atMs: context.nowMs, order: 13, content: { kind: 'tap', payload: 'm:1' } },
        ],
      },
      callbackIds: ['4382b9'],
    })
  })

  it('with a tap we cannot use is ignored, and the tap is answered all the same', () => {
    const group = {
      update_id: 1,
      callback_query: { id: 'c1', from, message: { message_id: 1, chat: { id: -5, type: 'group' } }, data: 'm:1' },
    }
    const game = { update_id: 2, callback_query: { id: 'c2', from, message: { message_id: 1, chat }, game_short_name: 'x' } }
    const inline = { update_id: 3, callback_query: { id: 'c3', from, inline_message_id: 'i', data: 'm:1' } }
    expect(parseUpdates([group, game, inline], context)).toEqual({ events: [], callbackIds: ['c1', 'c2', 'c3'] })
  })

  it.each([
    ['kicked', { kind: 'unfollow' }],
    ['member', { kind: 'follow' }],
    ['restricted', IGNORED],
  ])('with the bot now %s', (status, content) => {
    const member = {
      chat,
      from,
      date: 1_795_299_440,
      old_chat_member: { status: 'x' },
      new_chat_member: { user: { id: 1 }, status, until_date: 0 },
    }
    expect(read({ update_id: 700000003, my_chat_member: member })).toEqual(content)
  })

  it.each([
    ['an edited message', { update_id: 1, edited_message: message({ text: 'a' }).message }],
    ['a group', message({ text: 'a', chat: { id: -100123, type: 'supergroup', title: 'Bản' } })],
    ['a channel post', { update_id: 1, channel_post: { message_id: 1, chat: { id: -1, type: 'channel' }, date: 1, text: 'a' } }],
    ['a kind of tomorrow', { update_id: 1, something_new: { a: 1 } }],
    ['a message of another shape', { update_id: 1, message: { id: 'new', body: 'a' } }],
  ])('of %s is ignored', (_name, update) => {
    expect(read(update)).toEqual(IGNORED)
  })

  it.each([[undefined], [null], [[]], ['text'], [{}], [{ update_id: 'x' }]])('that is none is refused: %j', (body) => {
    expect(read(body)).toMatchObject({ kind: 'refused', status: 400 })
  })

  it('never throws, whatever stands in it', () => {
    const anything = fc.anything()
    fc.assert(
      fc.property(
        fc.record({ update_id: fc.nat(), message: anything, callback_query: anything, my_chat_member: anything }, { requiredKeys: [] }),
        (update) => {
          parseUpdate(update, context)
        },
      ),
    )
  })

  it('keeps its place in a batch', () => {
    const updates = [message({ text: 'một' }), { update_id: 700000002, edited_message: {} }, message({ text: 'hai' })]
    expect(parseUpdates(updates, context).events.map(({ content }) => content)).toEqual([
      { kind: 'text', text: 'một' },
      { kind: 'text', text: 'hai' },
    ])
  })
})

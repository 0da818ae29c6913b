import { describe, expect, test } from 'vitest'

interface Message {
  seq: number
  msg_id: string
  from: string
  at: number
  kind: string
  text?: string
  status?: string
  hidden?: boolean
}

interface Item {
  type: 'day' | 'message'
  message?: Message
  first?: boolean
  last?: boolean
  state?: string
  stateShown?: boolean
}

interface Conversation {
  lastSeq: number
  merge(messages: Message[]): boolean
  setStatus(msgId: string, change: { status: string; at?: number }): boolean
  add(draft: { kind: string; text?: string }, at: number): { key: string; state: string }
  settle(item: object, msgId: string): void
  lastUnseen(): number
  countUnread(): number
  seenUpTo(seq: number): void
  layout(limit: number): { items: Item[]; older: number }
}

// a script of the browser, outside what the compiler of this project reads
const address: string = new URL('../../../src/simulator/phone/conversation.js', import.meta.url).href
const { createConversation }: { createConversation(): Conversation } = await import(address)

const noon = Date.parse('2026-11-22T12:00:00+07:00')
const minute = 60_000

function message(seq: number, rest: Partial<Message> = {}): Message {
  return { seq, msg_id: `m${seq}`, from: 'oa', at: noon + seq * 1_000, kind: 'text', text: `text ${seq}`, status: 'received', ...rest }
}

const shown = (conversation: Conversation) =>
  conversation
    .layout(100)
    .items.filter((item) => item.type === 'message')
    .map((item) => item.message?.text)

describe('a conversation on a phone', () => {
  test('the same message told twice stands there once', () => {
    const conversation = createConversation()
    expect(conversation.merge([message(1)])).toBe(true)
    expect(conversation.merge([message(1)])).toBe(false)
    expect(shown(conversation)).toEqual(['text 1'])
  })

  test('an own message stands there once, whether the stream or the answer is first', () => {
    for (const streamFirst of [true, false]) {
      const conversation = createConversation()
      const item = conversation.add({ kind: 'text', text: 'xin chào' }, noon)
      const stored = message(1, { from: 'person', text: 'xin chào', status: 'sent' })
      if (streamFirst) conversation.merge([stored])
      expect(shown(conversation)).toEqual(['xin chào'])
      conversation.settle(item, 'm1')
      if (!streamFirst) conversation.merge([stored])
      expect(shown(conversation)).toEqual(['xin chào'])
    }
  })

  test('the same words twice are two messages', () => {
    const conversation = createConversation()
    const first = conversation.add({ kind: 'text', text: 'có' }, noon)
    conversation.add({ kind: 'text', text: 'có' }, noon)
    conversation.settle(first, 'm1')
    conversation.merge([message(1, { from: 'person', text: 'có', status: 'sent' })])
    expect(shown(conversation)).toEqual(['có', 'có'])
  })

  test('an older answer does not take a state back', () => {
    const conversation = createConversation()
    conversation.merge([message(1, { from: 'person', status: 'sent' })])
    conversation.setStatus('m1', { status: 'received' })
    expect(conversation.merge([message(1, { from: 'person', status: 'sent' })])).toBe(false)
  })

  test('what waited on the phone stands where it was when it left', () => {
    const conversation = createConversation()
    conversation.merge([message(1, { from: 'person', status: 'waiting' }), message(2)])
    expect(shown(conversation)).toEqual(['text 1', 'text 2'])
    conversation.setStatus('m1', { status: 'sent', at: noon + minute })
    expect(shown(conversation)).toEqual(['text 2', 'text 1'])
  })

  test('without signal nothing arrives: not shown, not unread', () => {
    const conversation = createConversation()
    conversation.merge([message(1, { status: 'sent' })])
    expect(shown(conversation)).toEqual([])
    expect(conversation.countUnread()).toBe(0)
    conversation.setStatus('m1', { status: 'received' })
    expect(shown(conversation)).toEqual(['text 1'])
    expect(conversation.countUnread()).toBe(1)
  })

  test('a hidden tap is not shown', () => {
    const conversation = createConversation()
    conversation.merge([message(1), message(2, { from: 'person', text: '#menu', hidden: true, status: 'sent' })])
    expect(shown(conversation)).toEqual(['text 1'])
  })

  test('what was looked at is not unread any more', () => {
    const conversation = createConversation()
    conversation.merge([message(1), message(2)])
    expect(conversation.countUnread()).toBe(2)
    conversation.seenUpTo(conversation.lastUnseen())
    expect(conversation.countUnread()).toBe(0)
    expect(conversation.lastUnseen()).toBe(0)
  })

  test('messages close to each other are one group; the last own one shows its state, a waiting one always', () => {
    const conversation = createConversation()
    conversation.merge([
      message(1, { from: 'person', status: 'waiting' }),
      message(2, { from: 'person', status: 'sent' }),
      message(3),
      message(4, { from: 'staff' }),
      message(5, { at: noon + 10 * minute }),
    ])
    const items = conversation.layout(100).items.filter((item) => item.type === 'message')
    expect(items.map((item) => [item.first, item.last])).toEqual([
      [true, false],
      [false, true],
      [true, false],
      [false, true],
      [true, true],
    ])
    expect(items.map((item) => item.stateShown && item.state)).toEqual(['waiting', 'sent', false, false, false])
  })

  test('days are those of Vietnam', () => {
    const conversation = createConversation()
    conversation.merge([message(1, { at: Date.parse('2026-11-22T16:59:00Z') }), message(2, { at: Date.parse('2026-11-22T17:01:00Z') })])
    expect(conversation.layout(100).items.map((item) => item.type)).toEqual(['day', 'message', 'day', 'message'])
  })

  test('of a long history the newest part is drawn, with the number of the rest', () => {
    const conversation = createConversation()
    conversation.merge(Array.from({ length: 30 }, (_, index) => message(index + 1)))
    const { items, older } = conversation.layout(10)
    expect(items.at(-1)?.message?.seq).toBe(30)
    expect(older).toBe(20)
  })
})

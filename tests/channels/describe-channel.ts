import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Channel } from '../../src/channels/channel.ts'
import type { InboundEvent } from '../../src/model/inbound.ts'

/** One message of ours on a person's screen. */
type ShownMessage = {
  text: string
  /** Labels of what can be tapped, in order. */
  choices: string[]
}

/** What the platform shall do with the next send. */
type ChannelFault =
  /** The person has blocked or left us. */
  | 'blocked'
  /** Too many requests, and the platform says for how long. */
  | 'rate_limited'
  /** 5xx after the message was delivered. */
  | 'server_error'
  /** The line breaks after the message was delivered. */
  | 'reset'
  /** Nobody listens at the platform's address. */
  | 'refused_connection'
  /** The account's token is no longer good, and cannot be renewed. */
  | 'dead_token'

/** A channel against its platform, both real or faithful: requests cross a socket. */
export type ChannelHarness = {
  channel: Channel
  /** Someone who may be written to. */
  personId: string
  /** Our messages on that person's screen, oldest first. */
  shown(): ShownMessage[] | Promise<ShownMessage[]>
  /** The person writes, and the channel's parser reads what the platform reports. */
  say(text: string): Promise<InboundEvent>
  /** The person taps a choice of the last message, by its label. */
  tap(label: string): Promise<InboundEvent>
  fail(fault: ChannelFault): void | Promise<void>
  nowMs(): number
  /** What must never be in a result or an error. */
  secrets: readonly string[]
  close(): Promise<void>
}

const CHOICES = [
  { number: '1', label: 'Đúng, tôi có đọc', payload: '7.doc_cap_nhat.co' },
  { number: '2', label: 'Chưa', payload: '7.doc_cap_nhat.chua' },
]
const QUESTION = 'Trong tháng qua, ông bà có đọc sách báo không?'

/** What every channel must do, whatever its platform. A new channel is done when these pass with its harness. */
export function describeChannel(name: string, createHarness: () => Promise<ChannelHarness>): void {
  describe(`${name} as a channel`, () => {
    let harness: ChannelHarness
    beforeEach(async () => {
      harness = await createHarness()
    })
    afterEach(() => harness.close())

    it('sends a text as it is', async () => {
      const text = 'Chào ông bà! "Học Tập Bot" <b>xin</b> *hỏi* & _nghe_ 🙂\nDòng hai.'
      const outcome = await harness.channel.send(harness.personId, { text })
      expect(outcome).toMatchObject({ kind: 'sent', platformMessageId: expect.stringMatching(/./) })
      expect(await harness.shown()).toEqual([{ text, choices: [] }])
    })

    it('shows choices, and a tapped one comes back with its payload', async () => {
      await harness.channel.send(harness.personId, { text: QUESTION, choices: CHOICES })
      expect((await harness.shown()).at(-1)?.choices).toEqual(CHOICES.map(({ label }) => label))
      const event = await harness.tap('Chưa')
      expect(event).toMatchObject({ channelUserId: harness.personId, content: { kind: 'tap', payload: '7.doc_cap_nhat.chua' } })
    })

    it('reads what a person writes', async () => {
      const event = await harness.say('dạ có ạ')
      expect(event).toMatchObject({ channelUserId: harness.personId, content: { kind: 'text', text: 'dạ có ạ' } })
      expect(event.dedupeKey).not.toBe((await harness.say('dạ có ạ')).dedupeKey)
    })

    it('puts what is said and sent in one order', async () => {
      const before = await harness.say('một')
      const sent = await harness.channel.send(harness.personId, { text: QUESTION, choices: CHOICES })
      const tapped = await harness.tap('Chưa')
      const after = await harness.say('hai')
      if (sent.kind !== 'sent') throw new Error(`not sent: ${sent.kind}`)
      expect(before.order).toBeLessThan(sent.order)
      expect(tapped.order).toBeGreaterThanOrEqual(sent.order)
      expect(after.order).toBeGreaterThan(sent.order)
    })

    it('takes a text of the full length in one message, and splits a longer one without loss', async () => {
      const { maxTextChars } = harness.channel.abilities
      const full = 'học '.repeat(maxTextChars / 4).trim()
      expect(harness.channel.split(full)).toEqual([full])
      expect(await harness.channel.send(harness.personId, { text: full })).toMatchObject({ kind: 'sent' })

      const long = 'Mỗi ngày đọc một trang. '.repeat(maxTextChars / 10).trim()
      const parts = harness.channel.split(long)
      expect(parts.every((part) => part.length <= maxTextChars)).toBe(true)
      expect(parts.join(' ').replace(/\s+/g, ' ')).toBe(long)
      for (const text of parts) expect(await harness.channel.send(harness.personId, { text })).toMatchObject({ kind: 'sent' })
    })

    it('says where one who blocked us cannot be reached', async () => {
      await harness.fail('blocked')
      expect(await harness.channel.send(harness.personId, { text: QUESTION })).toEqual({
        kind: 'failed',
        class: expect.stringMatching(/./),
      })
      expect(await harness.shown()).toEqual([])
    })

    it('waits as long as the platform asks', async () => {
      await harness.fail('rate_limited')
      const outcome = await harness.channel.send(harness.personId, { text: QUESTION })
      if (outcome.kind !== 'retry') throw new Error(`not to be retried: ${outcome.kind}`)
      expect(outcome.notBeforeMs).toBeGreaterThan(harness.nowMs())
      expect(await harness.shown()).toEqual([])
    })

    it.each(['server_error', 'reset'] as const)('does not know whether a message arrived after %s', async (fault) => {
      await harness.fail(fault)
      expect(await harness.channel.send(harness.personId, { text: QUESTION })).toEqual({
        kind: 'uncertain',
        class: expect.stringMatching(/./),
      })
      expect((await harness.channel.send(harness.personId, { text: 'tiếp' })).kind).toBe('sent')
    })

    it('knows that nothing arrived where nobody listened', async () => {
      await harness.fail('refused_connection')
      const outcome = await harness.channel.send(harness.personId, { text: QUESTION })
      expect(outcome).toMatchObject({ kind: 'retry', notBeforeMs: expect.any(Number) })
    })

    it('stops the account when its token is dead', async () => {
      await harness.fail('dead_token')
      expect((await harness.channel.send(harness.personId, { text: QUESTION })).kind).toBe('account_paused')
    })

    it('keeps secrets and words out of what it reports', async () => {
      for (const fault of ['blocked', 'rate_limited', 'server_error', 'reset', 'dead_token', 'refused_connection'] as const) {
        await harness.fail(fault)
        const outcome = JSON.stringify(await harness.channel.send(harness.personId, { text: QUESTION, choices: CHOICES }))
        for (const secret of [...harness.secrets, QUESTION]) expect(outcome).not.toContain(secret)
      }
    })

    it('answers whether a message was delivered, or that it cannot say', async () => {
      const beforeMs = harness.nowMs() - 1_000
      const message = { text: QUESTION }
      await harness.channel.send(harness.personId, message)
      const answer = await harness.channel.findDelivered(harness.personId, message, beforeMs)
      expect(['delivered', 'unknown']).toContain(answer.kind)
      const other = await harness.channel.findDelivered(harness.personId, { text: 'chưa từng gửi' }, beforeMs)
      expect(['absent', 'unknown']).toContain(other.kind)
    })
  })
}

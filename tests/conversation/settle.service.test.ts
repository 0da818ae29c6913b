import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bot, REGISTRATION, startBot } from '../support/bot.ts'

/** An instance id no living process has. */
const DEAD = 1

describe('what was in flight', () => {
  let bot: Bot
  beforeAll(async () => {
    bot = await startBot()
  })
  afterAll(() => bot.close())

  const ours = (person: Awaited<ReturnType<Bot['person']>>) => person.messages().filter((message) => message.from === 'oa').length
  const sweepAndSettle = async (person: Awaited<ReturnType<Bot['person']>>) => {
    await bot.app.sweep()
    return person.settle()
  }

  test('a message that arrived before its process died is found in the chat and not said again', async () => {
    const person = await bot.person('A')
    await person.talk(...REGISTRATION)
    const before = ours(person)
    await bot.sql`
      UPDATE outbound_message SET status = 'waiting', claimed_by = ${DEAD}, platform_message_id = NULL, chat_order = NULL, sent_at = NULL
      WHERE id = (SELECT max(id) FROM outbound_message)`
    await sweepAndSettle(person)
    expect(ours(person)).toBe(before)
    const rows = await bot.sql<
      { status: string; ordered: boolean }[]
    >`SELECT status, chat_order IS NOT NULL AS ordered FROM outbound_message ORDER BY id DESC LIMIT 1`
    expect(rows).toEqual([{ status: 'sent', ordered: true }])
    expect(await person.say('2')).toContain('Câu 2/10')
  })

  test('a message that never left is sent once by whoever is alive', async () => {
    const person = await bot.person('B')
    await person.talk(...REGISTRATION)
    const before = ours(person)
    // As if the process had died between its commit and its send: the same row with words nobody has seen
    const [row] = await bot.sql<{ id: string }[]>`SELECT max(id) AS id FROM outbound_message`
    const body = bot.app.deps.sealer.sealJson({ text: 'Câu 1/10 chưa ai thấy' }).toString('hex')
    await bot.sql`
      UPDATE outbound_message SET body_enc = decode(${body}, 'hex'), status = 'waiting', claimed_by = ${DEAD}, platform_message_id = NULL, chat_order = NULL, sent_at = NULL
      WHERE id = ${row?.id ?? ''}`
    await sweepAndSettle(person)
    await bot.app.sweep()
    await person.settle()
    expect(ours(person)).toBe(before + 1)
    expect(person.messages().at(-1)?.text).toBe('Câu 1/10 chưa ai thấy')
  })

  test('a line cut after the platform took the message leads to one message, not two', async () => {
    const person = await bot.person('C')
    await person.talk(...REGISTRATION)
    const before = ours(person)
    bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', when: 'after', answer: { reset: true }, times: 1 })
    expect(await person.say('1')).toContain('Câu 2/10')
    expect(ours(person)).toBe(before + 1)
  })

  test('a question the platform refused is asked again when the person writes next', async () => {
    const person = await bot.person('E')
    await person.say('chào')
    const before = ours(person)
    bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', answer: { code: -210 }, times: 1 })
    await person.say('1')
    expect(ours(person)).toBe(before)
    expect(await person.say('Nà Đa')).toContain('bản nào')
    expect(ours(person)).toBe(before + 1)
    expect(await person.say('Nà Đa')).toContain('Họ và tên')
  })

  test('a stored event nobody answered is answered by the next sweep', async () => {
    const person = await bot.person('D')
    await person.talk(...REGISTRATION)
    const before = ours(person)
    await bot.sql`UPDATE inbound_event SET handled_at = NULL, received_at = received_at - interval '1 minute' WHERE id = (SELECT max(id) FROM inbound_event)`
    await sweepAndSettle(person)
    // Answered before: the repeat of "1" at the read-back is no news
    expect(ours(person)).toBe(before)
    const [left] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM inbound_event WHERE handled_at IS NULL`
    expect(left?.n).toBe(0)
  })
})

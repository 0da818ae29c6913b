import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatDate } from '../../src/lib/vietnam-time.ts'
import { runTickets } from '../../src/outreach/ticket-rounds.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// A Monday morning, so that working days are plain
const START = '2026-11-23T09:00:00+07:00'

describe('a person’s hand', () => {
  const clock = createClock(START)
  let bot: Bot
  let citizen: Awaited<ReturnType<Bot['person']>>
  let officer: Awaited<ReturnType<Bot['person']>>
  let leader: Awaited<ReturnType<Bot['person']>>
  let stranger: Awaited<ReturnType<Bot['person']>>

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
    leader = await withRole(bot, 'Lò Văn Ún', 'village_lead', 'binh-lu-01')
    stranger = await withRole(bot, 'Vàng A Sử', 'village_lead', 'binh-lu-02')
    citizen = await registered(bot, 'Lò Văn Pâng')
  })
  afterAll(() => bot?.close())

  it('tells the officers of the person’s units, with name, bản and question, and nobody else', async () => {
    await citizen.say('0')
    const told = await officer.settle()
    expect(told).toContain('Lò Văn Pâng (bản Nà Đa) cần cán bộ giúp.')
    expect(told).toContain('Đang ở câu:')
    expect(told).toContain('Hạn trả lời: 25/11/2026')
    expect(await leader.settle()).toContain('Lò Văn Pâng')
    expect(await stranger.settle()).toBe('')
  })

  it('lets the first officer take it and tells the second', async () => {
    expect(await leader.tap('Trả lời')).toContain('viết câu trả lời cho Lò Văn Pâng')
    expect(await officer.tap('Trả lời')).toContain('đang trả lời người này rồi')
    expect(await stranger.say('1')).not.toContain('Lò Văn Pâng')
  })

  it('brings the officer’s words to the person and keeps the bot quiet meanwhile, in both directions', async () => {
    expect(await leader.say('Bác xem lại sổ rồi chọn câu số 2 nhé.')).toContain('Đã chuyển')
    const heard = await citizen.settle()
    expect(heard).toContain('trưởng bản')
    expect(heard).toContain('Bác xem lại sổ rồi chọn câu số 2 nhé.')
    expect(await citizen.say('Cảm ơn, thế câu 5 thì sao?')).toBe('')
    expect(await leader.settle()).toContain('“Cảm ơn, thế câu 5 thì sao?”')
    await leader.say('Câu 5 bác chọn số 1.')
    expect(await citizen.settle()).toContain('Câu 5 bác chọn số 1.')
    const [row] = await bot.sql`SELECT count(*)::int AS n FROM outbound_message WHERE cause = 'staff' AND status = 'sent'`
    expect(row?.n).toBe(3)
  })

  it('lets words that work everywhere act even then', async () => {
    expect(await citizen.say('XEM')).toContain('Họ tên: Lò Văn Pâng')
  })

  it('closes with XONG, and the bot answers again', async () => {
    expect(await leader.say('xong')).toContain('ghi là đã xong')
    expect(await citizen.settle()).toContain('cán bộ đã trả lời xong')
    expect(await citizen.say('2')).not.toBe('')
    expect(await officer.say('MENU')).not.toContain('Việc chờ trả lời')
  })

  it('takes an answer given in the platform’s own tool as the answer', async () => {
    await citizen.say('CÁN BỘ')
    expect(await officer.settle()).toContain('Lò Văn Pâng')
    await bot.simulator.people.staffSays(bot.oaId, citizen.id, { text: 'Chào bác, cháu gọi lại ngay.', adminId: 'admin-1' })
    expect(await citizen.say('vâng tôi chờ')).toBe('')
    const [row] = await bot.sql`SELECT status FROM ticket ORDER BY id DESC LIMIT 1`
    expect(row?.status).toBe('answered')
  })

  it('warns once before the first clock runs out, and closes what was answered and has been quiet', async () => {
    clock.add(3)
    await citizen.say('CÁN BỘ')
    await citizen.say('BẮT ĐẦU')
    await officer.settle()
    await bot.sql`UPDATE ticket SET first_answer_due_at = ${clock.date().toISOString()}::timestamptz + interval '5 hours' WHERE status = 'open'`
    await runTickets(bot.app.deps, clock.date())
    await runTickets(bot.app.deps, clock.date())
    const warned = await officer.settle()
    expect(warned.match(/SẮP HẾT HẠN/g)).toHaveLength(1)
    clock.add(30)
    await runTickets(bot.app.deps, clock.date())
    const rows = await bot.sql`SELECT status, count(*)::int AS n FROM ticket GROUP BY status ORDER BY status`
    expect(Object.fromEntries(rows.map((row) => [row.status, row.n]))).toEqual({ closed: 2, open: 1 })
  })

  it('says that a chat beyond the window cannot be written to, and sends nothing', async () => {
    clock.add(24 * 8)
    await officer.say('MENU')
    await officer.tap('Việc chờ trả lời (1)')
    await officer.say('1')
    expect(await officer.tap('Trả lời')).toContain('đã quá 7 ngày')
  })

  it('opens by itself after three answers nobody understands, once, with what was asked and what was written', async () => {
    const lost = await registered(bot, 'Vàng Thị Mỷ')
    const answers = ['mưa to quá nhỉ', 'con trâu nhà tôi lạc rồi', 'để tôi kể chuyện hôm nọ']
    for (const text of answers.slice(0, 2)) await lost.say(text)
    expect(await officer.settle()).not.toContain('Vàng Thị Mỷ')
    expect(await lost.say(answers[2] ?? '')).toContain('cán bộ')
    const told = await officer.settle()
    expect(told).toContain('Vàng Thị Mỷ (bản Nà Đa) cần cán bộ giúp.')
    expect(told).toContain(`Tin nhắn: “${answers[2]}”`)
    await lost.say('trời lại nắng rồi')
    expect(await officer.settle()).toBe('')
  })

  it('names who has not registered by a number, and nothing they write while an officer answers is lost', async () => {
    const guest = await bot.person('Khách')
    await guest.say('CÁN BỘ')
    const told = await officer.settle()
    expect(told).toMatch(/^Người chưa đăng ký số \d+ cần cán bộ giúp\./)
    // Once more, at a question: two requests of one person
    await guest.talk('chào', '3')
    await officer.settle()
    expect(await officer.tap('Trả lời')).toMatch(/viết câu trả lời cho người chưa đăng ký số \d+\. Cháu/)
    await officer.say('Chào bác, tôi nghe đây.')
    expect(await guest.settle()).toContain('Dạ, cán bộ Hội Khuyến học xã trả lời bác:\nChào bác, tôi nghe đây.')
    expect(await guest.say('Đăng ký thế nào ạ?')).toBe('')
    expect(await officer.settle()).toMatch(/^Người chưa đăng ký số \d+: “Đăng ký thế nào ạ\?”/)
    // Whoever answers one of them has answered both
    await officer.say('XONG')
    const open = await bot.sql`SELECT 1 FROM ticket WHERE status <> 'closed' AND person_id IS NULL`
    expect(open).toHaveLength(0)
  })

  it('asks the window of the person’s own channel, not of the officer’s', async () => {
    const far = await registered(bot, 'Vàng A Páo')
    await far.say('CÁN BỘ')
    await officer.settle()
    await bot.sql`UPDATE contact SET last_inbound_at = last_inbound_at - interval '40 days' WHERE person_id = (SELECT id FROM person WHERE name = 'Vàng A Páo')`
    expect(await officer.tap('Trả lời')).toContain('đã quá 7 ngày')
    // The same person on a platform without a window
    const [other] = await bot.sql<{ id: number }[]>`
      INSERT INTO account (commune_id, channel, external_id, secrets_enc, traits)
      SELECT commune_id, 'telegram', '1', secrets_enc, '{}'::jsonb FROM account LIMIT 1 RETURNING id::int AS id`
    await bot.sql`UPDATE contact SET account_id = ${other?.id ?? 0} WHERE person_id = (SELECT id FROM person WHERE name = 'Vàng A Páo')`
    const { channelOf } = bot.app.deps
    bot.app.deps.channelOf = async (id) => {
      const channel = await channelOf(id === other?.id ? 1 : id)
      return channel && id === other?.id ? { ...channel, abilities: { ...channel.abilities, sendWindowMs: null } } : channel
    }
    expect(await officer.tap('Trả lời')).toContain('viết câu trả lời cho Vàng A Páo')
    await officer.say('XONG')
    bot.app.deps.channelOf = channelOf
    await bot.sql`UPDATE contact SET account_id = 1 WHERE account_id = ${other?.id ?? 0}`
    await bot.sql`DELETE FROM account WHERE id = ${other?.id ?? 0}`
  })

  it('left with THÔI, lets another officer answer at once', async () => {
    const asking = await registered(bot, 'Tẩn A Sử')
    // Their window had closed
    await leader.say('MENU')
    await asking.say('CÁN BỘ')
    await Promise.all([officer.settle(), leader.settle()])
    await leader.tap('Trả lời')
    expect(await officer.tap('Trả lời')).toContain('đang trả lời')
    await leader.say('thôi')
    expect(await officer.tap('Trả lời')).toContain('viết câu trả lời cho Tẩn A Sử (bản Nà Đa).')
    await officer.talk('Tôi đây ạ.', 'XONG')
    await officer.settle()
  })

  it('is a request about personal data once an officer says so: its clocks run from the day of the words, and it waits until it is done', async () => {
    const keeper = await withRole(bot, 'Phạm Thị Sen', 'data_protection_contact', 'binh-lu')
    const asking = await registered(bot, 'Lò Thị Ón')
    await asking.say('CÁN BỘ')
    await leader.settle()
    expect(await keeper.settle()).toBe('')
    const opened = clock.date()
    clock.add(24)
    await bot.sql`UPDATE ticket SET status = 'closed' WHERE person_id IS DISTINCT FROM (SELECT id FROM person WHERE name = 'Lò Thị Ón')`
    await officer.say('MENU')
    await officer.tap('Việc chờ trả lời (1)')
    expect(await officer.say('1')).toContain('Lò Thị Ón (bản Nà Đa) cần cán bộ giúp.')
    const kinds = await officer.tap('Việc thông tin cá nhân')
    expect(kinds).toContain('xin gì về thông tin của mình')
    const done = formatDate(new Date(opened.getTime() + 10 * 86_400_000))
    const filed = await officer.tap('Xin sửa')
    expect(filed).toContain(`xin sửa thông tin, nhắn ngày ${formatDate(opened)}.`)
    expect(filed).toContain(`Hạn làm xong ${done}.`)
    // Whoever looks after such requests learns of it, the leader who knew of it is not told again
    expect(await keeper.settle()).toContain(`Lò Thị Ón (bản Nà Đa) xin sửa thông tin.`)
    expect(await leader.settle()).toBe('')
    // The same tap again says the same; the trail has it once
    expect(await officer.tap('Xin sửa')).toBe(filed)
    expect(await keeper.settle()).toBe('')
    await officer.tap('Trả lời')
    await officer.say('Bác cho cháu xin năm sinh đúng ạ.')
    clock.add(48)
    await asking.say('Năm 1966 cháu ạ')
    await runTickets(bot.app.deps, clock.date())
    await officer.talk('THÔI', 'MENU')
    expect(await officer.tap('Việc chờ trả lời (1)')).toContain(`hạn ${done}, thông tin cá nhân`)
    const trail = await bot.sql`SELECT detail FROM audit WHERE action = 'ticket.file'`
    expect(trail.map((row) => row.detail)).toEqual([{ kind: 'correction' }])
  })

  it('leaves nothing of somebody who asks to be erased in what officers were sent', async () => {
    const late = await registered(bot, 'Hoàng Thị Đào')
    await late.say('CÁN BỘ')
    await officer.settle()
    await officer.tap('Trả lời')
    await officer.say('Chào chị, tôi nghe đây.')
    await late.settle()
    await late.say('Tôi muốn hỏi chuyện riêng')
    expect(await officer.settle()).toContain('chuyện riêng')
    await late.talk('XÓA', '1')
    const rows = await bot.sql<
      { body_enc: Buffer }[]
    >`SELECT body_enc FROM outbound_message WHERE body_enc IS NOT NULL AND cause <> 'reply'`
    const texts = rows.map((row) => bot.app.deps.sealer.openJson<{ text: string }>(row.body_enc).text)
    expect(texts.filter((text) => /chuyện riêng|Hoàng Thị Đào/.test(text))).toEqual([])
  })
})

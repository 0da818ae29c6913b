import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDigests } from '../../src/outreach/digests.ts'
import { runReminders } from '../../src/outreach/reminders.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

type Person = Awaited<ReturnType<Bot['person']>>

describe('reminders and the ladder', () => {
  // Tuesday 24/11/2026, 10:00: 40 hours later is 2:00, in quiet hours; the free window ends at 10:00 on Thursday
  const clock = createClock('2026-11-24T10:00:00+07:00')
  let bot: Bot
  let citizen: Person
  let stopped: Person
  let leader: Person
  let officer: Person

  // The bot's own round may be under way at the same time: whatever it wrote is sent as well
  const sent = async () => {
    for (const row of await bot.sql`SELECT DISTINCT contact_id AS id FROM outbound_message WHERE status = 'waiting'`)
      bot.app.deps.wake(Number(row.id))
  }
  const reminders = () => runReminders(bot.app.deps, clock.date()).then(sent)
  const digests = () => runDigests(bot.app.deps, clock.date()).then(sent)
  const settled = async (person: Person) => person.settle()

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
    leader = await withRole(bot, 'Lò Văn Ún', 'village_lead', 'binh-lu-01')
    citizen = await registered(bot, 'Lò Văn Pâng')
    stopped = await registered(bot, 'Vàng Thị Mỷ')
    await stopped.say('DỪNG')
  })
  afterAll(() => bot?.close())

  it('waits for its hour, never at night, and comes within the free window', async () => {
    clock.set('2026-11-25T20:00:00+07:00')
    await reminders()
    expect(await settled(citizen)).toBe('')
    clock.set('2026-11-26T03:00:00+07:00')
    await reminders()
    expect(await settled(citizen)).toBe('')
    clock.set('2026-11-26T07:31:00+07:00')
    await Promise.all([reminders(), reminders()])
    await reminders()
    expect((await settled(citizen)).match(/trợ lý học tập/g)).toHaveLength(1)
    expect(await settled(stopped)).toBe('')
    const rows = await bot.sql`SELECT rule, subject, due_on, status FROM reminder JOIN outbound_message o ON o.id = outbound_id`
    expect(rows.map((row) => ({ ...row }))).toEqual([{ rule: 'after_last_word', subject: 'h1', due_on: '2026-11-26', status: 'sent' }])
  })

  it('is answered by a tap, and does not come again in the same week', async () => {
    expect(await citizen.tap('Làm ngay')).toContain('Câu 1/')
    clock.add(44)
    await reminders()
    expect(await settled(citizen)).toBe('')
  })

  it('shows the rules and sends a round by hand through the same gate', async () => {
    const said = await officer.say('NHẮC')
    expect(said).toContain('Nhắc hộ: 40 giờ')
    expect(said).toContain('đã nhắc 1 hộ, 1 hộ đã nhắn lại')
    expect(await officer.tap('Nhắc ngay 1 hộ')).toContain('Đã nhắc 0 hộ. 1 hộ đã đủ số lần nhắc')
    expect(await settled(citizen)).toBe('')
  })

  it('gives the leader one digest a day, with names', async () => {
    clock.set('2026-12-01T07:40:00+07:00')
    await leader.say('MENU')
    await Promise.all([digests(), digests()])
    await digests()
    const said = await settled(leader)
    expect(said.match(/im lặng đã lâu/g)).toHaveLength(1)
    expect(said).toContain('Việc ở bản Nà Đa, ngày 01/12/2026: 2 hộ')
    clock.add(24)
    await digests()
    expect(await settled(leader)).toBe('')
  })

  it('records the leader’s tap, which stops the ladder', async () => {
    expect(await leader.tap('Lò Văn Pâng: 1 người, 5 ngày')).toContain('im lặng')
    expect(await leader.tap('Đã đến nhà')).toContain('ghi bác đã đến nhà hộ Lò Văn Pâng')
    expect(await leader.tap('Vàng Thị Mỷ: 1 người, 6 ngày')).toContain('im lặng')
    expect(await leader.tap('Nhắc lại')).toContain('đã nhắn DỪNG')
    clock.set('2026-12-09T08:00:00+07:00')
    await leader.say('MENU')
    await digests()
    const said = await settled(leader)
    expect(said).toContain('1 hộ')
    expect(said).not.toContain('Pâng')
  })

  it('sends the officer a summary on Monday, once, and names leaders whose chat has closed', async () => {
    clock.set('2026-12-21T08:30:00+07:00')
    await officer.say('MENU')
    await digests()
    await digests()
    const said = await settled(officer)
    expect(said.match(/TUẦN NÀY/g)).toHaveLength(1)
    expect(said).toContain('Nà Đa: 0/2')
    expect(said).toContain('1 bản có trưởng bản lâu không nhắn')
  })

  it('nudges on day 6, once for each silence', async () => {
    clock.set('2026-12-27T09:00:00+07:00')
    await digests()
    await digests()
    expect((await settled(officer)).match(/đã 6 ngày/g)).toHaveLength(1)
    expect(await officer.tap('Vẫn nhận tin')).toContain('cảm ơn')
    await digests()
    expect(await settled(officer)).toBe('')
  })

  it('is cancelled when the household has finished between writing and sending', async () => {
    const late = await registered(bot, 'Hoàng Thị Đào', { village: 'Nà Khan' })
    // Written just before quiet hours, by a process that died before it sent
    clock.add(43)
    const day = clock.date().toISOString()
    await bot.sql`UPDATE setting SET value = '"00:00"' WHERE key = 'quiet.from'`
    await bot.sql`UPDATE account SET paused_class = NULL`
    await bot.sql`
      INSERT INTO outbound_message (commune_id, account_id, contact_id, cause, body_enc, not_before, created_at)
      SELECT c.commune_id, c.account_id, c.id, 'reminder', ''::bytea, ${day}::timestamptz + interval '1 hour', ${day}::timestamptz
      FROM contact c JOIN person p ON p.id = c.person_id WHERE p.name = 'Hoàng Thị Đào'`
    await bot.sql`
      INSERT INTO reminder (commune_id, rule, subject, due_on, year, village_id, contact_id, outbound_id, created_at)
      SELECT p.commune_id, 'after_last_word', 'h' || p.household_id, '2026-12-29', 2026, p.village_id, o.contact_id, o.id, o.created_at
      FROM outbound_message o JOIN contact c ON c.id = o.contact_id JOIN person p ON p.id = c.person_id
      WHERE o.cause = 'reminder' AND p.name = 'Hoàng Thị Đào'`
    await bot.sql`UPDATE nomination SET status = 'da_tu_danh_gia' WHERE subject_id = (SELECT id FROM person WHERE name = 'Hoàng Thị Đào')`
    clock.add(1.1)
    bot.app.deps.wake(Number((await bot.sql`SELECT max(contact_id) AS id FROM outbound_message WHERE cause = 'reminder'`)[0]?.id))
    expect(await settled(late)).toBe('')
    const [row] = await bot.sql`SELECT status, class FROM outbound_message WHERE cause = 'reminder' ORDER BY id DESC LIMIT 1`
    expect({ ...row }).toEqual({ status: 'cancelled', class: 'done' })
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runTickets } from '../../src/outreach/ticket-rounds.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

describe('the legal clocks of a request over one’s data', () => {
  // A Monday
  const clock = createClock('2026-11-23T09:00:00+07:00')
  let bot: Bot
  let officer: Awaited<ReturnType<Bot['person']>>
  let citizen: Awaited<ReturnType<Bot['person']>>

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
    citizen = await registered(bot, 'Lò Văn Pâng')
    await citizen.say('CÁN BỘ')
    await officer.settle()
    // As the platform's own withdrawal opens it: a right, not a call for help
    await bot.sql`UPDATE ticket SET kind = 'restriction', done_due_at = opened_at + interval '15 days'`
  })
  afterAll(() => bot?.close())
  const look = async () => {
    await runTickets(bot.app.deps, clock.date())
    for (const row of await bot.sql`SELECT DISTINCT contact_id AS id FROM outbound_message WHERE status = 'waiting'`)
      bot.app.deps.wake(Number(row.id))
    return officer.settle()
  }
  const warnings = (said: string) => said.match(/SẮP HẾT HẠN/g)?.length ?? 0

  it('run from the request: two working days to the first answer, shown to the officer', async () => {
    const [row] = await bot.sql`SELECT first_answer_due_at - opened_at AS first, done_due_at - opened_at AS done FROM ticket`
    expect({ ...row }).toEqual({ first: '2 days', done: '15 days' })
    await officer.say('MENU')
    expect(await officer.tap('Việc chờ trả lời (1)')).toContain('25/11/2026')
  })

  it('warn once before the first answer is due', async () => {
    clock.set('2026-11-24T20:00:00+07:00')
    expect(warnings(await look())).toBe(0)
    clock.set('2026-11-24T21:30:00+07:00')
    await look()
    clock.set('2026-11-25T07:30:00+07:00')
    expect(warnings(await look())).toBe(1)
    expect(warnings(await look())).toBe(0)
  })

  it('go on after the first answer: the request stays on the list with its last day, and is not closed by silence', async () => {
    bot.simulator.people.staffSays(bot.oaId, citizen.id, { text: 'Chúng tôi đã nhận.', adminId: 'admin-1' })
    await citizen.settle()
    clock.set('2026-12-01T09:00:00+07:00')
    await officer.say('MENU')
    expect(await officer.tap('Việc chờ trả lời (1)')).toContain('08/12/2026')
    await look()
    expect((await bot.sql`SELECT status FROM ticket`)[0]?.status).toBe('answered')
  })
  it('warn once more before the last day', async () => {
    clock.set('2026-12-08T07:30:00+07:00')
    await officer.say('MENU')
    expect(warnings(await look())).toBe(1)
    expect(warnings(await look())).toBe(0)
  })
})

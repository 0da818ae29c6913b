import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// Officers who do things in another order than the flow was drawn for
type Person = Awaited<ReturnType<Bot['person']>>
const clock = createClock('2026-11-24T10:00:00+07:00')
const folder = mkdtempSync(join(tmpdir(), 'odd-ways-'))
let bot: Bot
let officer: Person
let citizen: Person
let guest: Person

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  bot.app.deps.exportsDir = folder
  await withoutPace(bot)
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  citizen = await registered(bot, 'Lò Văn Pâng')
  guest = await bot.person('Khách')
  await guest.say('chào')
})
afterAll(async () => {
  await bot?.close()
  rmSync(folder, { recursive: true, force: true })
})

const peopleIn = (shown: string) => /NGƯỜI NHẬN: (\d+) người/.exec(shown)?.[1] ?? ''
const userIdOf = (person: Person) => bot.account.threads().find((thread) => thread.personId === person.id)?.userId ?? ''

describe('messages nobody knows the end of', () => {
  it('are settled for who has not registered too, one after the other, and can be left for later', async () => {
    for (const person of [citizen, guest])
      bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', user_id: userIdOf(person), answer: { code: -200 } })
    const shown = await officer.talk('THÔNG BÁO', 'Tin chưa rõ.', '1', '1')
    await officer.talk('2', peopleIn(shown))
    const uncertain = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'uncertain'`)[0]?.n
    await expect.poll(uncertain, { timeout: 20_000 }).toBe(2)
    bot.simulator.faults.clear()
    await officer.talk('CHIẾN DỊCH', '1')
    expect(await officer.tap('Chưa rõ (2)')).toMatch(/^Lò Văn Pâng \(bản Nà Đa\): chưa rõ tin đã đến chưa\..*và 1 người nữa/)
    const chat = await officer.tap('Để sau, xem người khác')
    expect(chat).toMatch(/^Người chưa đăng ký số \d+: chưa rõ/)
    expect(await officer.tap('Đã nhận')).toMatch(/^Lò Văn Pâng/)
    expect(await officer.tap('Chưa nhận, gửi lại')).not.toContain('Chưa rõ (')
    const classes = await bot.sql`SELECT DISTINCT class FROM recipient WHERE person_id < 0 AND class IS NOT NULL`
    expect(classes.map((row) => row.class)).toEqual(['settled_by_hand'])
    await expect.poll(() => citizen.messages().filter((message) => message.text === 'Tin chưa rõ.').length, { timeout: 20_000 }).toBe(1)
  })
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { runDigests } from '../../src/outreach/digests.ts'
import { runReminders } from '../../src/outreach/reminders.ts'
import { sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// NHẮC: what an officer sees of the rules and may change of them, and days on which nothing is started
// Tuesday, 10:00: the free part of the window ends at 10:00 on Thursday
const clock = createClock('2026-11-24T10:00:00+07:00')
type Person = Awaited<ReturnType<Bot['person']>>
let bot: Bot
let officer: Person
let other: Person
let leader: Person
let citizen: Person

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  other = await withRole(bot, 'Trần Văn Bình', 'commune_approver', 'binh-lu')
  leader = await withRole(bot, 'Lò Văn Ún', 'village_lead', 'binh-lu-01')
  citizen = await registered(bot, 'Lò Văn Pâng')
})
afterAll(() => bot?.close())

async function rounds(): Promise<{ citizen: string; leader: string }> {
  await runReminders(bot.app.deps, clock.date())
  await runDigests(bot.app.deps, clock.date())
  await sweepCampaigns(bot.app.deps)
  return { citizen: await citizen.settle(), leader: await leader.settle() }
}
const changes = async () =>
  (await bot.sql`SELECT actor, detail FROM audit WHERE action = 'setting.set' ORDER BY id`).map(({ actor, detail }) => [
    actor,
    detail.key,
    detail.value,
  ])

it('shows each rule, its ceilings, and a switch for each', async () => {
  const said = await officer.say('NHẮC')
  expect(said).toContain('nhiều nhất 1 lần một tuần, 3 lần một năm; không nhắn từ 21:00 đến 07:00')
  expect(said).toContain('✓ Nhắc hộ: 40 giờ')
  expect(said).toContain('✗ Nhắc hộ lần cuối trong ngày thứ 6 (Zalo tính phí)')
  expect(said).toContain('✓ Hộ im lặng 72 giờ')
  for (const label of ['Tắt: nhắc hộ', 'Bật: nhắc hộ ngày 6 (Zalo tính phí)', 'Tắt: báo trưởng bản', 'Nghỉ gửi tin 3 ngày'])
    expect(said).toContain(label)
})

it('is nothing to whoever is no officer, by word or by a tap that was typed', async () => {
  for (const person of [citizen, leader]) {
    expect(await person.say('NHẮC')).not.toContain('NHẮC:')
    for (const act of ['rest', 'off_after_last_word', 'now']) await person.say(`#0.reminder_0.${act}`)
  }
  expect(await changes()).toEqual([])
})

it('switched off, a rule reminds nobody; switched on again, it does, and the audit names who', async () => {
  expect(await officer.tap('Tắt: nhắc hộ')).toContain('đã tắt: nhắc hộ')
  clock.set('2026-11-26T07:31:00+07:00')
  expect((await rounds()).citizen).toBe('')
  expect(await other.say('NHẮC')).toContain('✗ Nhắc hộ: 40 giờ')
  expect(await other.tap('Bật: nhắc hộ')).toContain('đã bật: nhắc hộ')
  clock.add(0.1)
  expect((await rounds()).citizen).toMatch(/trợ lý học tập/)
  expect((await changes()).map(([actor, ...rest]) => [/^contact:\d+$/.test(actor), ...rest])).toEqual([
    [true, 'reminders.after_last_word', 'no'],
    [true, 'reminders.after_last_word', 'yes'],
  ])
  expect(new Set((await changes()).map(([actor]) => actor)).size).toBe(2)
})

it('two officers who switch at the same moment leave what one of them chose', async () => {
  await Promise.all([officer.say('NHẮC'), other.say('NHẮC')])
  await Promise.all([officer.tap('Tắt: báo trưởng bản'), other.tap('Tắt: báo trưởng bản')])
  expect(await officer.say('NHẮC')).toContain('✗ Hộ im lặng 72 giờ')
  clock.set('2026-11-28T08:00:00+07:00')
  await leader.say('MENU')
  expect((await rounds()).leader).toBe('')
  await officer.say('NHẮC')
  await officer.tap('Bật: báo trưởng bản')
  clock.add(0.1)
  expect((await rounds()).leader).toContain('im lặng đã lâu')
})

it('a household of two with a chat each gets one message, in the chat that wrote last, naming both', async () => {
  const [first, second] = [
    await registered(bot, 'Hoàng Thị Đào', { village: 'Hua Bó' }),
    await registered(bot, 'Tẩn A Sử', { village: 'Hua Bó' }),
  ]
  await bot.sql`UPDATE person SET household_id = (SELECT household_id FROM person WHERE name = 'Hoàng Thị Đào') WHERE name = 'Tẩn A Sử'`
  await first.say('MENU')
  // 40 hours later it is night: in the morning, while the free part of the window lasts
  clock.set('2026-11-30T07:31:00+07:00')
  await runReminders(bot.app.deps, clock.date())
  await runReminders(bot.app.deps, clock.date())
  const said = await first.settle()
  expect(said).toContain('Nhà mình còn 2 người chưa làm xong')
  expect(said).toContain('Hoàng Thị Đào, Tẩn A Sử')
  expect(await second.settle()).toBe('')
})

it('the last reminder on day 6 costs money, and comes once an officer has switched it on', async () => {
  const late = await registered(bot, 'Vàng Thị Mỷ', { village: 'Nà Khan' })
  await bot.sql`UPDATE setting SET value = '"no"'::jsonb WHERE key = 'reminders.after_last_word'`
  clock.set('2026-12-06T07:40:00+07:00')
  await rounds()
  expect(await late.settle()).toBe('')
  await officer.say('NHẮC')
  await officer.tap('Bật: nhắc hộ ngày 6 (Zalo tính phí)')
  clock.add(0.5)
  await rounds()
  expect(await late.settle()).toMatch(/trợ lý học tập/)
  const [row] =
    await bot.sql`SELECT rule, status FROM reminder r JOIN outbound_message o ON o.id = r.outbound_id ORDER BY r.created_at DESC LIMIT 1`
  expect({ ...row }).toEqual({ rule: 'day_six', status: 'sent' })
  await bot.sql`DELETE FROM setting WHERE key LIKE 'reminders.%'`
})

it('on days of mourning nothing is started from the tap on, people are answered, and it ends by itself or by a tap', async () => {
  clock.set('2026-12-07T10:00:00+07:00')
  await citizen.say('MENU')
  await officer.say('NHẮC')
  const said = await officer.tap('Nghỉ gửi tin 3 ngày')
  expect(said).toContain('đến 07:00 ngày 10/12/2026 mới gửi lại')
  expect(await other.say('NHẮC')).toContain('Đang nghỉ gửi tin, gửi lại từ 07:00 ngày 10/12/2026')
  // A broadcast begun meanwhile waits too; a setting is seen everywhere within seconds
  clock.add(0.01)
  await officer.talk('THÔNG BÁO', 'Tin sau ngày tang.', '1', '1')
  expect(await officer.say('2')).toContain('tin đầu tiên sẽ đi lúc 07:00 ngày 10/12/2026')
  const people = /danh sách: (\d+)/.exec(officer.messages().at(-1)?.text ?? '')?.[1] ?? ''
  expect(await officer.say(people)).toContain('Đã bắt đầu')
  clock.set('2026-12-09T07:40:00+07:00')
  await leader.say('MENU')
  expect(await rounds()).toEqual({ citizen: '', leader: '' })
  expect(await citizen.say('XEM')).toContain('Lò Văn Pâng')
  expect((await bot.sql`SELECT DISTINCT status FROM recipient`).map((row) => row.status)).not.toContain('sent')

  // More of it, then an end before its time
  await other.tap('Thôi nghỉ, gửi lại')
  await officer.say('NHẮC')
  await officer.tap('Nghỉ gửi tin 3 ngày')
  expect(await officer.tap('Nghỉ thêm 3 ngày')).toContain('đến 07:00 ngày 15/12/2026')
  expect(await officer.tap('Thôi nghỉ, gửi lại')).toContain('gửi tin lại như thường')
  clock.add(0.1)
  await rounds()
  const open = async () => {
    await sweepCampaigns(bot.app.deps)
    return (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'waiting' AND route <> 'next'`)[0]?.n
  }
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  expect(
    (await citizen.settle()) +
      citizen
        .messages()
        .map((message) => message.text)
        .join(),
  ).toContain('Tin sau ngày tang.')
})

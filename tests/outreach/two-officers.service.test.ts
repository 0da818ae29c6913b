import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// Two officers of one commune, each on their own phone, doing the same at the same moment
type Person = Awaited<ReturnType<Bot['person']>>
const clock = createClock('2026-11-24T10:00:00+07:00')
let bot: Bot
let hoa: Person
let binh: Person
const citizens: Person[] = []

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  hoa = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  binh = await withRole(bot, 'Trần Văn Bình', 'commune_approver', 'binh-lu')
  for (const name of ['Lò Văn Pâng', 'Vàng Thị Mỷ', 'Tẩn A Sử']) citizens.push(await registered(bot, name))
})
afterAll(() => bot?.close())

const states = async () =>
  Object.fromEntries((await bot.sql`SELECT state, count(*)::int AS n FROM campaign GROUP BY state`).map((row) => [row.state, row.n]))
const open = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'waiting'`)[0]?.n
/** How often each citizen holds these words. */
const copies = (text: string) => citizens.map((person) => person.messages().filter((message) => message.text === text).length)
/** Up to the number that has to be typed; gives it. */
async function upToNumber(officer: Person, text: string): Promise<string> {
  const shown = await officer.talk('THÔNG BÁO', text, '1', '1')
  await officer.say('2')
  return /NGƯỜI NHẬN: (\d+) người/.exec(shown)?.[1] ?? ''
}
/** What both do at once, and who of them heard it was done. */
async function both(act: (officer: Person) => Promise<string>, done: string) {
  const said = await Promise.all([act(hoa), act(binh)])
  const winners = said.filter((text) => text.includes(done))
  const [second = ''] = said.filter((text) => !text.includes(done))
  return { winners: winners.length, second }
}

it('the same notice confirmed by both goes out once; the second is told, and has lost nothing', async () => {
  const text = 'Mời bà con dự họp bản.'
  const [number] = [await upToNumber(hoa, text), await upToNumber(binh, text)]
  const { winners, second } = await both((officer) => officer.say(number ?? ''), 'Đã bắt đầu gửi')
  expect(winners).toBe(1)
  expect(second).toContain('Đúng nội dung này, cho đúng những người này, đã được gửi lúc 10:0')
  expect(second).toContain('chưa gửi gì')
  expect(second).toContain('Gửi thử cho tôi')
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  expect(copies(text)).toEqual([1, 1, 1])
  expect(await states()).toMatchObject({ draft: 1 })
  for (const officer of [hoa, binh]) await officer.say('THÔI')
})

it('the same notice scheduled by both is scheduled once', async () => {
  const text = 'Nhắc bà con họp bản.'
  for (const officer of [hoa, binh]) await officer.talk('THÔNG BÁO', text, '1', '1', '3', '8 giờ sáng mai')
  const number = /gõ đúng số người trong danh sách: (\d+)/.exec(hoa.messages().at(-1)?.text ?? '')?.[1] ?? ''
  const { winners, second } = await both((officer) => officer.say(number), 'Đã hẹn gửi lúc 08:00')
  expect(winners).toBe(1)
  expect(second).toContain('đã có lịch gửi lúc 08:00 ngày 25/11/2026')
  expect(await states()).toMatchObject({ scheduled: 1 })
  for (const officer of [hoa, binh]) await officer.say('THÔI')
})

it('how long the same words are the same notice is a setting; 0 lets them go again at once', async () => {
  await bot.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, 'campaign.same_words_hours', '0'::jsonb)`
  // A commune's settings are looked at anew after some seconds
  clock.add(0.1)
  expect(await hoa.say((await upToNumber(hoa, 'Mời bà con dự họp bản.')) ?? '')).toContain('Đã bắt đầu gửi')
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  await bot.sql`DELETE FROM setting WHERE key = 'campaign.same_words_hours'`
  // It was one more of the few a person gets in a week
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days', claimed_at = claimed_at - interval '20 days'`
  clock.add(0.1)
})

it('other words, or other people, are another notice', async () => {
  const number = await upToNumber(hoa, 'Mời bà con dự họp bản nhé.')
  expect(await hoa.say(number)).toContain('Đã bắt đầu gửi')
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  await binh.talk('THÔNG BÁO', 'Mời bà con dự họp bản nhé.', '1', '3', 'Nà Đa', '1')
  const shown = binh.messages().at(-1)?.text ?? ''
  expect(await binh.talk('2', /NGƯỜI NHẬN: (\d+) người/.exec(shown)?.[1] ?? '')).toContain('Đã bắt đầu gửi')
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
})

describe('a notice under way', () => {
  const TEXT = 'Tin đi trong đêm.'
  /** Begun in quiet hours: it runs, and nothing has left yet. */
  beforeAll(async () => {
    await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days', claimed_at = claimed_at - interval '20 days'`
    clock.set('2026-11-24T21:30:00+07:00')
    const number = await upToNumber(hoa, TEXT)
    expect(await hoa.say(number)).toContain('Đã bắt đầu gửi')
    for (const officer of [hoa, binh]) expect(await officer.talk('CHIẾN DỊCH', '1')).toContain(TEXT)
  })

  it.each([
    ['Tạm dừng', 'Đã tạm dừng', 'Chiến dịch này đang tạm dừng'],
    ['Gửi tiếp', 'Đã gửi tiếp', 'Chiến dịch này đang chạy rồi'],
  ])('%s by both: once, and the second hears how it stands', async (label, done, told) => {
    const { winners, second } = await both((officer) => officer.tap(label), done)
    expect(winners).toBe(1)
    expect(second).toContain(told)
    const [row] = await bot.sql`
      SELECT count(*)::int AS n FROM audit WHERE action = ${label === 'Tạm dừng' ? 'campaign.pause' : 'campaign.resume'}`
    expect(row?.n).toBe(1)
  })

  it('one pauses while the other cancels: cancelled in the end, whoever was first', async () => {
    await binh.tap('Hủy')
    const [paused, cancelled] = await Promise.all([hoa.tap('Tạm dừng'), binh.tap('Hủy hẳn')])
    expect(cancelled).toContain('Đã hủy')
    expect(paused).toMatch(/Đã tạm dừng|Chiến dịch này đã hủy/)
    expect(await hoa.say('CHIẾN DỊCH')).toContain(`✗ ${TEXT}`)
    clock.set('2026-11-25T07:30:00+07:00')
    await sweepCampaigns(bot.app.deps)
    expect(copies(TEXT)).toEqual([0, 0, 0])
    expect(await bot.sql`SELECT DISTINCT status FROM recipient WHERE campaign_id = (SELECT max(campaign_id) FROM recipient)`).toEqual([
      { status: 'cancelled' },
    ])
  })

  it('cancelled by both: once, and the second hears that it is', async () => {
    clock.set('2026-11-25T21:30:00+07:00')
    const number = await upToNumber(hoa, 'Tin thứ hai trong đêm.')
    await hoa.say(number)
    for (const officer of [hoa, binh]) {
      await officer.talk('CHIẾN DỊCH', '1')
      await officer.tap('Hủy')
    }
    const { winners, second } = await both((officer) => officer.tap('Hủy hẳn'), 'Đã hủy.')
    expect(winners).toBe(1)
    expect(second).toContain('Chiến dịch này đã hủy')
  })
})

it('a class of failures sent once more by both goes to each person once', async () => {
  clock.set('2026-11-26T09:00:00+07:00')
  const text = 'Tin có lỗi.'
  const mine = bot.account.threads().find((thread) => thread.personId === citizens[0]?.id)?.userId ?? ''
  const fault = bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', user_id: mine, answer: { code: -248 } })
  const number = await upToNumber(hoa, text)
  await hoa.say(number)
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  bot.simulator.faults.remove(fault)
  expect(copies(text)).toEqual([0, 1, 1])
  for (const officer of [hoa, binh]) await officer.talk('CHIẾN DỊCH', '1')
  const { winners, second } = await both((officer) => officer.tap('Gửi lại 1: nội dung bị nền tảng từ chối'), 'Gửi lại cho 1 người')
  expect(winners).toBe(1)
  expect(second).toContain('Không có ai để gửi lại')
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  await Promise.all(citizens.map((person) => person.settle()))
  expect(copies(text)).toEqual([1, 1, 1])
})

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { exportLedger } from '../../src/outreach/export-ledger.ts'
import { offerEvents, runNotices } from '../../src/outreach/notices.ts'
import { sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// What an officer sees of a broadcast from its first word to its certificate, on the running bot
type Person = Awaited<ReturnType<Bot['person']>>
const clock = createClock('2026-11-24T10:00:00+07:00')
const folder = mkdtempSync(join(tmpdir(), 'officer-walk-'))
const NAMES = ['Lò Văn Pâng', 'Vàng Thị Mỷ', 'Tẩn A Sử', 'Hoàng Thị Đào']
let bot: Bot
let officer: Person
const citizens: Person[] = []

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  bot.app.deps.exportsDir = folder
  await withoutPace(bot)
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  for (const name of NAMES) citizens.push(await registered(bot, name))
})
afterAll(async () => {
  await bot?.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  bot.simulator.faults.clear()
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days', claimed_at = claimed_at - interval '20 days'`
})

const peopleIn = (shown: string) => /NGƯỜI NHẬN: (\d+) người/.exec(shown)?.[1] ?? ''
const open = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'waiting'`)[0]?.n
const ended = () => expect.poll(open, { timeout: 20_000 }).toBe(0)
const held = (text: string) => citizens.map((person) => person.messages().filter((message) => message.text === text).length)
const set = (key: string, value: unknown) =>
  bot.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, ${key}, ${JSON.stringify(value)}::text::jsonb)
    ON CONFLICT (unit_id, key) DO UPDATE SET value = excluded.value`
/** The officer's news of campaigns: what the timer of the worker tells. */
async function news(): Promise<string> {
  await sweepCampaigns(bot.app.deps)
  await runNotices(bot.app.deps, clock.date())
  return officer.settle()
}

describe('whom it is for', () => {
  beforeAll(async () => {
    const [mine] = await bot.sql<{ id: number; village: number; commune: number }[]>`
      SELECT id::int AS id, village_id::int AS village, commune_id::int AS commune FROM person WHERE name = 'Lò Văn Pâng'`
    // Known to the commune from its register, and never heard of
    await bot.sql`
      INSERT INTO person (commune_id, village_id, name, name_key, birth_year, address, group_no, source)
      VALUES (${mine?.commune ?? 0}, ${mine?.village ?? 0}, 'Người trong sổ', 'nguoi trong so', 1970, 'bac', 1, 'roster')`
    // One answers a question, one has finished, two have not begun
    await citizens[0]?.say('1')
    await bot.sql`UPDATE nomination SET status = 'da_tu_danh_gia' WHERE subject_id = (SELECT id FROM person WHERE name = 'Vàng Thị Mỷ')`
    await bot.sql`DELETE FROM nomination WHERE subject_id IN (SELECT id FROM person WHERE name IN ('Tẩn A Sử', 'Hoàng Thị Đào'))`
    await officer.talk('THÔNG BÁO', 'Tin cho ai.', '1', '1')
  })

  it.each([
    ['not registered, the officer’s own chat too', ['4', '3', '2', '2'], '2'],
    ['not begun', ['4', '3', '2', '3'], '2'],
    ['not finished', ['4', '3', '2', '4', '1'], '3'],
    ['finished', ['4', '3', '2', '5'], '1'],
    ['question 1 not answered', ['4', '3', '2', '4', '2', '1'], 'Không có ai'],
    ['question 2 not answered', ['2', '4', '2', '2'], '1'],
  ])('by state: %s', async (_, answers, expected) => {
    const shown = await officer.talk(...answers)
    if (/^\d$/.test(expected)) expect(peopleIn(shown)).toBe(expected)
    else expect(shown).toContain(expected)
  })
  afterAll(() => officer.say('THÔI'))
})

it('a PDF goes along, and who registers after the start is not in the frozen list', async () => {
  const text = 'Giấy mời ở dưới.'
  await officer.talk('THÔNG BÁO', text, '2')
  await bot.simulator.people.say(officer.id, bot.oaId, { kind: 'file', name: 'giay-moi.pdf', bytes: Buffer.from('%PDF-1.7 giấy mời') })
  await officer.settle()
  const shown = await officer.say('1')
  clock.set('2026-11-24T21:30:00+07:00')
  await officer.talk('2', peopleIn(shown))
  const late = await registered(bot, 'Giàng A Chu')
  clock.set('2026-11-25T08:00:00+07:00')
  await ended()
  await Promise.all([...citizens, late].map((person) => person.settle()))
  expect(held(text)).toEqual([1, 1, 1, 1])
  const files = (person: Person) => person.messages().filter((message) => message.kind === 'file' && message.from === 'oa').length
  expect(citizens.map(files)).toEqual([1, 1, 1, 1])
  expect([late.messages().some((message) => message.text === text), files(late)]).toEqual([false, 0])
  await news()
})

it('tells how far it is, again at each tap, and its end by itself, once', async () => {
  clock.set('2026-11-25T21:30:00+07:00')
  for (const person of citizens) await person.say('MENU')
  const shown = await officer.talk('THÔNG BÁO', 'Tin xem tiến độ.', '1', '1')
  await officer.talk('2', peopleIn(shown))
  const before = await officer.tap('Xem tiến độ')
  expect(before).toContain('ĐANG GỬI: Tin xem tiến độ.')
  expect(before).toContain('Tính đến 21:30 ngày 25/11/2026: 7 người; phần gửi được: xong 0/6 (0%)')
  expect(before).toContain('đã gửi 0/7, đang đợi gửi 6')
  expect(before).toContain('Đang giờ nghỉ hoặc ngày nghỉ, gửi tiếp từ 07:00 ngày 26/11/2026.')
  expect(before).toMatch(/Còn chừng .* xong lúc 07:0\d 26\/11\/2026/)
  clock.set('2026-11-26T08:00:00+07:00')
  await ended()
  const after = await officer.tap('Xem lại')
  expect(after).toContain('xong 6/6 (100%)')
  expect(after).toContain('đã gửi 6/7, đang đợi gửi 0')
  const told = [await news(), await news()]
  expect(told.join('').match(/ĐÃ XONG: Tin xem tiến độ\./g)).toHaveLength(1)
})

it('ends with a certificate whose figures add up and whose checksum is that of the exported list, and the list opens from a link', async () => {
  const unheard = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'sent' AND received_at IS NULL`)[0]?.n
  await expect.poll(unheard, { timeout: 20_000 }).toBe(0)
  const said = await officer.tap('Giấy xác nhận')
  const sums =
    /(\d+) người = đã gửi (\d+) \+ lỗi (\d+) \+ không gửi (\d+) \+ hết hạn (\d+) \+ hủy (\d+) \+ chưa rõ (\d+) \+ đang đợi (\d+)/.exec(said)
  const [people, ...parts] = (sums ?? []).slice(1).map(Number)
  expect(parts.reduce((sum, n) => sum + n, 0)).toBe(people)
  // A receipt may come before the result of its message is recorded: none is lost
  expect(said).toContain(`Zalo báo đã nhận ${parts[0]}, đã xem 0`)
  const [campaign] = await bot.sql<{ id: number }[]>`SELECT max(id)::int AS id FROM campaign`
  const path = join(folder, 'ledger.csv')
  await exportLedger(bot.app.deps.database, { campaignId: campaign?.id ?? 0, path, actor: 'cli', now: clock.date() })
  const rows: Record<string, string>[] = parse(readFileSync(path, 'utf8'), { columns: true })
  const cells = rows.map((row) => [row.channel, row.channel_user_id, row.status, row.class_or_reason, row.attempts, row.sent_at].join('\t'))
  const checksum = createHash('sha256')
    .update(cells.map((line) => `${line}\n`).join(''))
    .digest('hex')
  expect(said).toContain(`Mã kiểm: ${checksum}`)

  await officer.tap('Danh sách (tệp)')
  const link = officer
    .messages()
    .findLast((message) => message.buttons)
    ?.buttons?.find((button) => button.title === 'Mở danh sách')
  const { url } = z.object({ url: z.string() }).parse(link?.payload)
  const opened = await bot.app.http.inject({ method: 'GET', url: new URL(url).pathname })
  const table: Record<string, string>[] = parse(opened.body, { columns: true, bom: true })
  expect(table).toHaveLength(people ?? 0)
  expect(table.filter((row) => NAMES.includes(row['Họ và tên'] ?? '')).map((row) => row['Kết quả'])).toEqual(NAMES.map(() => 'đã gửi'))
})

describe('a broadcast that stops by itself says why', () => {
  const began = async (text: string) => {
    const shown = await officer.talk('THÔNG BÁO', text, '1', '1')
    expect(await officer.talk('2', peopleIn(shown))).toContain('Đã bắt đầu')
  }
  const state = async () => (await bot.sql`SELECT state FROM campaign ORDER BY id DESC LIMIT 1`)[0]?.state

  it('for failures: how many of how many, which, and what to do; and goes on with the others', async () => {
    await set('campaign.pause_after', 3)
    for (const person of citizens.slice(0, 3))
      bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', user_id: userIdOf(person), answer: { code: -248 } })
    clock.add(0.1)
    await began('Tin bị chê.')
    await expect.poll(state, { timeout: 20_000 }).toBe('paused')
    bot.simulator.faults.clear()
    const said = await news()
    expect(said).toContain('TẠM DỪNG: Tin bị chê.')
    expect(said).toMatch(/Tự dừng vì lỗi nhiều: \d\/\d tin gần nhất/)
    expect(said).toContain('• nội dung bị nền tảng từ chối: 3')
    expect(await news()).toBe('')
    await officer.tap('Gửi tiếp')
    await ended()
    expect(await news()).toContain('ĐÃ XONG: Tin bị chê.')
  })

  it('for the account: what the platform says of it, in words', async () => {
    bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', user_id: userIdOf(citizens[0]), answer: { code: -224 } })
    await began('Tin gặp lúc gói hết hạn.')
    await expect.poll(state, { timeout: 20_000 }).toBe('paused')
    bot.simulator.faults.clear()
    await bot.sql`UPDATE account SET paused_class = NULL, paused_at = NULL`
    const said = await news()
    expect(said).toContain('Tự dừng: gói Zalo OA của xã chưa cho gửi loại tin này. Chưa ai bị bỏ sót')
    await officer.tap('Gửi tiếp')
    await ended()
    await news()
    expect(held('Tin gặp lúc gói hết hạn.')).toEqual([1, 1, 1, 1])
  })

  it('for a start that is not possible at its time: what is in the way', async () => {
    await officer.talk('THÔNG BÁO', 'Tin hẹn.', '2')
    await bot.simulator.people.say(officer.id, bot.oaId, { kind: 'file', name: 'giay-moi.pdf', bytes: Buffer.from('%PDF-1.7 giấy mời') })
    await officer.settle()
    await officer.talk('1', '3', '8 giờ sáng mai')
    const number = /gõ đúng số người trong danh sách: (\d+)/.exec(officer.messages().at(-1)?.text ?? '')?.[1] ?? ''
    expect(await officer.say(number)).toContain('Đã hẹn gửi')
    rmSync(join(folder, 'notices'), { recursive: true })
    clock.set('2026-11-27T08:01:00+07:00')
    await sweepCampaigns(bot.app.deps)
    const said = await officer.talk('CHIẾN DỊCH', '1')
    expect(said).toContain('TẠM DỪNG: Tin hẹn.')
    expect(said).toContain('Chưa bắt đầu được: Không đọc được tệp đính kèm. Bác gửi lại tệp giúp cháu.')
    expect(held('Tin hẹn.')).toEqual([0, 0, 0, 0])
  })
})

it('whom no way reaches is listed for the village’s leader, by name, for nobody else’s eyes', async () => {
  const leader = await withRole(bot, 'Lò Văn Ún', 'village_lead', 'binh-lu-01')
  const stranger = await withRole(bot, 'Vàng A Sử', 'village_lead', 'binh-lu-02')
  // Two wrote long ago, one is known from the register only, one has said DỪNG and is left in peace
  await bot.sql`UPDATE contact SET last_inbound_at = last_inbound_at - interval '30 days' WHERE person_id = (SELECT id FROM person WHERE name = 'Tẩn A Sử')`
  await citizens[3]?.say('DỪNG')
  const shown = await officer.talk('THÔNG BÁO', 'Tin nhờ chuyển.', '1', '3', 'Nà Đa', '1')
  expect(shown).toContain('nhờ trưởng bản chuyển: 1')
  await officer.talk('2', peopleIn(shown))
  const sent = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'waiting' AND route = 'now'`)[0]?.n
  await expect.poll(sent, { timeout: 20_000 }).toBe(0)
  await runNotices(bot.app.deps, clock.date())
  const told = await leader.settle()
  expect(told).toContain('Tin nhờ chuyển.')
  expect(told).toContain('3 người trong bản cháu chưa nhắn được')
  expect(await leader.tap('Xem tên')).toContain('Ở bản Nà Đa, cháu chưa nhắn được:\n• Giàng A Chu\n• Người trong sổ\n• Tẩn A Sử\n')
  const [notice] = await bot.sql<{ campaign: number; village: number }[]>`
    SELECT campaign_id::int AS campaign, village_id::int AS village FROM village_notice ORDER BY campaign_id DESC LIMIT 1`
  for (const person of [stranger, citizens[0]])
    expect(await person?.say(`#0.notice_${notice?.campaign}.n${notice?.village}`)).not.toContain('Tẩn A Sử')
  // Who writes gets it, and is on the list no more
  await citizens[2]?.say('MENU')
  clock.add(0.01)
  const delivered = async () => {
    await sweepCampaigns(bot.app.deps)
    return citizens[2]?.messages().some((message) => message.text === 'Tin nhờ chuyển.')
  }
  await expect.poll(delivered, { timeout: 20_000 }).toBe(true)
  expect(await leader.tap('Xem tên')).not.toContain('Tẩn A Sử')
  expect(await leader.tap('Đã chuyển')).toContain('bản Nà Đa đã chuyển')
})

describe('ways around the window', () => {
  const ways = async () =>
    Object.fromEntries(
      (
        await bot.sql<{ name: string; way: string }[]>`
          SELECT p.name, concat_ws(' ', r.route, r.status, r.class) AS way FROM recipient r JOIN person p ON p.id = r.person_id
          WHERE r.campaign_id = (SELECT max(campaign_id) FROM recipient)`
      ).map((row) => [row.name, row.way]),
    )
  const send = async (text: string) => {
    const shown = await officer.talk('THÔNG BÁO', text, '1', '1')
    await officer.talk('2', peopleIn(shown))
    const left = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'waiting' AND route <> 'next'`)[0]?.n
    await expect.poll(left, { timeout: 20_000 }).toBe(0)
    return shown
  }

  it('who wrote three days ago waits for their next word; where the commune pays, it goes now, and the officer saw the price', async () => {
    await bot.sql`UPDATE role_grant SET revoked_at = now() WHERE role = 'village_lead'`
    await citizens[0]?.say('MENU')
    clock.add(72)
    await citizens[1]?.say('MENU')
    expect(await send('Tin miễn phí.')).toContain('Tin Zalo tính phí: 0.')
    expect(await ways()).toMatchObject({
      'Lò Văn Pâng': 'next waiting',
      'Vàng Thị Mỷ': 'now sent',
      'Hoàng Thị Đào': 'none skipped stopped',
    })
    await set('campaign.billed_window', 'yes')
    const shown = await send('Tin trả phí.')
    const [, billed, cost] = /Tin Zalo tính phí: (\d+) \(chừng (\d+) đồng\)/.exec(shown) ?? []
    expect(Number(billed)).toBeGreaterThan(0)
    expect(Number(cost)).toBe(55 * Number(billed))
    expect((await ways())['Lò Văn Pâng']).toBe('now sent')
  })

  it('who has blocked the account is marked once, and left out of the next with that reason', async () => {
    bot.simulator.people.setBlocked(citizens[1]?.id ?? '', bot.oaId, true)
    await send('Tin một sau khi chặn.')
    const first = (await ways())['Vàng Thị Mỷ']
    expect(first).toMatch(/^now failed /)
    await send('Tin hai sau khi chặn.')
    expect((await ways())['Vàng Thị Mỷ']).toBe(`none skipped ${first?.split(' ').at(-1)}`)
  })
})

it('the Week is offered by the dates this province has moved it to, by the clock of Việt Nam', async () => {
  await set('event.week_from', '15/12')
  // 8:30 on 3/12 in Việt Nam, twelve days ahead; an hour before, nothing
  clock.set('2026-12-03T07:59:00+07:00')
  await officer.say('MENU')
  await offerEvents(bot.app.deps, clock.date())
  expect(await officer.settle()).toBe('')
  clock.set('2026-12-03T08:31:00+07:00')
  await offerEvents(bot.app.deps, clock.date())
  const said = await officer.settle()
  expect(said).toContain('Sắp đến Tuần lễ hưởng ứng học tập suốt đời (15/12/2026)')
  expect(said).toContain('từ ngày 15/12 đến ngày 21/12/2026')
})

const userIdOf = (person: Person | undefined) => bot.account.threads().find((thread) => thread.personId === person?.id)?.userId ?? ''

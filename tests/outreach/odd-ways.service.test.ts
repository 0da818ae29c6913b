import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runDigests } from '../../src/outreach/digests.ts'
import { offerEvents, runNotices } from '../../src/outreach/notices.ts'
import { type Bot, REGISTRATION, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// Officers who do things in another order than the flow was drawn for
type Person = Awaited<ReturnType<Bot['person']>>
const clock = createClock('2026-11-24T10:00:00+07:00')
const folder = mkdtempSync(join(tmpdir(), 'odd-ways-'))
let bot: Bot
let officer: Person
let citizen: Person
let guest: Person
// Of the village in the last part
let gone: Person

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

describe('an officer who wants out', () => {
  const drafts = async () => (await bot.sql`SELECT count(*)::int AS n FROM campaign WHERE state = 'draft'`)[0]?.n
  const shown = ['THÔNG BÁO', 'Tin soạn dở.', '1', '1']

  it.each([
    ['whom it is for', ['THÔNG BÁO', 'Tin soạn dở.', '1'], 'hủy'],
    ['among whom', ['THÔNG BÁO', 'Tin soạn dở.', '1', '2'], 'THÔI'],
    ['which villages', ['THÔNG BÁO', 'Tin soạn dở.', '1', '3'], 'thoi'],
    ['the file', ['THÔNG BÁO', 'Tin soạn dở.', '2'], 'Bỏ đi'],
  ])('before anybody is counted, at %s, drops it', async (_, words, way) => {
    await officer.talk(...words)
    expect(await officer.say(way)).toBe('Dạ, đã bỏ, chưa gửi gì cả. Nhắn THÔNG BÁO để soạn tin khác.')
    expect(await drafts()).toBe(0)
  })

  it.each([
    ['what to change', ['4']],
    ['how to narrow it', ['4', '4']],
    ['which group', ['4', '4', '1']],
    ['new words', ['4', '1']],
    ['the time', ['3']],
    ['the number', ['2']],
  ])('after the count, at %s, is back at what was counted, with nothing changed', async (_, words) => {
    await officer.talk(...shown, ...words)
    expect(await officer.say('Hủy')).toMatch(/^Dạ, chưa gửi gì cả, bản soạn vẫn còn\.\n\nBác muốn làm gì ạ\?/)
    const [draft] = await bot.sql`SELECT text FROM campaign WHERE state = 'draft'`
    expect(draft?.text).toBe('Tin soạn dở.')
    expect(await officer.say('hủy')).toContain('đã bỏ')
  })

  it('who is not understood, however often, is asked again and told the way out; nobody is called to help an officer', async () => {
    await officer.talk('THÔNG BÁO', 'Tin soạn dở.', '1')
    for (const text of ['không hiểu', 'gì thế này', 'abc', 'xyz']) expect(await officer.say(text)).toMatch(/nhắn THÔI/i)
    expect(await bot.sql`SELECT 1 FROM ticket`).toHaveLength(0)
    await officer.say('thôi')
  })

  it('words that are too long are refused with the most there may be; a sticker is no notice', async () => {
    await officer.say('THÔNG BÁO')
    for (const text of ['x'.repeat(5_000), 'y'.repeat(1_501)]) expect(await officer.say(text)).toContain('dài hơn 1500 ký tự')
    await bot.simulator.people.say(officer.id, bot.oaId, { kind: 'voice' })
    expect(await officer.settle()).toBe('Cháu chưa nghe được tin thoại ạ.\n\nBác viết nội dung thông báo, hoặc nhắn THÔI ạ.')
    await officer.say('thôi')
  })

  it('new words that are wrong are asked for again, and the rest of the notice stays', async () => {
    await officer.talk(...shown, '4', '1')
    const refused = await officer.say('Chào {ai đó}')
    expect(refused).toContain('Không có ô {ai đó}')
    expect(refused).toContain('Bác viết lại nội dung thông báo')
    expect(await officer.say('Chào {tên}.')).toContain('“Chào Lò Văn Pâng.”')
    await officer.say('5')
  })

  it('a time more than a year away is refused at once', async () => {
    await officer.talk(...shown, '3')
    expect(await officer.say('1/12/2028 8:00')).toMatch(/nhiều nhất là một năm.\n\nGửi lúc nào ạ/)
    await officer.talk('thôi', '5')
  })

  it('whoever has lost the role meanwhile sees nobody and sends nothing', async () => {
    const former = await withRole(bot, 'Trần Văn Bình', 'commune_reviewer', 'binh-lu')
    const people = peopleIn(await former.talk('THÔNG BÁO', 'Tin của người cũ.', '1', '1'))
    await bot.sql`UPDATE role_grant SET revoked_at = now() WHERE contact_id = (SELECT author_contact_id FROM campaign WHERE text = 'Tin của người cũ.')`
    await former.say('2')
    expect(await former.say(people)).not.toContain('Đã bắt đầu')
    expect(await bot.sql`SELECT state FROM campaign WHERE text = 'Tin của người cũ.'`).toEqual([{ state: 'draft' }])
    await bot.sql`DELETE FROM campaign WHERE state = 'draft'`
  })
})

describe('an occasion of the year', () => {
  it('tapped twice is composed once; one that has passed says so', async () => {
    clock.set('2026-11-15T09:00:00+07:00')
    await officer.say('MENU')
    await offerEvents(bot.app.deps, clock.date())
    expect(await officer.settle()).toContain('Sắp đến Ngày Nhà giáo Việt Nam 20/11')
    expect(await officer.tap('Soạn từ mẫu này')).toContain('Có gửi kèm ảnh')
    expect(await officer.tap('Soạn từ mẫu này')).toMatch(/^Có gửi kèm ảnh/)
    await officer.talk('1', 'thôi')
    expect(await officer.say('thôi')).toContain('chưa hiểu')
    clock.set('2026-11-24T09:00:00+07:00')
    expect(await officer.tap('Soạn từ mẫu này')).toContain('Ngày Nhà giáo Việt Nam 20/11 năm nay đã qua')
    expect(await bot.sql`SELECT 1 FROM campaign WHERE state = 'draft'`).toHaveLength(0)
  })
})

describe('a notice to pass on', () => {
  const QR = /Quét mã trong ảnh/
  const beginAtNight = async (text: string) => {
    const shown = await officer.talk('THÔNG BÁO', text, '1', '1')
    expect(await officer.talk('2', peopleIn(shown))).toContain('Đã bắt đầu')
  }
  const round = async () => {
    await runNotices(bot.app.deps, clock.date())
    await bot.app.idle()
  }

  it('goes to whoever leads the village by the time it leaves, and while it is news only', async () => {
    clock.set('2026-12-01T21:30:00+07:00')
    const before = await withRole(bot, 'Lò Văn Ún', 'village_lead', 'binh-lu-01')
    await beginAtNight('Tin cho trưởng bản mới.')
    await bot.sql`UPDATE role_grant SET revoked_at = now() WHERE role = 'village_lead'`
    clock.set('2026-12-02T08:00:00+07:00')
    const after = await withRole(bot, 'Lò Văn Ngọc', 'village_lead', 'binh-lu-01')
    await round()
    expect(await after.settle()).toMatch(QR)
    expect(await before.settle()).not.toMatch(QR)
    expect(await after.tap('Đã chuyển')).toContain('bản Nà Đa đã chuyển')

    clock.set('2026-12-20T21:30:00+07:00')
    await officer.say('MENU')
    await beginAtNight('Tin đã cũ.')
    // Their chat had closed; when they write again it is long over
    clock.set('2027-01-20T09:00:00+07:00')
    await round()
    await after.say('MENU')
    await round()
    expect(await after.settle()).toBe('')
  })
})

describe('a leader with many silent households', () => {
  const NAMES = ['Giàng A An', 'Giàng A Bình', 'Giàng A Chu', 'Giàng A Dế', 'Giàng A Èn', 'Giàng A Phử']
  let leader: Person

  beforeAll(async () => {
    clock.set('2027-03-01T10:00:00+07:00')
    for (const name of NAMES) gone = await registered(bot, name, { village: 'Hua Bó' })
    leader = await withRole(bot, 'Giàng A Lềnh', 'village_lead', 'binh-lu-03')
    const own: Record<string, string> = { chào: 'BẮT ĐẦU', 'Lò Văn Pâng': 'Giàng A Lềnh', 'Nà Đa': 'Hua Bó' }
    await leader.talk(...REGISTRATION.map((text) => own[text] ?? text))
    await bot.sql`DELETE FROM nomination WHERE subject_id = (SELECT id FROM person WHERE name = 'Giàng A Lềnh')`
    clock.set('2027-03-06T07:40:00+07:00')
    await leader.say('MENU')
    await bot.sql`UPDATE person SET source = 'roster' WHERE name = 'Giàng A Lềnh'`
    await runDigests(bot.app.deps, clock.date())
    await bot.app.idle()
  })

  it('gets the next ones as each is noted, and can take a wrong tap back', async () => {
    const digest = await leader.settle()
    expect(digest).toContain('6 hộ chưa làm xong')
    expect(digest).not.toContain('Giàng A Phử')
    await leader.tap('Giàng A An: 1 người, 4 ngày')
    const noted = await leader.tap('Không còn ở đây')
    expect(noted).toContain('ghi hộ Giàng A An không còn ở đây')
    expect(noted).toContain('Còn 5 hộ chưa ghi')
    expect(noted).toContain('Giàng A Èn: 1 người, 4 ngày')
    expect(await leader.tap('Ghi nhầm Giàng A An')).toMatch(/vẫn trong danh sách[\s\S]*Còn 6 hộ chưa ghi[\s\S]*Giàng A An/)
    expect(await bot.sql`SELECT 1 FROM household_step`).toHaveLength(0)
    expect(await leader.tap('Ghi nhầm Giàng A An')).toContain('phần đã xong')
  })

  it('answers at once for the only one of a household who has not finished', async () => {
    await leader.tap('Giàng A Bình: 1 người, 4 ngày')
    expect(await leader.tap('Làm hộ')).toContain('Giàng A Bình')
    await leader.say('thôi')
  })

  it('in quiet hours is told from when a household can be reminded', async () => {
    await bot.sql`DELETE FROM reminder`
    await leader.tap('Giàng A Chu: 1 người, 4 ngày')
    clock.set('2027-03-06T21:40:00+07:00')
    await bot.sql`UPDATE contact SET last_inbound_at = ${clock.date().toISOString()}::timestamptz - interval '20 hours'`
    expect(await leader.tap('Nhắc lại')).toContain('bấm lại từ 07:00 ngày 07/03/2027')
  })
})

describe('what officers read', () => {
  it('whose households a leader said are gone, by name on Monday, and no longer once they are erased', async () => {
    clock.set('2027-03-07T09:00:00+07:00')
    await bot.sql`
      INSERT INTO household_step (commune_id, village_id, subject, year, act, by_contact_id, at)
      SELECT p.commune_id, p.village_id, 'h' || p.household_id, 2027, 'gone', 1, now() FROM person p WHERE p.name = 'Giàng A Phử'`
    clock.set('2027-03-08T08:30:00+07:00')
    await officer.say('MENU')
    await runDigests(bot.app.deps, clock.date())
    await bot.app.idle()
    expect(await officer.settle()).toContain('Trưởng bản báo 1 hộ không còn ở đây: Giàng A Phử (Hua Bó).')
    await gone.talk('XÓA', '1')
    const rows = await bot.sql<
      { body_enc: Buffer }[]
    >`SELECT body_enc FROM outbound_message WHERE body_enc IS NOT NULL AND cause = 'digest'`
    const texts = rows.map((row) => bot.app.deps.sealer.openJson<{ text: string }>(row.body_enc).text)
    expect(texts.filter((text) => text.includes('Phử'))).toEqual([])
  })

  it('why in each village, and a place that is no village is named as what it is', async () => {
    clock.set('2027-03-20T09:00:00+07:00')
    await officer.say('MENU')
    await withRole(bot, 'Lò Văn Sơn', 'village_lead', 'binh-lu-02')
    const shown = await officer.talk('THÔNG BÁO', 'Bản {bản} họp. {Bản} chờ bà con.', '1', '1')
    expect(shown).toMatch(/• bản Hua Bó: \d+ = 0 \+ \d+ \+ \d+( \(.*\))?/)
    await officer.talk('2', peopleIn(shown))
    await expect
      .poll(() => officer.messages().some((message) => message.text === 'Xã Bình Lư họp. Xã Bình Lư chờ bà con.'), { timeout: 20_000 })
      .toBe(true)
  })
})

it('what is still to come or under way stands first in the list, however many came after it', async () => {
  await officer.talk('THÔNG BÁO', 'Tin hẹn từ lâu.', '1', '1', '3', '9 giờ sáng mai')
  const [draft] = await bot.sql<{ people: number }[]>`SELECT shown_people AS people FROM campaign WHERE state = 'draft'`
  expect(await officer.say(String(draft?.people))).toContain('Đã hẹn gửi lúc 09:00 ngày')
  await bot.sql`
    INSERT INTO campaign (commune_id, text, rule, routes, state, recipients, started_at, finished_at, created_at, updated_at)
    SELECT commune_id, 'Tin đã xong.', rule, routes, 'done', 1, now(), now(), now(), now() FROM campaign, generate_series(1, 25)
    WHERE text = 'Tin hẹn từ lâu.'`
  expect(await officer.say('CHIẾN DỊCH')).toMatch(/1\. ⏰ Tin hẹn từ lâu\./)
  await officer.say('1')
  await officer.tap('Hủy')
  expect(await officer.tap('Hủy hẳn')).toContain('ĐÃ HỦY: Tin hẹn từ lâu.')
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// People without a chat, by phone: off by default, tried in the platform's development mode, then paid for (zalo.md 8.1)
const clock = createClock('2026-11-24T10:00:00+07:00')
let bot: Bot
let officer: Awaited<ReturnType<Bot['person']>>
const PHONES = { admin: '84900000001', other: '84900000002', nobody: '84900000003' }

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  await registered(bot, 'Lò Văn Pâng')
  bot.account.change({
    templates: [{ id: '123456', text: 'Hội Khuyến học xã gửi <ho_ten>: <noi_dung>', approved: true, byUserId: false }],
    adminPhones: [PHONES.admin],
  })
  for (const phone of [PHONES.admin, PHONES.other]) bot.simulator.people.create({ name: phone, phone })
  const [village] = await bot.sql<{ commune: number; id: number }[]>`SELECT commune_id AS commune, id FROM unit WHERE code = 'binh-lu-02'`
  for (const [name, phone] of Object.entries(PHONES))
    await bot.sql`
      INSERT INTO person (commune_id, village_id, name, name_key, birth_year, address, group_no, phone_enc, source)
      VALUES (${village?.commune ?? 0}, ${village?.id ?? 0}, ${name}, ${name}, 1970, 'bac', 1, ${bot.app.deps.sealer.seal(phone)}, 'roster')`
})
afterAll(() => bot?.close())

const set = (key: string, value: unknown) =>
  bot.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, ${key}, ${JSON.stringify(value)}::text::jsonb)
    ON CONFLICT (unit_id, key) DO UPDATE SET value = excluded.value`
/** A broadcast to everybody, to its end; what each got, by name. */
async function broadcast(text: string) {
  const shown = await officer.talk('THÔNG BÁO', text, '1', '1')
  const people = /NGƯỜI NHẬN: (\d+) người/.exec(shown)?.[1] ?? ''
  expect(await officer.talk('2', people)).toContain('Đã bắt đầu')
  const open = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'waiting'`)[0]?.n
  await expect.poll(open, { timeout: 20_000 }).toBe(0)
  const rows = await bot.sql<{ name: string; status: string; class: string | null; route: string }[]>`
    SELECT p.name, r.status, r.class, r.route FROM recipient r JOIN person p ON p.id = r.person_id
    WHERE r.campaign_id = (SELECT max(campaign_id) FROM recipient) ORDER BY p.name`
  return { shown, rows: Object.fromEntries(rows.map(({ name, ...row }) => [name, [row.route, row.status, row.class]])) }
}
const chats = () =>
  bot.account
    .threads()
    .flatMap((thread) => bot.simulator.people.thread(thread.personId, bot.oaId).messages)
    .filter((message) => message.text?.startsWith('Hội Khuyến học xã gửi'))
    .map((message) => message.text)

it('is off by default: who has no chat is skipped with that reason', async () => {
  const { shown, rows } = await broadcast('Tin một.')
  expect(rows.admin).toEqual(['none', 'skipped', 'no_chat'])
  expect(rows['Lò Văn Pâng']).toEqual(['now', 'sent', null])
  expect(shown).toContain('Tin Zalo tính phí: 0.')
})

it('in development reaches administrators only, costs nothing, and names why the others were not reached', async () => {
  await set('campaign.template', '123456')
  await set('campaign.template_mode', 'development')
  const { shown, rows } = await broadcast('Tin hai.')
  expect(shown).toContain('Tin Zalo tính phí: 0.')
  expect(rows).toMatchObject({
    admin: ['zbs', 'sent', null],
    other: ['zbs', 'failed', 'development_admins_only'],
    nobody: ['zbs', 'failed', 'development_admins_only'],
    'Lò Văn Pâng': ['now', 'sent', null],
  })
  expect(chats()).toEqual(['Hội Khuyến học xã gửi admin: Tin hai.'])
  const tracked = bot.account.threads().flatMap((thread) => bot.simulator.people.thread(thread.personId, bot.oaId).messages)
  expect(tracked.find((message) => message.template)?.template?.trackingId).toMatch(/^c\d+-\d+$/)
})

it('live is paid for, and the officer sees what it may cost', async () => {
  await set('campaign.template_mode', 'live')
  bot.account.change({ zaloCloud: 'linked' })
  const { shown, rows } = await broadcast('Tin ba.')
  expect(shown).toContain('Tin Zalo tính phí: 3 (chừng 360 đồng).')
  expect(rows).toMatchObject({
    admin: ['zbs', 'sent', null],
    other: ['zbs', 'sent', null],
    nobody: ['zbs', 'failed', 'recipient_cannot_receive'],
  })
})

it('that cannot be paid stops the templates only: the free messages of the same broadcast go out', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days'`
  bot.account.change({ zaloCloud: 'none' })
  const { rows } = await broadcast('Tin bốn.')
  expect(rows).toMatchObject({
    admin: ['zbs', 'failed', 'cloud_account'],
    other: ['zbs', 'failed', 'cloud_account'],
    nobody: ['zbs', 'failed', expect.stringMatching(/cloud_account|recipient_cannot_receive/)],
    'Lò Văn Pâng': ['now', 'sent', null],
  })
  expect((await bot.sql`SELECT paused_class FROM account`)[0]?.paused_class).toBeNull()
  expect((await bot.sql`SELECT state FROM campaign ORDER BY id DESC LIMIT 1`)[0]?.state).not.toBe('paused')
})

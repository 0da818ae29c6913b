import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createReceiver } from '../../src/conversation/receive.ts'
import type { InboundEvent } from '../../src/model/inbound.ts'
import { exportLedger } from '../../src/outreach/export-ledger.ts'
import { askUncertain } from '../../src/outreach/sweep-campaigns.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// People without a chat, by phone: off by default, tried in the platform's development mode, then paid for (zalo.md 8.1)
const clock = createClock('2026-11-24T10:00:00+07:00')
let bot: Bot
let officer: Awaited<ReturnType<Bot['person']>>
const PHONES = { admin: '84900000001', other: '84900000002', nobody: '84900000003' }
/** Who holds them, at the platform. */
const phones: { admin?: string; other?: string } = {}

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  await registered(bot, 'Lò Văn Pâng')
  bot.account.change({
    templates: [{ id: '123456', text: 'Hội Khuyến học xã gửi <ho_ten>: <noi_dung>', approved: true, byUserId: false }],
    adminPhones: [PHONES.admin],
  })
  for (const who of ['admin', 'other'] as const) phones[who] = bot.simulator.people.create({ name: PHONES[who], phone: PHONES[who] }).id
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

/** When the platform says it arrived, by name, in the newest campaign's export. */
async function arrivals(): Promise<Record<string, string | undefined>> {
  const folder = mkdtempSync(join(tmpdir(), 'receipts-'))
  try {
    const path = join(folder, 'ledger.csv')
    const [campaign] = await bot.sql<{ id: number }[]>`SELECT max(campaign_id)::int AS id FROM recipient`
    await exportLedger(bot.app.deps.database, { campaignId: campaign?.id ?? 0, path, actor: 'cli', now: clock.date(), receipts: true })
    const rows: Record<string, string>[] = parse(readFileSync(path, 'utf8'), { columns: true })
    return Object.fromEntries(rows.map((row) => [row.person, row.received_at]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const AT = /^2026-11-24T1\d:\d\d:\d\d\+07:00$/
const late = async () => {
  await bot.simulator.flush()
  await bot.app.idle()
  return arrivals()
}

it('what arrived is in the ledger with the time the platform names, and only that', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days'`
  bot.simulator.people.setOnline(phones.other ?? '', false)
  await broadcast('Tin bốn.')
  expect(await late()).toMatchObject({ admin: expect.stringMatching(AT), other: '', nobody: '' })
  // Half an hour later the phone is switched on
  clock.add(0.5)
  bot.simulator.people.setOnline(phones.other ?? '', true)
  const { admin, other } = await late()
  expect(other).toMatch(AT)
  expect(new Date(other ?? '').getTime() - new Date(admin ?? '').getTime()).toBeGreaterThanOrEqual(29 * 60_000)
  // Read on the phone: of that the platform says nothing here
  bot.simulator.people.see(phones.admin ?? '', bot.oaId)
  await late()
  expect((await bot.sql`SELECT count(seen_at)::int AS n FROM recipient WHERE route = 'zbs'`)[0]?.n).toBe(0)
})

it('a receipt told twice, late or for somebody else’s campaign changes nothing', async () => {
  const before = await late()
  const receiver = createReceiver(bot.app.deps)
  const [account] = await bot.sql<{ id: number }[]>`SELECT id::int AS id FROM account`
  const accept = async (event: InboundEvent) =>
    (await receiver.receive([{ accountId: account?.id ?? 0, event }])).filter((contactId) => contactId !== undefined)
  const receipt = (id: string, atMs = clock.now()) => ({
    channelUserId: PHONES.admin,
    dedupeKey: `received ${id} ${atMs}`,
    atMs,
    order: atMs,
    content: { kind: 'received' as const, messageIds: ['m'], tracked: { id, atMs } },
  })
  for (const id of ['c999999-1', 'c1', 'khác', 'c1-99999999']) expect(await accept(receipt(id))).toEqual([])
  const [first] = await bot.sql<{ campaign: number; person: number }[]>`
    SELECT campaign_id::int AS campaign, person_id::int AS person FROM recipient WHERE received_at IS NOT NULL AND route = 'zbs' ORDER BY campaign_id DESC, person_id LIMIT 1`
  const known = `c${first?.campaign}-${first?.person}`
  await Promise.all([accept(receipt(known)), accept(receipt(known, clock.now() + 60_000))])
  expect(await late()).toEqual(before)
  const contacts = async () => (await bot.sql`SELECT count(*)::int AS n FROM contact WHERE channel_user_id = ${PHONES.admin}`)[0]?.n
  expect(await contacts()).toBe(0)
})

it('a template nobody knew the end of is sent, once its receipt says so', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days'`
  const fault = bot.simulator.faults.addCall({ endpoint: '/message/template', when: 'after', answer: { html: 502 } })
  const { rows } = await broadcast('Tin năm.')
  bot.simulator.faults.remove(fault)
  // The bot's own look may have found the receipt by now
  expect(['uncertain', 'sent']).toContain(rows.admin?.[1])
  await late()
  await askUncertain(bot.app.deps)
  const [row] = await bot.sql`
    SELECT r.status, r.class, r.sent_at IS NOT NULL AS timed FROM recipient r JOIN person p ON p.id = r.person_id
    WHERE p.name = 'admin' AND r.campaign_id = (SELECT max(campaign_id) FROM recipient)`
  expect({ ...row }).toEqual({ status: 'sent', class: 'settled_by_receipt', timed: true })
  const [sums] = await bot.sql`
    SELECT (SELECT count(*)::int FROM recipient r WHERE r.campaign_id = c.id AND r.status = 'sent') AS rows,
      (SELECT coalesce(sum(n), 0)::int FROM recipient_count k WHERE k.campaign_id = c.id AND k.status = 'sent') AS counted
    FROM campaign c ORDER BY id DESC LIMIT 1`
  expect(sums?.counted).toBe(sums?.rows)
})

it('that cannot be paid stops the templates only: the free messages of the same broadcast go out', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days'`
  bot.account.change({ zaloCloud: 'none' })
  const { rows } = await broadcast('Tin sáu.')
  expect(rows).toMatchObject({
    admin: ['zbs', 'failed', 'cloud_account'],
    other: ['zbs', 'failed', 'cloud_account'],
    nobody: ['zbs', 'failed', expect.stringMatching(/cloud_account|recipient_cannot_receive/)],
    'Lò Văn Pâng': ['now', 'sent', null],
  })
  expect((await bot.sql`SELECT paused_class FROM account`)[0]?.paused_class).toBeNull()
  expect((await bot.sql`SELECT state FROM campaign ORDER BY id DESC LIMIT 1`)[0]?.state).not.toBe('paused')
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { absorbReports } from '../../src/conversation/absorb-reports.ts'
import { createReceiver } from '../../src/conversation/receive.ts'
import { createReportQueue } from '../../src/conversation/report-queue.ts'
import { findLeftovers } from '../../src/conversation/sweep.ts'
import type { InboundContent } from '../../src/model/inbound.ts'
import { runCampaigns, startTestCampaign } from '../outreach/commune.ts'
import { createClock, registered, withoutPace } from '../outreach/staff.ts'
import { type Bot, startBot } from '../support/bot.ts'

const clock = createClock('2026-11-24T10:00:00+07:00')
const NAMES = ['Lò Văn Pâng', 'Vàng Thị Mỷ', 'Tẩn A Sử']
type Chat = { id: number; account: number; user: string; person: string }
let bot: Bot
let chats: Chat[]
const AT_MS = clock.now()
let place = 0

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  for (const name of NAMES) await registered(bot, name)
  chats = await bot.sql<Chat[]>`
    SELECT c.id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, p.name AS person FROM contact c JOIN person p ON p.id = c.person_id ORDER BY c.id`
})
afterAll(() => bot?.close())

const absorb = (chosen: readonly Chat[]) =>
  absorbReports(
    bot.app.deps,
    chosen.map((chat) => chat.id),
  )

/** As the door does, but nobody is woken. */
async function arrive(chat: Chat, content: InboundContent, minutes = 0): Promise<void> {
  place++
  const atMs = AT_MS + minutes * 60_000
  await createReceiver(bot.app.deps).receive([
    { accountId: chat.account, event: { channelUserId: chat.user, dedupeKey: `test-${place}`, atMs, order: atMs, content } },
  ])
}

const open = async () => (await bot.sql`SELECT count(*)::int AS n FROM inbound_event WHERE handled_at IS NULL`)[0]?.n
const talkOf = async (chat: Chat) => {
  const [row] = await bot.sql<{ id: number; message: string; received: number | null; seen: number | null }[]>`
    SELECT id::int AS id, platform_message_id AS message, extract(epoch FROM received_at)::float8 * 1000 AS received,
      extract(epoch FROM seen_at)::float8 * 1000 AS seen FROM outbound_message
    WHERE contact_id = ${chat.id} AND status = 'sent' ORDER BY id DESC LIMIT 1`
  return row!
}
const forgetReceipts = () => bot.sql`UPDATE outbound_message SET received_at = NULL, seen_at = NULL`

it('keeps the receipts of many chats in one go, each once and the first time', async () => {
  // Those the platform itself has sent of the talk so far are through
  await expect.poll(open).toBe(0)
  await forgetReceipts()
  for (const chat of chats) {
    const { message } = await talkOf(chat)
    await arrive(chat, { kind: 'received', messageIds: [message] })
    await arrive(chat, { kind: 'seen', messageIds: [message] }, 2)
    await arrive(chat, { kind: 'received', messageIds: [message] }, 5)
  }
  expect(await absorb(chats)).toEqual({ turn: [], again: [] })
  for (const chat of chats) {
    const { received, seen } = await talkOf(chat)
    expect([received, seen]).toEqual([AT_MS, AT_MS + 2 * 60_000])
  }
  expect(await open()).toBe(0)
  expect(await absorb(chats)).toEqual({ turn: [], again: [] })
})

it('keeps those of a campaign at its rows, under the person and under a chat of nobody', async () => {
  const stranger = await bot.person('Lạ')
  await stranger.say('xin chào')
  const [commune] = await bot.sql<{ id: number }[]>`SELECT commune_id::int AS id FROM contact LIMIT 1`
  const campaignId = await startTestCampaign(bot.app.deps, { communeId: commune!.id }, 'Mời dự tuần lễ.')
  await runCampaigns(bot.app.deps)
  await stranger.settle()
  await expect.poll(open).toBe(0)
  const rows = await bot.sql<(Chat & { message: string })[]>`
    SELECT r.contact_id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, '' AS person, r.platform_message_id AS message
    FROM recipient r JOIN contact c ON c.id = r.contact_id WHERE r.campaign_id = ${campaignId} AND r.status = 'sent'`
  expect(rows).toHaveLength(4)
  await bot.sql`UPDATE recipient SET received_at = NULL, seen_at = NULL`
  for (const row of rows) await arrive(row, { kind: 'seen', messageIds: [row.message] })
  expect(await absorb(rows)).toEqual({ turn: [], again: [] })
  const [counted] =
    await bot.sql`SELECT count(seen_at)::int AS seen, count(received_at)::int AS received FROM recipient WHERE campaign_id = ${campaignId}`
  expect(counted).toEqual({ seen: 4, received: 0 })
})

it('leaves a receipt whose message is not recorded yet, and takes it once it is', async () => {
  const chat = chats[0]!
  const { id, message } = await talkOf(chat)
  await forgetReceipts()
  await bot.sql`UPDATE outbound_message SET platform_message_id = NULL WHERE id = ${id}`
  await arrive(chat, { kind: 'received', messageIds: [message] })
  expect(await absorb([chat])).toEqual({ turn: [], again: [chat.id] })
  expect(await open()).toBe(1)
  await bot.sql`UPDATE outbound_message SET platform_message_id = ${message} WHERE id = ${id}`
  expect(await absorb([chat])).toEqual({ turn: [], again: [] })
  expect((await talkOf(chat)).received).toBe(AT_MS)
  expect(await open()).toBe(0)
})

it('those a dead process left are found by the sweep and kept together, without a turn for each', async () => {
  await forgetReceipts()
  for (const chat of chats) await arrive(chat, { kind: 'received', messageIds: [(await talkOf(chat)).message] })
  await bot.sql`UPDATE inbound_event SET received_at = received_at - interval '1 minute' WHERE handled_at IS NULL`
  const { turns, reported } = await findLeftovers(bot.app.deps)
  expect([turns, reported.sort((a, b) => a - b)]).toEqual([[], chats.map((chat) => chat.id)])
  await bot.app.sweep()
  await bot.app.idle()
  for (const chat of chats) expect((await talkOf(chat)).received).toBe(AT_MS)
  expect(await open()).toBe(0)
})

it('waits for no row that somebody holds', async () => {
  const [held, free] = [chats[0]!, chats[1]!]
  const [heldTalk, freeTalk] = [await talkOf(held), await talkOf(free)]
  await forgetReceipts()
  await arrive(held, { kind: 'received', messageIds: [heldTalk.message] })
  await arrive(free, { kind: 'received', messageIds: [freeTalk.message] })
  await bot.sql.begin(async (tx) => {
    await tx`SELECT 1 FROM outbound_message WHERE id = ${heldTalk.id} FOR UPDATE`
    expect(await absorb([held, free])).toEqual({ turn: [], again: [held.id] })
  })
  expect((await talkOf(free)).received).not.toBeNull()
  expect(await absorb([held])).toEqual({ turn: [], again: [] })
})

it('leaves to a turn what is more than a report', async () => {
  const [writer, uncertain, staff] = chats as [Chat, Chat, Chat]
  const { id } = await talkOf(uncertain)
  await arrive(writer, { kind: 'received', messageIds: [(await talkOf(writer)).message] })
  await arrive(writer, { kind: 'text', text: 'MENU' })
  await bot.sql`UPDATE outbound_message SET status = 'uncertain' WHERE id = ${id}`
  await arrive(uncertain, { kind: 'echo', messageId: 'm-1', text: 'một tin đã gửi' })
  await arrive(staff, { kind: 'echo', messageId: 'm-2', text: 'cán bộ gõ', staffId: '7' })
  const { turn, again } = await absorb(chats)
  expect(turn.sort((a, b) => a - b)).toEqual(chats.map((chat) => chat.id))
  expect([again, await open()]).toEqual([[], 4])
  await bot.sql`UPDATE outbound_message SET status = 'sent' WHERE id = ${id}`
  expect(await absorb([uncertain])).toEqual({ turn: [], again: [] })
  expect(await open()).toBe(3)
  // Our own words are kept where they were written
  const [echo] = await bot.sql`SELECT body_enc FROM inbound_event WHERE kind = 'echo' AND handled_at IS NOT NULL ORDER BY id DESC LIMIT 1`
  expect(echo?.body_enc).toBeNull()
})

it('leaves an echo of what a campaign is just sending: it may become uncertain, and then the echo settles it', async () => {
  const [row] = await bot.sql<(Chat & { campaign: number; subject: number; commune: number })[]>`
    SELECT r.contact_id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, '' AS person, r.campaign_id AS campaign,
      r.person_id::int AS subject, r.commune_id AS commune
    FROM recipient r JOIN contact c ON c.id = r.contact_id WHERE r.status = 'sent' AND r.person_id > 0 ORDER BY r.person_id LIMIT 1`
  const { campaign, subject, commune } = row!
  await bot.sql`UPDATE inbound_event SET handled_at = now() WHERE handled_at IS NULL`
  const hold = (claimedBy: number) => bot.sql`
    INSERT INTO recipient_batch (id, commune_id, campaign_id, account_id, claimed_by, claimed_at, person_ids, content_hashes)
    VALUES ('held', ${commune}, ${campaign}, ${row!.account}, ${claimedBy}, now(), ARRAY[${subject}::bigint], ARRAY['x'])
    ON CONFLICT (id) DO UPDATE SET claimed_by = excluded.claimed_by`
  await bot.sql`UPDATE recipient SET status = 'waiting' WHERE campaign_id = ${campaign} AND person_id = ${subject}`
  await hold(bot.app.deps.instance.id)
  await arrive(row!, { kind: 'echo', messageId: 'm-3', text: 'Mời dự tuần lễ.' })
  expect(await absorb([row!])).toEqual({ turn: [], again: [row!.id] })
  // Its process has died
  await hold(7)
  expect(await absorb([row!])).toEqual({ turn: [row!.id], again: [] })
  await bot.sql`DELETE FROM recipient_batch`
  await bot.sql`UPDATE recipient SET status = 'sent' WHERE campaign_id = ${campaign} AND person_id = ${subject}`
  expect(await absorb([row!])).toEqual({ turn: [], again: [] })
})

it('keeps an article’s arrival at the row of its reader, once; a list that is none is left to a turn', async () => {
  const [row] = await bot.sql<(Chat & { campaign: number; subject: number })[]>`
    SELECT r.contact_id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, '' AS person, r.campaign_id AS campaign, r.person_id::int AS subject
    FROM recipient r JOIN contact c ON c.id = r.contact_id WHERE r.status = 'sent' AND r.person_id > 0 ORDER BY r.person_id LIMIT 1`
  const { campaign, subject } = row!
  await bot.sql`UPDATE inbound_event SET handled_at = now() WHERE handled_at IS NULL`
  await bot.sql`UPDATE campaign SET article_message_id = 'article' WHERE id = ${campaign}`
  await bot.sql`UPDATE recipient SET route = 'article', platform_message_id = 'article', received_at = NULL WHERE campaign_id = ${campaign} AND person_id = ${subject}`
  const kept = async () =>
    (
      await bot.sql`SELECT platform_message_id, received_at IS NOT NULL AS received FROM recipient WHERE campaign_id = ${campaign} AND person_id = ${subject}`
    )[0]
  await arrive(row!, { kind: 'echo', messageId: 'm-4', text: 'Mời dự tuần lễ.' })
  expect(await absorb([row!])).toEqual({ turn: [], again: [] })
  expect(await kept()).toEqual({ platform_message_id: 'article', received: false })
  await arrive(row!, { kind: 'echo', messageId: 'own', isList: true })
  expect(await absorb([row!])).toEqual({ turn: [], again: [] })
  expect(await kept()).toEqual({ platform_message_id: 'own', received: true })
  await arrive(row!, { kind: 'echo', messageId: 'another', isList: true })
  expect(await absorb([row!])).toEqual({ turn: [row!.id], again: [] })
  expect(await kept()).toEqual({ platform_message_id: 'own', received: true })
})

it('asks again for what is not recorded yet, then leaves it to a turn; a failure leaves all to turns', async () => {
  const asked: (readonly number[])[] = []
  const turns: number[] = []
  const queue = createReportQueue({
    async absorb(ids) {
      asked.push(ids)
      if (ids.includes(9)) throw new Error('the database is away')
      return { turn: ids.filter((id) => id === 1), again: ids.filter((id) => id === 2) }
    },
    toTurn: (id) => turns.push(id),
  })
  for (const id of [1, 2, 3]) queue.push(id)
  await queue.idle()
  expect(turns).toEqual([1, 2])
  expect(asked.filter((ids) => ids.includes(2))).toHaveLength(4)
  expect(asked.filter((ids) => ids.includes(3))).toHaveLength(1)
  queue.push(9)
  await queue.idle()
  expect(turns).toEqual([1, 2, 9])
  await queue.close()
  queue.push(4)
  await queue.idle()
  expect(asked.flat()).not.toContain(4)
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { absorbReports } from '../../src/conversation/absorb-reports.ts'
import { handleContact } from '../../src/conversation/handle-contact.ts'
import { createReceiver } from '../../src/conversation/receive.ts'
import { createReportQueue } from '../../src/conversation/report-queue.ts'
import { findLeftovers, finishErasures } from '../../src/conversation/sweep.ts'
import { createInstance, type Instance } from '../../src/db/instance.ts'
import type { InboundContent } from '../../src/model/inbound.ts'
import { hashContent } from '../../src/outreach/template.ts'
import { runCampaigns, startTestCampaign } from '../outreach/commune.ts'
import { createClock, registered, withoutPace } from '../outreach/staff.ts'
import { type Bot, startBot } from '../support/bot.ts'

const clock = createClock('2026-11-24T10:00:00+07:00')
const NAMES = ['Lò Văn Pâng', 'Vàng Thị Mỷ', 'Tẩn A Sử']
/** An instance id no living process has. */
const DEAD = 7
const MINUTE_MS = 60_000
type Chat = { id: number; account: number; user: string; person: string }
let bot: Bot
let chats: Chat[]
/** Another process, which lives and does nothing. */
let living: Instance
const AT_MS = clock.now()
let place = 0

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  living = await createInstance(bot.databaseUrl, 77)
  for (const name of NAMES) await registered(bot, name)
  chats = await bot.sql<Chat[]>`
    SELECT c.id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, p.name AS person FROM contact c JOIN person p ON p.id = c.person_id ORDER BY c.id`
})
afterAll(async () => {
  await living?.close()
  await bot?.close()
})
// Those the platform itself sends of the talk so far are through
beforeEach(async () => {
  await bot.simulator.flush()
  await bot.app.idle()
  await expect.poll(open).toBe(0)
})

const absorb = (chosen: readonly Chat[]) =>
  absorbReports(
    bot.app.deps,
    chosen.map((chat) => chat.id),
  )

/** As the door does, but nobody is woken. */
async function arrive(chat: Chat, content: InboundContent, minutes = 0): Promise<void> {
  place++
  const atMs = AT_MS + minutes * MINUTE_MS
  await createReceiver(bot.app.deps).receive([
    { accountId: chat.account, event: { channelUserId: chat.user, dedupeKey: `test-${place}`, atMs, order: atMs, content } },
  ])
}

const open = async () => (await bot.sql`SELECT count(*)::int AS n FROM inbound_event WHERE handled_at IS NULL`)[0]?.n
const openKinds = async (chat: Chat) =>
  (await bot.sql`SELECT kind FROM inbound_event WHERE handled_at IS NULL AND contact_id = ${chat.id} ORDER BY id`).map((row) => row.kind)
const talkOf = async (chat: Chat) => {
  const [row] = await bot.sql<
    { id: number; message: string; status: string; received: number | null; seen: number | null; text: string }[]
  >`
    SELECT id::int AS id, platform_message_id AS message, status, extract(epoch FROM received_at)::float8 * 1000 AS received,
      extract(epoch FROM seen_at)::float8 * 1000 AS seen, encode(body_enc, 'hex') AS text FROM outbound_message
    WHERE contact_id = ${chat.id} ORDER BY id DESC LIMIT 1`
  return { ...row!, text: bot.app.deps.sealer.openJson<{ text: string }>(Buffer.from(row!.text, 'hex')).text }
}
const forgetReceipts = () => bot.sql`UPDATE outbound_message SET received_at = NULL, seen_at = NULL`
/** Nobody knows yet what became of the newest message: a process is sending it, or died over it. */
const inFlight = (id: number, claimedBy: number) => bot.sql`
  UPDATE outbound_message SET status = 'waiting', claimed_by = ${claimedBy}, claimed_at = to_timestamp(${AT_MS / 1_000}), platform_message_id = NULL,
    chat_order = NULL, sent_at = NULL, attempts = 1 WHERE id = ${id}`
const uncertain = (id: number) => bot.sql`
  UPDATE outbound_message SET status = 'uncertain', claimed_at = to_timestamp(${AT_MS / 1_000}), platform_message_id = NULL, chat_order = NULL, sent_at = NULL
  WHERE id = ${id}`
const recorded = (id: number, message: string) => bot.sql`
  UPDATE outbound_message SET status = 'sent', claimed_by = NULL, platform_message_id = ${message}, chat_order = ${AT_MS}, sent_at = to_timestamp(${AT_MS / 1_000})
  WHERE id = ${id}`
const lastWord = async (chat: Chat) => Number((await bot.sql`SELECT last_inbound_at AS at FROM contact WHERE id = ${chat.id}`)[0]?.at)

describe('receipts', () => {
  it('of many chats are kept in one go, each once and the first time, and move nobody’s last word', async () => {
    await forgetReceipts()
    const before = await Promise.all(chats.map(lastWord))
    for (const chat of chats) {
      const { message } = await talkOf(chat)
      await arrive(chat, { kind: 'received', messageIds: [message] })
      await arrive(chat, { kind: 'seen', messageIds: [message] }, 2)
      await arrive(chat, { kind: 'received', messageIds: [message] }, 5)
    }
    expect(await absorb(chats)).toEqual([])
    for (const chat of chats) {
      const { received, seen } = await talkOf(chat)
      expect([received, seen]).toEqual([AT_MS, AT_MS + 2 * MINUTE_MS])
    }
    expect(await open()).toBe(0)
    expect(await absorb(chats)).toEqual([])
    expect(await Promise.all(chats.map(lastWord))).toEqual(before)
  })

  it('of a campaign are kept at its rows, under the person and under a chat of nobody', async () => {
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
    expect(await absorb(rows)).toEqual([])
    const [counted] =
      await bot.sql`SELECT count(seen_at)::int AS seen, count(received_at)::int AS received FROM recipient WHERE campaign_id = ${campaignId}`
    expect(counted).toEqual({ seen: 4, received: 0 })
  })

  it('are kept though words of the person stand beside them, and leave those to a turn', async () => {
    const chat = chats[0]!
    await forgetReceipts()
    const { id, message } = await talkOf(chat)
    await arrive(chat, { kind: 'received', messageIds: [message] })
    await arrive(chat, { kind: 'text', text: 'MENU' }, 1)
    await arrive(chat, { kind: 'seen', messageIds: [message] }, 1)
    expect(await absorb([chat])).toEqual([])
    expect(await openKinds(chat)).toEqual(['text'])
    const [row] =
      await bot.sql`SELECT received_at IS NOT NULL AS received, seen_at IS NOT NULL AS seen FROM outbound_message WHERE id = ${id}`
    expect(row).toEqual({ received: true, seen: true })
    await handleContact(bot.app.deps, chat.id)
  })

  it('wait for a message that is under way, and are kept once it is recorded', async () => {
    const chat = chats[0]!
    const { id, message } = await talkOf(chat)
    await forgetReceipts()
    await inFlight(id, living.id)
    await arrive(chat, { kind: 'received', messageIds: [message] })
    expect(await absorb([chat])).toEqual([chat.id])
    expect(await open()).toBe(1)
    await recorded(id, message)
    expect(await absorb([chat])).toEqual([])
    expect((await talkOf(chat)).received).toBe(AT_MS)
    expect(await open()).toBe(0)
  })

  it('of messages of others are closed at once, and beside one of ours hide nothing', async () => {
    const chat = chats[0]!
    await forgetReceipts()
    await arrive(chat, { kind: 'seen', messageIds: ['of-another-tool', (await talkOf(chat)).message] })
    await arrive(chat, { kind: 'received', messageIds: [] })
    expect(await absorb([chat])).toEqual([])
    expect([(await talkOf(chat)).seen, await open()]).toEqual([AT_MS, 0])
  })

  it('that never find their message are closed after ten minutes, whatever is under way', async () => {
    const chat = chats[0]!
    const { id, message } = await talkOf(chat)
    await inFlight(id, living.id)
    await arrive(chat, { kind: 'received', messageIds: ['of-nobody'] })
    await arrive(chat, { kind: 'echo', messageId: 'of-nobody', text: 'lời không ai gửi' })
    clock.add(9 / 60)
    expect(await absorb([chat])).toEqual([chat.id])
    clock.add(2 / 60)
    expect(await absorb([chat])).toEqual([])
    expect(await open()).toBe(0)
    await recorded(id, message)
  })

  it('wait for no row that somebody holds', async () => {
    const [held, free] = [chats[0]!, chats[1]!]
    const [heldTalk, freeTalk] = [await talkOf(held), await talkOf(free)]
    await forgetReceipts()
    await arrive(held, { kind: 'received', messageIds: [heldTalk.message] })
    await arrive(free, { kind: 'received', messageIds: [freeTalk.message] })
    await bot.sql.begin(async (tx) => {
      await tx`SELECT 1 FROM outbound_message WHERE id = ${heldTalk.id} FOR UPDATE`
      expect(await absorb([held, free])).toEqual([held.id])
    })
    expect((await talkOf(free)).received).not.toBeNull()
    expect(await absorb([held])).toEqual([])
    expect((await talkOf(held)).received).toBe(AT_MS)
  })

  it('are kept while the account cannot be used, when words have to wait', async () => {
    const chat = chats[1]!
    await forgetReceipts()
    const { id, message } = await talkOf(chat)
    await arrive(chat, { kind: 'text', text: 'MENU' })
    await arrive(chat, { kind: 'received', messageIds: [message] })
    const withoutChannel = { ...bot.app.deps, channelOf: async () => undefined }
    expect(await handleContact(withoutChannel, chat.id)).toBeUndefined()
    expect(await absorbReports(withoutChannel, [chat.id])).toEqual([])
    expect(await openKinds(chat)).toEqual(['text'])
    expect((await bot.sql`SELECT received_at IS NOT NULL AS kept FROM outbound_message WHERE id = ${id}`)[0]?.kept).toBe(true)
    await handleContact(bot.app.deps, chat.id)
  })

  it('one that cannot be read takes none of the others with it, and is put aside', async () => {
    const [spoiled, good] = [chats[0]!, chats[1]!]
    await forgetReceipts()
    for (const chat of [spoiled, good]) await arrive(chat, { kind: 'received', messageIds: [(await talkOf(chat)).message] })
    await bot.sql`UPDATE inbound_event SET body_enc = 'spoiled' WHERE handled_at IS NULL AND contact_id = ${spoiled.id}`
    expect(await absorb([spoiled, good])).toEqual([spoiled.id])
    expect((await talkOf(good)).received).toBe(AT_MS)
    for (let looks = 1; looks < 5; looks++) await absorb([spoiled])
    const [row] =
      await bot.sql`SELECT failed_class, handled_at IS NOT NULL AS handled FROM inbound_event WHERE contact_id = ${spoiled.id} ORDER BY id DESC LIMIT 1`
    expect(row).toEqual({ failed_class: 'cannot_be_kept', handled: true })
    expect(await absorb([spoiled])).toEqual([])
  })
})

describe('echoes', () => {
  it('of what is recorded are closed, and our own words are not kept twice', async () => {
    const chat = chats[0]!
    const { message, text } = await talkOf(chat)
    await arrive(chat, { kind: 'echo', messageId: message, text })
    expect(await absorb([chat])).toEqual([])
    const [echo] =
      await bot.sql`SELECT body_enc, handled_at IS NOT NULL AS handled FROM inbound_event WHERE kind = 'echo' ORDER BY id DESC LIMIT 1`
    expect(echo).toEqual({ body_enc: null, handled: true })
  })

  it('settle an uncertain reply, and then its receipt is kept', async () => {
    const chat = chats[1]!
    await forgetReceipts()
    const { id, message, text } = await talkOf(chat)
    await uncertain(id)
    await arrive(chat, { kind: 'received', messageIds: [message] })
    expect(await absorb([chat])).toEqual([chat.id])
    await arrive(chat, { kind: 'echo', messageId: 'm-other', text: 'lời khác' })
    await arrive(chat, { kind: 'echo', messageId: message, text }, 1)
    expect(await absorb([chat])).toEqual([chat.id])
    expect(await absorb([chat])).toEqual([])
    expect(await talkOf(chat)).toMatchObject({ id, status: 'sent', message, received: AT_MS })
    expect(await open()).toBe(0)
  })

  it('settle a reply whose process died over it: the platform need not be asked, and it is not said again', async () => {
    const chat = chats[1]!
    const { id, text } = await talkOf(chat)
    const before = (await bot.sql`SELECT count(*)::int AS n FROM outbound_message WHERE contact_id = ${chat.id}`)[0]?.n
    await bot.sql.begin(async (tx) => {
      // Nobody finds it stranded before its echo is there
      await arrive(chat, { kind: 'echo', messageId: 'm-after', text }, 1)
      await tx`UPDATE outbound_message SET status = 'waiting', claimed_by = ${DEAD}, claimed_at = to_timestamp(${AT_MS / 1_000}), platform_message_id = NULL,
        chat_order = NULL, sent_at = NULL, attempts = 1 WHERE id = ${id}`
    })
    expect(await handleContact(bot.app.deps, chat.id)).toBeUndefined()
    await expect.poll(open).toBe(0)
    expect(await talkOf(chat)).toMatchObject({ id, status: 'sent', message: 'm-after' })
    expect((await bot.sql`SELECT count(*)::int AS n FROM outbound_message WHERE contact_id = ${chat.id}`)[0]?.n).toBe(before)
  })

  it('and receipts that lay there for hours without a process are kept as those of a moment ago', async () => {
    const chat = chats[1]!
    await forgetReceipts()
    const { id, message, text } = await talkOf(chat)
    await uncertain(id)
    await arrive(chat, { kind: 'received', messageIds: [message] }, 1)
    await arrive(chat, { kind: 'echo', messageId: message, text }, 1)
    clock.add(3)
    expect(await absorb([chat])).toEqual([chat.id])
    expect(await absorb([chat])).toEqual([])
    expect(await talkOf(chat)).toMatchObject({ id, status: 'sent', message, received: AT_MS + MINUTE_MS })
  })

  it('of words said before settle no later message of the same words', async () => {
    const chat = chats[1]!
    const [last, before] = await bot.sql<{ id: number; message: string }[]>`
      SELECT id::int AS id, platform_message_id AS message FROM outbound_message WHERE contact_id = ${chat.id} ORDER BY id DESC LIMIT 2`
    const { text } = await talkOf(chat)
    await uncertain(last!.id)
    await arrive(chat, { kind: 'echo', messageId: before!.message, text }, 1)
    expect(await absorb([chat])).toEqual([])
    expect(await talkOf(chat)).toMatchObject({ status: 'uncertain', message: null })
    await recorded(last!.id, last!.message)
  })

  it('wait for what a living process is sending: it may become uncertain, and then the echo is the proof', async () => {
    const chat = chats[1]!
    const { id, message, text } = await talkOf(chat)
    await inFlight(id, living.id)
    await arrive(chat, { kind: 'echo', messageId: message, text }, 1)
    expect(await absorb([chat])).toEqual([chat.id])
    await bot.sql`UPDATE outbound_message SET status = 'uncertain', claimed_by = NULL WHERE id = ${id}`
    expect(await absorb([chat])).toEqual([])
    expect(await talkOf(chat)).toMatchObject({ status: 'sent', message })
  })

  it('of what a campaign is just sending wait, and settle it once its process has died', async () => {
    const [row] = await bot.sql<(Chat & { campaign: number; subject: number; commune: number; message: string })[]>`
      SELECT r.contact_id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, '' AS person, r.campaign_id AS campaign,
        r.person_id::int AS subject, r.commune_id AS commune, r.platform_message_id AS message
      FROM recipient r JOIN contact c ON c.id = r.contact_id WHERE r.status = 'sent' AND r.person_id > 0 ORDER BY r.person_id LIMIT 1`
    const { campaign, subject, commune, message } = row!
    const ofRow = bot.sql`campaign_id = ${campaign} AND person_id = ${subject}`
    const hash = hashContent('Mời dự tuần lễ.')
    const hold = (claimedBy: number) => bot.sql`
      INSERT INTO recipient_batch (id, commune_id, campaign_id, account_id, claimed_by, claimed_at, person_ids, content_hashes)
      VALUES ('held', ${commune}, ${campaign}, ${row!.account}, ${claimedBy}, to_timestamp(${AT_MS / 1_000}), ARRAY[${subject}::bigint], ARRAY[${hash}])
      ON CONFLICT (id) DO UPDATE SET claimed_by = excluded.claimed_by`
    await bot.sql`UPDATE recipient SET status = 'waiting', platform_message_id = NULL, received_at = NULL WHERE ${ofRow}`
    await bot.sql`UPDATE recipient_count SET n = n - 1 WHERE campaign_id = ${campaign} AND status = 'sent'`
    await bot.sql`INSERT INTO recipient_count (commune_id, campaign_id, status, route, class, n) VALUES (${commune}, ${campaign}, 'waiting', 'now', '', 1)
      ON CONFLICT (commune_id, campaign_id, status, route, class) DO UPDATE SET n = 1`
    await hold(living.id)
    await arrive(row!, { kind: 'received', messageIds: [message] }, 1)
    await arrive(row!, { kind: 'echo', messageId: message, text: 'Mời dự tuần lễ.' }, 1)
    expect(await absorb([row!])).toEqual([row!.id])
    await hold(DEAD)
    // The receipt comes behind the echo that settles its message
    expect(await absorb([row!])).toEqual([row!.id])
    expect(await absorb([row!])).toEqual([])
    const [settled] =
      await bot.sql`SELECT status, platform_message_id AS message, received_at IS NOT NULL AS received FROM recipient WHERE ${ofRow}`
    expect(settled).toEqual({ status: 'sent', message, received: true })
    await bot.sql`DELETE FROM recipient_batch`
  })

  it('of an article are kept at the rows of its readers, once; a list that is none settles nothing', async () => {
    const [row] = await bot.sql<(Chat & { campaign: number; subject: number })[]>`
      SELECT r.contact_id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, '' AS person, r.campaign_id AS campaign, r.person_id::int AS subject
      FROM recipient r JOIN contact c ON c.id = r.contact_id WHERE r.status = 'sent' AND r.person_id > 0 ORDER BY r.person_id DESC LIMIT 1`
    const ofRow = bot.sql`campaign_id = ${row!.campaign} AND person_id = ${row!.subject}`
    await bot.sql`UPDATE campaign SET article_message_id = 'article' WHERE id = ${row!.campaign}`
    await bot.sql`UPDATE recipient SET route = 'article', platform_message_id = 'article', received_at = NULL WHERE ${ofRow}`
    const kept = async () =>
      (await bot.sql`SELECT platform_message_id AS message, received_at IS NOT NULL AS received FROM recipient WHERE ${ofRow}`)[0]
    await arrive(row!, { kind: 'echo', messageId: 'm-4', text: 'Mời dự tuần lễ.' })
    expect(await absorb([row!])).toEqual([])
    expect(await kept()).toEqual({ message: 'article', received: false })
    await arrive(row!, { kind: 'echo', messageId: 'own', isList: true })
    await bot.sql.begin(async (tx) => {
      await tx`SELECT 1 FROM recipient WHERE campaign_id = ${row!.campaign} AND person_id = ${row!.subject} FOR UPDATE`
      const settling = absorb([row!])
      // It waits for this one row, and for nobody else's
      expect(await Promise.race([settling, absorb([chats[0]!])])).toEqual([])
      expect(await open()).toBe(1)
    })
    await expect.poll(open).toBe(0)
    expect(await kept()).toEqual({ message: 'own', received: true })
    await arrive(row!, { kind: 'echo', messageId: 'another', isList: true })
    expect(await absorb([row!])).toEqual([])
    expect(await kept()).toEqual({ message: 'own', received: true })
    expect(await open()).toBe(0)
  })

  it('of a human of the office are part of the talk: the bot keeps quiet', async () => {
    const chat = chats[2]!
    await arrive(chat, { kind: 'staff_echo', staffId: '7' })
    expect(await absorb([chat])).toEqual([])
    expect(await openKinds(chat)).toEqual(['staff_echo'])
    const before = await lastWord(chat)
    await arrive(chat, { kind: 'received', messageIds: [(await talkOf(chat)).message] })
    await handleContact(bot.app.deps, chat.id)
    // A turn reads no report
    expect(await openKinds(chat)).toEqual(['received'])
    expect(await absorb([chat])).toEqual([])
    const [row] = await bot.sql`SELECT staff_until > to_timestamp(${AT_MS / 1_000}) AS quiet FROM contact WHERE id = ${chat.id}`
    expect([row?.quiet, await lastWord(chat)]).toEqual([true, before])
  })
})

describe('what stands before the eyes', () => {
  /** Question 2 was tried and nobody knows whether it arrived; ten seconds later the person answers, and another ten later it is there. */
  async function answerTo(name: string, hasEcho: boolean): Promise<unknown[]> {
    const person = await registered(bot, name)
    await person.say('1')
    await expect.poll(open).toBe(0)
    const [chat] = await bot.sql<Chat[]>`
      SELECT c.id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, p.name AS person FROM contact c JOIN person p ON p.id = c.person_id
      WHERE p.name = ${name}`
    const { id, message, text } = await talkOf(chat!)
    const claimedMs = clock.now()
    const minutes = (seconds: number) => (claimedMs - AT_MS) / MINUTE_MS + seconds / 60
    await bot.sql`UPDATE outbound_message SET status = 'uncertain', class = 'timeout', claimed_at = to_timestamp(${claimedMs / 1_000}), platform_message_id = NULL,
      chat_order = NULL, sent_at = NULL WHERE id = ${id}`
    await arrive(chat!, { kind: 'text', text: '2' }, minutes(10))
    if (hasEcho) await arrive(chat!, { kind: 'echo', messageId: message, text }, minutes(20))
    await handleContact(bot.app.deps, chat!.id)
    await person.settle()
    return (
      await bot.sql`SELECT a.question FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id
        WHERE p.name = ${name} ORDER BY a.question`
    ).map((row) => row.question)
  }

  it('is a question from the moment it was tried, until an echo says when it truly came', async () => {
    const [first, second] = await answerTo('Giàng A Páo', false)
    expect(second).toBeDefined()
    // With the echo the same words belong to the question before: the second has no answer
    expect(await answerTo('Lý Thị Dua', true)).toEqual([first])
  })
})

describe('what a process leaves behind', () => {
  it('is found by the sweep: reports go to be kept, words to a turn', async () => {
    const [silent, writer] = [chats[0]!, chats[1]!]
    await forgetReceipts()
    const { message } = await talkOf(silent)
    await arrive(silent, { kind: 'received', messageIds: [message] })
    await arrive(writer, { kind: 'received', messageIds: [(await talkOf(writer)).message] })
    await arrive(writer, { kind: 'text', text: 'XEM' })
    // The process that stored them is given its time
    expect(await findLeftovers(bot.app.deps)).toEqual({ turns: [], reported: [] })
    expect(await findLeftovers(bot.app.deps, true)).toEqual({ turns: [writer.id], reported: [silent.id, writer.id] })
    clock.add(3 / 3_600)
    await bot.app.sweep()
    await expect.poll(open).toBe(0)
    expect((await talkOf(silent)).received).toBe(AT_MS)
  })

  it('of somebody erased is closed without a word kept, and keeps no name alive', async () => {
    const person = await registered(bot, 'Phàn Tả Mẩy')
    const [chat] = await bot.sql<Chat[]>`
      SELECT c.id::int AS id, c.account_id::int AS account, c.channel_user_id AS user, p.name AS person FROM contact c JOIN person p ON p.id = c.person_id
      WHERE p.name = 'Phàn Tả Mẩy'`
    await person.talk('XÓA', '1')
    await expect.poll(open).toBe(0)
    const { id, message } = await talkOf(chat!)
    await bot.sql`UPDATE outbound_message SET received_at = NULL WHERE id = ${id}`
    await arrive(chat!, { kind: 'received', messageIds: [message] })
    await arrive(chat!, { kind: 'echo', messageId: 'm-9', text: 'lời đã gửi' })
    clock.add(6 / 60)
    await finishErasures(bot.app.deps)
    const [gone] = await bot.sql`SELECT channel_user_id AS user, person_id FROM contact WHERE id = ${chat!.id}`
    expect(gone).toEqual({ user: `erased-${chat!.id}`, person_id: null })
    expect(await absorb([chat!])).toEqual([])
    const [left] =
      await bot.sql`SELECT count(body_enc)::int AS bodies, count(*) FILTER (WHERE handled_at IS NULL)::int AS open FROM inbound_event WHERE contact_id = ${chat!.id}`
    expect(left).toEqual({ bodies: 0, open: 0 })
  })
})

it('a queue of reports asks again for what must wait, then leaves it to the sweep', async () => {
  const asked: (readonly number[])[] = []
  const queue = createReportQueue(async (ids) => {
    asked.push(ids)
    return ids.filter((id) => id === 2)
  })
  for (const id of [1, 2]) queue.push(id)
  await queue.idle()
  expect(asked.filter((ids) => ids.includes(1))).toHaveLength(1)
  expect(asked.filter((ids) => ids.includes(2))).toHaveLength(5)
  await queue.close()
  queue.push(4)
  await queue.idle()
  expect(asked.flat()).not.toContain(4)
})

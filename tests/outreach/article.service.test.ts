import { afterAll, beforeAll, expect, it } from 'vitest'
import { absorbReports } from '../../src/conversation/absorb-reports.ts'
import { createReceiver } from '../../src/conversation/receive.ts'
import type { InboundContent } from '../../src/model/inbound.ts'
import { sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// Zalo's article broadcast: to all who follow, none left out (zalo.md 4.7)
const clock = createClock('2026-11-24T10:00:00+07:00')
let bot: Bot
type Person = Awaited<ReturnType<Bot['person']>>
let officer: Person
let follower: Person
let other: Person

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  follower = await registered(bot, 'Lò Văn Pâng')
  other = await registered(bot, 'Vàng Thị Mỷ')
  bot.simulator.people.follow(follower.id, bot.oaId)
  await follower.settle()
  await createArticle('Tuần lễ học tập suốt đời', 'show')
  await createArticle('Bản nháp', 'hide')
})
afterAll(() => bot?.close())

/** As the office does in the account's own tool. */
async function createArticle(title: string, status: string): Promise<void> {
  const { access_token } = bot.account.mintTokens()
  const cover = { cover_type: 'photo', photo_url: 'https://example.vn/a.png', status: 'show' }
  const article = { type: 'normal', title, author: 'Hội', description: 'Mời', cover, status, body: [{ type: 'text', content: 'Nội dung' }] }
  const response = await fetch(`${bot.platformUrl}/v2.0/article/create`, {
    method: 'POST',
    headers: { access_token, 'content-type': 'application/json' },
    body: JSON.stringify(article),
  })
  expect(await response.json()).toMatchObject({ error: 0 })
}

const allow = (value: string) =>
  bot.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, 'campaign.article', ${JSON.stringify(value)}::text::jsonb)
    ON CONFLICT (unit_id, key) DO UPDATE SET value = excluded.value`
const rows = async () => {
  const found = await bot.sql<{ name: string; route: string; status: string; class: string | null; received: boolean }[]>`
    SELECT p.name, r.route, r.status, r.class, r.received_at IS NOT NULL AS received FROM recipient r JOIN person p ON p.id = r.person_id
    WHERE r.campaign_id = (SELECT max(campaign_id) FROM recipient) ORDER BY p.name`
  return Object.fromEntries(found.map(({ name, ...row }) => [name, Object.values(row)]))
}
const articlesOf = (person: Person) => person.messages().filter((message) => message.kind === 'list').length
/** Up to the preview with the first article chosen. */
const compose = (text: string) => officer.talk('THÔNG BÁO', text, '1', '1', '4', '5', '1')
/** Looks after campaigns until the article's row is as given: a look that finds another one under way does nothing. */
const sweepUntil = (...expected: (string | null)[]) =>
  expect
    .poll(async () => {
      await sweepCampaigns(bot.app.deps)
      return (await rows())['Lò Văn Pâng']?.slice(0, expected.length)
    })
    .toEqual(expected)
const begin = async (shown: string) => officer.talk('2', /NGƯỜI NHẬN: (\d+) người/.exec(shown)?.[1] ?? '')

it('is off until the account may', async () => {
  expect(await officer.talk('THÔNG BÁO', 'Tin thường.', '1', '1', '4', '5')).toContain('chưa bật gửi bài viết')
  await officer.say('5')
  await allow('yes')
  // A commune's settings are looked at anew after some seconds
  clock.add(0.1)
})

it('shows published articles only; followers get the article, the others the message, nobody both', async () => {
  const list = await officer.talk('THÔNG BÁO', 'Mời dự tuần lễ.', '1', '1', '4', '5')
  expect(list).toContain('1. Tuần lễ học tập suốt đời')
  expect(list).not.toContain('Bản nháp')
  const shown = await officer.say('1')
  expect(shown).toContain('qua bài viết: 1')
  expect(await begin(shown)).toContain('Đã bắt đầu')
  await Promise.all([sweepCampaigns(bot.app.deps), sweepCampaigns(bot.app.deps)])
  await sweepUntil('article', 'sent', 'article_broadcast')
  await expect.poll(async () => (await rows())['Lò Văn Pâng']).toEqual(['article', 'sent', 'article_broadcast', true])
  expect((await rows())['Vàng Thị Mỷ']?.slice(0, 2)).toEqual(['now', 'sent'])
  await follower.settle()
  expect([articlesOf(follower), articlesOf(other)]).toEqual([1, 0])
  expect(follower.messages().some((message) => message.text === 'Mời dự tuần lễ.')).toBe(false)
  const seen = async () => (await bot.sql`SELECT count(seen_at)::int AS n FROM recipient WHERE route = 'article'`)[0]?.n
  bot.simulator.people.see(follower.id, bot.oaId)
  await follower.settle()
  expect(await seen()).toBe(1)
})

it('is told of before its own result is recorded: each reader’s message is known all the same, and then its receipts', async () => {
  const [row] = await bot.sql<
    {
      campaign: number
      person: number
      commune: number
      account: number
      contact: number
      user: string
      article: string
      message: string
    }[]
  >`
    SELECT r.campaign_id AS campaign, r.person_id::int AS person, r.commune_id AS commune, c.account_id::int AS account, c.id::int AS contact,
      c.channel_user_id AS user, p.article_message_id AS article, r.platform_message_id AS message
    FROM recipient r JOIN contact c ON c.person_id = r.person_id JOIN campaign p ON p.id = r.campaign_id WHERE r.route = 'article'`
  const { campaign, person, commune, account, contact, user, article, message } = row!
  expect(message).not.toBe(article)
  const ofReader = bot.sql`campaign_id = ${campaign} AND person_id = ${person}`
  await bot.sql`UPDATE recipient SET status = 'waiting', platform_message_id = NULL, received_at = NULL, seen_at = NULL WHERE ${ofReader}`
  await bot.sql`UPDATE campaign SET article_message_id = NULL WHERE id = ${campaign}`
  await bot.sql`
    INSERT INTO recipient_batch (id, commune_id, campaign_id, account_id, claimed_by, claimed_at, person_ids, content_hashes)
    VALUES ('article', ${commune}, ${campaign}, ${account}, ${bot.app.deps.instance.id}, now(), ARRAY[${person}::bigint], ARRAY[''])`
  const contents: InboundContent[] = [
    { kind: 'seen', messageIds: [message] },
    { kind: 'echo', messageId: message, isList: true },
  ]
  await createReceiver(bot.app.deps).receive(
    contents.map((content) => ({
      accountId: account,
      event: { channelUserId: user, dedupeKey: `early-${content.kind}`, atMs: clock.now(), order: clock.now(), content },
    })),
  )
  expect(await absorbReports(bot.app.deps, [contact])).toEqual([contact])
  await bot.sql`UPDATE recipient SET status = 'sent', platform_message_id = ${article} WHERE ${ofReader}`
  await bot.sql`UPDATE campaign SET article_message_id = ${article} WHERE id = ${campaign}`
  await bot.sql`DELETE FROM recipient_batch WHERE id = 'article'`
  // The echo names the reader's own message; the receipt is of that one
  expect(await absorbReports(bot.app.deps, [contact])).toEqual([])
  const [kept] =
    await bot.sql`SELECT platform_message_id AS message, received_at IS NOT NULL AS received, seen_at IS NOT NULL AS seen FROM recipient WHERE ${ofReader}`
  expect(kept).toEqual({ message, received: true, seen: true })
})

it('waits for the morning, and is sent once whatever the platform first says', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days', claimed_at = claimed_at - interval '20 days'`
  const shown = await compose('Tin đêm.')
  clock.set('2026-11-24T21:30:00+07:00')
  await begin(shown)
  await sweepCampaigns(bot.app.deps)
  expect((await rows())['Lò Văn Pâng']?.slice(0, 2)).toEqual(['article', 'waiting'])
  clock.set('2026-11-25T08:00:00+07:00')
  bot.simulator.faults.addCall({ endpoint: '/v2.0/oa/message', answer: { code: -214 }, times: 1 })
  const refused = async () => {
    await sweepCampaigns(bot.app.deps)
    return (await bot.sql`SELECT article_class FROM campaign ORDER BY id DESC LIMIT 1`)[0]?.article_class
  }
  await expect.poll(refused).not.toBeNull()
  expect((await rows())['Lò Văn Pâng']?.slice(0, 2)).toEqual(['article', 'waiting'])
  clock.set('2026-11-25T08:02:00+07:00')
  await sweepUntil('article', 'sent', 'article_broadcast')
  await follower.settle()
})

it('without an answer stays uncertain until an officer has looked, for all at once', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days', claimed_at = claimed_at - interval '20 days'`
  const shown = await compose('Tin ba.')
  bot.simulator.faults.addCall({ endpoint: '/v2.0/oa/message', answer: { html: 502 }, times: 1 })
  await begin(shown)
  await sweepUntil('article', 'uncertain')
  await officer.talk('CHIẾN DỊCH', '1')
  expect(await officer.tap('Chưa rõ (1)')).toContain('1 người quan tâm: chưa rõ bài viết đã lên chưa')
  await officer.tap('Bài đã lên')
  expect((await rows())['Lò Văn Pâng']?.slice(0, 3)).toEqual(['article', 'sent', 'settled_by_hand'])
})

it('says nothing of a message of which nobody knows the end', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days', claimed_at = claimed_at - interval '20 days'`
  const { userId } = bot.simulator.people.thread(follower.id, bot.oaId)
  bot.simulator.faults.addCall({ endpoint: 'message/cs', user_id: userId, answer: { html: 502 }, times: 1 })
  await begin(await officer.talk('THÔNG BÁO', 'Tin thường khác.', '1', '1'))
  await expect.poll(async () => (await rows())['Lò Văn Pâng']?.slice(0, 2)).toEqual(['now', 'uncertain'])
  const before = articlesOf(follower)
  await begin(await compose('Tin kèm bài.'))
  await sweepUntil('article', 'sent', 'article_broadcast')
  await expect.poll(() => articlesOf(follower)).toBe(before + 1)
  await follower.settle()
  expect(await bot.sql`SELECT status FROM recipient WHERE status = 'uncertain'`).toHaveLength(1)
})

it('is not sent while somebody who follows may not be written to: messages go instead', async () => {
  await bot.sql`UPDATE recipient SET sent_at = sent_at - interval '20 days', claimed_at = claimed_at - interval '20 days'`
  bot.simulator.people.follow(other.id, bot.oaId)
  await other.settle()
  await other.say('DỪNG')
  const shown = await compose('Tin bốn.')
  expect(shown).toContain('Trong đó 1 người không thuộc danh sách này')
  expect(shown).toContain('NGƯỜI NHẬN')
  expect(shown).not.toContain('qua bài viết')
})

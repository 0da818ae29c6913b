import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimBatch } from '../../src/outreach/claim-batch.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
import { sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { loadSettings } from '../../src/registry/settings.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { runCampaigns, startTestCampaign } from './commune.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

type Person = Awaited<ReturnType<Bot['person']>>

const NOTICE = 'Bản ta họp ngày 15/9'

describe('a notice for people who last wrote long ago', () => {
  const clock = createClock('2026-08-03T10:00:00+07:00')
  let bot: Bot
  let campaignId: number
  const people: Record<string, Person> = {}

  /** Everything due has been sent, by this process or the bot's own. */
  async function sent(): Promise<void> {
    await runCampaigns(bot.app.deps)
    while ((await bot.sql`SELECT 1 FROM recipient_batch`).length > 0) await runCampaigns(bot.app.deps)
    for (const person of Object.values(people)) await person.settle()
  }
  const got = (name: string) => people[name]!.messages().filter((message) => message.from === 'oa' && message.text === NOTICE).length
  const row = async (name: string) => ({
    ...(
      await bot.sql`
      SELECT r.status, r.class FROM recipient r JOIN person p ON p.id = r.person_id WHERE p.name = ${name} AND r.campaign_id = ${campaignId}`
    )[0],
  })

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    for (const name of ['An', 'Binh', 'Chung', 'Dung', 'En', 'Gia']) people[name] = await registered(bot, `Lò Văn ${name}`)
    clock.set('2026-09-07T10:00:00+07:00')
    campaignId = await startTestCampaign(
      bot.app.deps,
      { communeId: Number((await bot.sql`SELECT id FROM unit WHERE level = 'xa'`)[0]?.id) },
      NOTICE,
    )
    await sent()
  })
  afterAll(() => bot?.close())

  it('waits for their next word, and goes to nobody before', async () => {
    expect((await campaignProgress(bot.app.deps, campaignId))?.waiting).toEqual({ next: 6 })
    expect(Object.keys(people).map(got)).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('comes once, behind the answer to that word', async () => {
    expect(await people.An!.say('XEM')).toContain('Lò Văn An')
    clock.add(0.01)
    await sent()
    const texts = people
      .An!.messages()
      .slice(-2)
      .map((message) => message.text)
    expect(texts[0]).toContain('Lò Văn An')
    expect(texts[1]).toBe(NOTICE)
    await people.An!.say('XEM')
    clock.add(0.01)
    await sent()
    expect(got('An')).toBe(1)
    expect(await row('Lò Văn An')).toEqual({ status: 'sent', class: null })
  })

  it('comes once to somebody who writes again while it is on its way', async () => {
    await people.Binh!.say('XEM', 'MENU')
    bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', when: 'before', answer: { slow_ms: 1_500 }, times: 1 })
    clock.add(0.01)
    const sending = sent()
    while ((await bot.sql`SELECT 1 FROM recipient_batch`).length === 0) await bot.app.idle()
    bot.simulator.people.say(people.Binh!.id, bot.oaId, { kind: 'text', text: 'KẾT QUẢ' })
    await bot.simulator.flush()
    clock.add(0.01)
    await sending
    await sent()
    expect(got('Binh')).toBe(1)
  })

  it('is a message we start: at night the answer comes alone, and the notice in the morning, though its life is over by then', async () => {
    clock.set('2026-09-08T22:30:00+07:00')
    expect(await people.Chung!.say('XEM')).toContain('Lò Văn Chung')
    await bot.sql`UPDATE campaign SET next_contact_until = '2026-09-09T02:00:00+07:00'`
    clock.set('2026-09-09T03:00:00+07:00')
    await sweepCampaigns(bot.app.deps)
    const [account] = await bot.sql<{ id: number; commune_id: number }[]>`SELECT id::int AS id, commune_id::int AS commune_id FROM account`
    const settings = await loadSettings(bot.app.deps.database.db, account!.commune_id)
    const channel = (await bot.app.deps.channelOf(account!.id))!
    const sender = {
      id: account!.id,
      channel: 'zalo' as const,
      appId: null,
      traits: {},
      communeId: account!.commune_id,
      commune: '',
      settings,
    }
    const claim = await claimBatch(bot.app.deps, { account: sender, channel, most: 9, batchId: 'night' })
    expect(claim.kind === 'wait' && Math.round(claim.ms / 60_000)).toBe(4 * 60)
    expect(got('Chung')).toBe(0)
    clock.set('2026-09-09T07:00:05+07:00')
    await sent()
    expect(got('Chung')).toBe(1)
    expect(await row('Lò Văn Chung')).toEqual({ status: 'sent', class: null })
  })

  it('is over at the end of its life: who did not write is listed with the reason, and a late word brings nothing', async () => {
    expect(await row('Lò Văn Dung')).toEqual({ status: 'expired', class: 'not_met' })
    expect((await campaignProgress(bot.app.deps, campaignId))?.campaign.state).toBe('done')
    await people.Dung!.say('XEM')
    clock.add(0.01)
    await sent()
    expect(got('Dung')).toBe(0)
  })

  it('passes over whoever says DỪNG with that very word', async () => {
    campaignId = await startTestCampaign(
      bot.app.deps,
      { communeId: Number((await bot.sql`SELECT id FROM unit WHERE level = 'xa'`)[0]?.id) },
      NOTICE,
    )
    await people.En!.say('DỪNG')
    clock.add(0.01)
    await sent()
    expect(got('En')).toBe(0)
    clock.add(15 * 24)
    const swept = async () => {
      await sweepCampaigns(bot.app.deps)
      return row('Lò Văn En')
    }
    await expect.poll(swept).toEqual({ status: 'expired', class: 'not_met' })
  })

  it('waits through a restart between the word and the sending', async () => {
    clock.set('2026-10-12T10:00:00+07:00')
    campaignId = await startTestCampaign(
      bot.app.deps,
      { communeId: Number((await bot.sql`SELECT id FROM unit WHERE level = 'xa'`)[0]?.id) },
      NOTICE,
    )
    await people.Gia!.say('XEM')
    const before = got('Gia')
    await bot.restart()
    clock.add(0.01)
    await sent()
    expect(got('Gia')).toBe(before + 1)
  })

  it('is marked as arrived and as seen, each once, the first time', async () => {
    await bot.simulator.flush()
    const at = async () =>
      (
        await bot.sql<{ received: string | null; seen: string | null }[]>`
        SELECT r.received_at AS received, r.seen_at AS seen FROM recipient r JOIN person p ON p.id = r.person_id
        WHERE p.name = 'Lò Văn Gia' AND r.campaign_id = ${campaignId}`
      )[0]!
    await people.Gia!.settle()
    const arrived = await at()
    expect(arrived.received).not.toBeNull()
    expect(arrived.seen).toBeNull()
    clock.add(1)
    bot.simulator.people.see(people.Gia!.id, bot.oaId)
    await people.Gia!.settle()
    const seen = await at()
    expect(seen.received).toEqual(arrived.received)
    expect(new Date(seen.seen ?? 0).getTime()).toBeGreaterThan(new Date(arrived.received ?? 0).getTime())
    clock.add(1)
    bot.simulator.people.see(people.Gia!.id, bot.oaId)
    await people.Gia!.settle()
    expect(await at()).toEqual(seen)
  })
})

describe('an officer who answers in the platform’s own tool', () => {
  const clock = createClock('2026-11-23T09:00:00+07:00')
  let bot: Bot
  let asks: Person
  let other: Person
  let officer: Person

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
    asks = await registered(bot, 'Lò Văn Pâng')
    other = await registered(bot, 'Vàng Thị Mỷ')
  })
  afterAll(() => bot?.close())
  const staffSays = (person: Person, text: string) => bot.simulator.people.staffSays(bot.oaId, person.id, { text, adminId: 'admin-1' })
  const ticket = async () => ({
    ...(await bot.sql`SELECT status, answered_at IS NOT NULL AS answered FROM ticket ORDER BY id DESC LIMIT 1`)[0],
  })

  it('answers the open request, and the bot keeps quiet for this person and nobody else', async () => {
    await asks.say('CÁN BỘ')
    expect(await officer.settle()).toContain('Lò Văn Pâng')
    expect(await ticket()).toEqual({ status: 'open', answered: false })
    staffSays(asks, 'Chào bác, cháu gọi lại ngay.')
    await asks.settle()
    expect(await ticket()).toEqual({ status: 'answered', answered: true })
    expect(await asks.say('vâng tôi chờ')).toBe('')
    expect(await asks.say('1')).toBe('')
    expect(await other.say('1')).not.toBe('')
    expect(await officer.say('MENU')).not.toContain('Việc chờ trả lời')
  })

  it('keeps the bot quiet as long as the talk goes on, and then the bot answers again', async () => {
    clock.add(1.5)
    staffSays(asks, 'Bác xem lại giúp cháu câu 2.')
    await asks.settle()
    clock.add(1.5)
    expect(await asks.say('tôi xem rồi')).toBe('')
    clock.add(1)
    expect(await asks.say('1')).not.toBe('')
  })

  it('lets a word that always works turn back to the bot', async () => {
    staffSays(asks, 'Còn gì nữa không bác?')
    await asks.settle()
    expect(await asks.say('XEM')).toContain('Họ tên: Lò Văn Pâng')
    expect(await asks.say('1')).not.toBe('')
  })

  it('quiets nothing with the bot’s own messages, which come back the same way', async () => {
    expect(await other.say('XEM')).toContain('Vàng Thị Mỷ')
    await other.settle()
    expect(await other.say('XEM')).toContain('Vàng Thị Mỷ')
    await other.settle()
    expect((await bot.sql`SELECT count(*)::int AS n FROM inbound_event WHERE handled_at IS NULL`)[0]?.n).toBe(0)
  })

  it('moves the quiet time forward only: an older echo that comes late shortens nothing', async () => {
    staffSays(other, 'Chào bà.')
    await other.settle()
    const until = async () =>
      (
        await bot.sql<{ at: string }[]>`
      SELECT staff_until AS at FROM contact c JOIN person p ON p.id = c.person_id WHERE p.name = 'Vàng Thị Mỷ'`
      )[0]!.at
    const before = await until()
    const [echo] = await bot.sql<{ id: string; body_enc: Buffer | null }[]>`
      SELECT id, body_enc FROM inbound_event WHERE kind = 'staff_echo' AND contact_id = (SELECT c.id FROM contact c JOIN person p ON p.id = c.person_id WHERE p.name = 'Vàng Thị Mỷ')
      ORDER BY id DESC LIMIT 1`
    const body = bot.app.deps.sealer.sealJson({ kind: 'staff_echo', staffId: 'admin-1' }).toString('hex')
    await bot.sql`UPDATE inbound_event SET handled_at = NULL, body_enc = decode(${body}, 'hex'), at = at - interval '1 hour', received_at = received_at - interval '1 minute' WHERE id = ${echo!.id}`
    await bot.app.sweep()
    await other.settle()
    expect(await until()).toBe(before)
  })
})

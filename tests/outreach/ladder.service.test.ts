import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Deps } from '../../src/conversation/deps.ts'
import { createDb, type Database } from '../../src/db/connect.ts'
import { runDigests } from '../../src/outreach/digests.ts'
import { runReminders } from '../../src/outreach/reminders.ts'
import { setSetting } from '../../src/registry/settings.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

type Person = Awaited<ReturnType<Bot['person']>>
const HOMES = ['Lò Văn An', 'Lò Văn Binh', 'Lò Văn Chung', 'Lò Văn Dung', 'Lò Văn En']
const REMINDED = /trợ lý học tập/g

describe('rounds in two processes at the same moment', () => {
  const clock = createClock('2026-11-24T10:00:00+07:00')
  let bot: Bot
  let second: Database
  let leader: Person
  let officer: Person
  let technician: Person
  const homes: Record<string, Person> = {}

  /** Four runs at once, over connections of two processes; what they wrote is sent. */
  async function rounds(run: (deps: Deps, now: Date) => Promise<unknown>): Promise<void> {
    const other = { ...bot.app.deps, database: second }
    await Promise.all([bot.app.deps, other, bot.app.deps, other].map((deps) => run(deps, clock.date())))
    for (const row of await bot.sql`SELECT DISTINCT contact_id AS id FROM outbound_message WHERE status = 'waiting'`)
      bot.app.deps.wake(Number(row.id))
    await bot.app.idle()
  }
  const reminders = () => rounds(runReminders)
  const digests = () => rounds(runDigests)
  const heard = async (pattern: RegExp) =>
    Object.fromEntries(await Promise.all(HOMES.map(async (name) => [name, (await homes[name]!.settle()).match(pattern)?.length ?? 0])))
  const each = (n: number) => Object.fromEntries(HOMES.map((name) => [name, n]))

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    second = createDb(bot.databaseUrl)
    officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
    technician = await withRole(bot, 'Trần Kỹ Thuật', 'technician', 'binh-lu')
    leader = await withRole(bot, 'Lò Văn Ún', 'village_lead', 'binh-lu-01')
    for (const name of HOMES) homes[name] = await registered(bot, name)
  })
  afterAll(async () => {
    await second?.close()
    await bot?.close()
  })

  it('remind each household once', async () => {
    clock.set('2026-11-26T07:31:00+07:00')
    await reminders()
    await reminders()
    expect(await heard(REMINDED)).toEqual(each(1))
    expect((await bot.sql`SELECT count(*)::int AS n FROM reminder`)[0]?.n).toBe(HOMES.length)
  })

  it('leave day 6 to nobody: the second rule of households is billed and off', async () => {
    clock.set('2026-11-29T10:00:00+07:00')
    await reminders()
    clock.set('2026-11-30T09:00:00+07:00')
    await reminders()
    expect(await heard(REMINDED)).toEqual(each(0))
  })

  it('give the leader one digest', async () => {
    clock.set('2026-12-01T07:40:00+07:00')
    await leader.say('MENU')
    await digests()
    await digests()
    expect((await leader.settle()).match(/im lặng đã lâu/g)).toHaveLength(1)
    const rows = await bot.sql`SELECT kind, count(*)::int AS n FROM digest WHERE kind LIKE 'leader%' GROUP BY kind ORDER BY kind`
    expect(rows.map((row) => row.n)).toEqual([1, 1])
  })

  it.each([
    ['An', 'Đã đến nhà', 'visited'],
    ['Binh', 'Không còn ở đây', 'gone'],
    ['Chung', 'Làm hộ', 'assist'],
    ['Dung', 'Nhắc lại', 'again'],
  ])('keep the leader’s tap about %s: %s', async (name, label, act) => {
    await leader.tap(
      leader
        .messages()
        .findLast((message) => message.text?.includes('im lặng đã lâu'))
        ?.buttons?.find((button) => button.title.includes(name))?.title ?? name,
    )
    expect(await leader.tap(label)).not.toBe('')
    const [step] = await bot.sql`
      SELECT s.act, p.name FROM household_step s JOIN person p ON 'h' || p.household_id = s.subject ORDER BY s.id DESC LIMIT 1`
    expect({ ...step }).toEqual({ act, name: `Lò Văn ${name}` })
  })

  it('leave out whoever the leader has dealt with; a household to be reminded again has its time, and then comes back', async () => {
    // The next morning somebody else has fallen silent, so there is a digest
    homes.new = await registered(bot, 'Vàng Thị Mỷ')
    await bot.sql`
      UPDATE contact SET last_inbound_at = last_inbound_at - interval '60 hours' FROM person p WHERE p.id = contact.person_id AND p.name = 'Vàng Thị Mỷ'`
    await bot.sql`UPDATE person SET created_at = created_at - interval '60 hours' WHERE name = 'Vàng Thị Mỷ'`
    clock.set('2026-12-02T07:40:00+07:00')
    await digests()
    const next = await leader.settle()
    expect(next).toContain('2 hộ')
    for (const name of ['An', 'Binh', 'Chung', 'Dung']) expect(next).not.toContain(`Lò Văn ${name}`)
    clock.set('2026-12-10T07:40:00+07:00')
    await leader.say('MENU')
    await digests()
    const later = await leader.settle()
    expect(later).toContain('3 hộ')
    expect(later).toContain('Lò Văn Dung')
  })

  it('ask everybody whose chat must stay open on day 6, once: leader, officer and technician', async () => {
    for (const one of [leader, officer, technician]) await one.say('MENU')
    clock.add(6 * 24 + 0.1)
    await digests()
    await digests()
    for (const one of [leader, officer, technician]) expect((await one.settle()).match(/đã 6 ngày/g)).toHaveLength(1)
  })

  it('tell the officer on Monday whose chat has closed', async () => {
    clock.set('2026-12-28T08:30:00+07:00')
    await officer.say('MENU')
    await digests()
    const said = await officer.settle()
    expect(said.match(/TUẦN NÀY/g)).toHaveLength(1)
    expect(said).toContain('1 bản có trưởng bản lâu không nhắn, cháu không gửi tin được: Nà Đa')
    expect(said).toContain('người phụ trách kỹ thuật')
    expect(said).not.toContain('cán bộ Hội Khuyến học xã')
  })

  it('never ask a chat that has no window', async () => {
    const telegram = { ...bot.app.deps, channelOf: async (id: number) => withoutWindow(await bot.app.deps.channelOf(id)) }
    clock.set('2027-01-05T09:00:00+07:00')
    for (const one of [leader, officer, technician]) await one.say('MENU')
    clock.add(6 * 24 + 0.1)
    const before = (await bot.sql`SELECT count(*)::int AS n FROM digest WHERE kind = 'nudge'`)[0]?.n
    await runDigests(telegram, clock.date())
    expect((await bot.sql`SELECT count(*)::int AS n FROM digest WHERE kind = 'nudge'`)[0]?.n).toBe(before)
  })
})

function withoutWindow(channel: Awaited<ReturnType<Deps['channelOf']>>) {
  return channel && { ...channel, abilities: { ...channel.abilities, sendWindowMs: null } }
}

describe('a whole round of one household', () => {
  const clock = createClock('2026-03-02T10:00:00+07:00')
  let bot: Bot
  let citizen: Person
  const days: string[] = []

  /** A look every two hours, as the worker's timer takes it, on a clock that runs through weeks. */
  async function live(hours: number): Promise<void> {
    for (let hour = 0; hour < hours; hour += 2) {
      clock.add(2)
      await runReminders(bot.app.deps, clock.date())
      await bot.app.idle()
      if (/trợ lý học tập/.test(await citizen.settle())) days.push(new Date(clock.now() + 7 * 3_600_000).toISOString().slice(0, 16))
    }
  }

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    citizen = await registered(bot, 'Lò Văn Pâng')
  })
  afterAll(() => bot?.close())

  it('is reminded at most once a week and three times in the year, never at night, whatever they write', async () => {
    for (let word = 0; word < 14; word++) {
      await live(48)
      await citizen.say('MENU')
    }
    expect(days).toHaveLength(3)
    const times = days.map((day) => new Date(`${day}Z`).getTime())
    for (const [place, at] of times.slice(1).entries()) expect(at - times[place]!).toBeGreaterThanOrEqual(7 * 86_400_000)
    for (const day of days) expect(day.slice(11) >= '07:30' && day.slice(11) <= '21:00').toBe(true)
  })

  it('is left alone on days of mourning, and reminded before them or not at all', async () => {
    const other = await registered(bot, 'Vàng Thị Mỷ')
    const communeId = Number((await bot.sql`SELECT id FROM unit WHERE level = 'xa'`)[0]?.id)
    const day = (ms: number) => new Date(ms + 7 * 3_600_000).toISOString().slice(0, 10)
    const quiet = `${day(clock.now() + 86_400_000)}..${day(clock.now() + 3 * 86_400_000)}`
    await setSetting(bot.app.deps.database.db, { unitId: communeId, key: 'quiet.days', value: quiet, actor: 'test', now: clock.date() })
    const before = days.length
    await live(72)
    expect(days.length).toBe(before)
    expect(await other.settle()).toBe('')
  })
})

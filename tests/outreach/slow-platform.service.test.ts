import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// What an officer asks of the platform while composing is asked outside the turn: a slow platform holds nobody up
const clock = createClock('2026-11-24T10:00:00+07:00')
const SLOW_MS = 4_000
/** An instance id no living process has. */
const DEAD = 1
const TEXT = 'Mời {xưng hô} {tên} họp ngày 1/12.'
const SAMPLE = 'Mời bác Lò Văn Pâng họp ngày 1/12.'
let bot: Bot
type Person = Awaited<ReturnType<Bot['person']>>
let officer: Person
let citizen: Person

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await withoutPace(bot)
  await bot.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, 'campaign.article', '"yes"'::jsonb)`
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  citizen = await registered(bot, 'Lò Văn Pâng')
  await officer.talk('THÔNG BÁO', TEXT, '1', '1')
})
afterAll(() => bot?.close())
afterEach(() => bot.simulator.faults.clear())

const tests = (person = officer) => person.messages().filter((message) => message.from === 'oa' && message.text === SAMPLE).length
const heard = (person: Person) => person.messages().filter((message) => message.from === 'oa').length
const userIdOf = (person: Person) => bot.account.threads().find((thread) => thread.personId === person.id)?.userId ?? ''

/**
 * While the platform takes its time over the officer's call: the officer's row is nobody's, no connection waits in a transaction, and
 * somebody else is answered.
 */
async function nobodyWaits(): Promise<void> {
  await expect.poll(() => bot.simulator.faults.list().reduce((sum, fault) => sum + fault.hits, 0), { timeout: SLOW_MS }).toBe(1)
  const before = { officer: heard(officer), citizen: heard(citizen) }
  await bot.sql.begin((tx) => tx`SELECT 1 FROM contact WHERE id = (SELECT max(author_contact_id) FROM campaign) FOR UPDATE NOWAIT`)
  const idle = await bot.sql`
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()`
  expect(idle).toHaveLength(0)
  await bot.simulator.people.say(citizen.id, bot.oaId, { kind: 'text', text: 'XEM' })
  await expect.poll(() => heard(citizen), { timeout: SLOW_MS }).toBe(before.citizen + 1)
  expect(heard(officer)).toBe(before.officer)
}

it('the list of articles is read while nothing is locked, and others are answered meanwhile', async () => {
  await officer.say('4')
  bot.simulator.faults.addCall({ endpoint: 'article/getslice', answer: { slow_ms: SLOW_MS } })
  const answer = officer.say('5')
  await nobodyWaits()
  expect(await answer).toContain('Tài khoản chưa có bài nào đang hiện')
})

it('a list that cannot be read is said, and the notice is where it was', async () => {
  bot.simulator.faults.addCall({ endpoint: 'article/getslice', answer: { html: 502 } })
  const said = await officer.talk('4', '5')
  expect(said).toContain('chưa đọc được danh sách bài')
  expect(said).toContain('Gửi thử cho tôi')
})

it('the test to oneself leaves once the turn is committed: one message, before the question that goes on', async () => {
  const before = heard(officer)
  bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', user_id: userIdOf(officer), answer: { slow_ms: SLOW_MS }, times: 1 })
  const answer = officer.say('1')
  await nobodyWaits()
  expect((await answer).split('\n---\n')).toEqual([SAMPLE, expect.stringContaining('Tin thử chỉ gửi cho bác')])
  expect(heard(officer)).toBe(before + 2)
})

it('a line cut after the platform took the test leads to one, not two', async () => {
  const before = tests()
  bot.simulator.faults.addCall({
    endpoint: 'oa/message/cs',
    user_id: userIdOf(officer),
    when: 'after',
    answer: { reset: true },
    times: 1,
  })
  expect(await officer.say('1')).toContain('Tin thử chỉ gửi cho bác')
  expect(tests()).toBe(before + 1)
})

it.each([
  { died: 'after the platform took the test', arrived: true },
  { died: 'between its commit and the send', arrived: false },
])('a process that died $died leaves one test behind, and the question after it', async ({ arrived }) => {
  clock.add(0.1)
  await officer.say('1')
  const before = tests()
  // The two rows of that turn as the dead process left them; what never left has words nobody has seen
  const rows = await bot.sql<{ id: string }[]>`
    SELECT id FROM outbound_message WHERE contact_id = (SELECT max(author_contact_id) FROM campaign) ORDER BY id DESC LIMIT 2`
  const [question, test] = rows.map((row) => row.id)
  for (const id of [question, test])
    await bot.sql`
      UPDATE outbound_message SET status = 'waiting', claimed_by = ${DEAD}, platform_message_id = NULL, chat_order = NULL, sent_at = NULL WHERE id = ${id ?? ''}`
  const unseen = bot.app.deps.sealer.sealJson({ text: `${SAMPLE} (2)` })
  if (!arrived) await bot.sql`UPDATE outbound_message SET body_enc = ${unseen} WHERE id = ${test ?? ''}`
  await bot.app.sweep()
  const said = await officer.settle()
  expect(tests()).toBe(before)
  expect(said).toBe(arrived ? '' : `${SAMPLE} (2)`)
  const statuses = await bot.sql`SELECT status FROM outbound_message WHERE id IN ${bot.sql(rows.map((row) => row.id))}`
  expect(statuses.map((row) => row.status)).toEqual(['sent', 'sent'])
})

it('a test the platform refuses says why, in its place, and the notice can be changed', async () => {
  const before = tests()
  bot.simulator.faults.addCall({ endpoint: 'oa/message/cs', user_id: userIdOf(officer), answer: { code: -248 }, times: 1 })
  const said = await officer.say('1')
  expect(said.split('\n---\n')).toEqual([
    expect.stringContaining('Chưa gửi thử được: nội dung bị nền tảng từ chối'),
    expect.stringContaining('Gửi thử cho tôi'),
  ])
  expect(tests()).toBe(before)
  expect((await bot.sql`SELECT count(*)::int AS n FROM recipient`)[0]?.n).toBe(0)
})

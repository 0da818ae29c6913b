import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recount } from '../../src/reports/recount.ts'
import { type BothChannels, type Chat, startBothChannels } from '../support/both-channels.ts'

let world: BothChannels
beforeAll(async () => {
  world = await startBothChannels()
})
afterAll(() => world.stop())

type Who = { name: string; birthYear?: number; adults?: number; headName?: string }

/** Registers as a citizen of village 1; the first question is open afterwards. */
async function register(chat: Chat, { name, birthYear = 1967, adults = 3, headName }: Who): Promise<string> {
  await chat.say('BẮT ĐẦU')
  let said = ''
  const rest = headName === undefined ? ['1', String(adults)] : ['2', headName]
  for (const text of ['1', '1', name, String(birthYear), '1', '1', ...rest, '1']) said = await chat.say(text)
  expect(said).toMatch(/Câu 1\/10/)
  return said
}

const answer = async (chat: Chat, ...numbers: number[]) => {
  let said = ''
  for (const number of numbers) said = await chat.say(String(number))
  return said
}

/** Answers whatever is asked with the first choice, and confirms. */
async function finish(chat: Chat): Promise<void> {
  for (let turns = 0; turns < 30 && !chat.last().includes('1. Đúng rồi'); turns++) await chat.say('1')
  expect(await chat.say('1')).toMatch(/tự đánh giá/i)
}

async function askForCode(chat: Chat): Promise<string> {
  const said = await chat.say('MÃ TELEGRAM')
  const code = /MÃ ([A-Z0-9-]+)/.exec(said)?.[1]
  if (!code) throw new Error(`no code in: ${said}`)
  return code
}

async function personOf(chat: Chat): Promise<number | null> {
  const [row] = await world.bot.sql`SELECT person_id::int AS id FROM contact WHERE channel_user_id = ${chat.userId}`
  return row?.id ?? null
}
const answersOf = async (personId: number | null) =>
  (
    await world.bot.sql<{ option: string; question: string }[]>`
      SELECT question, option FROM answer a JOIN nomination n ON n.id = a.nomination_id AND n.commune_id = a.commune_id
      WHERE n.title = 'CDHT' AND n.subject_id = ${personId} AND a.source <> 'computed'`
  ).length
const people = async (name: string) => (await world.bot.sql`SELECT 1 FROM person WHERE name = ${name}`).length

async function expectExactTallies(): Promise<void> {
  const [row] = await world.bot.sql<{ id: number; commune_id: number }[]>`SELECT id::int, commune_id::int FROM unit WHERE level = 'xa'`
  expect(await recount(world.bot.app.deps.database.db, { id: row!.id, communeId: row!.commune_id, level: 'xa' })).toEqual([])
}

describe('a registered person asks for a code in one chat', () => {
  test('and goes on in the other where they stood: nothing is asked twice, nothing is lost', async () => {
    const zalo = world.openZalo('Lò Văn Pâng')
    await register(zalo, { name: 'Lò Văn Pâng' })
    await answer(zalo, 1, 1, 2)
    const code = await askForCode(zalo)
    const telegram = world.openTelegram()
    expect(await telegram.say(`MÃ ${code}`)).toMatch(/nhận ra ông Lò Văn Pâng/)
    expect(await personOf(telegram)).toBe(await personOf(zalo))
    expect(await telegram.say('BẮT ĐẦU')).toMatch(/Câu 4\/10/)
    expect(await answer(telegram, 2, 2)).toMatch(/Câu 6\/10/)

    // The other chat has question 4 open: it was answered here, and a different answer to it is asked about, not taken
    const crossed = await zalo.say('1')
    expect(crossed).toMatch(/câu 4/i)
    const [four] = await world.bot.sql`SELECT count(*)::int AS n FROM answer_history`
    expect(four?.n).toBe(0)
    expect(await answersOf(await personOf(zalo))).toBe(5)
    await expectExactTallies()
  })

  test('the link of the code does it by itself, and works once', async () => {
    const zalo = world.openZalo('Hai')
    await register(zalo, { name: 'Vàng Thị Hai' })
    const code = await askForCode(zalo)
    const telegram = world.openTelegram()
    expect(await telegram.say(`/start ${code.replaceAll('-', '')}`)).toMatch(/nhận ra/)
    const other = world.openTelegram()
    expect(await other.say(`MÃ ${code}`)).toMatch(/đã dùng rồi/)
    expect(await personOf(other)).toBeNull()
    expect(await zalo.say(`MÃ ${code}`)).toMatch(/đã dùng rồi/)
    expect((await world.bot.sql`SELECT code_hash FROM link_code`).map((row) => row.code_hash).join()).not.toContain(
      code.replaceAll('-', ''),
    )
    expect(await world.bot.sql`SELECT detail FROM audit WHERE action = 'contact.join'`).not.toEqual([])
  })

  test('the same answer given again in the other chat is no news, and the next question follows', async () => {
    const zalo = world.openZalo('Ba')
    await register(zalo, { name: 'Lò Thị Ba' })
    const telegram = world.openTelegram()
    await telegram.say(`MÃ ${await askForCode(zalo)}`)
    await telegram.say('BẮT ĐẦU')
    await answer(telegram, 3)
    expect(await zalo.say('3')).toMatch(/Câu 2\/10/)
    expect(await answersOf(await personOf(zalo))).toBe(1)
  })

  test('a code of half an hour ago is none any more', async () => {
    const zalo = world.openZalo('Bốn')
    await register(zalo, { name: 'Lò Thị Bốn' })
    const code = await askForCode(zalo)
    await world.bot.sql`UPDATE link_code SET expires_at = now() - interval '1 second' WHERE used_at IS NULL`
    const telegram = world.openTelegram()
    expect(await telegram.say(`MÃ ${code}`)).toMatch(/hết hạn/)
  })

  test('wrong codes are counted by the guard of invitations, and then a right one does not count either', async () => {
    const zalo = world.openZalo('Năm')
    await register(zalo, { name: 'Lò Thị Năm' })
    const code = await askForCode(zalo)
    const telegram = world.openTelegram()
    for (let tries = 0; tries < 5; tries++) expect(await telegram.say('MÃ BCF-GHJ-234')).toMatch(/chưa đúng/)
    expect(await telegram.say(`MÃ ${code}`)).toMatch(/thử sai nhiều lần/)
    expect(await personOf(telegram)).toBeNull()
  })
})

describe('the other chat is registered too', () => {
  test('as the same person: both become one, the further form stays and takes what only the other had', async () => {
    const who = { name: 'Giàng A Pẩu', birthYear: 1980 }
    const zalo = world.openZalo('Páo')
    await register(zalo, who)
    await answer(zalo, 1, 1)
    const telegram = world.openTelegram()
    await register(telegram, who)
    await answer(telegram, 2, 2, 2, 2)
    expect(await people(who.name)).toBe(2)
    expect(await telegram.say(`MÃ ${await askForCode(zalo)}`)).toMatch(/nhận ra/)

    expect(await people(who.name)).toBe(1)
    const person = await personOf(zalo)
    expect(await personOf(telegram)).toBe(person)
    expect(await answersOf(person)).toBe(4)
    const history = await world.bot.sql`
      SELECT h.question FROM answer_history h JOIN nomination n ON n.id = h.nomination_id WHERE n.subject_id = ${person}`
    expect(history).toHaveLength(2)
    expect(await world.bot.sql`SELECT 1 FROM household WHERE head_name = ${who.name}`).toHaveLength(1)
    await expectExactTallies()
    // Both chats go on with the one form
    expect(await zalo.say('BẮT ĐẦU')).toMatch(/đang ở câu 5\/10/)
    expect(await answer(zalo, 1, 1)).toMatch(/Câu 6\/10/)
    expect(await telegram.say('BẮT ĐẦU')).toMatch(/đang ở câu 6\/10/)
    await expectExactTallies()
  })

  test('a finished form outweighs one under way, and both families become one', async () => {
    const who = { name: 'Vàng Thị Mỷ Dua', birthYear: 1975 }
    const zalo = world.openZalo('Mỷ')
    await register(zalo, who)
    await answer(zalo, 4, 4)
    const telegram = world.openTelegram()
    await register(telegram, who)
    await finish(telegram)
    await telegram.say('GIA ĐÌNH')
    await answer(telegram, 1, 1)
    await world.bot.sql`UPDATE session SET status = 'ended' WHERE status = 'active' AND flow = 'gia-dinh-hoc-tap'`
    // Out of any form SỬA offers it too
    await telegram.say('SỬA')
    const code = /MÃ ([A-Z0-9-]+)/.exec(await telegram.say('7'))?.[1]
    await zalo.say(`MÃ ${code}`)
    const person = await personOf(zalo)
    const forms = await world.bot.sql`SELECT title, status, answered FROM nomination WHERE subject_id = ${person} AND title = 'CDHT'`
    expect(forms).toEqual([{ title: 'CDHT', status: 'da_tu_danh_gia', answered: 10 }])
    expect(await zalo.say('KẾT QUẢ')).toMatch(/tự đánh giá/i)
    const [family] = await world.bot.sql`
      SELECT n.answered FROM nomination n JOIN household h ON h.id = n.subject_id WHERE n.title = 'GDHT' AND h.head_person_id = ${person}`
    expect(family?.answered).toBe(2)
    await expectExactTallies()
  })

  test('as somebody else: nothing is mixed, and an officer is asked', async () => {
    const zalo = world.openZalo('Sáu')
    await register(zalo, { name: 'Lò Thị Sáu' })
    const telegram = world.openTelegram()
    await register(telegram, { name: 'Lò Văn Bảy' })
    expect(await telegram.say(`MÃ ${await askForCode(zalo)}`)).toMatch(/chưa nối được/)
    expect(await personOf(telegram)).not.toBe(await personOf(zalo))
    expect(await world.bot.sql`SELECT 1 FROM ticket WHERE question = 'join'`).toHaveLength(1)
    await expectExactTallies()
  })
})

test('whoever erases their data in one chat is gone from both', async () => {
  const zalo = world.openZalo('Tám')
  await register(zalo, { name: 'Lò Thị Tám' })
  const telegram = world.openTelegram()
  await telegram.say(`MÃ ${await askForCode(zalo)}`)
  await telegram.say('XÓA')
  await telegram.say('1')
  expect(await people('Lò Thị Tám')).toBe(0)
  const left = await world.bot
    .sql`SELECT 1 FROM contact WHERE erased_at IS NULL AND channel_user_id IN (${zalo.userId}, ${telegram.userId})`
  expect(left).toEqual([])
  await expectExactTallies()
})

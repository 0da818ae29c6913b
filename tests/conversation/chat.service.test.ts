import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createClock } from '../outreach/staff.ts'
import { type Bot, REGISTRATION, startBot } from '../support/bot.ts'

describe('a conversation', () => {
  const clock = createClock('2026-11-22T02:00:00Z')
  let bot: Bot
  beforeAll(async () => {
    bot = await startBot({ clock })
  })
  afterAll(() => bot.close())

  const answers = async () =>
    (await bot.sql<{ question: string; option: string }[]>`SELECT question, option FROM answer ORDER BY question`).map(
      (row) => `${row.question}=${row.option}`,
    )

  test('goes from the first word to the result, and the figures follow', async () => {
    const person = await bot.person('Pâng')
    expect(await person.talk(...REGISTRATION)).toContain('Câu 1/10')
    expect(await person.talk('1', '1', '5 buổi', '1', '1', '2 tiếng', '1', '1', '1', '1')).toContain('Đúng chưa ạ?')
    expect(await person.say('1')).toContain('100/100 điểm: tự đánh giá đạt')
    const [tally] = await bot.sql<{ n: number }[]>`SELECT n FROM tally WHERE dimension = 'state' AND key = 'self_passed'`
    expect(tally?.n).toBe(1)
    expect((await answers()).length).toBe(10)
  })

  test('a double tap is one answer and one reply', async () => {
    const person = await bot.person('Ún')
    await person.talk(...REGISTRATION)
    const before = person.messages().filter((message) => message.from === 'oa').length
    await person.tap('Mỗi tuần vài lần', 2)
    expect(person.messages().filter((message) => message.from === 'oa').length).toBe(before + 1)
    expect(await person.say('BẮT ĐẦU')).toContain('câu 2/10')
  })

  test('the second of two messages sent at once corrects the first, after asking', async () => {
    const person = await bot.person('Mỷ')
    await person.talk(...REGISTRATION)
    const reply = await person.say('2', '3')
    expect(reply).toContain('đổi từ “Mỗi tuần vài lần” thành “Mỗi tháng vài lần”')
    expect(await person.say('1')).toContain('Câu 2/10')
    expect(await person.say('xem')).toContain('Mỗi tháng vài lần')
  })

  test('a tap on an old button corrects that answer, after asking', async () => {
    const person = await bot.person('Sử')
    await person.talk(...REGISTRATION, '2', '1')
    clock.add(1 / 60)
    const reply = await person.tap('Rất ít hoặc chưa')
    expect(reply).toContain('đổi từ “Mỗi tuần vài lần” thành “Rất ít hoặc chưa”')
    expect(await person.say('giữ như cũ')).toContain('Câu 3/10')
  })

  test('declining costs nothing and stores nothing of the person', async () => {
    const person = await bot.person('Hoa')
    expect(await person.talk('alo', 'không')).toContain('không ghi gì')
    expect(await person.say('thống kê')).toContain('BẮT ĐẦU')
  })

  test('a word that answers the open question is no word: nobody is unsubscribed by a yes', async () => {
    const person = await bot.person('Dìn')
    await person.talk(...REGISTRATION.slice(0, -1))
    expect(await person.say('dung')).not.toContain('không tự nhắn')
    const [row] = await bot.sql<{ stopped: number }[]>`SELECT count(*)::int AS stopped FROM contact WHERE stopped_at IS NOT NULL`
    expect(row?.stopped).toBe(0)
  })

  test('erasure leaves no row with the name, and the counts go back', async () => {
    const person = await bot.person('Erased')
    await person.talk('chào', '1', 'Hua Bó', 'Tẩn Láo Tả', '1980', '3', '1', '1', '2', '1', '1')
    expect(await person.talk('XÓA', '1')).toContain('đã xóa hết')
    // The same once more, as impatient thumbs do: nobody is greeted anew, and nothing is said to a second yes
    expect(await person.say('1')).toBe('')
    expect(await person.tap('Xóa hết')).toBe('')
    expect(await person.say('XÓA')).toContain('đã xóa hết rồi')
    expect(await person.say('cảm ơn cháu')).toContain('BẮT ĐẦU')
    // The chat's id goes some minutes later, once nothing of it is left to handle
    clock.add(0.1)
    for (let n = 0; n < 3; n++) {
      await person.settle()
      await bot.app.sweep()
    }
    const [found] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM person WHERE name = 'Tẩn Láo Tả'`
    expect(found?.n).toBe(0)
    const [left] = await bot.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM contact WHERE erased_at IS NOT NULL AND channel_user_id NOT LIKE 'erased-%'`
    expect(left?.n).toBe(0)
    const [counted] = await bot.sql<{ n: number }[]>`
      SELECT coalesce(sum(n), 0)::int AS n FROM tally t JOIN unit u ON u.id = t.village_id WHERE u.name = 'Hua Bó'`
    expect(counted?.n).toBe(0)
  })

  test('whoever begins again right after an erasure is somebody new, and keeps their place when the old one is forgotten', async () => {
    const person = await bot.person('Back again')
    await person.talk('chào', '1', 'Hua Bó', 'Tẩn Láo Lở', '1980', '3', '1', '1', '2', '1', '1', 'XÓA', '1')
    expect(await person.say('1', 'BẮT ĐẦU')).toContain('đồng ý')
    expect(await person.talk('1', 'Nà Đa', 'Tẩn Láo Lở')).toContain('sinh năm')
    clock.add(0.1)
    await bot.app.sweep()
    expect(await person.say('1981')).toContain('xưng hô')
    const kept = await bot.sql<{ words: boolean }[]>`
      SELECT o.body_enc IS NOT NULL AS words FROM outbound_message o JOIN contact c ON c.id = o.contact_id WHERE c.erased_at IS NOT NULL`
    expect(kept.length).toBeGreaterThan(0)
    expect(kept.filter(({ words }) => words)).toEqual([])
  })
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bot, REGISTRATION, startBot } from '../support/bot.ts'

// What was met when talking to it as people do who do not answer what is asked

describe('people who are hard to talk to', () => {
  let bot: Bot
  beforeAll(async () => {
    bot = await startBot()
  })
  afterAll(() => bot.close())

  test('a short yes is a yes to the consent', async () => {
    const young = await bot.person('Trẻ')
    expect(await young.talk('hello', 'ok')).toContain('bản nào')
  })

  test('who is not understood is not read the whole consent again, and one person is asked to help, once', async () => {
    const digressing = await bot.person('Bà kể chuyện')
    const first = await digressing.say('alo ai đấy')
    const again = await digressing.say('nhà tôi mới gặt xong mệt lắm')
    expect(first).toContain('Giữ hết năm sau')
    expect(again).not.toContain('Giữ hết năm sau')
    await digressing.say('con gà nhà tôi')
    expect(await digressing.say('để đi cho trâu ăn đã')).toContain('đã nhờ cán bộ')
    for (const story of ['hôm nay trời rét quá', 'con bò nhà tôi đẻ', 'mai lại đi nương']) {
      const said = await digressing.say(story)
      expect(said).not.toContain('đã nhờ cán bộ')
      expect(said).toContain('sẽ liên hệ')
    }
    const [tickets] = await bot.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM ticket t JOIN contact c ON c.id = t.contact_id JOIN outbound_message m ON m.contact_id = c.id
      WHERE m.id = (SELECT max(id) FROM outbound_message)`
    expect(tickets?.n).toBe(1)
    expect(await digressing.say('1')).toContain('bản nào')
  })

  test('whoever goes on instead of saying which of two things they meant is heard where they were', async () => {
    const person = await bot.person('Người nói lửng')
    await person.talk(...REGISTRATION)
    const doubt = await person.say('dung')
    expect(doubt).toContain('DỪNG')
    expect(await person.say('mỗi tuần vài lần')).toContain('Câu 2/10')
    await person.say('dung')
    const elsewhere = await person.say('hôm nay trời rét quá')
    expect(elsewhere).toContain('Câu 2/10')
    expect(elsewhere).not.toContain('DỪNG')
    // Said properly, it is still a choice between the two
    await person.say('dung')
    expect(await person.say('1')).toContain('không tự nhắn')
  })

  test('a helper may give up in the middle of a name or a year, and nothing of it is kept', async () => {
    const helper = await bot.person('Người giúp')
    await helper.talk(...REGISTRATION, 'LÀM HỘ', 'cùng bản', 'Sùng Thị Thôi')
    const left = await helper.say('thôi')
    expect(left).toContain('LÀM HỘ')
    expect(left).toContain('Câu 1/10')
    const [kept] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM session WHERE state::text LIKE '%Sùng Thị Thôi%'`
    expect(kept?.n).toBe(0)
  })

  test('the group is understood by the work people name', async () => {
    const farmer = await bot.person('Người làm nương')
    await farmer.talk('chào', '1', 'Nà Đa', 'Vàng A Nương', '1970', 'ông')
    expect(await farmer.say('làm ruộng thôi cháu ạ')).toContain('chủ hộ')
  })

  test('one figure is no year of birth', async () => {
    const hurried = await bot.person('Người vội')
    await hurried.talk('chào', '1', 'Nà Đa', 'Vàng A Của')
    expect(await hurried.say('1')).toContain('năm sinh bốn số')
    expect(await hurried.say('68')).toContain('xưng hô')
  })
})

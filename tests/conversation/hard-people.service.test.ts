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

  test('who wants to answer for somebody says so in a sentence of their own', async () => {
    const grandchild = await bot.person('Cháu của bà')
    expect(await grandchild.say('tôi muốn khai cho bà nội')).toContain('trước hết')
    expect(await grandchild.talk('1', 'Nà Đa', 'khai hộ mẹ')).toContain('trước hết')
    expect(await grandchild.say('Giàng A Sử')).toContain('sinh năm')
    expect(await grandchild.talk('1990', '3', '1', '1', '4', '1')).toContain('Câu 1/10')
    // Among the questions it is asked back, and never an answer
    const doubt = await grandchild.say('tôi muốn khai hộ mẹ tôi')
    expect(doubt).toContain('1. LÀM HỘ')
    expect(await grandchild.say('2')).toContain('Câu 1/10')
    await grandchild.say('khai hộ mẹ')
    expect(await grandchild.say('1')).toContain('Cùng bản')
    // Said once more where the name is asked, it is no name
    expect(await grandchild.talk('1', 'làm hộ mẹ tôi')).toContain('Họ tên của người trả lời')
    expect(await grandchild.say('thôi')).toContain('Câu 1/10')
    const [stored] = await bot.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id
      WHERE p.name = 'Giàng A Sử'`
    expect(stored?.n).toBe(0)
  })

  test('after the form "làm hộ" in small letters is done at once, and what may be meant otherwise is asked', async () => {
    const helper = await bot.person('Người xong rồi')
    await helper.talk(...REGISTRATION.map((text) => (text === 'Lò Văn Pâng' ? 'Tẩn Láo San' : text)))
    await helper.talk('1', '1', '5 buổi', '1', '1', '2 tiếng', '1', '1', '1', '1')
    expect(await helper.say('1')).toContain('tự đánh giá')
    expect(await helper.say('khai hộ bà')).toContain('LÀM HỘ')
    expect(await helper.say('làm hộ')).toContain('Cùng bản')
    await helper.say('thôi')
    expect(await helper.say('lam ho')).toContain('Cùng bản')
    await helper.say('thôi')
    expect(await helper.say('khai hộ bà ngoại')).toContain('Cùng bản')
  })

  test('what is hardly a name is asked back once, and taken when it is said again', async () => {
    const rare = await bot.person('Tên hiếm')
    await rare.talk('chào', '1', 'Nà Đa')
    expect(await rare.say('Nhầm')).toContain('chưa chắc')
    expect(await rare.say('Tiếng Anh Hàn Nhật Lun')).not.toContain('sinh năm')
    expect(await rare.say('tiếng anh hàn nhật lun')).toContain('sinh năm')
    const other = await bot.person('Nói rồi mới nói tên')
    await other.talk('chào', '1', 'Nà Đa')
    expect(await other.say('đang đi làm')).toContain('chưa chắc')
    expect(await other.say('Lò Văn Nhầm')).toContain('sinh năm')
  })
})

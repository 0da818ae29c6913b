import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bot, REGISTRATION, startBot } from '../support/bot.ts'

/** 10 January 2027, 9 o'clock in Việt Nam: last year's form may still be put right. */
const JANUARY = Date.UTC(2027, 0, 10, 2)

describe('registration', () => {
  let bot: Bot
  let nowMs = JANUARY
  beforeAll(async () => {
    bot = await startBot({ clock: { now: () => nowMs } })
  })
  afterAll(() => bot.close())

  test('somebody under 16 is led to the head of the household, and nothing is kept', async () => {
    const child = await bot.person('Cháu')
    expect(await child.talk('chào', '1', 'Nà Đa', 'Lò Thị Nhỏ', '2015')).toContain('chủ hộ')
    const [row] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM person`
    expect(row?.n).toBe(0)
    const [state] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM session WHERE state::text LIKE '%Lò Thị Nhỏ%'`
    expect(state?.n).toBe(0)
  })

  test('what was read back can be changed before it is stored', async () => {
    const person = await bot.person('Sửa')
    const readback = await person.talk(...REGISTRATION.slice(0, -1))
    expect(readback).toContain('Lò Văn Pâng')
    expect(await person.talk('2', '1', 'Lò Văn Panh')).toContain('Họ tên: Lò Văn Panh')
    expect(await person.talk('2', '3', 'hua bo')).toContain('bản Hua Bó')
    expect(await person.say('đúng')).toContain('ghi tên bác rồi')
    const [row] = await bot.sql<{ name: string; village: string }[]>`
      SELECT p.name, u.name AS village FROM person p JOIN unit u ON u.id = p.village_id WHERE p.name = 'Lò Văn Panh'`
    expect(row).toEqual({ name: 'Lò Văn Panh', village: 'Hua Bó' })
  })

  test("a word written as the help prints it is nobody's name; without its marks it may be one", async () => {
    const person = await bot.person('Kết Quả')
    await person.talk('chào', '1', 'Nà Đa')
    for (const word of ['KẾT QUẢ', 'kết quả', 'dạ trợ giúp ạ', 'MENU', 'xem', 'Sửa', 'trợ giúp với'])
      expect(await person.say(word)).not.toContain('sinh năm nào')
    expect(await person.talk('Ma Dung', '1980')).toContain('xưng hô')
    const [state] = await bot.sql<{ name: string }[]>`SELECT state->'vars'->>'name' AS name FROM session ORDER BY id DESC LIMIT 1`
    expect(state?.name).toBe('Ma Dung')
  })

  test('who tells everything at once is asked for the rest; the head may be "my wife", and a sentence is no name at once', async () => {
    const person = await bot.person('Nói liền')
    expect(await person.talk('chào', '1', 'giàng a tủa, sinh 1968, ở bản Nà Khan')).toContain('Họ và tên')
    expect(await person.talk('Giàng A Tủa', '1968', 'bác', 'nông dân', 'vo toi')).toContain('Chủ hộ')
    expect(await person.say('mấy tháng này chưa đi buổi nào')).not.toContain('Cháu ghi như sau')
    const readback = await person.say('vang thi my')
    expect(readback).toContain('Nơi ở: bản Nà Khan')
    expect(readback).toContain('chủ hộ là Vang Thi My')
  })

  test('a village is found by the code of its QR, and then not asked again', async () => {
    const [village] = await bot.sql<{ join_code: string }[]>`SELECT join_code FROM unit WHERE code = 'binh-lu-02'`
    const person = await bot.person('QR')
    await person.say(village?.join_code ?? '')
    expect(await person.say('đồng ý')).toContain('bản Nà Khan')
  })

  test('from 1 to 15 January it asks for which year', async () => {
    const person = await bot.person('Tháng Một')
    await person.talk(...REGISTRATION.map((text) => (text === 'Lò Văn Pâng' ? 'Lò Văn Giêng' : text)), '1')
    await person.talk('1', '5 buổi', '1', '1', '2 tiếng', '1', '1', '1', '1', '1')
    expect(await person.say('BẮT ĐẦU')).toContain('Năm 2026')
    expect(await person.say('1')).toContain('Câu 1/10')
    const rows = await bot.sql<{ year: number }[]>`
      SELECT year FROM nomination n JOIN person p ON p.id = n.subject_id AND n.title = 'CDHT' WHERE p.name = 'Lò Văn Giêng' ORDER BY year`
    expect(rows.map((row) => row.year)).toEqual([2026, 2027])
    nowMs = JANUARY
  })

  test('a family counts its learning citizens as they come', async () => {
    const head = await bot.person('Chủ hộ')
    await head.talk('chào', '1', 'Nà Khan', 'Vàng A Chủ', '1970', '3', '1', '1', '2', '1')
    await head.talk('1', '1', '5 buổi', '1', '1', '2 tiếng', '1', '1', '1', '1', '1')
    const first = await head.talk('GIA ĐÌNH', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1')
    expect(first).toContain('1/2 người lớn')
    const wife = await bot.person('Vợ')
    await wife.talk('chào', '1', 'Nà Khan', 'Sùng Thị Vợ', '1972', '3', '1', '2', 'vang a chu', '1')
    await wife.talk('1', '1', '5 buổi', '1', '1', '2 tiếng', '1', '1', '1', '1', '1')
    expect(await head.talk('GIA ĐÌNH')).toContain('2/2 người lớn')
    const [row] = await bot.sql<{ option: string }[]>`SELECT option FROM answer WHERE source = 'computed'`
    expect(row?.option).toBe('tat_ca')
  })

  test('the counts agree with the rows', async () => {
    const { recount } = await import('../../src/reports/recount.ts')
    const { findUnitByCode } = await import('../../src/registry/units.ts')
    const commune = await findUnitByCode(bot.app.deps.database.db, 'binh-lu')
    expect(commune && (await recount(bot.app.deps.database.db, commune))).toEqual([])
  })
})

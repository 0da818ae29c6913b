import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { registerPerson } from '../../src/registry/people.ts'
import { createInvitation } from '../../src/registry/roles.ts'
import { findUnitByCode } from '../../src/registry/units.ts'
import { recount } from '../../src/reports/recount.ts'
import { applyTallies } from '../../src/reports/tally.ts'
import { type Bot, startBot } from '../support/bot.ts'

const DAY_MS = 86_400_000
// One question counts times and one counts languages: there a bare figure would be asked about
const ANSWERS = ['1', '1', '5 buổi', '1', '1', '2 tiếng', '1', '1', '1', '1']
const register = (name: string, year = '1970') => ['chào', '1', 'Nà Đa', name, year, '3', '1', '1', '2', '1']

describe('answering for another', () => {
  let bot: Bot
  let nowMs = Date.UTC(2026, 10, 20, 2)
  const startedMs = Date.now()
  beforeAll(async () => {
    bot = await startBot({ clock: { now: () => nowMs + Date.now() - startedMs }, rounds: false })
    // The platform's pace is not what is looked at here
    await bot.sql`UPDATE account SET traits = traits || '{"perMinute":1000000}'`
    nowMs += 60_000
  })
  afterAll(() => bot.close())

  async function registered(name: string) {
    const person = await bot.person(name)
    await person.talk(...register(name))
    return person
  }

  async function leader(name: string) {
    const person = await registered(name)
    const { database, sealer, randomInt } = bot.app.deps
    const made = await createInvitation(
      { db: database.db, sealer, randomInt },
      { role: 'village_lead', unitCode: 'binh-lu-01', invitedBy: null, now: new Date(nowMs) },
    )
    if (made.type !== 'created') throw new Error(made.type)
    await person.say(`MÃ ${made.code}`)
    return person
  }

  /** Somebody the commune knows who has no chat, in the village of this number. Gives their id. */
  function known(name: string, village: number, birthYear: number): Promise<number> {
    return bot.app.deps.database.db.transaction(async (tx) => {
      const unit = await findUnitByCode(tx, `binh-lu-0${village}`)
      if (!unit) throw new Error('no village')
      const household = { head: false as const, headName: name }
      const facts = { villageId: unit.id, name, birthYear, address: 'ong', group: 1 as const, household }
      const placed = await registerPerson(tx, {
        communeId: unit.communeId,
        facts,
        source: 'helper',
        registeredBy: null,
        now: new Date(nowMs),
      })
      await applyTallies(tx, placed.tallies)
      return placed.person.id
    })
  }

  async function agree() {
    const commune = await findUnitByCode(bot.app.deps.database.db, 'binh-lu')
    if (!commune) throw new Error('no commune')
    expect(await recount(bot.app.deps.database.db, commune)).toEqual([])
  }

  const named = async (name: string) =>
    (
      await bot.sql<{ id: string; source: string; status: string | null; helper: string | null; answers: number }[]>`
        SELECT p.id, p.source, n.status, h.name AS helper, (SELECT count(*)::int FROM answer a WHERE a.nomination_id = n.id AND a.source = 'helper') AS answers
        FROM person p LEFT JOIN nomination n ON n.subject_id = p.id AND n.title = 'CDHT' LEFT JOIN person h ON h.id = n.helper_person_id
        WHERE p.name = ${name}`
    )[0]

  test('whoever is not registered is registered first', async () => {
    const stranger = await bot.person('Người lạ')
    expect(await stranger.say('LÀM HỘ')).toContain('trước hết')
  })

  test('a neighbour: consent read out, registered, answered, read back, named in the record', async () => {
    const helper = await registered('Lò Văn Pâng')
    await helper.talk('LÀM HỘ', '1', 'Vàng Thị Mỷ', '1950')
    const consent = await helper.say('2')
    expect(consent).toContain('đọc to cho bà Vàng Thị Mỷ')
    expect(consent).toContain('Lò Văn Pâng bấm hộ')
    expect(await helper.talk('đồng ý', '1', '2', 'Vàng A Chủ')).toContain('Họ tên: Vàng Thị Mỷ')
    const first = await helper.say('1')
    expect(first).toContain('Câu trả lời của bà Vàng Thị Mỷ')
    expect(first).toContain('Năm nay, bà có hay')
    expect(await helper.talk(...ANSWERS)).toContain('Câu trả lời của bà Vàng Thị Mỷ')
    const result = await helper.say('1')
    expect(result).toMatch(/Kết quả của bà [^\n]+\n+Bà được 100\/100/)
    expect(result).toContain('làm hộ người khác')
    expect(await named('Vàng Thị Mỷ')).toMatchObject({ source: 'helper', status: 'da_tu_danh_gia', helper: 'Lò Văn Pâng', answers: 10 })

    expect(await helper.say('SỬA 4')).toContain('Câu 4/10')
    await helper.talk('4', '1')
    const [row] = await bot.sql<{ option: string; source: string }[]>`
      SELECT a.option, a.source FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id
      WHERE p.name = 'Vàng Thị Mỷ' AND a.question = 'dong_vien'`
    expect(row).toEqual({ option: 'chua', source: 'helper' })

    // The helper's own form waited beneath
    expect(await helper.say('thôi')).toContain('Câu 1/10')
    const [own] = await bot.sql<{ n: number }[]>`
      SELECT count(*)::int AS n FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id WHERE p.name = 'Lò Văn Pâng'`
    expect(own?.n).toBe(0)
    const [given] = await bot.sql<{ helper: string; person: string; text: string }[]>`
      SELECT h.name AS helper, p.name AS person, c.text_version AS text FROM consent c JOIN person h ON h.id = c.helper_person_id JOIN person p ON p.id = c.person_id WHERE c.decision = 'given'`
    expect(given).toMatchObject({ helper: 'Lò Văn Pâng', person: 'Vàng Thị Mỷ', text: expect.stringMatching(/^assist\.1\/vi\//) })
    await agree()
  })

  test('a refusal is kept without a name, and the words about it are gone', async () => {
    const helper = await registered('Lò Thị Hai')
    await helper.talk('LÀM HỘ', '1', 'Sùng Thị Chối', '1955', '2')
    expect(await helper.say('không')).toContain('không ghi gì')
    const [row] = await bot.sql<{ person_id: string | null; decision: string }[]>`
      SELECT c.person_id, c.decision FROM consent c JOIN person h ON h.id = c.helper_person_id WHERE h.name = 'Lò Thị Hai'`
    expect(row).toEqual({ person_id: null, decision: 'declined' })
    const [people] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM person WHERE name LIKE 'Sùng Thị%'`
    expect(people?.n).toBe(0)
    const [state] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM session WHERE state::text LIKE '%Chối%'`
    expect(state?.n).toBe(0)
    expect(await wordsWith('Chối')).toBe(0)
    await agree()
  })

  /** Messages in and out that still hold a word, every sealed column opened. */
  async function wordsWith(word: string): Promise<number> {
    // What officers are told of a request is not the helper's: it is looked at with the tickets
    const rows = await bot.sql<{ body: Buffer }[]>`
      SELECT body_enc AS body FROM inbound_event WHERE body_enc IS NOT NULL
      UNION ALL SELECT body_enc FROM outbound_message WHERE body_enc IS NOT NULL AND contact_id NOT IN (SELECT contact_id FROM role_grant)
      UNION ALL SELECT words_enc FROM ticket WHERE words_enc IS NOT NULL`
    return rows.filter(({ body }) => bot.app.deps.sealer.open(body).includes(word)).length
  }

  test('a child is refused', async () => {
    const helper = await registered('Lò Văn Ba')
    expect(await helper.talk('LÀM HỘ', '1', 'Lò Thị Nhỏ', '2011')).toContain('dưới 16 tuổi')
    const [state] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM session WHERE state::text LIKE '%Nhỏ%'`
    expect(state?.n).toBe(0)
  })

  test('after four days in the middle of it the way back names the neighbour; it can wait for later', async () => {
    const helper = await registered('Lò Văn Bốn')
    await helper.talk('LÀM HỘ', '1', 'Giàng Thị Dợ', '1948', '2', '1', '1', '1', '2', '1', '1', '1', '5 buổi')
    nowMs += 4 * DAY_MS
    const back = await helper.say('chào cháu')
    expect(back).toContain('Mình đang làm hộ bà Giàng Thị Dợ, câu 4/10')
    expect(await helper.say('Để sau')).toContain('Câu 1/10')
    expect(await helper.say('LÀM HỘ')).toContain('câu 4/10')
    const next = await helper.say('1')
    expect(next).toContain('Câu 4/10')
    expect(next).toContain('Câu trả lời của bà Giàng Thị Dợ')
    await agree()
  })

  test('a leader goes down the list, one after another', async () => {
    const chief = await leader('Lò Văn Ún')
    const list = await chief.say('LÀM HỘ')
    expect(list).toContain('bản Nà Đa: còn')
    expect(list).not.toContain('Vàng Thị Mỷ')
    await chief.talk('khác', '1', 'Tao Văn Một', '1960', '1', '1', '1', '2', 'Tao Văn Một', '1', ...ANSWERS)
    const after = await chief.say('1')
    expect(after).toContain('Người tiếp theo: Giàng Thị Dợ (1948)')
    // Whoever agreed once is not asked again, and what was answered stands
    const second = await chief.say('Người tiếp theo')
    expect(second).toContain('Câu 4/10')
    expect(await chief.talk('1', '1', '2 tiếng', '1', '1', '1', '1')).toContain('Câu trả lời của bà Giàng Thị Dợ')
    const last = await chief.say('1')
    expect(last).toContain('Người tiếp theo')
    expect(last).not.toContain('Người tiếp theo: Giàng Thị Dợ')
    // Helped by two: both stand in the answers, the first one in the record
    const helpers = await bot.sql<{ name: string; n: number }[]>`
      SELECT h.name, count(*)::int AS n FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id JOIN person h ON h.id = a.helper_person_id
      WHERE p.name = 'Giàng Thị Dợ' GROUP BY h.name ORDER BY n`
    expect(helpers.map(({ name, n }) => [name, n])).toEqual([
      ['Lò Văn Bốn', 3],
      ['Lò Văn Ún', 7],
    ])
    expect(await chief.talk('thôi', 'THỐNG KÊ')).toContain('Có người làm hộ / đã làm: 3/')
    await agree()
  })

  test('the list has buttons, in parts as long as the platform shows them, and one of before works later too', async () => {
    const chief = await leader('Lò Văn Dài')
    for (const letter of ['A', 'B', 'C', 'D', 'E', 'G', 'H']) await known(`Hù Văn ${letter}`, 1, 1950 + letter.charCodeAt(0) - 64)
    const buttons = () => (chief.messages().at(-1)?.buttons ?? []).map(({ title }) => title)
    await chief.say('LÀM HỘ')
    const first = buttons()
    expect(first).toHaveLength(5)
    expect(first[0]).toBe('1. Hù Văn A (1951)')
    expect(first.at(-1)).toBe('Xem thêm')
    const part = await chief.tap('Xem thêm')
    expect(part).toContain('1. Hù Văn E (1955)')
    expect(part).toContain('nhắn số')
    // By button, also one of the part before, and by number
    expect(await chief.tap('2. Hù Văn B (1952)')).toContain('Hù Văn B')
    await chief.talk('1', '1', '2', 'Hù Văn B', '1', ...ANSWERS, '1', 'Thôi')
    expect(await named('Hù Văn B')).toMatchObject({ status: 'da_tu_danh_gia', helper: 'Lò Văn Dài' })
    // Scrolling up takes a while
    nowMs += 10_000
    expect(await chief.tap('3. Hù Văn C (1953)')).toContain('đọc to cho ông Hù Văn C')
    await chief.talk('1', '1', '2', 'Hù Văn B', '1', ...ANSWERS, '1', 'Chọn trong danh sách')
    expect(await chief.say('2')).toContain('Hù Văn D')
    await agree()
  })

  test('a made-up button names nobody of another village', async () => {
    const chief = await leader('Lò Văn Giả')
    const stranger = await known('Ai Đó Lạ', 2, 1950)
    await chief.say('LÀM HỘ')
    const [session] = await bot.sql<{ id: string }[]>`
      SELECT s.id FROM session s JOIN contact c ON c.id = s.contact_id JOIN person p ON p.id = c.person_id
      WHERE p.name = 'Lò Văn Giả' AND s.status = 'active'`
    expect(await chief.say(`${Number(session?.id).toString(36)}.pick.p${stranger}`)).not.toContain('Ai Đó')
  })

  test('whoever has finished on their own phone is not overwritten', async () => {
    const own = await registered('Mào Thị Riêng')
    await own.talk(...ANSWERS, '1')
    const helper = await registered('Lò Văn Năm')
    expect(await helper.talk('LÀM HỘ', '1', 'Mào Thị Riêng', '1970')).toContain('đã tự làm xong')
    expect((await named('Mào Thị Riêng'))?.helper).toBe(null)
  })

  test('the person takes the record over from their own phone, sees who helped, and changes it', async () => {
    const own = await bot.person('Bà Mỷ')
    const asked = await own.talk('chào', '1', 'Nà Đa', 'vàng thị mỷ', '1950', '2', '1', '2', 'Vàng A Chủ', '1')
    expect(asked).toContain('Lò Văn Pâng trả lời hộ')
    expect(await own.say('Đúng, đó là tôi')).toContain('nhắc người nhà học: Chưa')
    expect(await own.say('XEM')).toContain('Người làm hộ: Lò Văn Pâng')
    await own.talk('SỬA 4', '1', '1')
    const rows = await bot.sql<{ question: string; source: string; contact_id: string }[]>`
      SELECT a.question, a.source FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id
      WHERE p.name ILIKE 'Vàng Thị Mỷ' AND a.source = 'self'`
    expect(rows.map(({ question }) => question)).toEqual(['dong_vien'])
    const [people] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM person WHERE name_key = 'vang thi my'`
    expect(people?.n).toBe(1)
    await agree()
  })

  test('"không phải tôi" makes a person of one’s own, and an officer is asked to look', async () => {
    const other = await bot.person('Người trùng tên')
    await other.talk('chào', '1', 'Nà Đa', 'Tao Văn Một', '1960', '1', '1', '1', '2', '1')
    expect(await other.say('Không phải tôi')).toContain('Câu 1/10')
    const [people] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM person WHERE name = 'Tao Văn Một'`
    expect(people?.n).toBe(2)
    const [row] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM ticket WHERE question = 'twin'`
    expect(row?.n).toBe(1)
    await agree()
  })

  test('XÓA in the middle of another’s form asks whose; theirs is for an officer', async () => {
    const helper = await registered('Lò Văn Sáu')
    await helper.talk('LÀM HỘ', '1', 'Sùng Thị Xóa', '1944', '2', '1', '1', '1', '2', '1', '1')
    expect(await helper.say('XÓA')).toContain('bà Sùng Thị Xóa')
    const said = await helper.say('2')
    expect(said).toContain('đã báo cán bộ')
    expect(said).toContain('câu 2/10')
    const [row] = await bot.sql<
      { kind: string }[]
    >`SELECT t.kind FROM ticket t JOIN person p ON p.id = t.person_id WHERE p.name = 'Sùng Thị Xóa'`
    expect(row?.kind).toBe('erasure')
  })

  test('who was helped and erases leaves nothing, in the helper’s chat neither; the helper goes on', async () => {
    const own = await bot.person('Bà Xóa')
    await own.talk('chào', '1', 'Nà Đa', 'Sùng Thị Xóa', '1944', '2', '1', '1', '2', '1', '1')
    await own.talk('XÓA', '1')
    expect(await named('Sùng Thị Xóa')).toBe(undefined)
    expect(await wordsWith('Sùng Thị Xóa')).toBe(0)
    const [state] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM session WHERE state::text LIKE '%Sùng Thị Xóa%'`
    expect(state?.n).toBe(0)
    await agree()
  })

  test('a helper who erases takes their name along; that people were helped stays counted', async () => {
    const [before] = await bot.sql<{ n: number }[]>`SELECT sum(n)::int AS n FROM tally WHERE dimension = 'state' AND key = 'helped'`
    const [chat] = await bot.sql<
      { id: string }[]
    >`SELECT c.id FROM contact c JOIN person p ON p.id = c.person_id WHERE p.name = 'Lò Văn Ún'`
    expect(chat).toBeDefined()
    const helper = await registered('Lò Văn Bảy')
    await helper.talk('LÀM HỘ', '1', 'Phàn Thị Tám', '1950', '2', '1', '1', '1', '2', '1', ...ANSWERS, '1', '2')
    await helper.talk('XÓA', '1')
    const [after] = await bot.sql<{ n: number }[]>`SELECT sum(n)::int AS n FROM tally WHERE dimension = 'state' AND key = 'helped'`
    expect(after?.n).toBe((before?.n ?? 0) + 1)
    expect(await named('Phàn Thị Tám')).toMatchObject({ status: 'da_tu_danh_gia', helper: null, answers: 10 })
    expect(await wordsWith('Lò Văn Bảy')).toBe(0)
    await agree()
  })
})

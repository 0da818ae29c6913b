import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scheduleCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { offerFile } from '../../src/outreach/files.ts'
import { moveRows } from '../../src/outreach/ledger.ts'
import { offerEvents, runNotices } from '../../src/outreach/notices.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

type Person = Awaited<ReturnType<Bot['person']>>

const FOLDER = join(tmpdir(), `hoc-tap-bot-exports-${process.pid}`)
const TEXT = 'Chào {xưng hô} {tên}! {Bản} họp ngày 1/12. {Xưng hô} {còn thiếu}.'

describe('a broadcast from the officer’s chat', () => {
  const clock = createClock('2026-11-24T10:00:00+07:00')
  let bot: Bot
  let officer: Person
  let other: Person
  let citizen: Person
  let leader: Person

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    // The harness's folder is nobody's: files of this test have one of their own
    bot.app.deps.exportsDir = FOLDER
    await withoutPace(bot)
    officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
    other = await withRole(bot, 'Trần Văn Bình', 'commune_approver', 'binh-lu')
    leader = await withRole(bot, 'Lò Văn Ún', 'village_lead', 'binh-lu-01')
    citizen = await registered(bot, 'Lò Văn Pâng')
    await registered(bot, 'Vàng Thị Mỷ', { village: 'Nà Khan' })
  })
  afterAll(async () => {
    await bot?.close()
    rmSync(FOLDER, { recursive: true, force: true })
  })
  const rows = async () =>
    bot.sql<{ state: string; n: number }[]>`SELECT state, count(*)::int AS n FROM campaign GROUP BY state ORDER BY state`
  const sent = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient`)[0]?.n

  it('is unknown to whoever is no officer', async () => {
    expect(await citizen.say('THÔNG BÁO')).not.toContain('nội dung thông báo')
    expect(await citizen.say('CHIẾN DỊCH')).not.toContain('CHIẾN DỊCH')
    expect(await leader.say('THÔNG BÁO')).not.toContain('nội dung thông báo')
  })

  it('says what is wrong with a variable, and takes the words once they are right', async () => {
    expect(await officer.say('THÔNG BÁO')).toContain('Bác viết nội dung thông báo')
    expect(await officer.say('Chào {tênn}')).toContain('Không có ô {tênn}')
    expect(await officer.say('Chào {tên')).toContain('ngoặc nhọn')
    expect(await officer.say(TEXT)).toContain('Có gửi kèm ảnh')
  })

  it('takes a picture at once, refuses one that is too large or no picture, and keeps no citizen’s', async () => {
    await officer.say('2')
    const send = async (who: Person, bytes: Buffer, kind: 'image' | 'file' = 'image') => {
      await bot.simulator.people.say(who.id, bot.oaId, { kind, name: kind === 'image' ? 'anh.png' : 'tep.pdf', bytes })
      return who.settle()
    }
    expect(await send(officer, Buffer.concat([picture(), Buffer.alloc(2 * 1024 * 1024)]))).toContain('Tệp nặng')
    expect(await send(officer, Buffer.alloc(7 * 1024 * 1024, 1))).toContain('nặng quá 6 MB')
    expect(await send(officer, Buffer.from('MZ this is a program'), 'file')).toContain('Tệp này không gửi được')
    expect(await send(citizen, picture())).not.toContain('kèm')
    const kept = await bot.sql<{ body_enc: Buffer }[]>`SELECT body_enc FROM inbound_event WHERE kind = 'media' ORDER BY id`
    const files = kept.map((row) => bot.app.deps.sealer.openJson<{ file?: object; fetched?: { kind: string } }>(row.body_enc))
    expect(files.map(({ file, fetched }) => [file !== undefined, fetched?.kind])).toEqual([
      [false, 'image'],
      [false, 'refused'],
      [false, 'refused'],
      [false, undefined],
    ])
    // While the platform hands the file over, nothing of the officer's is locked
    const { channelOf } = bot.app.deps
    let wasFree = false
    bot.app.deps.channelOf = async (id) => {
      const channel = await channelOf(id)
      return (
        channel && {
          ...channel,
          loadFile: async (ref, maxBytes) => {
            await bot.sql.begin((tx) => tx`SELECT 1 FROM contact WHERE id = (SELECT author_contact_id FROM campaign) FOR UPDATE NOWAIT`)
            wasFree = true
            return channel.loadFile(ref, maxBytes)
          },
        }
      )
    }
    expect(await send(officer, picture())).toContain('Gửi cho ai')
    bot.app.deps.channelOf = channelOf
    expect(wasFree).toBe(true)
    const [draft] = await bot.sql<{ attachment: { path: string } }[]>`SELECT attachment FROM campaign`
    expect(
      readFileSync(draft?.attachment.path ?? '')
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG')
  })

  it('says when nobody is there, and counts by bản, way and reason', async () => {
    await officer.say('3')
    expect(await officer.say('Nà Đâu, Hua Bó')).toContain('chưa tìm thấy bản: Nà Đâu')
    expect(await officer.say('Hua Bó')).toContain('Trong đó, những ai')
    const empty = await officer.say('4')
    expect(empty).toContain('Mọi người chưa làm xong')
    expect(await officer.say('1')).toContain('Không có ai trong danh sách này')
    const shown = await officer.talk('2', '4', '1')
    expect(shown).toContain('NGƯỜI NHẬN: 2 người')
    expect(shown).toContain('gửi được ngay: 2')
    expect(shown).toContain('• bản Nà Đa: 1 = 1 + 0 + 0')
    expect(shown).toContain('Chào bác Lò Văn Pâng! Bản Nà Đa họp ngày 1/12.')
    expect(shown).toMatch(/Gửi ngay 2 tin, mất chừng 1 phút/)
  })

  it('tests it on the officer only', async () => {
    const said = await officer.say('1')
    expect(said).toContain('Chào bác Lò Văn Pâng!')
    expect(said).toContain('Tin thử chỉ gửi cho bác')
    expect(await citizen.settle()).toBe('')
    expect(await sent()).toBe(0)
  })

  it('refuses a time in the past and a wrong number; a right one schedules', async () => {
    await officer.say('3')
    expect(await officer.say('20/11 8:00')).toContain('đã qua')
    expect(await officer.say('lúc nào cũng được')).toContain('chưa rõ lúc nào')
    expect(await officer.say('11 giờ đêm nay')).toContain('tin đầu tiên sẽ đi lúc 07:00 ngày 25/11/2026')
    await officer.say('thôi')
    await officer.say('3')
    expect(await officer.say('8 giờ sáng mai')).toContain('Hẹn 08:00 ngày 25/11/2026. Tính lúc này có 2 người')
    expect(await officer.say('3')).toContain('danh sách có 2 người')
    expect(await officer.say('2 người')).toContain('Đã hẹn gửi lúc 08:00 ngày 25/11/2026')
    expect(await sent()).toBe(0)
    expect(await officer.say('CHIẾN DỊCH')).toContain('⏰ Chào {xưng hô} {tên}!')
  })

  it('starts once when two confirm at the same moment', async () => {
    await other.talk('THÔNG BÁO', 'Mời bà con họp.', '1', '1', '2')
    const [draft] = await bot.sql<
      { id: number; shown: number }[]
    >`SELECT id::int, shown_people AS shown FROM campaign WHERE state = 'draft'`
    const campaignId = draft?.id ?? 0
    const confirmed = draft?.shown ?? 0
    const both = await Promise.all([
      other.say(String(confirmed)),
      startCampaign(bot.app.deps, { campaignId, confirmed, actor: 'contact:999' }),
      scheduleCampaign(bot.app.deps, { campaignId, confirmed, actor: 'contact:998', at: new Date(clock.now() + 3_600_000) }),
    ])
    const wins = [both[0].includes('Đã bắt đầu'), both[1].type === 'started', both[2].type === 'scheduled'].filter(Boolean)
    expect(wins).toHaveLength(1)
    expect((await rows()).map((row) => row.state)).not.toContain('draft')
  })

  it('cancels only after asking, and the list opens with its link and role only', async () => {
    await bot.sql`UPDATE campaign SET state = 'done', finished_at = now() WHERE text = 'Mời bà con họp.' AND state <> 'scheduled'`
    const list = await officer.say('CHIẾN DỊCH')
    expect(list).toContain('1. ')
    await officer.say('2')
    expect(await officer.tap('Hủy')).toContain('Hủy hẳn')
    expect(await officer.tap('Hủy hẳn')).toContain('Đã hủy.')
  })

  it('gives each village’s leader the words, the village’s QR and a tap', async () => {
    const campaignId = Number((await bot.sql`SELECT max(id) AS id FROM campaign`)[0]?.id)
    await bot.sql`
      INSERT INTO village_notice (commune_id, campaign_id, village_id, leader_contact_id, people)
      SELECT g.commune_id, ${campaignId}, g.unit_id, g.contact_id, 12 FROM role_grant g WHERE g.role = 'village_lead'`
    await bot.sql`UPDATE campaign SET state = 'running', started_at = ${clock.date().toISOString()}::timestamptz, text = ${TEXT} WHERE id = ${campaignId}`
    await Promise.all([runNotices(bot.app.deps, clock.date()), runNotices(bot.app.deps, clock.date())])
    for (const row of await bot.sql`SELECT DISTINCT contact_id AS id FROM outbound_message WHERE status = 'waiting'`)
      bot.app.deps.wake(Number(row.id))
    const said = await leader.settle()
    expect(said).toContain('Chào bà con! Bản Nà Đa họp ngày 1/12.')
    expect(said.match(/Nhờ bác chuyển tin và ảnh/g)).toHaveLength(1)
    expect(leader.messages().some((message) => message.from === 'oa' && message.kind === 'image')).toBe(true)
    expect(await leader.tap('Đã chuyển')).toContain('bản Nà Đa đã chuyển')
    const [notice] = await bot.sql`SELECT sent_at IS NOT NULL AS sent, forwarded_at IS NOT NULL AS forwarded FROM village_notice`
    expect({ ...notice }).toEqual({ sent: true, forwarded: true })
  })
})

describe('whom a broadcast is for', () => {
  const clock = createClock('2026-11-24T10:00:00+07:00')
  let bot: Bot
  let officer: Person
  const shown = (text: string) => /NGƯỜI NHẬN: (\d+) người/.exec(text)?.[1]
  /** From the preview to the narrowing steps: "Sửa", "Thu hẹp, loại trừ". */
  const narrow = (...answers: string[]) => officer.talk('4', '4', ...answers)
  const open = async () => (await bot.sql`SELECT count(*)::int AS n FROM recipient WHERE status = 'waiting'`)[0]?.n
  async function fail(name: string, failure: string): Promise<void> {
    const [row] = await bot.sql<{ commune: number; campaign: number }[]>`
      SELECT commune_id AS commune, max(campaign_id) AS campaign FROM recipient GROUP BY commune_id`
    await bot.sql.begin((tx) =>
      moveRows(tx, {
        communeId: row?.commune ?? 0,
        campaignId: row?.campaign ?? 0,
        where: tx`r.person_id = (SELECT id FROM person WHERE name = ${name})`,
        set: tx`status = 'failed', class = ${failure}`,
      }),
    )
  }
  const rule = async () => (await bot.sql<{ rule: object }[]>`SELECT rule FROM campaign ORDER BY id DESC LIMIT 1`)[0]?.rule

  beforeAll(async () => {
    bot = await startBot({ clock, rounds: false })
    await withoutPace(bot)
    officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
    await registered(bot, 'Lò Văn Pâng')
    await registered(bot, 'Vàng Thị Mỷ', { village: 'Nà Khan' })
    await registered(bot, 'Tẩn A Sử', { village: 'Nà Khan' })
    await registered(bot, 'Tẩn A Sử', { village: 'Nà Đa' })
    await (await bot.person('Người lạ')).say('chào')
    await bot.sql`UPDATE person SET group_no = 3 WHERE name = 'Vàng Thị Mỷ'`
  })
  afterAll(() => bot?.close())

  it('is everybody in four messages', async () => {
    expect(shown(await officer.talk('THÔNG BÁO', 'Mời bà con họp.', '1', '1'))).toBe('6')
    expect(await rule()).toEqual({})
  })

  it('is narrowed to a group, and says what it was narrowed to', async () => {
    const said = await narrow('1', '3')
    expect(said).toContain('nhóm: Cán bộ, công chức, viên chức')
    expect(shown(said)).toBe('1')
    expect(shown(await narrow('1', '1'))).toBe('4')
  })

  it('leaves out villages and people by name, and asks about a name that is unknown or not alone', async () => {
    expect(shown(await officer.talk('4', '3', '1'))).toBe('6')
    expect(await narrow('3', 'Nà Đâu')).toContain('chưa tìm thấy bản: Nà Đâu')
    expect(shown(await officer.say('Nà Khan'))).toBe('4')
    expect(await narrow('4', 'Lò Văn Nam')).toContain('chưa tìm thấy: Lò Văn Nam')
    expect(await officer.say('tan a su')).toContain('Có nhiều người tên tan a su (Nà Khan, Nà Đa)')
    const said = await officer.say('Tẩn A Sử (Nà Đa), lo van pang')
    expect(said).toContain('trừ bản Nà Khan')
    expect(said).toContain('trừ 2 người đã nêu tên')
    expect(shown(said)).toBe('2')
  })

  it('is for one channel; nobody there is said, and the choice begins anew', async () => {
    expect(shown(await officer.talk('4', '3', '4', '2', '1'))).toBe('6')
    expect(await narrow('2', '2')).toContain('Không có ai trong danh sách này')
    expect(shown(await officer.say('1'))).toBe('6')
  })

  it('leaves out who has just had one, chats without a name too', async () => {
    expect(await narrow('5')).toContain('chưa có thông báo nào được gửi')
    expect(await officer.talk('2', '6')).toContain('Đã bắt đầu')
    await expect.poll(open, { timeout: 20_000 }).toBe(0)
    await fail('Vàng Thị Mỷ', 'blocked')
    expect(await officer.talk('THÔNG BÁO', 'Tin thứ hai.', '1', '4', '5')).toContain('NGƯỜI NHẬN: 1 người')
    await officer.say('5')
  })

  it('is sent once more to the failures the officer chooses, of several kinds', async () => {
    await officer.say('CHIẾN DỊCH')
    const one = await officer.say('1')
    expect(one).toContain('• đã chặn: 1')
    expect(one).toContain('Gửi lại 1: đã chặn')
    await fail('Lò Văn Pâng', 'timeout')
    expect(await officer.talk('CHIẾN DỊCH', '1')).toContain('Gửi lại (2 lỗi)…')
    expect(await officer.tap('Gửi lại (2 lỗi)…')).toMatch(/1\. Gửi lại 1: .+\n2\. Gửi lại 1: /)
    expect(await officer.tap('Gửi lại 1: nền tảng không trả lời')).toContain('Gửi lại cho 1 người')
    await expect.poll(open, { timeout: 20_000 }).toBe(0)
    expect(await bot.sql`SELECT class, count(*)::int AS n FROM recipient WHERE status = 'failed' GROUP BY class`).toEqual([
      { class: 'blocked', n: 1 },
    ])
    expect(await officer.tap('Gửi lại 1: nền tảng không trả lời')).toContain('Không có ai để gửi lại')
  })

  it('without a public address says who can set it, and names those it did not reach', async () => {
    bot.app.deps.arePagesReachable = false
    const said = await officer.tap('Danh sách (tệp)')
    expect(said).toContain('đặt PUBLIC_URL')
    expect(said).toContain('• Vàng Thị Mỷ (bản Nà Khan): lỗi')
    expect(said).not.toContain('Lò Văn Pâng')
    expect(said).not.toContain('http')
  })
})

describe('a file for an officer', () => {
  it('opens by its link for a day, while the role is held, and never by a changed link', async () => {
    const clock = createClock('2026-11-24T10:00:00+07:00')
    const bot = await startBot({ clock, rounds: false })
    try {
      await withoutPace(bot)
      bot.app.deps.exportsDir = FOLDER
      await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
      const [grant] = await bot.sql<
        { contact: number; unit: number }[]
      >`SELECT contact_id::int AS contact, unit_id::int AS unit FROM role_grant`
      const file = {
        name: 'danh-sách.csv',
        bytes: 'Bản,Họ và tên\n',
        contactId: grant?.contact ?? 0,
        action: 'campaigns' as const,
        unitId: grant?.unit ?? 0,
      }
      const path = new URL(await offerFile(bot.app.deps, file)).pathname
      const get = async (url: string) => bot.app.http.inject({ method: 'GET', url })
      const opened = await get(path)
      expect([opened.statusCode, opened.body]).toEqual([200, 'Bản,Họ và tên\n'])
      expect(opened.headers['content-disposition']).toContain('attachment')
      expect((await get(`${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`)).statusCode).toBe(404)
      expect((await get('/f/..%2Fsecret.key.abc')).statusCode).toBe(404)
      await bot.sql`UPDATE role_grant SET revoked_at = now()`
      expect((await get(path)).statusCode).toBe(404)
      await bot.sql`UPDATE role_grant SET revoked_at = NULL`
      expect((await get(path)).statusCode).toBe(200)
      clock.add(24.1)
      expect((await get(path)).statusCode).toBe(404)
    } finally {
      await bot.close()
      rmSync(FOLDER, { recursive: true, force: true })
    }
  })
})

describe('the year’s occasions', () => {
  it.each([
    ['2027-04-14T09:00:00+07:00', 'Sắp đến Ngày Sách và Văn hóa đọc Việt Nam 21/4 (21/04/2027)', 'Mỗi ngày một trang sách'],
    ['2027-09-25T09:00:00+07:00', 'Sắp đến Tuần lễ hưởng ứng học tập suốt đời (01/10/2027)', 'từ ngày 1/10 đến ngày 7/10/2027.'],
  ])('on %s a text is offered, once, and nothing goes out by itself', async (start, title, words) => {
    const clock = createClock(start)
    const bot = await startBot({ clock, rounds: false })
    try {
      await withoutPace(bot)
      const officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
      await Promise.all([offerEvents(bot.app.deps, clock.date()), offerEvents(bot.app.deps, clock.date())])
      await offerEvents(bot.app.deps, clock.date())
      const said = await officer.settle()
      expect(said.split(title)).toHaveLength(2)
      expect(said).toContain(words)
      expect(said.includes('Chủ đề năm nay cháu chưa có văn bản')).toBe(title.includes('Tuần lễ'))
      expect(await officer.tap('Soạn từ mẫu này')).toContain('Có gửi kèm ảnh')
      expect((await bot.sql`SELECT count(*)::int AS n FROM recipient`)[0]?.n).toBe(0)
    } finally {
      await bot.close()
    }
  })
})

/** The smallest whole PNG. */
function picture(): Buffer {
  const chunk = (type: string, body: Buffer) => {
    const out = Buffer.alloc(12 + body.length)
    out.writeUInt32BE(body.length)
    out.write(type, 4, 'latin1')
    body.copy(out, 8)
    return out
  }
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0])
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from([0, 255, 0, 0]))),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

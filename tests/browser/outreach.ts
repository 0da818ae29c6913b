// Officers, leaders and households in a real browser, with pictures: `node tests/browser/outreach.ts <folder>`
// Starts everything itself on a throw-away database, because days have to pass between the scenes.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { startThrowawayPostgres } from '../support/postgres.ts'
import { openBrowser, openPhonePage, type Phone, screens } from './phone.ts'
import { expect, picturesIn, talk, tap } from './walk.ts'

const [folder = '.'] = process.argv.slice(2)
const OTHERS = 40

const database = await startThrowawayPostgres()
const dataDir = mkdtempSync(join(tmpdir(), 'hoc-tap-bot-proof-'))
const bot = spawn(process.execPath, ['src/main.ts'], {
  env: { ...process.env, PORT: '0', DATA_DIR: dataDir, DATABASE_URL: database.url, SECRET_KEY: randomBytes(32).toString('base64') },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const address = await new Promise<string>((resolve) => {
  bot.stdout.on('data', (data: Buffer) => {
    const found = /phone page:\s+(http:\S+?)\/?\n/.exec(String(data))
    if (found?.[1]) resolve(found[1])
  })
})
const sql = postgres(database.url, { max: 1 })
const browser = await openBrowser()
const desk = await openPhonePage(browser, address, { ...screens.desk, height: 1500 })
const picture = picturesIn(folder)
async function shows(phone: Phone, text: string, waitMs = 90_000): Promise<void> {
  await phone.element.locator('[data-role="message"]', { hasText: text }).last().waitFor({ timeout: waitMs })
}
/** Hours pass since these people last wrote. */
const silent = (name: string, hours: number) =>
  sql`UPDATE contact SET last_inbound_at = now() - make_interval(hours => ${hours}) WHERE person_id IN (SELECT id FROM person WHERE name = ${name})`

try {
  // Who is who
  const officer = await desk.pick('Cán bộ Hội Khuyến học xã')
  await officer.takeInvitation()
  const leader = await desk.pick('Trưởng bản')
  await leader.takeInvitation()
  const citizen = await desk.pick('Người dân')
  await talk(citizen, 'chào', '1', 'Nà Đa', 'Lò Văn Pâng', '1967', 'bác', '1', '2', 'Lò Văn Ún', '1')

  // A person's hand
  await talk(citizen, 'CÁN BỘ')
  await desk.pick('Trưởng bản')
  await shows(leader, 'cần cán bộ giúp')
  await tap(leader, 'Trả lời')
  await talk(leader, 'Bác nhớ lại xem, dự họp bản cũng tính là học đấy ạ.')
  await picture(leader, '01-leader-answers')
  await desk.pick('Cán bộ Hội Khuyến học xã')
  await shows(officer, 'cần cán bộ giúp')
  expect(await tap(officer, 'Trả lời'), 'đang trả lời')
  await picture(officer, '02-officer-is-told')
  await desk.pick('Người dân')
  await shows(citizen, 'dự họp bản cũng tính')
  await citizen.send('Thế à, cảm ơn nhé')
  await desk.pick('Trưởng bản')
  await shows(leader, 'Thế à, cảm ơn nhé')
  await talk(leader, 'XONG')
  await picture(leader, '03-leader-closes')
  await desk.pick('Người dân')
  await shows(citizen, 'cán bộ đã trả lời xong')
  await picture(citizen, '04-citizen-was-answered')

  // People who once said hello, and two whose windows have closed
  for (let n = 0; n < OTHERS; n++) await say(`Bà con ${n + 1}`, 'chào')
  const late = await desk.addPerson('Hoàng Thị Đào')
  await talk(late, 'chào', '1', 'Nà Đa', 'Hoàng Thị Đào', '1975', 'cô', '1', '1', '3', '1')
  await silent('Hoàng Thị Đào', 24 * 20)

  // A broadcast: composed, tested, scheduled, dropped, sent, paused, resumed, closed
  await desk.pick('Cán bộ Hội Khuyến học xã')
  await talk(officer, 'THÔNG BÁO')
  expect(await talk(officer, 'Chào {xưng hô} {tênn}!'), 'Không có ô')
  await picture(officer, '05-wrong-variable')
  await talk(officer, 'Chào {xưng hô} {tên}! {Bản} mời cả nhà dự Tuần lễ hưởng ứng học tập suốt đời.')
  await tap(officer, 'Kèm ảnh hoặc PDF')
  await officer.answerTo(() => officer.attach('image'))
  const everybody = await tap(officer, 'Tất cả mọi người trong xã')
  expect(everybody, 'NGƯỜI NHẬN')
  await tap(officer, 'Sửa')
  await tap(officer, 'Thu hẹp, loại trừ')
  await tap(officer, 'Trừ một số người')
  const shown = await talk(officer, 'Nguyễn Thị Không Có')
  expect(shown, 'chưa tìm thấy')
  await picture(officer, '06-leave-out')
  await talk(officer, 'THÔI')
  const people = /NGƯỜI NHẬN: (\d+) người/.exec(everybody)?.[1] ?? ''
  await picture(officer, '06-preview')
  await tap(officer, 'Gửi thử cho tôi')
  await shows(officer, 'Tin thử chỉ gửi cho bác')
  await picture(officer, '07-test-to-self')
  await tap(officer, 'Hẹn giờ')
  expect(await talk(officer, '1/1/2026 8:00'), 'đã qua')
  await talk(officer, '8 giờ sáng mai')
  expect(await talk(officer, '5'), 'danh sách có')
  await picture(officer, '08-schedule')
  await talk(officer, 'THÔI')
  await tap(officer, 'Gửi ngay')
  expect(await talk(officer, people), 'Đã bắt đầu gửi')
  await picture(officer, '09-started')
  await tap(officer, 'Tạm dừng')
  await picture(officer, '10-paused')
  await tap(officer, 'Gửi tiếp')
  await picture(officer, '11-resumed')
  await shows(officer, 'ĐÃ XONG', 5_000).catch(() => {})
  await talk(officer, 'CHIẾN DỊCH')
  await picture(officer, '12-campaigns')
  await desk.pick('Người dân')
  await shows(citizen, 'Tuần lễ hưởng ứng')
  await picture(citizen, '13-citizen-reads')

  // Next contact delivers, once
  await desk.pick('Hoàng Thị Đào')
  await late.ask('BẮT ĐẦU')
  await shows(late, 'Tuần lễ hưởng ứng')
  await picture(late, '14-next-contact')

  // The leader's notice with the village's code
  await desk.pick('Trưởng bản')
  await shows(leader, 'Nhờ bác chuyển tin và ảnh')
  await leader.element
    .locator('[data-role="message"]', { hasText: 'Quét mã trong ảnh' })
    .last()
    .evaluate((message) => message.scrollIntoView())
  await picture(leader, '15-notice-with-qr')
  expect(await tap(leader, 'Xem tên'), 'chưa nhắn được')
  await tap(leader, 'Đã chuyển')
  await picture(leader, '16-passed-on')

  // Everybody has it or is accounted for
  await desk.pick('Cán bộ Hội Khuyến học xã')
  await shows(officer, 'ĐÃ XONG')
  await picture(officer, '17-all-accounted-for')
  const listed = await tap(officer, 'Danh sách (tệp)')
  expect(listed, 'mở trong 24 giờ')
  await picture(officer, '18-list')
  await tap(officer, 'Giấy xác nhận')
  await picture(officer, '19-certificate')

  // A household is reminded, and answers
  await silent('Lò Văn Pâng', 41)
  await desk.pick('Người dân')
  await shows(citizen, 'trợ lý học tập xã', 150_000)
  await picture(citizen, '20-reminded')
  await tap(citizen, 'Làm ngay')
  await talk(citizen, '2')
  await picture(citizen, '21-answers')

  // The other one stays silent: their leader gets the name, and acts
  await silent('Hoàng Thị Đào', 24 * 4)
  await desk.pick('Trưởng bản')
  await shows(leader, 'im lặng đã lâu', 150_000)
  await picture(leader, '22-digest')
  // Other messages may have come behind it
  const digest = leader.element.locator('[data-role="message"]', { hasText: 'im lặng đã lâu' }).last()
  await leader.answerTo(() => digest.locator('[data-role="button"]').first().click())
  await tap(leader, 'Đã đến nhà')
  await picture(leader, '23-leader-acts')
  await desk.pick('Cán bộ Hội Khuyến học xã')
  await talk(officer, 'NHẮC')
  await picture(officer, '24-rules')
  expect(await tap(officer, 'Nghỉ gửi tin 3 ngày'), 'mới gửi lại')
  await picture(officer, '25-days-of-mourning')

  if (desk.errors.length > 0 || desk.foreignHosts.size > 0) throw new Error([...desk.errors, ...desk.foreignHosts].join('\n'))
  process.stdout.write(`pictures are in ${folder}\n`)
} finally {
  await browser.close()
  await sql.end()
  bot.kill('SIGTERM')
  await new Promise((resolve) => bot.once('exit', resolve))
  await database.destroy()
  rmSync(dataDir, { recursive: true, force: true })
}

/** Somebody without a window of the page says one thing. */
async function say(name: string, text: string): Promise<void> {
  const api = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${address}/phone/api${path}`, {
      ...(body ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    })
    return (await response.json()) as T
  }
  const [account] = await api<{ oa_id: string }[]>('/accounts')
  const person = await api<{ id: string }>('/people', { name })
  await api(`/people/${person.id}/messages`, { oa_id: account?.oa_id, kind: 'text', text })
}

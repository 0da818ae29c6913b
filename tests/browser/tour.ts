// A walk through the phone page in a real browser, with pictures: `node tests/browser/tour.ts <address> <folder>`
import { join } from 'node:path'
import { openBrowser, openPhonePage, screens } from './phone.ts'
import { picturesIn, talk, tap } from './walk.ts'

const [address = 'http://127.0.0.1:3000', folder = '.'] = process.argv.slice(2)

const browser = await openBrowser()
const desk = await openPhonePage(browser, address, screens.desk)
const picture = picturesIn(folder)

// A citizen: first contact to result, with a pause, an edit and words of their own
const citizen = await desk.pick('Người dân')
await citizen.ask('chào')
await picture(citizen, '01-first-contact')
await tap(citizen, 'Đồng ý')
await talk(citizen, 'na da', 'lo van pang', '1967', 'bác')
await tap(citizen, 'Bà con trong xã (làm ruộng, nội trợ, buôn bán, tuổi cao)', 'Không, người khác')
await talk(citizen, 'Lò Văn Ún')
await picture(citizen, '02-registration-read-back')
await tap(citizen, 'Đúng rồi')
await picture(citizen, '03-first-question')
await talk(citizen, 'tuần đôi ba bận', 'dang hoc', 'dự 5 buổi rồi')
await picture(citizen, '04-own-words')
await citizen.ask('BẮT ĐẦU')
await picture(citizen, '05-resume')
await tap(citizen, 'Tiếp tục')
await talk(citizen, '1', '2', 'một tiếng', '1', '2', '2', '1')
await picture(citizen, '06-read-back')
await citizen.ask('câu 3 đổi')
await tap(citizen, '2–3 buổi')
await picture(citizen, '07-edited')
await tap(citizen, 'Đúng rồi')
await picture(citizen, '08-result')

// A family, by its head
const head = await desk.pick('Chủ hộ')
await talk(head, 'chào', '1', '2', 'Vàng Thị Mỷ', '1980', 'chị')
await tap(head, 'Bà con trong xã (làm ruộng, nội trợ, buôn bán, tuổi cao)', 'Tôi là chủ hộ')
await talk(head, '3')
await tap(head, 'Đúng rồi')
await talk(head, '1', '1', '5 buổi', '1', '1', '2 tiếng', '1', '1', '1', '1', '1', 'GIA ĐÌNH')
await picture(head, '09-family')
await talk(head, '1', '1', '1', '1', '1', '1', '1', '1', '1', '1')
await picture(head, '10-family-result')

// An officer
const officer = await desk.pick('Cán bộ Hội Khuyến học xã')
await officer.takeInvitation()
await officer.ask('THỐNG KÊ')
await picture(officer, '11-officer-figures')
await officer.ask('CHƯA LÀM nà đa')
await picture(officer, '12-officer-not-done')

// A village leader
const leader = await desk.pick('Trưởng bản')
await leader.takeInvitation()
await leader.ask('thống kê')
await picture(leader, '13-leader-figures')

// A decline, and an erasure
const shy = await desk.addPerson('Giàng A Páo')
await talk(shy, 'alo', 'không')
await picture(shy, '14-decline')
await citizen.ask('XÓA')
await tap(citizen, 'Xóa hết')
await picture(citizen, '15-erased')
await desk.screenshot(join(folder, '16-all-phones.png'))
await browser.close()

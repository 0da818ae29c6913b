// People as they are, in a real browser, with pictures: `node tests/browser/people.ts <address> <folder>`
import { openBrowser, openPhonePage, screens } from './phone.ts'
import { expect, picturesIn, talk } from './walk.ts'

const [address = 'http://127.0.0.1:3000', folder = '.'] = process.argv.slice(2)

const browser = await openBrowser()
const desk = await openPhonePage(browser, address, { ...screens.desk, height: 1500 })
const picture = picturesIn(folder)

// Somebody who types without marks and with slips, from the first word to the result
const typist = await desk.addPerson('Lù Thị Pâng')
await talk(typist, 'alo', 'dong y a', 'na khan', 'toi ten la lu thi pang', 'sinh nam 68', 'bac')
await picture(typist, '1-registered-without-marks')
await talk(typist, 'lam ruong', 'ko phai', 'lo van un')
expect(await talk(typist, 'dung roi'), 'Câu 1/10')
expect(await talk(typist, 'ngay nao cung xemm'), 'Câu 2/10')
expect(await talk(typist, 'e dang hoc nuoi ong'), 'Câu 3/10')
await picture(typist, '2-slips')
expect(await talk(typist, 'du 5 buoi roi a'), 'Câu 4/10')
expect(await talk(typist, 'thuowng xuyen'), 'Câu 5/10')
expect(await talk(typist, 'con no giup moi dung dc'), 'Câu 6/10')
await picture(typist, '3-other-words')
expect(await talk(typist, 'cau 1 doi'), 'Câu 1')
await talk(typist, '2')
await picture(typist, '4-regret')
expect(await talk(typist, 'biet mot tieng'), 'Câu 7/10')
expect(await talk(typist, 'co tinh it ghi'), 'Câu 8/10')
expect(await talk(typist, 'hoi nguoi nhaf da'), 'Câu 9/10')
await picture(typist, '5-nearly')
expect(await talk(typist, 'hoa thuaan'), 'Câu 10/10')
expect(await talk(typist, 'vai laan trong nam'), 'Đúng chưa')
await picture(typist, '6-read-back')
expect(await talk(typist, 'dung r'), 'tự đánh giá')
await picture(typist, '7-result')

// A village leader answers for three neighbours, one after another
const leader = await desk.pick('Trưởng bản')
await leader.takeInvitation()
expect(await talk(leader, 'BẮT ĐẦU', '1', 'Nà Đa', 'Lò Văn Ún', '1975', 'bác', '1', '1', '2', '1'), 'Câu 1/10')
const counts = new Map([
  ['3', '5 buổi'],
  ['6', '2 tiếng'],
])
for (const n of [1, 2, 3]) {
  await talk(leader, ...(n === 1 ? ['LÀM HỘ'] : []))
  await picture(leader, `8-neighbour-${n}`)
  let said = await talk(leader, '1')
  // What is asked of somebody depends on what the commune knows of them; everything but a count has a first answer
  for (let turn = 0; turn < 30 && !said.includes('Người tiếp theo'); turn++)
    said = await talk(leader, /^1\. /m.test(said) ? '1' : (counts.get(/Câu (\d+)\/10/.exec(said)?.[1] ?? '') ?? '1'))
  expect(said, 'Người tiếp theo')
}
await picture(leader, '9-three-neighbours-done')
await talk(leader, 'thôi')
expect(await talk(leader, 'THỐNG KÊ'), 'Có người làm hộ')
await picture(leader, '10-in-the-figures')
await browser.close()

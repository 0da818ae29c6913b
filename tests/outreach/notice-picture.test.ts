import { expect, test } from 'vitest'
import { drawNotice } from '../../src/outreach/notice-picture.ts'

const words = {
  from: 'Hội Khuyến học xã Bình Lư',
  title: 'THÔNG BÁO',
  village: 'Bản Nà Đa',
  scan: 'Mở Zalo, quét mã này để nhắn cho Hội',
  code: 'Không quét được thì nhắn mã NADA27 cho Zalo của Hội Khuyến học xã',
}
const page = 'https://hoc-tap.example/b/NADA27'

test.each([
  ['a line', 'Mời bà con họp.'],
  ['more than a sheet holds', 'Kính mời bà con đến nhà văn hóa họp, mang theo sổ. '.repeat(30)],
  ['what is markup elsewhere, and emoji', 'Bà con <b>nhớ</b> & mang "sổ" 🎉👨‍👩‍👧'],
])('a notice with %s is an A5 sheet the platform takes', async (_name, text) => {
  const png = await drawNotice({ ...words, text }, page)
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1_240, 1_754])
  // Zalo's limit of a picture, zalo.md 4.5
  expect(png.length).toBeLessThan(1_048_576)
})

test('letters with two marks are drawn: none looks like one the font has not', async () => {
  const letters = 'ếộằữỵĐ'
  const drawn = new Map<string, string>()
  for (const letter of ['\ue000', ...letters]) {
    const png = (await drawNotice({ from: '', title: '', village: '', scan: '', code: '', text: letter }, page)).toString('base64')
    expect(drawn.get(png), `${letter} looks like another`).toBeUndefined()
    drawn.set(png, letter)
  }
})

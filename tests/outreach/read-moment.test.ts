import { expect, it } from 'vitest'
import { readMoment } from '../../src/lib/read-moment.ts'

// A Sunday
const now = new Date('2026-11-22T09:30:00+07:00')

it.each([
  ['8 giờ sáng mai', '2026-11-23T08:00'],
  ['8h sáng mai ạ', '2026-11-23T08:00'],
  ['mai 8h30', '2026-11-23T08:30'],
  ['20/11 8:00', '2026-11-20T08:00'],
  ['8:00 20/11/2027', '2027-11-20T08:00'],
  ['8h ngày 5/12', '2026-12-05T08:00'],
  ['8 giờ ngày 5 tháng 12', '2026-12-05T08:00'],
  ['2/3 lúc 7h15', '2027-03-02T07:15'],
  ['3 giờ chiều nay', '2026-11-22T15:00'],
  ['chiều nay 3 rưỡi', '2026-11-22T15:30'],
  ['tám giờ tối nay', '2026-11-22T20:00'],
  ['7h tối thứ hai', '2026-11-23T19:00'],
  ['thứ 6 lúc 14h', '2026-11-27T14:00'],
  ['chủ nhật 8h', '2026-11-29T08:00'],
  ['ngày kia 10h', '2026-11-24T10:00'],
  ['15h', '2026-11-22T15:00'],
  ['mai lúc 8 gio', '2026-11-23T08:00'],
  ['8.30 sáng mai', '2026-11-23T08:30'],
  ['15 phút nữa', '2026-11-22T09:45'],
  ['sau 2 tiếng', '2026-11-22T11:30'],
  ['nửa tiếng nữa ạ', '2026-11-22T10:00'],
  ['một tiếng rưỡi nữa', '2026-11-22T11:00'],
])('%s', (text, expected) => {
  expect(readMoment(text, now)?.toISOString()).toBe(new Date(`${expected}:00+07:00`).toISOString())
})

it('is now for "ngay"', () => {
  expect(readMoment('gửi ngay', now)).toEqual(now)
})

it.each(['mai', 'sáng mai', '25:00 mai', '31/2 8h', '8', 'khi nào rảnh', 'năm giờ năm phút mười', '8h 9h', '2 tiếng', '8.12'])(
  'nothing in "%s"',
  (text) => {
    expect(readMoment(text, now)).toBeUndefined()
  },
)

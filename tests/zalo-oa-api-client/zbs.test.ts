import { afterEach, beforeEach, expect, test } from 'vitest'
import { bodyOf, clientTo, errorOf, type FakeZalo, startFakeZalo } from './fake-zalo.ts'

const PATH = '/zbs/message/template'
const message = { phone: '84900000000', templateId: '123456', templateData: { ho_ten: 'Nguyễn Văn A' }, trackingId: 'hs-01-buoc-2' }
let zalo: FakeZalo
beforeEach(async () => {
  zalo = await startFakeZalo()
})
afterEach(() => zalo.stop())

test('a template goes to the business host; development only on request', async () => {
  const quota = { dailyQuota: '500', remainingQuota: '499' }
  zalo.next(
    PATH,
    { error: 0, data: { msg_id: 'z1', sent_time: '1795299433840', sending_mode: '1', quota } },
    { error: 0, data: { msg_id: 'z2' } },
  )
  const client = clientTo(zalo)
  expect(await client.sendTemplateByPhone({ ...message, sendingMode: '1', isDevelopment: true })).toEqual({
    messageId: 'z1',
    sentTimeMs: 1795299433840,
    dailyQuota: 500,
    remainingQuota: 499,
  })
  expect(await client.sendTemplateByPhone(message)).toEqual({ messageId: 'z2' })
  const body = { phone: '84900000000', template_id: '123456', template_data: { ho_ten: 'Nguyễn Văn A' }, tracking_id: 'hs-01-buoc-2' }
  expect(zalo.seen.map(bodyOf)).toEqual([{ ...body, sending_mode: '1', mode: 'development' }, body])
})

test('errors are those of the business host', async () => {
  zalo.next(PATH, { error: -118 }, { error: -100 }, { error: -133 }, { error: 0, data: {} })
  const client = clientTo(zalo)
  expect(await errorOf(client.sendTemplateByPhone(message))).toMatchObject({ action: 'unreachable' })
  expect(await errorOf(client.sendTemplateByPhone(message))).toMatchObject({ action: 'retry' })
  expect(await errorOf(client.sendTemplateByPhone(message))).toMatchObject({ action: 'wait_until', until: Date.UTC(2026, 10, 22, 23) })
  expect(await errorOf(client.sendTemplateByPhone(message))).toMatchObject({ action: 'ambiguous' })
})

test('-124 refreshes once and sends once more', async () => {
  zalo.next(PATH, { error: -124 }, { error: 0, data: { msg_id: 'z' } })
  await clientTo(zalo).sendTemplateByPhone(message)
  expect(zalo.to(PATH).map((one) => one.headers.access_token)).toEqual(['AT_1', 'AT_2'])
})

test('the tracking id has 1 to 48 characters', async () => {
  for (const trackingId of ['', 'x'.repeat(49)]) {
    expect(await errorOf(clientTo(zalo).sendTemplateByPhone({ ...message, trackingId }))).toBeInstanceOf(RangeError)
  }
  expect(zalo.seen).toHaveLength(0)
})

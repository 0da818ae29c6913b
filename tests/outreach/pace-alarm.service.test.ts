import { afterAll, beforeAll, expect, it } from 'vitest'
import type { OutboundMessage } from '../../src/model/outbound.ts'
import { warnOfSlowPaces } from '../../src/outreach/pace-alarm.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withRole } from './staff.ts'

const clock = createClock('2026-11-24T10:00:00+07:00')
let bot: Bot
let officer: Awaited<ReturnType<Bot['person']>>
let citizen: typeof officer

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  await bot.sql`UPDATE account SET traits = traits || '{"perMinute": 1000}'::jsonb`
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  citizen = await registered(bot, 'Lò Văn Pâng')
  // Others wait for a minute and a half already
  await bot.sql`UPDATE pace_bucket SET reply_at_ms = extract(epoch FROM clock_timestamp()) * 1000 + 90000 WHERE key LIKE 'account:%'`
})
afterAll(() => bot?.close())

const waiting = async (cause: string) => {
  const rows = await bot.sql<{ body_enc: Buffer }[]>`
    SELECT body_enc FROM outbound_message WHERE status = 'waiting' AND cause = ${cause} ORDER BY id`
  return rows.map((row) => bot.app.deps.sealer.openJson<OutboundMessage>(row.body_enc).text)
}

it('tells the person once, however often they write meanwhile, and keeps the order', async () => {
  await citizen.say('1')
  await citizen.say('XEM')
  await citizen.say('MENU')
  const replies = await waiting('reply')
  expect(replies.length).toBeGreaterThan(1)
  expect(replies.filter((text) => text.startsWith('Xin lỗi vì trả lời chậm'))).toEqual([replies[0]])
})

it('tells the officer once a day what it means and what helps, and not at night', async () => {
  await Promise.all([warnOfSlowPaces(bot.app.deps, clock.date()), warnOfSlowPaces(bot.app.deps, clock.date())])
  await warnOfSlowPaces(bot.app.deps, clock.date())
  await officer.settle()
  const told = await waiting('staff')
  expect(told).toHaveLength(1)
  expect(told[0]).toContain('nhiều hơn mức Zalo cho gửi (1000 tin trong 60 giây)')
  await warnOfSlowPaces(bot.app.deps, new Date('2026-11-25T22:30:00+07:00'))
  expect(await waiting('staff')).toHaveLength(1)
  await bot.sql`UPDATE pace_bucket SET reply_at_ms = 0`
  await warnOfSlowPaces(bot.app.deps, new Date('2026-11-26T10:00:00+07:00'))
  expect(await waiting('staff')).toHaveLength(1)
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bot, startBot } from '../support/bot.ts'

let bot: Bot

beforeAll(async () => {
  bot = await startBot()
})
afterAll(async () => {
  await bot?.close()
})

it('a reply the platform refuses for the account’s pace makes campaigns of every process pause', async () => {
  const person = await bot.person('Lò Văn Pâng')
  await person.say('chào')
  bot.simulator.faults.addCall({ times: 1, answer: { code: -32, message: 'Your OA reached limit call api' } })
  await person.say('1')
  const [account] = await bot.sql<{ key: string }[]>`SELECT 'account:' || id AS key FROM account`
  const [message] = await bot.sql<{ ms: number }[]>`
    SELECT extract(epoch FROM not_before)::float8 * 1000 AS ms FROM outbound_message WHERE class = 'rate_limit_account'`
  const holds = await bot.sql<{ key: string; ms: number }[]>`SELECT key, hold_until_ms AS ms FROM pace_bucket WHERE hold_until_ms > 0`
  expect(holds).toEqual([{ key: account!.key, ms: expect.any(Number) }])
  expect(Math.abs(holds[0]!.ms - message!.ms)).toBeLessThan(1_000)
})

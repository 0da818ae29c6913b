import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApp, type TestApp } from '../support/app.ts'

let bot: TestApp
beforeAll(async () => {
  bot = await startTestApp()
})
afterAll(() => bot.stop())

test.each(['/f/', '/nghe/', '/b/'])('a link under %s that is no link of ours gets the same page, however long it is', async (path) => {
  const open = async (chars: number) => {
    const { statusCode, body, headers } = await bot.app.http.inject({ url: path + 'x'.repeat(chars) })
    return { statusCode, body, type: headers['content-type'] }
  }
  const short = await open(20)
  expect(short.statusCode).toBe(404)
  expect(short.type).toMatch(/^text\//)
  for (const chars of [101, 499, 501, 4_000, 15_000]) expect(await open(chars)).toEqual(short)
})

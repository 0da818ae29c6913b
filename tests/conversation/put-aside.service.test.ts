import { afterAll, beforeAll, expect, test } from 'vitest'
import { handleContact } from '../../src/conversation/handle-contact.ts'
import { type Bot, startBot } from '../support/bot.ts'

let bot: Bot
beforeAll(async () => {
  bot = await startBot()
})
afterAll(() => bot.close())

test('a message that cannot be answered is put aside and told; those around it lose nothing', async () => {
  const farmer = await bot.person('Lò Văn Pâng')
  await farmer.talk('chào', 'Đồng ý')
  const { sql, app } = { sql: bot.sql, app: bot.app }
  // As if three had been stored while nobody was there to answer, and the middle one had been spoiled
  const stored = await sql<{ contact_id: string }[]>`
    INSERT INTO inbound_event (commune_id, account_id, contact_id, dedupe_key, kind, body_enc, at, chat_order, received_at)
    SELECT commune_id, account_id, contact_id, key, kind, CASE WHEN key = 'spoiled' THEN 'spoiled'::bytea ELSE body_enc END,
      at + place * interval '10 s', chat_order + place * 10000, received_at
    FROM (SELECT * FROM inbound_event WHERE kind = 'text' ORDER BY id DESC LIMIT 1) said,
      unnest(ARRAY['first', 'spoiled', 'last']) WITH ORDINALITY AS made (key, place)
    RETURNING contact_id`
  const contactId = Number(stored[0]?.contact_id)

  // Each failure asks for another look; the number of looks is bounded
  let looks = 0
  while ((await handleContact(app.deps, contactId)) !== undefined) expect(++looks).toBeLessThan(20)

  const rows = await sql`SELECT dedupe_key, handled_at IS NOT NULL AS handled, failed_class FROM inbound_event
    WHERE dedupe_key IN ('first', 'spoiled', 'last') ORDER BY chat_order`
  expect(rows.map((row) => ({ ...row }))).toEqual([
    { dedupe_key: 'first', handled: true, failed_class: null },
    { dedupe_key: 'spoiled', handled: true, failed_class: 'cannot_be_answered' },
    { dedupe_key: 'last', handled: true, failed_class: null },
  ])
  expect(await farmer.settle()).toMatch(/xin lỗi/i)
})

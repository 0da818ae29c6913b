import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSimulator } from '../../src/simulator/simulator.ts'
import { accountInput, call, meet, OA, START, startSimulator, startWebhook, text } from './start.ts'

function journalFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'journal.jsonl')
}

const open = (file: string) => createSimulator({ clock: { now: () => START }, seed: 1, accounts: [accountInput()], journalFile: file })

test('people, chats, tokens, tags and files come back', async () => {
  const file = journalFile()
  const first = await open(file)
  const { id, userId } = await meet(first)
  first.people.follow(id, OA)
  await first.people.say(id, OA, { kind: 'image' })
  const tokens = first.account(OA).mintTokens()
  await call(first, '/v3.0/oa/message/cs', text(userId))
  await call(first, '/v2.0/oa/tag/tagfollower', { user_id: userId, tag_name: 'Bản Tân Bình' })
  first.people.setOnline(id, false)
  const before = first.people.thread(id, OA)
  await first.close()

  const second = await open(file)
  onTestFinished(() => second.close())
  expect(second.people.thread(id, OA)).toEqual(before)
  expect((await call(second, '/v2.0/oa/getoa', undefined, { token: tokens.access_token })).body.error).toBe(0)
  const { fileId } = before.messages.find(({ kind }) => kind === 'image')!.media!
  expect((await second.platform.inject(`/files/${fileId}`)).headers['content-type']).toBe('image/png')
  // the same seed in a second life gives other ids
  expect(second.people.create({ name: 'Giàng A Páo' }).id).not.toBe(id)
})

test('a spent refresh token stays spent', async () => {
  const file = journalFile()
  const first = await open(file)
  const { refresh_token } = first.account(OA).mintTokens()
  const refresh = (simulator: typeof first) =>
    simulator.platform.inject({
      method: 'POST',
      url: '/v4/oa/access_token',
      headers: { secret_key: 'APP_SECRET_made_up', 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ app_id: '1234567890123456789', grant_type: 'refresh_token', refresh_token }).toString(),
    })
  await refresh(first)
  await first.close()
  const second = await open(file)
  onTestFinished(() => second.close())
  expect((await refresh(second)).json().error).toBe(-14020)
})

test('what is answered is written: the file needs no closing', async () => {
  const file = journalFile()
  const first = await startSimulator({ journalFile: file })
  const { userId } = await meet(first)
  const sent = await call(first, '/v3.0/oa/message/cs', text(userId))
  expect(readFileSync(file, 'utf8')).toContain(sent.body.data.message_id)
})

test('a torn last line is cut off and the next life goes on', async () => {
  const file = journalFile()
  const first = await open(file)
  const { id } = await meet(first)
  await first.close()
  const whole = statSync(file).size
  appendFileSync(file, '{"t":"person","person":{"id":"1","na')
  const second = await open(file)
  await second.flush()
  expect(second.people.thread(id, OA).messages).toHaveLength(1)
  const { id: next } = await meet(second)
  await second.close()
  const third = await open(file)
  expect(third.people.thread(next, OA).messages).toHaveLength(1)
  await third.close()

  truncateSync(file, whole - 10)
  await (await open(file)).close()
})

test('a broken line in the middle stops the start and is named', async () => {
  const file = journalFile()
  appendFileSync(file, '{"t":"acc\n{}\n')
  await expect(open(file)).rejects.toThrow('line 1 is not JSON')
})

test('an event that was not acknowledged is sent again in the next life', async () => {
  const file = journalFile()
  const webhook = await startWebhook()
  const first = await open(file)
  await first.account(OA).saveWebhook(webhook.url)
  webhook.answer = 500
  await meet(first)
  await first.flush()
  webhook.answer = 200
  await meet(first)
  await first.flush()
  await first.close()
  const [, failed] = webhook.received
  webhook.received.length = 0
  const second = await open(file)
  onTestFinished(() => second.close())
  await second.flush()
  expect(webhook.received.map(({ raw }) => raw)).toEqual([failed?.raw])
})

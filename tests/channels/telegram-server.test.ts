import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startTelegramServer, type TelegramServer } from '../support/telegram/server.ts'

// The other tests are worth as much as the server they run against: so here it is held to Telegram's own answers.

const PERSON = 555
const Answer = z.looseObject({ ok: z.boolean().optional(), description: z.string().optional(), result: z.any().optional() })

describe('our Bot API server', () => {
  let server: TelegramServer
  beforeEach(async () => {
    server = await startTelegramServer()
    server.person.meet(PERSON)
  })
  afterEach(() => server.close())

  const call = async (method: string, fields: object, token = server.token) => {
    const response = await fetch(`${server.url}/bot${token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    })
    return { status: response.status, ...Answer.parse(await response.json()) }
  }
  const button = (fields: object) => ({ reply_markup: { inline_keyboard: [[fields]] } })

  it.each([
    ['no chat', { text: 'a' }, 400, 'Bad Request: chat_id is empty'],
    ['an unknown chat', { chat_id: 9, text: 'a' }, 400, 'Bad Request: chat not found'],
    ['no text', { chat_id: PERSON }, 400, 'Bad Request: message text is empty'],
    ['blanks', { chat_id: PERSON, text: ' \n ' }, 400, 'Bad Request: message text is empty'],
    ['4,097 characters', { chat_id: PERSON, text: 'x'.repeat(4097) }, 400, 'Bad Request: message is too long'],
    [
      '65 bytes of data',
      { chat_id: PERSON, text: 'a', ...button({ text: 'a', callback_data: `${'đ'.repeat(32)}x` }) },
      400,
      'Bad Request: BUTTON_DATA_INVALID',
    ],
    [
      'an address of this machine',
      { chat_id: PERSON, text: 'a', ...button({ text: 'a', url: 'http://localhost:1/' }) },
      400,
      "Bad Request: inline keyboard button URL 'http://localhost:1/' is invalid: Wrong HTTP URL",
    ],
  ])('refuses a message with %s', async (_name, fields, status, description) => {
    expect(await call('sendMessage', fields)).toEqual({ status, ok: false, error_code: status, description })
  })

  it('takes 4,096 characters and 64 bytes, the method in any case, the chat as number or text', async () => {
    const fields = { chat_id: String(PERSON), text: 'đ'.repeat(4096), ...button({ text: 'a', callback_data: 'đ'.repeat(32) }) }
    expect(await call('SENDmessage', fields)).toMatchObject({ status: 200, ok: true, result: { message_id: 1, chat: { id: PERSON } } })
  })

  it('refuses to write to those who blocked, left or never started', async () => {
    server.person.meet(1, { started: false })
    server.person.meet(2, { deactivated: true })
    server.person.block(PERSON)
    const say = async (chat_id: number) => (await call('sendMessage', { chat_id, text: 'a' })).description
    expect(await say(1)).toBe("Forbidden: bot can't initiate conversation with a user")
    expect(await say(2)).toBe('Forbidden: user is deactivated')
    expect(await say(PERSON)).toBe('Forbidden: bot was blocked by the user')
    server.person.unblock(PERSON)
    expect(await say(PERSON)).toBeUndefined()
  })

  it('knows good, dead and malformed tokens, and its methods', async () => {
    expect(await call('getMe', {})).toMatchObject({ status: 200, result: { is_bot: true } })
    expect(await call('getMe', {}, '1:other')).toMatchObject({ status: 401, description: 'Unauthorized' })
    expect(await call('getMe', {}, 'nonsense')).toMatchObject({ status: 404, description: 'Not Found' })
    expect(await call('getMine', {})).toMatchObject({ status: 404, description: 'Not Found: method not found' })
  })

  it('refuses an edit that changes nothing', async () => {
    const { result } = await call('sendMessage', { chat_id: PERSON, text: 'a' })
    const edit = (text: string) => call('editMessageText', { chat_id: PERSON, message_id: result.message_id, text })
    expect((await edit('a')).description).toMatch(/^Bad Request: message is not modified/)
    expect((await edit('b')).ok).toBe(true)
    expect(server.person.outbox(PERSON)).toMatchObject([{ text: 'b' }])
  })

  it('lets one poll at a time, none beside a webhook, and forgets what the offset passes', async () => {
    const first = call('getUpdates', { timeout: 20 })
    await expect.poll(() => server.calls().length).toBe(1)
    const second = call('getUpdates', { timeout: 20 })
    expect(await first).toMatchObject({ status: 409, description: expect.stringMatching(/terminated by other getUpdates/) })
    server.person.text(PERSON, 'một')
    const { result } = await second
    expect(result).toMatchObject([{ message: { text: 'một' } }])
    expect((await call('getUpdates', {})).result).toHaveLength(1)
    expect((await call('getUpdates', { offset: result[0].update_id + 1 })).result).toEqual([])
    await call('setWebhook', { url: 'https://hoctap.example/' })
    expect(await call('getUpdates', {})).toMatchObject({ status: 409, description: expect.stringMatching(/webhook is active/) })
  })

  it('is driven from another process over HTTP', async () => {
    const drive = async (word: string, ...args: unknown[]) => {
      const response = await fetch(`${server.url}/control/${word}`, { method: 'POST', body: JSON.stringify(args) })
      return { status: response.status, ...Answer.parse(await response.json()) }
    }
    await drive('person/text', PERSON, 'xin chào')
    await call('sendMessage', { chat_id: PERSON, text: 'chào chị' })
    expect(await drive('person/outbox', PERSON)).toMatchObject({ status: 200, result: [{ text: 'chào chị' }] })
    await drive('fault', {
      method: 'sendMessage',
      answer: { refuse: { code: 429, description: 'Too Many Requests: retry after 3', parameters: { retry_after: 3 } } },
    })
    expect(await call('sendMessage', { chat_id: PERSON, text: 'a' })).toMatchObject({ status: 429, parameters: { retry_after: 3 } })
    expect(await drive('counts')).toMatchObject({ result: { sent: 1, pending: 1, people: 1 } })
    expect(await drive('person/tap', PERSON, 'nothing')).toMatchObject({ status: 400, error: expect.stringMatching(/sees no button/) })
  })

  it('runs as a process of its own, and ends when told to', async () => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve('../support/telegram/main.ts')), '--token', '9:own'])
    const [line] = await once(child.stdout, 'data')
    const { url, token } = z.object({ url: z.string(), token: z.string() }).parse(JSON.parse(String(line)))
    expect(Answer.parse(await (await fetch(`${url}/bot${token}/getMe`)).json()).result).toMatchObject({ id: 9, is_bot: true })
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})

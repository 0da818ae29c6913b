import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTelegramChannel, type TelegramChannel } from '../../src/channels/telegram/channel.ts'
import { createTelegramClient, type TelegramClient } from '../../src/channels/telegram/client.ts'
import { registerCommands } from '../../src/channels/telegram/commands.ts'
import { TelegramCallError } from '../../src/channels/telegram/failure.ts'
import { parseUpdate } from '../../src/channels/telegram/parse.ts'
import { NAMED_REFUSALS } from '../support/telegram/refusal.ts'
import { startTelegramServer, type TelegramServer } from '../support/telegram/server.ts'
import { type ChannelHarness, describeChannel } from './describe-channel.ts'

const PERSON = 555
const NOW = Date.parse('2026-11-20T09:00:00+07:00')
const HOUR_MS = 3_600_000

async function createHarness(): Promise<ChannelHarness> {
  const server = await startTelegramServer({ nowMs: () => NOW })
  server.person.meet(PERSON)
  const channel = createTelegramChannel({ token: server.token, apiUrl: server.url, timeoutMs: 5_000, now: () => NOW })
  const lastEvent = (): ReturnType<ChannelHarness['say']> => {
    const update = [...server.bot.pending.values()].at(-1)
    const { parsed } = parseUpdate(update?.body, { botId: '1', slashWords: {}, nowMs: NOW })
    const event = parsed.kind === 'events' ? parsed.events[0] : undefined
    return event ? Promise.resolve(event) : Promise.reject(new Error(`no event: ${parsed.kind}`))
  }
  const refuse = (refusal: { code: number; description: string }) => server.fault({ method: 'sendMessage', answer: { refuse: refusal } })
  return {
    channel,
    personId: String(PERSON),
    shown: () =>
      server.person.outbox(PERSON).map(({ text = '', keyboard = [] }) => ({ text, choices: keyboard.flat().map((button) => button.text) })),
    say(text) {
      server.person.text(PERSON, text)
      return lastEvent()
    },
    tap(label) {
      server.person.tap(PERSON, label)
      return lastEvent()
    },
    async fail(fault) {
      server.clearFaults()
      if (fault === 'blocked') return refuse(NAMED_REFUSALS.blocked())
      if (fault === 'rate_limited') return refuse(NAMED_REFUSALS.flood(3))
      if (fault === 'server_error') return server.fault({ applied: true, answer: { html: 502 } })
      if (fault === 'reset') return server.fault({ applied: true, answer: { reset: true } })
      if (fault === 'dead_token') return server.revokeToken()
      if (fault === 'refused_connection') return server.refuseConnections()
      throw new Error(`unknown fault ${fault satisfies never}`)
    },
    nowMs: () => NOW,
    secrets: [server.token, server.token.split(':')[1] ?? ''],
    async close() {
      await channel.close()
      await server.close()
    },
  }
}

describeChannel('Telegram', createHarness)

describe('Telegram sends', () => {
  let server: TelegramServer
  let channel: TelegramChannel
  let nowMs: number
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telegram-'))
  })
  afterAll(() => rm(folder, { recursive: true }))
  beforeEach(async () => {
    nowMs = NOW
    server = await startTelegramServer({ nowMs: () => nowMs })
    server.person.meet(PERSON)
    channel = createTelegramChannel({ token: server.token, apiUrl: server.url, timeoutMs: 5_000, now: () => nowMs })
  })
  afterEach(async () => {
    await channel.close()
    await server.close()
  })
  const send = (text = 'xin chào') => channel.send(String(PERSON), { text })
  const refuse = (refusal: { code: number; description: string }, times = 1) => server.fault({ times, answer: { refuse: refusal } })
  const choice = (label: string, n = 1) => ({ number: String(n), label, payload: `p:${n}` })
  const file = async (name: string, bytes: number | string) => {
    const path = join(folder, name)
    await writeFile(path, typeof bytes === 'number' ? Buffer.alloc(bytes, 'x') : bytes)
    return path
  }

  describe('a refusal', () => {
    it.each([
      ['blocked', NAMED_REFUSALS.blocked(), { kind: 'failed', class: 'blocked' }],
      ['deactivated', NAMED_REFUSALS.deactivated(), { kind: 'failed', class: 'account_deleted' }],
      ['never started', NAMED_REFUSALS.not_started(), { kind: 'failed', class: 'not_started' }],
      ['kicked', NAMED_REFUSALS.kicked(), { kind: 'failed', class: 'removed_from_chat' }],
      ['another 403', { code: 403, description: 'Forbidden: something new' }, { kind: 'failed', class: 'forbidden' }],
      ['chat not found', NAMED_REFUSALS.chat_not_found(), { kind: 'failed', class: 'chat_not_found' }],
      ['too long', NAMED_REFUSALS.too_long(), { kind: 'failed', class: 'too_long' }],
      ['another 400', { code: 400, description: 'Bad Request: SOMETHING_NEW' }, { kind: 'failed', class: 'refused' }],
      ['unauthorized', NAMED_REFUSALS.unauthorized(), { kind: 'account_paused', class: 'dead_token' }],
      ['not found', NAMED_REFUSALS.not_found(), { kind: 'account_paused', class: 'dead_token' }],
      ['conflict', NAMED_REFUSALS.conflict(), { kind: 'account_paused', class: 'conflict' }],
      ['flood', NAMED_REFUSALS.flood(7), { kind: 'retry', class: 'rate_limited', notBeforeMs: NOW + 7_000 }],
      ['flood without a time', { code: 429, description: '' }, { kind: 'retry', class: 'rate_limited', notBeforeMs: NOW + 1_000 }],
      ['server error', NAMED_REFUSALS.server_error(), { kind: 'uncertain', class: 'server_error' }],
      ['an unknown code', { code: 418, description: 'teapot' }, { kind: 'uncertain', class: 'unexpected_answer' }],
    ])('%s', async (_name, refusal, outcome) => {
      refuse(refusal)
      expect(await send()).toEqual(outcome)
      expect(server.person.outbox(PERSON)).toEqual([])
    })

    it('that was once a fault of the platform is believed when it comes again hours later', async () => {
      refuse(NAMED_REFUSALS.odd_forbidden(), 3)
      expect(await send()).toEqual({ kind: 'retry', class: 'unreachable', notBeforeMs: NOW + 4 * HOUR_MS })
      nowMs += HOUR_MS
      expect(await send()).toEqual({ kind: 'retry', class: 'unreachable', notBeforeMs: NOW + 4 * HOUR_MS })
      nowMs = NOW + 4 * HOUR_MS
      expect(await send()).toEqual({ kind: 'failed', class: 'unreachable' })
    })

    it('that was a fault of the platform is forgotten after a success', async () => {
      refuse(NAMED_REFUSALS.odd_forbidden())
      await send()
      expect((await send()).kind).toBe('sent')
      nowMs += 5 * HOUR_MS
      refuse(NAMED_REFUSALS.odd_forbidden())
      expect((await send()).kind).toBe('retry')
    })

    it('of a chat that moved is followed to the new address', async () => {
      server.person.meet(777)
      refuse(NAMED_REFUSALS.migrate(777))
      expect(await send()).toMatchObject({ kind: 'sent', platformMessageId: expect.stringMatching(/^777:/) })
    })

    it('of the buttons sends the words without them', async () => {
      refuse(NAMED_REFUSALS.button_data())
      const message = {
        text: 'Ông bà chọn:',
        choices: [choice('Có'), choice('Chưa', 2)],
        links: [{ label: 'Mở trang', url: 'https://x.vn/a' }],
      }
      expect((await channel.send(String(PERSON), message)).kind).toBe('sent')
      expect(server.person.outbox(PERSON)).toMatchObject([{ text: 'Ông bà chọn:\n1. Có\n2. Chưa\nMở trang: https://x.vn/a' }])
      expect(server.person.outbox(PERSON)[0]?.keyboard).toBeUndefined()
    })

    it('of an address Telegram would not open writes the address out', async () => {
      const message = { text: 'Kết quả', links: [{ label: 'Xem', url: 'http://localhost:3000/b/x' }] }
      expect((await channel.send(String(PERSON), message)).kind).toBe('sent')
      expect(server.person.outbox(PERSON)[0]?.text).toBe('Kết quả\nXem: http://localhost:3000/b/x')
    })

    it('repeated in the plain form ends there', async () => {
      refuse(NAMED_REFUSALS.entities(), 5)
      expect(await send()).toEqual({ kind: 'failed', class: 'markup_refused' })
      expect(server.calls()).toHaveLength(2)
    })
  })

  describe('over a bad line', () => {
    it.each([
      ['half an answer', { malformed: true }, 'malformed_answer'],
      ['a reset', { reset: true }, 'connection_lost'],
      ['an HTML page of a gateway', { html: 502 }, 'server_error'],
      ['an HTML page with 200', { html: 200 }, 'malformed_answer'],
    ] as const)('%s is uncertain', async (_name, answer, failureClass) => {
      server.fault({ answer })
      expect(await send()).toEqual({ kind: 'uncertain', class: failureClass })
    })

    it('no answer is uncertain', async () => {
      const hasty = createTelegramChannel({ token: server.token, apiUrl: server.url, timeoutMs: 100, now: () => nowMs })
      server.fault({ answer: { hang: true } })
      expect(await hasty.send(String(PERSON), { text: 'a' })).toEqual({ kind: 'uncertain', class: 'time_out' })
      await hasty.close()
    })

    it('a late answer in time is an answer', async () => {
      server.fault({ answer: { slowMs: 20 } })
      expect((await send()).kind).toBe('sent')
    })

    it.each([
      ['never answered', () => {}],
      ['cut off', (socket: Socket) => socket.once('data', () => socket.resetAndDestroy())],
      ['ended', (socket: Socket) => socket.once('data', () => socket.end())],
      ['answered with nonsense', (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ])('a TLS greeting that is %s is to be tried again', async (_name, behave) => {
      const sockets: Socket[] = []
      const blocker = createServer((socket) => {
        sockets.push(socket.on('error', () => {}))
        behave(socket)
      })
      await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
      const address = blocker.address()
      const apiUrl = `https://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
      const blocked = createTelegramChannel({ token: '1:x', apiUrl, timeoutMs: 300, now: () => NOW })
      expect(await blocked.send('1', { text: 'a' })).toEqual({ kind: 'retry', class: 'no_connection', notBeforeMs: NOW + 5_000 })
      await blocked.close()
      for (const socket of sockets) socket.destroy()
      blocker.close()
    })

    it('an address that does not exist is to be tried again', async () => {
      const nowhere = createTelegramChannel({ token: '1:x', apiUrl: 'http://no-such-host.invalid', timeoutMs: 2_000, now: () => NOW })
      expect(await nowhere.send('1', { text: 'a' })).toMatchObject({ kind: 'retry', class: 'no_connection' })
      await nowhere.close()
    })
  })

  describe('choices', () => {
    const rows = () =>
      server.person
        .outbox(PERSON)
        .at(-1)
        ?.keyboard?.map((row) => row.map((button) => button.text))
    it('in one row when short, one under the other when long, links last', async () => {
      const links = [{ label: 'Nghe câu hỏi', url: 'https://hoctap.vn/nghe/1' }]
      await channel.send(String(PERSON), { text: 'a', choices: ['1', '2', '3', '4', '5', '6'].map((label, i) => choice(label, i)), links })
      expect(rows()).toEqual([['1', '2', '3', '4', '5'], ['6'], ['Nghe câu hỏi']])
      await channel.send(String(PERSON), { text: 'a', choices: [choice('Đúng'), choice('Không đúng', 2)] })
      expect(rows()).toEqual([['Đúng', 'Không đúng']])
      await channel.send(String(PERSON), { text: 'a', choices: [choice('Có đọc báo hằng ngày'), choice('Chưa', 2)] })
      expect(rows()).toEqual([['Có đọc báo hằng ngày'], ['Chưa']])
    })
  })

  describe('files', () => {
    it('a picture with words and buttons in one request', async () => {
      const path = await file('bang.png', 'png bytes')
      const attachment = { kind: 'image' as const, name: 'bảng.png', contentType: 'image/png', path }
      const outcome = await channel.send(String(PERSON), { text: 'Bảng của bản', choices: [choice('Xong')], attachment })
      expect(outcome.kind).toBe('sent')
      expect(server.person.outbox(PERSON)).toMatchObject([
        { caption: 'Bảng của bản', keyboard: [[{ text: 'Xong', callback_data: 'p:1' }]], file: { kind: 'photo', name: 'bảng.png' } },
      ])
      expect(server.person.outbox(PERSON)[0]?.file?.bytes?.toString()).toBe('png bytes')
    })

    it('one that a person sent, by its id, unless it is too large or gone', async () => {
      const bytes = Buffer.from('%PDF-1.7 a paper')
      const id = server.person.file(PERSON, 'document', { name: 'giay.pdf', bytes })
      expect(await channel.loadFile(`file-${id}`, 1_000)).toEqual(bytes)
      expect(await channel.loadFile(`file-${id}`, 5)).toBe('too_large')
      const gone = await channel.loadFile('file-999', 1_000).catch((error: Error) => error.message)
      expect(gone).toBe('Telegram getFile: refused')
    })

    it('a picture refused as a picture, or too large for one, goes as a file', async () => {
      const attachment = { kind: 'image' as const, name: 'dai.png', contentType: 'image/png', path: await file('dai.png', 'x') }
      refuse(NAMED_REFUSALS.photo_dimensions())
      expect((await channel.send(String(PERSON), { text: 'một', attachment })).kind).toBe('sent')
      const large = { ...attachment, path: await file('lon.png', 10_000_001) }
      expect((await channel.send(String(PERSON), { text: 'hai', attachment: large })).kind).toBe('sent')
      expect(server.person.outbox(PERSON).map((message) => message.file?.kind)).toEqual(['document', 'document'])
    })

    describe('a recording', () => {
      const recording = async (type: string) => ({
        kind: 'voice' as const,
        name: `cau-1.${type}`,
        contentType: { mp3: 'audio/mpeg', ogg: 'audio/ogg', m4a: 'audio/mp4', aac: 'audio/aac' }[type] ?? '',
        path: await file(`cau-1.${type}`, `${type} sound`),
      })

      it.each(['mp3', 'ogg', 'm4a'])('in %s is a voice message with the question and its buttons under it', async (type) => {
        const message = { text: 'Câu 1/10 …', choices: [choice('Đúng'), choice('Chưa', 2)], attachment: await recording(type) }
        expect((await channel.send(String(PERSON), message)).kind).toBe('sent')
        expect(server.calls()).toEqual([{ method: 'sendVoice', chatId: PERSON }])
        const [shown] = server.person.outbox(PERSON)
        expect(shown).toMatchObject({
          caption: 'Câu 1/10 …',
          keyboard: [[{ text: 'Đúng' }, { text: 'Chưa' }]],
          file: { kind: 'voice', name: `cau-1.${type}` },
        })
        expect(shown?.file?.bytes?.toString()).toBe(`${type} sound`)
      })

      it('in a form Telegram does not play as a voice message goes as a file', async () => {
        expect((await channel.send(String(PERSON), { text: 'a', attachment: await recording('aac') })).kind).toBe('sent')
        expect(server.calls().map(({ method }) => method)).toEqual(['sendDocument'])
      })

      it.each([NAMED_REFUSALS.voice_forbidden(), NAMED_REFUSALS.voice_restricted()])(
        'for somebody who takes no voice messages goes as a file: $description',
        async (refusal) => {
          server.fault({ method: 'sendVoice', answer: { refuse: refusal } })
          const message = { text: 'Câu 1/10 …', choices: [choice('Đúng')], attachment: await recording('mp3') }
          expect((await channel.send(String(PERSON), message)).kind).toBe('sent')
          expect(server.person.outbox(PERSON)).toMatchObject([
            { caption: 'Câu 1/10 …', keyboard: [[{ text: 'Đúng' }]], file: { kind: 'document' } },
          ])
        },
      )

      it.each([
        ['blocked', NAMED_REFUSALS.blocked(), { kind: 'failed', class: 'blocked' }],
        ['flood', NAMED_REFUSALS.flood(7), { kind: 'retry', class: 'rate_limited', notBeforeMs: NOW + 7_000 }],
        ['server error', NAMED_REFUSALS.server_error(), { kind: 'uncertain', class: 'server_error' }],
      ] as const)('%s is told as for a text', async (_name, refusal, outcome) => {
        server.fault({ method: 'sendVoice', answer: { refuse: refusal } })
        expect(await channel.send(String(PERSON), { text: 'a', attachment: await recording('mp3') })).toEqual(outcome)
        expect(server.person.outbox(PERSON)).toEqual([])
      })

      it('that is not there leaves the question with its words', async () => {
        const attachment = { ...(await recording('mp3')), path: join(folder, 'none.mp3') }
        expect((await channel.send(String(PERSON), { text: 'Câu 1/10 …', choices: [choice('Đúng')], attachment })).kind).toBe('sent')
        expect(server.person.outbox(PERSON)).toMatchObject([{ text: 'Câu 1/10 …', keyboard: [[{ text: 'Đúng' }]] }])
      })

      it('of a chat that moved is followed, a half answer is uncertain', async () => {
        server.person.meet(777)
        server.fault({ method: 'sendVoice', answer: { refuse: NAMED_REFUSALS.migrate(777) } })
        const attachment = await recording('mp3')
        expect(await channel.send(String(PERSON), { text: 'a', attachment })).toMatchObject({ kind: 'sent' })
        expect(server.person.outbox(777)).toMatchObject([{ file: { kind: 'voice' } }])
        server.fault({ method: 'sendVoice', applied: true, answer: { malformed: true } })
        expect(await channel.send(String(PERSON), { text: 'a', attachment })).toEqual({ kind: 'uncertain', class: 'malformed_answer' })
      })
    })

    it('one that is not there fails without a request', async () => {
      const attachment = { kind: 'file' as const, name: 'a.pdf', contentType: 'application/pdf', path: join(folder, 'none.pdf') }
      expect(await channel.send(String(PERSON), { text: 'a', attachment })).toEqual({ kind: 'failed', class: 'file_missing' })
      expect(server.calls()).toEqual([])
    })
  })

  it('says who the bot is', async () => {
    expect(await channel.loadBot()).toEqual({ id: '700000007', username: 'hoctap_test_bot' })
  })

  it('stops the waiting sign of a tap once, and a second time does no harm', async () => {
    await channel.send(String(PERSON), { text: 'a', choices: [choice('Có')] })
    server.person.tap(PERSON, 'Có')
    const [callbackId = ''] = server.bot.openTaps
    expect(await channel.answerTap(callbackId)).toBe(true)
    expect(server.bot.openTaps.size).toBe(0)
    expect(await channel.answerTap(callbackId)).toBe(true)
    server.fault({ answer: { html: 502 } })
    expect(await channel.answerTap(callbackId)).toBe(false)
  })
})

describe('Telegram client', () => {
  let server: TelegramServer
  let telegram: TelegramClient
  beforeEach(async () => {
    server = await startTelegramServer()
    telegram = createTelegramClient({ token: server.token, apiUrl: server.url, timeoutMs: 5_000 })
  })
  afterEach(async () => {
    telegram.close()
    await server.close()
  })

  it.each([
    ['half an answer', { malformed: true }],
    ['a reset', { reset: true }],
    ['no answer', { hang: true }],
    ['a refusal that repeats the words', { refuse: { code: 400, description: "Bad Request: can't parse 'riêng tư'" } }],
  ] as const)('keeps the token and a person’s words out of its errors: %s', async (_name, answer) => {
    server.fault({ answer })
    const options = { timeoutMs: 'hang' in answer ? 100 : 5_000 }
    const error = await telegram.call('sendMessage', { chat_id: 1, text: 'riêng tư' }, options).catch((thrown) => thrown)
    const shown = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`
    expect(error).toBeInstanceOf(TelegramCallError)
    expect(shown).not.toContain(server.token)
    expect(shown).not.toContain('TEST-token')
    expect(shown).not.toContain('riêng tư')
  })

  it('keeps a token of unusual shape out of its errors too', async () => {
    await server.refuseConnections()
    const odd = createTelegramClient({ token: 'half-a-secret', apiUrl: server.url, timeoutMs: 5_000 })
    const error = await odd.call('getMe', {}).catch((thrown) => thrown)
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('half-a-secret')
    odd.close()
  })

  it('shows an operator the sentence where nobody’s words can be in it', async () => {
    await expect(telegram.call('setWebhook', { url: 'ftp://x' })).rejects.toThrow(/An HTTPS URL must be provided/)
  })

  it('keeps a path in the address of the API', async () => {
    const behindPath = createTelegramClient({ token: server.token, apiUrl: `${server.url}/tg`, timeoutMs: 5_000 })
    expect(await behindPath.call('getMe', {})).toMatchObject({ is_bot: true })
    behindPath.close()
  })

  it('writes slash commands by language and by chat', async () => {
    server.person.meet(PERSON)
    await registerCommands(telegram, [
      { commands: [{ name: 'menu', says: 'Xem có thể nói gì' }] },
      { language: 'en', commands: [{ name: 'menu', says: 'What you can say' }] },
      { channelUserId: String(PERSON), commands: [{ name: 'thongke', says: 'Thống kê' }] },
    ])
    expect(Object.fromEntries(server.bot.commands)).toEqual({
      'default:|': [{ command: 'menu', description: 'Xem có thể nói gì' }],
      'default:|en': [{ command: 'menu', description: 'What you can say' }],
      'chat:555|': [{ command: 'thongke', description: 'Thống kê' }],
    })
  })
})

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createInvitation } from '../src/registry/roles.ts'
import { startTestApp, type TestApp } from './support/app.ts'
import { NAMED_REFUSALS } from './support/telegram/refusal.ts'
import { startTelegramServer, type TelegramServer } from './support/telegram/server.ts'

const WAIT = { timeout: 15_000, interval: 5 }
const PERSON = 555

let server: TelegramServer
let apps: TestApp[]
beforeEach(async () => {
  server = await startTelegramServer({ webhookRetryMs: 20 })
  apps = []
})
afterEach(async () => {
  for (const each of apps) await each.stop()
  await server.close()
})

async function start(environment: Record<string, string> = {}, databaseUrl?: string): Promise<TestApp> {
  const made = await startTestApp({
    environment: { TELEGRAM_BOT_TOKEN: server.token, TELEGRAM_API_URL: server.url, ...environment },
    ...(databaseUrl && { databaseUrl }),
  })
  apps.push(made)
  await made.app.start()
  return made
}

const said = () => server.person.outbox(PERSON).map((message) => message.text ?? '')
const hasSaid = (count: number) => vi.waitFor(() => expect(said().length).toBeGreaterThanOrEqual(count), WAIT)
const ready = async ({ app }: TestApp) => (await app.http.inject({ method: 'GET', url: '/health/ready' })).json()
const polls = () => server.calls().filter((call) => call.method === 'getUpdates').length

async function say(text: string): Promise<string> {
  const before = said().length
  server.person.text(PERSON, text)
  await hasSaid(before + 1)
  return said()[before] ?? ''
}

describe('without a public address', () => {
  test('one of two processes polls, and the other goes on when it is gone', async () => {
    const first = await start()
    await vi.waitFor(() => expect(polls()).toBeGreaterThan(0), WAIT)
    const second = await start({}, first.databaseUrl)
    server.person.text(PERSON, 'chào')
    await hasSaid(1)
    const locks = async () =>
      (await first.sql`SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 7302 AND granted`).length
    expect(await locks()).toBe(1)
    expect(await ready(second)).toEqual({ status: 'ready' })

    apps = apps.filter((each) => each !== first)
    const { sql } = second
    await first.stop()
    server.person.text(PERSON, 'BẮT ĐẦU')
    await hasSaid(2)
    expect(await sql`SELECT kind FROM inbound_event`).toHaveLength(2)
  })

  test('a worker polls, a process for the web does not', async () => {
    await start({ ROLE: 'web' })
    server.person.text(PERSON, 'chào')
    await vi.waitFor(() => expect(server.bot.commands.size).toBeGreaterThan(0), WAIT)
    expect(polls()).toBe(0)
    await start({ ROLE: 'worker' })
    await hasSaid(1)
  })

  test('what was stored is confirmed at the stop, and does not come again', async () => {
    const first = await start()
    server.person.text(PERSON, 'chào')
    await hasSaid(1)
    apps = []
    await first.stop()
    expect(server.bot.pending.size).toBe(0)
  })

  test('a dead token is said to be degraded, and the rest goes on', async () => {
    server.revokeToken()
    const only = await start()
    await vi.waitFor(async () => {
      const { status, degraded } = await ready(only)
      expect(status).toBe('ready')
      expect(degraded).toEqual([{ part: 'telegram', account: server.token.split(':')[0], reason: 'dead_token' }])
    }, WAIT)
    expect(only.logged()).not.toContain(server.token.split(':')[1])
  })
})

describe('with a public address', () => {
  test('Telegram is told where to deliver, with a secret nobody had to think of; what it reports of the delivery is watched', async () => {
    const only = await start({ PUBLIC_URL: 'https://bot.example.org' })
    await vi.waitFor(() => expect(server.bot.webhook?.url).toBe('https://bot.example.org/webhooks/telegram'), WAIT)
    expect(server.bot.webhook?.secret_token).toMatch(/^[0-9a-f]{64}$/)
    expect(polls()).toBe(0)
    expect(only.logged()).not.toContain(server.bot.webhook?.secret_token)
  })

  test('trouble of the delivery shows in the health', async () => {
    server.fault({ method: 'getWebhookInfo', times: 99, answer: { refuse: NAMED_REFUSALS.server_error() } })
    const only = await start({ PUBLIC_URL: 'https://bot.example.org' })
    await vi.waitFor(async () => expect((await ready(only)).degraded).toMatchObject([{ part: 'telegram', reason: 'server_error' }]), WAIT)
  })

  test('the page of a village has a link for each chat, and the one to Telegram carries the code', async () => {
    const only = await start({ PUBLIC_URL: 'https://bot.example.org' })
    const [village] = await only.sql`SELECT join_code FROM unit WHERE level = 'thon_ban' ORDER BY id LIMIT 1`
    await vi.waitFor(async () => {
      const page = (await only.app.http.inject({ method: 'GET', url: `/b/${village?.join_code}` })).body
      expect(page).toContain(`https://t.me/hoctap_test_bot?start=${village?.join_code}`)
      expect(page).toContain('https://zalo.me/1122334455667788990')
    }, WAIT)
  })
})

describe('an officer who composes a notice', () => {
  test('sends the picture that goes with it here as well', async () => {
    const only = await start()
    const { sealer, randomInt, database, now } = only.app.deps
    const invitation = { role: 'commune_reviewer' as const, unitCode: 'binh-lu', invitedBy: null, now: now() }
    const invited = await createInvitation({ db: database.db, sealer, randomInt }, invitation)
    if (invited.type !== 'created') throw new Error(invited.type)
    const folder = mkdtempSync(join(tmpdir(), 'hoc-tap-bot-telegram-'))
    only.app.deps.exportsDir = folder
    try {
      await say(`MÃ ${invited.code}`)
      await say('THÔNG BÁO')
      await say('Mời bà con họp.')
      expect(await say('2')).toContain('gửi ảnh hoặc tệp')
      const picture = Buffer.concat([Buffer.from('\u0089PNG', 'latin1'), Buffer.alloc(64, 7)])
      const before = said().length
      server.person.file(PERSON, 'photo', { name: 'anh.png', bytes: picture })
      await hasSaid(before + 1)
      expect(said()[before]).toContain('Gửi cho ai')
      await say('1')
      const [draft] = await only.sql<{ attachment: { path: string } }[]>`SELECT attachment FROM campaign`
      expect(readFileSync(draft?.attachment.path ?? '')).toEqual(picture)
      expect(only.logged()).not.toContain(server.token.split(':')[1])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('the list of words', () => {
  test('is there for everybody in both languages, and for a leader in their own chat once the role is taken up', async () => {
    const only = await start()
    await vi.waitFor(() => expect(server.bot.commands.has('default:|en')).toBe(true), WAIT)
    const names = (key: string) => server.bot.commands.get(key)?.map(({ command }) => command) ?? []
    expect(names('default:|')).toEqual(expect.arrayContaining(['menu', 'batdau', 'xem', 'sua', 'dung']))
    expect(names('default:|')).not.toContain('thongke')

    const { database, sealer, randomInt } = only.app.deps
    const invited = await createInvitation(
      { db: database.db, sealer, randomInt },
      { role: 'village_lead', unitCode: 'binh-lu-01', invitedBy: null, now: new Date() },
    )
    if (invited.type !== 'created') throw new Error(invited.type)
    await say(`MÃ ${invited.code}`)
    await vi.waitFor(() => expect(names(`chat:${PERSON}|`)).toEqual(expect.arrayContaining(['menu', 'thongke', 'chualam'])), WAIT)
    expect(await say('/thongke')).toMatch(/THỐNG KÊ/)
  })
})

describe('taps and blocking', () => {
  test('a tap on an old question after later words changes the answer, and is never taken for an older word', async () => {
    const only = await start()
    const [village] = await only.sql`SELECT join_code FROM unit WHERE level = 'thon_ban' ORDER BY id LIMIT 1`
    server.person.start(PERSON, village?.join_code)
    await hasSaid(1)
    for (const text of ['1', 'Lò Văn Pâng', '1967', '1', '1', '1', '3', '1']) await say(text)
    const question = server.person.outbox(PERSON).at(-1)
    expect(question?.text).toMatch(/Câu 1\/10/)
    const labels = question?.keyboard?.flat().map((button) => button.text) ?? []
    await say('2')
    await say('SỬA 1')
    // The question stands twice on the screen: the upper one is tapped, whose place is before the words "2" and "SỬA 1"
    const before = said().length
    server.person.tap(PERSON, labels[0] ?? '', question?.message_id)
    await hasSaid(before + 1)
    const answers = await only.sql`
      SELECT option, nomination_id FROM answer WHERE contact_id = (SELECT id FROM contact WHERE channel_user_id = ${String(PERSON)})`
    const [kept] = await only.sql`SELECT option FROM answer_history WHERE nomination_id = ${answers[0]?.nomination_id ?? 0}`
    expect(answers).toHaveLength(1)
    expect(answers[0]?.option).not.toBe(kept?.option)
    expect(said().at(-1)).toContain(labels[0])
  })

  test('taps and words that waited together are taken in the order they were made', async () => {
    const only = await start()
    await say('chào')
    const stop = only.stop
    apps = []
    await stop()
    const consent = server.person.outbox(PERSON).at(-1)
    server.person.tap(PERSON, consent?.keyboard?.[0]?.[0]?.text ?? '')
    server.person.text(PERSON, 'MENU')
    const before = said().length
    const next = await start({}, only.databaseUrl)
    await hasSaid(before + 1)
    await vi.waitFor(async () => expect(await next.sql`SELECT 1 FROM inbound_event WHERE handled_at IS NULL`).toEqual([]), WAIT)
    expect(await next.sql`SELECT decision FROM consent`).toEqual([{ decision: 'given' }])
    const kinds = await next.sql`SELECT kind FROM inbound_event ORDER BY id`
    expect(kinds.map((row) => row.kind)).toEqual(['text', 'tap', 'text'])
  })

  test('blocking and unblocking say nothing, nor does START in the same breath as the question it would repeat', async () => {
    const only = await start()
    await say('chào')
    server.person.block(PERSON)
    server.person.unblock(PERSON)
    server.person.start(PERSON)
    await vi.waitFor(async () => expect(await only.sql`SELECT 1 FROM inbound_event`).toHaveLength(4), WAIT)
    await vi.waitFor(async () => expect(await only.sql`SELECT 1 FROM inbound_event WHERE handled_at IS NULL`).toEqual([]), WAIT)
    expect(said()).toHaveLength(1)
    const [contact] = await only.sql`SELECT follows FROM contact WHERE channel_user_id = ${String(PERSON)}`
    expect(contact?.follows).toBe(true)
  })
})

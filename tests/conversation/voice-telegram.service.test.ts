import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { importClips, loadClips } from '../../src/registry/voice-clips.ts'
import { type BothChannels, type Chat, startBothChannels } from '../support/both-channels.ts'
import { NAMED_REFUSALS } from '../support/telegram/refusal.ts'

const SAMPLE = new URL('../../flows/voice-sample', import.meta.url).pathname

describe('NGHE on Telegram', () => {
  let world: BothChannels
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'voice-'))
    world = await startBothChannels({ environment: { DATA_DIR: folder } })
    const { clips } = await loadClips(SAMPLE, () => true)
    await importClips(world.bot.app.deps.database.db, { clips, sample: true, actor: 'test', now: new Date() })
  })
  afterAll(async () => {
    await world.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const newest = (chat: Chat) => world.telegram.person.outbox(Number(chat.userId)).at(-1)

  async function begin(name: string): Promise<Chat> {
    const chat = world.openTelegram()
    for (const text of ['BẮT ĐẦU', '1', '1', name, '1967', '1', '1', '1', '3', '1']) await chat.say(text)
    expect(chat.last()).toContain('Câu 1/10')
    return chat
  }

  test('the first question says how to hear; once asked for, every question is a voice message with its words and buttons', async () => {
    const chat = await begin('Lò Văn Pâng')
    expect(chat.last()).toContain('nhắn NGHE')
    expect(newest(chat)?.file).toBeUndefined()

    expect(await chat.say('NGHE')).toContain('Câu 1/10')
    const first = newest(chat)
    expect(first?.file).toMatchObject({ kind: 'voice', name: 'cdht-g1-1.doc_cap_nhat.ask.mp3' })
    const sample = (await loadClips(SAMPLE, () => true)).clips.find(({ textKey }) => textKey === 'cdht-g1-1.doc_cap_nhat.ask')
    expect(first?.file?.bytes?.equals(sample?.sound ?? Buffer.alloc(0))).toBe(true)
    expect(first?.keyboard?.flat().length).toBeGreaterThanOrEqual(4)

    await chat.tap(first?.keyboard?.flat()[0]?.text ?? '')
    expect(chat.last()).toContain('Câu 2/10')
    expect(newest(chat)?.file).toMatchObject({ kind: 'voice', name: 'cdht-g1-1.ke_hoach.ask.mp3' })
    expect(chat.last()).not.toContain('nhắn NGHE')

    // Which language somebody hears says where they come from
    const [row] = await world.bot.sql<{ voice_language_enc: Buffer }[]>`
      SELECT voice_language_enc FROM contact WHERE channel_user_id = ${chat.userId}`
    expect(row?.voice_language_enc.toString('latin1')).not.toContain('vie')
    expect(row && world.bot.app.deps.sealer.open(row.voice_language_enc)).toBe('vie')
  })

  test('somebody who takes no voice messages gets the recording as a file, and answers', async () => {
    const chat = await begin('Lò Thị Hai')
    world.telegram.fault({ method: 'sendVoice', chatId: Number(chat.userId), answer: { refuse: NAMED_REFUSALS.voice_forbidden() } })
    expect(await chat.say('NGHE')).toContain('Câu 1/10')
    expect(newest(chat)?.file?.kind).toBe('document')
    expect(await chat.say('1')).toContain('Câu 2/10')
  })

  test('a flood is waited for, and an answer that never came is said once more', async () => {
    const chat = await begin('Lò Văn Ba')
    await chat.say('NGHE')
    const chatId = Number(chat.userId)
    world.telegram.fault({ method: 'sendVoice', chatId, answer: { refuse: NAMED_REFUSALS.flood(1) } })
    expect(await chat.say('1')).toContain('Câu 2/10')
    world.telegram.fault({ method: 'sendVoice', chatId, answer: { html: 502 } })
    expect(await chat.say('1')).toContain('Câu 3/10')
    expect(world.telegram.person.outbox(chatId).filter(({ caption }) => caption?.includes('Câu 3/10'))).toHaveLength(1)
  })

  test('with a second language NGÔN NGỮ lets whoever chose one choose anew', async () => {
    const chat = await begin('Lò Văn Tư')
    await chat.say('NGHE')
    const { clips } = await loadClips(SAMPLE, () => true)
    const mong = clips.map((clip) => ({
      ...clip,
      language: 'hmv',
      sound: Buffer.concat([clip.sound, Buffer.from('mong')]),
      digest: `${clip.digest.slice(4)}0000`,
    }))
    await importClips(world.bot.app.deps.database.db, { clips: mong, sample: true, actor: 'test', now: new Date() })
    // Recordings are looked for again after a while; a new process sees them at once
    const { deps } = world.bot.app
    await vi.waitFor(async () => expect(await deps.clips.languages()).toHaveLength(2), { timeout: 20_000, interval: 250 })
    await chat.say('NGÔN NGỮ')
    expect(await chat.say('1')).toContain('2. Tiếng Mông Dô')
    expect(await chat.say('2')).toContain('Câu 1/10')
    expect(newest(chat)?.file?.bytes?.toString('latin1').endsWith('mong')).toBe(true)
  })
})

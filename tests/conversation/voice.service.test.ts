import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { importClips, loadClips } from '../../src/registry/voice-clips.ts'
import { type Bot, REGISTRATION, startBot } from '../support/bot.ts'

const SAMPLE = new URL('../../flows/voice-sample', import.meta.url).pathname

describe('the voice page', () => {
  let bot: Bot
  beforeAll(async () => {
    bot = await startBot()
    await bot.sql`UPDATE account SET traits = traits || '{"perMinute":1000000}'`
    const { clips } = await loadClips(SAMPLE, () => true)
    await importClips(bot.app.deps.database.db, { clips, sample: true, actor: 'test', now: new Date() })
  })
  afterAll(() => bot.close())

  /** The page as a phone without scripts uses it. */
  async function open(link: string) {
    const response = await fetch(link)
    const html = await response.text()
    return {
      status: response.status,
      html,
      once: /name="once" value="([^"]+)"/.exec(html)?.[1] ?? '',
      presses: [...html.matchAll(/name="press" value="([^"]+)"/g)].map((match) => match[1] ?? ''),
    }
  }

  const press = (link: string, once: string, value: string) =>
    fetch(link, { method: 'POST', body: new URLSearchParams({ once, press: value }), redirect: 'manual' })

  async function begin(name: string) {
    const person = await bot.person(name)
    await person.talk(...REGISTRATION.map((text) => (text === 'Lò Văn Pâng' ? name : text)))
    return { person, link: linkOf(person) }
  }

  function linkOf(person: Awaited<ReturnType<Bot['person']>>): string {
    const button = person
      .messages()
      .findLast((message) => message.buttons?.length)
      ?.buttons?.find(({ title }) => title === '🔊 Nghe')
    return (button?.payload as { url: string } | undefined)?.url ?? ''
  }

  const answersOf = async (name: string) =>
    bot.sql<{ question: string; option: string }[]>`
      SELECT a.question, a.option FROM answer a JOIN nomination n ON n.id = a.nomination_id JOIN person p ON p.id = n.subject_id AND p.name = ${name}`

  test('a whole form by listening and pressing: each press counts once, the chat hears of it once', async () => {
    const { person, link } = await begin('Vàng Thị Nghe')
    const before = person.messages().filter(({ from }) => from === 'oa').length
    for (let n = 1; n <= 10; n++) {
      const page = await open(link)
      expect(page.html).toContain(`Câu ${n}/10`)
      expect(page.html).toContain('/nghe/tieng/')
      // Twice at once, and again after it was answered
      const [first, second] = await Promise.all([
        press(link, page.once, page.presses[0] ?? ''),
        press(link, page.once, page.presses[1] ?? ''),
      ])
      expect([first.status, second.status]).toEqual([303, 303])
      await press(link, page.once, page.presses[2] ?? '')
    }
    expect(await answersOf('Vàng Thị Nghe')).toHaveLength(10)
    const review = await open(link)
    expect(review.presses).toContain('e:3')
    await press(link, review.once, 'e:3')
    const third = await open(link)
    expect(third.html).toContain('Câu 3/10')
    await press(link, third.once, third.presses[3] ?? '')
    const again = await open(link)
    await press(link, again.once, 'o:dung')
    const done = await open(link)
    expect(done.html).toContain('ghi xong rồi')
    expect(done.html).toContain('/100 điểm')
    await person.settle()
    const said = person.messages().filter(({ from }) => from === 'oa')
    expect(said).toHaveLength(before + 1)
    expect(said.at(-1)?.text).toContain('/100 điểm')
    const [history] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM answer_history`
    expect(history?.n).toBe(1)
  })

  test('back in the chat, the open question is asked there', async () => {
    const { person, link } = await begin('Lò Văn Về')
    for (const n of [1, 2]) {
      const page = await open(link)
      expect(page.html).toContain(`Câu ${n}/10`)
      await press(link, page.once, page.presses[0] ?? '')
    }
    const back = await person.say('chào')
    expect(back).toContain('đến câu 3/10')
    expect(back).toContain('Câu 3/10.')
    // The page that still shows the second question changes nothing
    await person.say('5 buổi')
    expect(await answersOf('Lò Văn Về')).toHaveLength(3)
  })

  test('a link of somebody else, an old one and a made-up one open nothing', async () => {
    const { link } = await begin('Lò Văn Lạ')
    const other = (await begin('Lò Văn Khác')).link
    const page = await open(link)
    await press(other, page.once, page.presses[0] ?? '')
    expect(await answersOf('Lò Văn Lạ')).toHaveLength(0)
    expect((await open(`${bot.url}/nghe/${'A'.repeat(66)}`)).status).toBe(404)
    expect((await open(`${bot.url}/nghe/..%2f..%2fetc`)).status).toBe(404)
    expect((await fetch(link, { method: 'POST', body: new URLSearchParams({ nothing: '1' }) })).status).toBe(400)
  })

  test('sounds come whole or in parts, and pages run no script but their own', async () => {
    const { link } = await begin('Lò Văn Phần')
    const response = await fetch(link)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    const sound = new URL(/\/nghe\/tieng\/[0-9a-f]{64}/.exec(await response.text())?.[0] ?? '', link).href
    const whole = await fetch(sound)
    const size = (await whole.arrayBuffer()).byteLength
    expect([whole.status, whole.headers.get('content-type')]).toEqual([200, 'audio/mpeg'])
    const part = await fetch(sound, { headers: { range: 'bytes=100-199' } })
    expect([part.status, part.headers.get('content-range'), (await part.arrayBuffer()).byteLength]).toEqual([
      206,
      `bytes 100-199/${size}`,
      100,
    ])
    const end = await fetch(sound, { headers: { range: 'bytes=-50' } })
    expect([end.status, (await end.arrayBuffer()).byteLength]).toEqual([206, 50])
    expect((await fetch(sound, { headers: { range: `bytes=${size}-` } })).status).toBe(416)
  })

  test('NGHE sends the link again; with a second language it asks once, and keeps the choice sealed', async () => {
    const { person } = await begin('Lò Văn Tiếng')
    expect(await person.say('NGHE')).toContain('Câu 1/10')
    expect(linkOf(person)).toContain('/nghe/')
    const { clips } = await loadClips(SAMPLE, () => true)
    const mong = clips.slice(0, 5).map((clip) => ({ ...clip, language: 'hmv' }))
    await importClips(bot.app.deps.database.db, { clips: mong, sample: true, actor: 'test', now: new Date() })
    await bot.restart()
    expect(await person.say('NGHE')).toContain('2. Tiếng Mông Dô')
    expect(await person.say('2')).toContain('Câu 1/10')
    const [row] = await bot.sql<
      { voice_language_enc: Buffer }[]
    >`SELECT voice_language_enc FROM contact WHERE voice_language_enc IS NOT NULL`
    expect(row && bot.app.deps.sealer.open(row.voice_language_enc)).toBe('hmv')
    const [plain] = await bot.sql<{ n: number }[]>`SELECT count(*)::int AS n FROM session WHERE state::text LIKE '%hmv%'`
    expect(plain?.n).toBe(0)
    await bot.sql`DELETE FROM voice_clip WHERE language = 'hmv'`
  })

  test('after XÓA the link is dead', async () => {
    const { person, link } = await begin('Lò Văn Hết')
    await person.talk('XÓA', '1')
    expect((await open(link)).status).toBe(404)
  })
})

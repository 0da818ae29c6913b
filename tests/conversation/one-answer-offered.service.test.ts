import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createUnderstanding } from '../../src/lib/understand.ts'
import { type BothChannels, type Chat, startBothChannels } from '../support/both-channels.ts'
import type { CorpusLine } from '../understand/corpus.ts'
import { loadLexicon, readJson } from '../understand/lexicon.ts'
import { loadQuestions } from '../understand/questions.ts'

// One likely answer is not taken but offered: "Bác chọn ý này phải không ạ?"

const FIRST_QUESTION = 'cdht-g1.1 doc_cap_nhat'
const [DAILY, WEEKLY, RARELY] = ['Hầu như ngày nào cũng có', 'Mỗi tuần vài lần', 'Rất ít hoặc chưa']
const OFFER = 'chọn ý này phải không ạ?'

/** A text whose sure words, "every day", stand beside another doing. */
function nearlyDaily(): string {
  const { prepare, understand } = createUnderstanding(loadLexicon())
  const offered = loadQuestions().get(FIRST_QUESTION)
  if (!offered) throw new Error(`there is no question ${FIRST_QUESTION}`)
  const lines = readJson(new URL('../understand/traps.json', import.meta.url)) as CorpusLine[]
  const found = lines.find(({ set, question, text }) => {
    if (`${set} ${question}` !== FIRST_QUESTION) return false
    const got = understand(text, prepare(offered))
    return got.kind === 'which' && got.keys.length === 1 && got.keys[0] === 'hang_ngay'
  })
  if (!found) throw new Error('no trap is offered any more: write another doubtful text here')
  return found.text
}

const worlds = [
  { name: 'Zalo with buttons', buttons: 'accepted', open: (world: BothChannels) => world.openZalo('Người dân') },
  { name: 'Zalo without buttons', buttons: 'refused', open: (world: BothChannels) => world.openZalo('Người dân') },
  { name: 'Telegram', buttons: 'accepted', open: (world: BothChannels) => world.openTelegram() },
] as const

describe.each(worlds)('one answer offered, on $name', ({ buttons, open }) => {
  const doubtful = nearlyDaily()
  let world: BothChannels
  beforeAll(async () => {
    world = await startBothChannels({ buttons })
  })
  afterAll(() => world.stop())

  /** Somebody at the first question who has just said what is nearly an answer. */
  async function offered(): Promise<Chat> {
    const chat = open(world)
    for (const text of ['BẮT ĐẦU', '1', '1', 'Lò Văn Pâng', '1967', '1', '1', '1', '3', '1']) await chat.say(text)
    const said = await chat.say(doubtful)
    expect(said).toContain(OFFER)
    expect(said).toContain(`1. ${DAILY}`)
    expect(said).toContain('2. Ý khác')
    expect(said).not.toContain(RARELY)
    expect(await stored(chat)).toEqual([])
    return chat
  }

  const stored = async (chat: Chat) =>
    (
      await world.bot.sql<{ option: string }[]>`
        SELECT a.option FROM answer a JOIN nomination n ON n.id = a.nomination_id AND n.commune_id = a.commune_id
          JOIN contact c ON c.person_id = n.subject_id AND c.commune_id = n.commune_id
        WHERE n.title = 'CDHT' AND a.source <> 'computed' AND c.channel_user_id = ${chat.userId}`
    ).map(({ option }) => option)

  test.each(['1', 'vâng đúng rồi', DAILY])('"%s" is a yes and stores it', async (yes) => {
    const chat = await offered()
    expect(await chat.say(yes)).toContain('Câu 2/10')
    expect(await stored(chat)).toEqual(['hang_ngay'])
  })

  test('the same words once more are a yes', async () => {
    const chat = await offered()
    expect(await chat.say(doubtful)).toContain('Câu 2/10')
    expect(await stored(chat)).toEqual(['hang_ngay'])
  })

  test.each(['2', 'không', 'ý khác'])('"%s" asks the whole question again and stores nothing', async (no) => {
    const chat = await offered()
    const again = await chat.say(no)
    for (const part of ['Câu 1/10', DAILY, WEEKLY, RARELY]) expect(again).toContain(part)
    expect(again).not.toContain(OFFER)
    expect(await stored(chat)).toEqual([])
    expect(await chat.say('2')).toContain('Câu 2/10')
    expect(await stored(chat)).toEqual(['hang_tuan'])
  })

  test('another answer instead is taken as that', async () => {
    const chat = await offered()
    expect(await chat.say('mỗi tuần vài lần')).toContain('Câu 2/10')
    expect(await stored(chat)).toEqual(['hang_tuan'])
  })

  test('a process that goes in between is not noticed', async () => {
    const chat = await offered()
    await world.restart()
    expect(await chat.say('vâng')).toContain('Câu 2/10')
    expect(await stored(chat)).toEqual(['hang_ngay'])
  })

  // Without buttons there is nothing to tap
  describe.runIf(buttons === 'accepted')('by buttons', () => {
    test('a tap is the yes, and so is the way out', async () => {
      const chat = await offered()
      expect(await chat.tap('Ý khác')).toContain('Câu 1/10')
      await chat.say(doubtful)
      expect(await chat.tap(DAILY)).toContain('Câu 2/10')
      expect(await stored(chat)).toEqual(['hang_ngay'])
    })

    test('a button of the whole question above still answers it', async () => {
      const chat = await offered()
      expect(await chat.tap(RARELY)).toContain('Câu 2/10')
      expect(await stored(chat)).toEqual(['rat_it'])
    })

    test('the button of an offer long answered changes nothing without a yes', async () => {
      const chat = await offered()
      await chat.say('mỗi tuần vài lần')
      const asked = await chat.tap(DAILY)
      expect(asked).toContain(`đổi từ “${WEEKLY}” thành “${DAILY}”`)
      expect(await stored(chat)).toEqual(['hang_tuan'])
      expect(await chat.say('1')).toContain('Câu 2/10')
      expect(await stored(chat)).toEqual(['hang_ngay'])
    })
  })
})

import { beforeAll, describe, expect, test } from 'vitest'
import { vietnamTime } from '../../src/lib/vietnam-time.ts'
import { createDice, type Dice } from '../run/dice.ts'
import { type Chat, createChat, type Halt } from './chat.ts'
import { CHANGES, type Change, contentWith, FIRST, keysOf } from './six-changes.ts'

// Guarantee 9: 100 people in the middle, at random questions, some changing an answer or asked whether they meant it, and 25 who had
// finished and change an answer afterwards; twice for each kind of change, pinned and moved. All answer what is asked by what they mean.

const IN_THE_MIDDLE = 100
const FINISHED = 25
const AT_ONCE = 8
const MOST_MESSAGES = 60

/** What somebody means: question meaning → option meaning; whether an answer that is new would be theirs. */
type Script = {
  id: string
  dice: Dice
  intends: Map<string, string>
  wantsNew: boolean
  finished: boolean
  stopAfter: number
  doing: 'answering' | 'editing' | 'correcting'
}

const SEED = 20_261

type Begun = { halt: Halt; scripts: Script[]; given: Map<string, Map<string, string>> }
let begun: Begun
beforeAll(async () => {
  begun = await begin()
})

describe.each(CHANGES)('$name', (change) => {
  test.each([
    ['finish on their version', false],
    ['are moved', true],
  ])('people %s', async (_name, mustMove) => {
    const outcome = await goOn(change, mustMove)
    expect(outcome.wrong, outcome.transcript).toEqual([])
    expect(outcome.right).toBe(IN_THE_MIDDLE + FINISHED)
    expect(outcome.miscounted).toEqual([])
  })
})

/** Everybody comes as far as their script says, in the first version. */
async function begin(): Promise<Begun> {
  const chat = await createChat(contentWith())
  const scripts = Array.from({ length: IN_THE_MIDDLE + FINISHED }, (_, index) => think(index, index >= IN_THE_MIDDLE))
  const given = new Map(scripts.map((script) => [script.id, new Map<string, string>()]))
  await all(scripts, async (script) => {
    await chat.register(script.id)
    await chat.say(script.id, 'BẮT ĐẦU')
    const own = given.get(script.id) ?? new Map<string, string>()
    await answerOn(chat, script, own, script.stopAfter)
    if (!script.finished) await beginSomething(chat, script, own)
  })
  return { halt: await chat.halt(), scripts, given }
}

/** A change is published; everybody goes on to the end. */
async function goOn(change: Change, mustMove: boolean) {
  const chat = await createChat(contentWith({ ...change, mustMove }), begun.halt)
  const scripts = begun.scripts.map((script) => ({
    ...script,
    dice: createDice(SEED, `${change.name} ${script.id}`),
    intends: new Map(script.intends),
  }))
  try {
    await all(scripts, async (script) => {
      if (script.finished) await editFinished(chat, script, change)
      await answerOn(chat, script, new Map(begun.given.get(script.id)), MOST_MESSAGES)
    })
    const exported = await chat.exported()
    const wrong: string[] = []
    let transcript = ''
    for (const script of scripts) {
      const want = expectedOf(script, change, mustMove || script.finished)
      const got = exported.get(script.id) ?? {}
      const differing = [...new Set([...Object.keys(want), ...Object.keys(got)])].filter((key) => want[key] !== got[key])
      if (differing.length === 0) continue
      transcript ||= chat.transcript(script.id)
      const said = differing.map((key) => `${key} is ${got[key]}, meant ${want[key]}`).join('; ')
      wrong.push(`${script.id} (${script.doing} after ${script.stopAfter}): ${said}`)
    }
    return { wrong, right: scripts.length - wrong.length, transcript, miscounted: await chat.miscounted() }
  } finally {
    await chat.close()
  }
}

function think(index: number, finished: boolean): Script {
  const id = `p${index}`
  const dice = createDice(SEED, id)
  const meanings = [...FIRST.map(({ meaning }) => meaning), 'mnew']
  const intends = new Map(meanings.map((meaning) => [meaning, `${meaning}.${dice.pick(['a', 'b', 'c', 'd'])}`]))
  const stopAfter = finished ? MOST_MESSAGES : dice.below(FIRST.length + 1)
  const doing = stopAfter < 2 || finished ? 'answering' : dice.pick(['answering', 'answering', 'editing', 'correcting'] as const)
  return { id, dice, finished, intends, wantsNew: dice.chance() < 0.5, stopAfter, doing }
}

/** Answers what is asked, as it is shown, until so many questions are answered or the form is finished. */
async function answerOn(chat: Chat, script: Script, given: Map<string, string>, questions: number): Promise<void> {
  for (let answered = 0, said = 0; answered < questions && said < MOST_MESSAGES; said++) {
    const choices = chat.last(script.id)?.choices ?? []
    if (choices.length === 0) return
    const labels = choices.map((choice) => choice.label)
    const number = (label: string) => choices.find((choice) => choice.label === label)?.number ?? 'không có'
    if (labels.includes('Đúng rồi')) {
      if (questions < MOST_MESSAGES) return
      await chat.say(script.id, number('Đúng rồi'))
      continue
    }
    if (labels.includes('Đổi')) await chat.say(script.id, number('Đổi'))
    else if (labels.includes('Tiếp tục')) await chat.say(script.id, number('Tiếp tục'))
    else {
      const meaning = labels.find((label) => /^m\w+\.[a-e]$/.test(label))?.split('.')[0] ?? ''
      const fresh = labels.find((label) => label === `${meaning}.e`)
      if (fresh && script.wantsNew) script.intends.set(meaning, fresh)
      const wanted = script.intends.get(meaning) ?? ''
      given.set(meaning, wanted)
      await chat.say(script.id, number(wanted))
      answered += 1
    }
  }
}

/** Changes their mind about an earlier answer, and is in the middle of saying so. */
async function beginSomething(chat: Chat, script: Script, given: Map<string, string>): Promise<void> {
  const earlier = [...given.keys()]
  const meaning = earlier[script.dice.below(Math.max(1, earlier.length))]
  if (script.doing === 'answering' || meaning === undefined) return
  const other = ['a', 'b', 'c', 'd'].map((letter) => `${meaning}.${letter}`).find((option) => option !== given.get(meaning)) ?? ''
  script.intends.set(meaning, other)
  if (script.doing === 'editing') {
    await chat.say(script.id, `SỬA ${FIRST.findIndex((question) => question.meaning === meaning) + 1}`)
    return
  }
  const button = chat.buttons(script.id).find((choice) => choice.label === other)
  if (button) await chat.tap(script.id, button.payload)
}

/** "SỬA 3" on a finished form: counted as XEM shows it. */
async function editFinished(chat: Chat, script: Script, change: Change): Promise<void> {
  const kept = change.questions.filter((question) => question.meaning !== 'mnew')
  const question = script.dice.pick(kept)
  const options = question.options.map((option) => option.meaning).filter((option) => option !== script.intends.get(question.meaning))
  script.intends.set(question.meaning, script.dice.pick(options))
  await chat.say(script.id, 'XEM')
  const line = new RegExp(`(\\d+)[^\\n]*short ${question.meaning}\\b`).exec(chat.last(script.id)?.text ?? '')
  await chat.say(script.id, `SỬA ${line?.[1] ?? 'không thấy'}`)
}

/** What the export must say in the newest words. */
function expectedOf(script: Script, change: Change, moved: boolean): Record<string, string> {
  const want: Record<string, string> = {}
  for (const { key, meaning } of moved ? change.questions : FIRST) {
    const option = script.intends.get(meaning) ?? ''
    const now = keysOf(change.questions, option)
    if (now) want[now.question] = now.option
    else want[`thu.1/${key}`] = keysOf(FIRST, option)?.option ?? ''
  }
  return want
}

async function all<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const one = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

test('the year of these conversations is the one exported', () => expect(vietnamTime(new Date('2026-11-21T02:00:00Z')).year).toBe(2026))

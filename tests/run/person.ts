import { setTimeout as sleep } from 'node:timers/promises'
import type { Asked, Book } from './book.ts'
import { type Act, type ChatAccount, type ChatOptions, createChat } from './chat.ts'
import { createDice } from './dice.ts'
import type { FormPlan, Plan, Style } from './people.ts'
import type { Incoming, Phone } from './phone.ts'

/** What became of one person. */
export type Life = {
  plan: Plan
  channel: string
  userId: string
  end: 'finished' | 'declined' | 'child' | 'lost' | 'stuck'
  /** Why it ended badly. */
  trouble?: string
  account: ChatAccount
  /** Answers given in the words of the option itself that were not taken as that option. */
  notUnderstood: string[]
}

export type LifeOptions = ChatOptions & {
  book: Book
  year: number
  /** Village names by number, as people of the commune know them. */
  villages: ReadonlyMap<number, string>
  awayMs: number
  thinkMs: number
}

// The longest honest talk has about sixty turns
const MAX_TURNS = 150
const NOTHING_GIVEN = { ref: '', style: 'number' as Style, words: '', times: 0 }
const SCROLL_MS = 3_500
// A question that is put again and again although it was answered
const MAX_ASKED_AGAIN = 4

/** Lives one plan over a phone, seeing nothing but messages. Never throws for what the bot does. */
export async function livePlan(phone: Phone, plan: Plan, options: LifeOptions): Promise<Life> {
  const { book } = options
  const chat = createChat(phone, options)
  const life: Life = { plan, channel: phone.channel, userId: phone.userId, end: 'stuck', account: chat.account, notUnderstood: [] }
  const forms = [plan.citizen, ...(plan.family ? [plan.family] : [])].map((form) => ({
    form,
    done: new Set<string>(),
    changed: new Set<string>(),
  }))
  let current = forms[0]!
  const questionMessages = new Map<string, Incoming>()
  const toDo = agenda()
  let profileFixed = plan.wrongFirst === undefined
  let askedOfficer = false
  let sawVillages = false
  let confirmed = false
  let lastMeant = ''
  let wantsHelp = false
  let given = NOTHING_GIVEN
  let answering = false

  const dice = createDice(plan.index, 'thinking')
  let seen = await arrive()
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    if (!answering) given = NOTHING_GIVEN
    answering = false
    if (options.thinkMs > 0) await sleep(dice.chance() * options.thinkMs)
    if (seen.length === 0) return ended('lost')
    const message = seen.at(-1)!
    const asked = book.read(message.text, plan.citizen.set)
    if (!asked) {
      if (plan.kind === 'declines' && book.says(message.text, 'welcome.declined.say')) return ended('declined')
      if (plan.kind === 'child' && book.says(message.text, 'welcome.too_young.say')) return ended('child')
      const choice = yearChoice(message)
      if (choice) {
        seen = await chat.send([choice])
        continue
      }
      if (!confirmed) return ended('stuck', `no question in: ${message.text}`)
      const next = toDo.shift()
      if (!next) return ended('finished')
      seen = await next()
      continue
    }
    const turn = asked.kind === 'question' ? questionTurn(asked, message) : askTurn(asked, message)
    if (typeof turn === 'string') return ended('stuck', turn)
    seen = await turn()
  }
  return ended('stuck', `still talking after ${MAX_TURNS} turns`)

  function ended(end: Life['end'], trouble?: string): Life {
    return { ...life, end, ...(trouble !== undefined && { trouble }) }
  }

  async function arrive(): Promise<Incoming[]> {
    if (plan.arrival === 'follows') {
      const welcome = await chat.send([{ words: '(arrives)', do: phone.arrive }], { silenceAllowed: true })
      if (welcome.length > 0) return welcome
    }
    return chat.send([say(plan.arrival === 'greets' ? 'xin chào' : 'BẮT ĐẦU')])
  }

  /** What is left to do once the citizen's form is confirmed. */
  function agenda(): (() => Promise<Incoming[]>)[] {
    const [citizen, family] = forms
    return [
      ...plan.citizen.afterwards.map((question) => () => edit(citizen!, question)),
      ...plan.curious.map((word) => () => chat.send([say(word)])),
      ...(family ? [() => chat.send([say('GIA ĐÌNH')]), ...family.form.afterwards.map((question) => () => edit(family, question))] : []),
    ]
  }

  function edit(state: (typeof forms)[number], question: string): Promise<Incoming[]> {
    state.changed.add(question)
    const number = numberOf(state.form, question)
    return chat.send([say(plan.index % 2 === 0 ? `SỬA ${number}` : `sua ${number}`)])
  }

  function askTurn(asked: Asked, message: Incoming): (() => Promise<Incoming[]>) | string {
    const choose = (key: string) => answer(asked, message, key)
    const write = (text: string) => answerWith(asked.ref, say(text), 'number')
    switch (asked.ref) {
      case 'consent':
        if (plan.kind === 'declines') return choose('khong')
        if (plan.asksBeforeConsent && !askedOfficer) {
          askedOfficer = true
          return choose('hoi')
        }
        return choose('dong_y')
      case 'village':
        if (plan.asksVillageFirst && !sawVillages) {
          sawVillages = true
          return () => chat.send([say('tôi không nhớ rõ')])
        }
        return write(villageWords())
      case 'name':
        return write(profileFixed || plan.wrongFirst?.field !== 'name' ? plan.name : plan.wrongFirst.name)
      case 'birth_year':
        return write(String(profileFixed || plan.wrongFirst?.field !== 'birth_year' ? plan.birthYear : plan.wrongFirst.birthYear))
      case 'address':
        return choose(plan.address)
      case 'group':
        return choose(plan.group)
      case 'head':
        return choose(plan.head ? 'co' : 'khong')
      case 'adults':
        return write(String(plan.adults))
      case 'head_name':
        return write(plan.headName)
      case 'readback':
        return choose(profileFixed ? 'dung' : 'sua')
      case 'which_field':
      case 'what':
        profileFixed = true
        return choose(plan.wrongFirst?.field === 'birth_year' ? 'nam_sinh' : 'ten')
      case 'which':
        return choose('tra_loi')
      case 'side_resume':
        return choose('tiep_tuc')
      case 'side_correct':
        return choose(isMeant(asked) ? 'doi' : 'giu')
      case 'side_which':
        return choiceOfSome(message)
      case 'side_edit': {
        const question = [...current.changed].at(-1)
        return question === undefined
          ? 'asked which answer to change, though nothing was to be changed'
          : write(String(numberOf(current.form, question)))
      }
      case 'review': {
        const wrong = current.form.atReview.find((question) => !current.changed.has(question))
        if (wrong === undefined) {
          if (current === forms[0]) confirmed = true
          return choose('dung')
        }
        current.changed.add(wrong)
        return plan.index % 3 === 0 ? choose('sua') : () => chat.send([say(`SỬA ${numberOf(current.form, wrong)}`)])
      }
      default:
        return `asked for ${asked.ref}, which is no part of a self-assessment`
    }
  }

  function questionTurn(asked: Asked, message: Incoming): (() => Promise<Incoming[]>) | string {
    const { ref } = asked
    const title = asked.set?.title
    const state = forms.find(({ form }) => book.set(form.set).title === title)
    if (!state) return `asked ${ref} of ${asked.set?.id}, which this person never opened`
    current = state
    wantsHelp = false
    const { form, done, changed } = state
    if (form.answers[ref] === undefined) return `asked ${ref}, which is not in ${form.set}`
    questionMessages.set(`${form.set} ${ref}`, message)
    const quirk = done.has(ref) || changed.has(ref) ? undefined : form.quirks[ref]
    done.add(ref)
    const option = meant(state, ref)
    switch (quirk?.type) {
      case undefined:
        return answer(asked, message, option)
      case 'double': {
        const act = answerAct(asked, message, option, styleAt(ref))
        return () => chat.send([act, act], { owed: 1 })
      }
      case 'two_at_once': {
        changed.add(ref)
        const counts = asked.set?.questions.find((question) => question.key === ref)?.counts
        const first = answerAct(asked, message, quirk.first, counts ? 'words' : styleAt(ref))
        // A bare figure says two things where something is counted
        const right = counts ? asked.labels[option] : numberIn(message, asked, option)
        lastMeant = asked.labels[option] ?? ''
        return () => chat.send([first, say(`à nhầm, ${right}`)])
      }
      case 'change_earlier': {
        const old = questionMessages.get(`${form.set} ${quirk.to}`)
        const wanted = form.answers[quirk.to]!
        const button = old && quirk.by === 'old_tap' ? old.buttons.indexOf(labelOf(form, quirk.to, wanted)) : -1
        if (!old || button < 0) return () => edit(state, quirk.to)
        changed.add(quirk.to)
        return afterScrolling(() => chat.send([tap(old, button)]))
      }
      case 'same_earlier': {
        const old = questionMessages.get(`${form.set} ${quirk.to}`)
        const button = old?.buttons.indexOf(labelOf(form, quirk.to, meant(state, quirk.to))) ?? -1
        return old && button >= 0 ? afterScrolling(() => chat.send([tap(old, button)])) : answer(asked, message, option)
      }
      case 'help': {
        wantsHelp = true
        const button = message.buttons.indexOf(book.label('engine.help_option'))
        return () => chat.send([button >= 0 && styleAt(ref) === 'tap' ? tap(message, button) : say('0')])
      }
      case 'away':
        return async () => {
          await sleep(options.awayMs)
          return chat.send([say(plan.index % 2 === 0 ? 'BẮT ĐẦU' : 'bat dau')])
        }
      case 'gibberish':
        return () => chat.send([say(quirk.text)])
      case 'explain':
        return () => chat.send([say('nghĩa là gì?')])
      case 'media':
        return () => chat.send([{ words: `(${quirk.kind})`, do: () => phone.sendMedia(quirk.kind) }])
      default:
        return quirk satisfies never
    }
  }

  /** An old message is found by scrolling up; what is tapped at once after a new one came was meant for what stood there before. */
  function afterScrolling(act: () => Promise<Incoming[]>): () => Promise<Incoming[]> {
    return async () => {
      await sleep(SCROLL_MS)
      return act()
    }
  }

  function meant({ form, changed }: (typeof forms)[number], question: string): string {
    return (changed.has(question) ? undefined : form.first[question]) ?? form.answers[question]!
  }

  /** Whether the change the bot asks about is one this person wants. */
  function isMeant(asked: Asked): boolean {
    const number = Number(asked.words.n)
    const question = book.set(current.form.set).questions.filter((one) => one.asked)[number - 1]
    if (!question) return false
    return labelOf(current.form, question.key, meant(current, question.key)) === asked.words.to
  }

  function answer(asked: Asked, message: Incoming, key: string): (() => Promise<Incoming[]>) | string {
    const isAgain = given.ref === asked.ref && [asked.labels[key], withoutMarks(asked.labels[key] ?? '')].includes(given.words)
    if (isAgain) life.notUnderstood.push(`${asked.ref}: ${given.words}`)
    const style = isAgain ? 'number' : asked.kind === 'question' ? styleAt(asked.ref) : plan.style
    return answerWith(asked.ref, answerAct(asked, message, key, style), style)
  }

  function answerWith(ref: string, act: Act, style: Style): (() => Promise<Incoming[]>) | string {
    const times = given.ref === ref ? given.times + 1 : 1
    if (times > MAX_ASKED_AGAIN) return `asked ${ref} again although “${given.words}” answered it ${MAX_ASKED_AGAIN} times`
    given = { ref, style, words: act.words, times }
    answering = true
    return () => chat.send([act])
  }

  function answerAct(asked: Asked, message: Incoming, key: string, style: Style): Act {
    const label = asked.labels[key] ?? ''
    lastMeant = label
    const number = numberIn(message, asked, key)
    const button = message.buttons.findIndex((title) => title === label || (title.endsWith('…') && label.startsWith(title.slice(0, -1))))
    switch (style) {
      case 'tap':
        return button >= 0 ? tap(message, button) : say(number)
      case 'number':
        return say(number)
      case 'words':
        return say(label.includes('{') ? number : label)
      case 'bare_words':
        return say(label.includes('{') ? number : withoutMarks(label))
      case 'polite_number':
        return say(`dạ số ${number} ạ`)
      default:
        return style satisfies never
    }
  }

  /** "Which of these?": the one that was meant. */
  function choiceOfSome(message: Incoming): (() => Promise<Incoming[]>) | string {
    const label = wantsHelp ? book.label('engine.help_option') : lastMeant
    const button = message.buttons.indexOf(label)
    if (button >= 0 && plan.style === 'tap') return () => chat.send([tap(message, button)])
    const number = numberBefore(message.text, label)
    return number === undefined ? `was offered a choice without “${label}”` : () => chat.send([say(number)])
  }

  function styleAt(question: string): Style {
    return current.form.styles[question] ?? plan.style
  }

  function labelOf(form: FormPlan, question: string, option: string): string {
    return (
      book
        .set(form.set)
        .questions.find((one) => one.key === question)
        ?.options.find((one) => one.key === option)?.label ?? ''
    )
  }

  function numberOf(form: FormPlan, question: string): number {
    return (
      book
        .set(form.set)
        .questions.filter((one) => one.asked)
        .findIndex((one) => one.key === question) + 1
    )
  }

  /** From 1 to 15 January: last year's or the new one? */
  function yearChoice(message: Incoming): Act | undefined {
    const button = message.buttons.findIndex((title) => title.includes(String(options.year)))
    return button >= 0 ? tap(message, button) : undefined
  }

  function villageWords(): string {
    const name = options.villages.get(plan.village.number)
    if (name === undefined || plan.villageStyle === 'number' || given.ref === 'village') return String(plan.village.number)
    return plan.villageStyle === 'name' ? name : withoutMarks(name)
  }

  function say(text: string): Act {
    return { words: text, do: () => phone.say(text) }
  }

  function tap(message: Incoming, button: number): Act {
    return { words: `[${message.buttons[button]}]`, do: () => phone.tap(message, button) }
  }
}

/** The number a choice has in the message, else its place among the choices. */
function numberIn(message: Incoming, asked: Asked, key: string): string {
  return numberBefore(message.text, asked.labels[key] ?? '') ?? String(Object.keys(asked.labels).indexOf(key) + 1)
}

function numberBefore(text: string, label: string): string | undefined {
  const lines = text.normalize('NFC').split('\n')
  return lines.map((line) => /^\s*(\d{1,2})[.)]\s+(.*\S)\s*$/.exec(line)).findLast((found) => found?.[2] === label)?.[1]
}

/** As typed on a phone without Vietnamese letters. */
export function withoutMarks(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replaceAll('đ', 'd').replaceAll('Đ', 'D').toLowerCase()
}

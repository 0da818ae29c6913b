import { zaloAbilities } from '../channels/zalo/abilities.ts'
import type { Content } from '../content/load.ts'
import { commonParams, type Language } from '../content/texts.ts'
import { ACTION_NAMES } from '../conversation/actions.ts'
import { compose } from '../conversation/compose.ts'
import { createFlows } from '../conversation/flows.ts'
import { createIntents } from '../conversation/intents.ts'
import { createOffers } from '../conversation/offer.ts'
import { type Reading, readText } from '../conversation/read-text.ts'
import { readValue, type ValueWorld } from '../conversation/read-value.ts'
import { resultTexts } from '../conversation/result.ts'
import type { Said } from '../conversation/said.ts'
import { hasWord } from '../conversation/words.ts'
import type { Effect } from '../engine/effect.ts'
import type { Var } from '../engine/flow.ts'
import type { Input } from '../engine/input.ts'
import { openPrompt } from '../engine/prompt.ts'
import { score } from '../engine/score.ts'
import { newSession, type Session } from '../engine/session.ts'
import { step } from '../engine/step.ts'
import { fold } from '../lib/fold.ts'
import { createUnderstanding, parseLexicon, type Word } from '../lib/understand.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import type { TextRef } from '../model/text.ts'
import { defaultSettings } from '../registry/settings.ts'
import type { Unit } from '../registry/units.ts'

export type TalkOptions = {
  content: Content
  flow: string
  language: Language
  /** Group of the person who talks (facts 4.1). */
  group: 1 | 2 | 3
  now: Date
}

/** A conversation held without a database: the bot's own engine, understanding and words; what a flow has done is only remembered. */
export type Talk = {
  /** What the bot says first. */
  begin(): string
  /** What it answers; empty when it has nothing to say. */
  say(text: string): string
  isOver(): boolean
}

const COMMUNE = 'Bình Lư'
const VILLAGES = ['Nà Đa', 'Nà Khan', 'Hua Bó', 'Nà Sài', 'Thẩm Phé']
const GROUPS = { 1: 'nguoi_dan', 2: 'lao_dong', 3: 'can_bo' } as const
// The family of whoever talks
const ADULTS = 4
const TALKER = {
  name: 'Lò Văn Pâng',
  birth_year: 1967,
  village: 1,
  village_label: 'bản Nà Đa',
  address: 'bac',
  head: 'co',
  adults: ADULTS,
  head_name: '',
}

export function createTalk({ content, flow, language: firstLanguage, group, now }: TalkOptions): Talk {
  const understand = createUnderstanding(parseLexicon(content.lexicon))
  const flows = createFlows(content)
  const offers = createOffers({ content, understand })
  const intent = createIntents(understand)
  const world: ValueWorld = { now, commune: sampleCommune(understand), deps: { understand } }
  let language = firstLanguage
  let said: Said[] = []
  // What the person said last
  let before = ''
  // Whoever is on top talks; those beneath wait. Kept as text, as a database would keep it
  let stack: string[] = []

  const top = (): Session | undefined => (stack.length > 0 ? (JSON.parse(stack.at(-1) ?? '') as Session) : undefined)
  const loadedOf = (session: Session) => flows.find(session.flow, session.version) ?? flows.latest(session.flow)
  const note = (key: string, params?: Record<string, string | number>) =>
    said.push({ type: 'note', text: params ? { key, params } : { key } })

  function start(id: string, vars: Record<string, Var> = {}): void {
    const { flow: file } = flows.latest(id)
    stack.push(JSON.stringify(newSession(file.id, file.version, file.start, vars)))
    feed({ type: 'start' })
  }

  function feed(input: Input): void {
    for (let next: Input | undefined = input; next; ) {
      const before = top()
      if (!before) return
      const { session, effects } = step(loadedOf(before), before, next)
      stack[stack.length - 1] = JSON.stringify(session)
      next = undefined
      for (const effect of effects) next = apply(session, effect) ?? next
    }
  }

  function apply(session: Session, effect: Effect): Input | undefined {
    switch (effect.type) {
      case 'note':
        said.push({ type: 'note', text: effect.text })
        return undefined
      case 'prompt':
        said.push({ type: 'prompt', prompt: effect.prompt, sessionId: stack.length })
        return undefined
      case 'answer':
        return undefined
      case 'do': {
        const vars = act(session, effect.action, effect.args)
        return effect.wait ? { type: 'done', vars } : undefined
      }
      case 'end':
        return end(session, effect)
      case 'fault':
        said.push({ type: 'plain', text: `[${session.flow}.${session.version}, node ${effect.node}: ${effect.reason}]` })
        return undefined
      default:
        return effect satisfies never
    }
  }

  /** What an action answers in the terminal. Nothing is stored. */
  function act(session: Session, action: string, args: Record<string, Var>): Record<string, Var> {
    const { year } = vietnamTime(now)
    switch (action) {
      case 'check_person':
        return { _child: year - Number(session.vars.birth_year) < defaultSettings().get('age.minimum') }
      case 'load_profile':
        return { ...TALKER, group: GROUPS[group] }
      case 'open_nomination': {
        const value = args.title === 'GDHT' ? 'GDHT' : GROUPS[group]
        const form = loadedOf(session).flow.nodes.find((node) => node.kind === 'form')
        const questions = content.sets.get(form?.set.of[value] ?? '')?.questions.filter((question) => question.source === 'asked') ?? []
        return { _family: 'ok', group: GROUPS[group], title: String(args.title), year, questions: questions.length }
      }
      case 'confirm_nomination': {
        const set = content.sets.get(session.form?.set ?? '')
        if (!set) return {}
        const figures = set.title === 'GDHT' ? { citizens: 1, adults: ADULTS } : undefined
        const result = score(set, session.form?.answers ?? {}, figures)
        const texts = resultTexts({ title: set.title, set, result, ...(figures ? { figures } : {}) }, { isHead: true })
        for (const text of texts) said.push({ type: 'note', text })
        return { result: result.passed ? 'dat' : 'chua_dat' }
      }
      case 'choose_year':
        return { year: year - Number(args.back) }
      case 'store_language':
        language = session.vars.language === 'en' ? 'en' : 'vi'
        return {}
      default:
        if (!ACTION_NAMES.has(action)) said.push({ type: 'plain', text: `[there is no action ${action}]` })
        return {}
    }
  }

  function end(session: Session, effect: Extract<Effect, { type: 'end' }>): Input | undefined {
    stack.pop()
    if (effect.nextFlow) {
      const { flow: file } = flows.latest(effect.nextFlow)
      const { year } = session.vars
      stack.push(JSON.stringify(newSession(file.id, file.version, file.start, year === undefined ? {} : { year })))
      return { type: 'start' }
    }
    if (effect.outcome === 'erased') stack = []
    if (stack.length === 0) return undefined
    if (effect.outcome === 'word') {
      runWord(session.vars._word as Word, undefined)
      return undefined
    }
    const meant = session.vars._key
    return effect.outcome === 'answer' && meant !== undefined ? { type: 'option', key: String(meant) } : { type: 'again' }
  }

  /** Words that need no rows work here as in the chat; of the others it is said that they were heard. */
  function runWord(word: Word, arg: string | undefined): void {
    switch (word) {
      case 'start':
        return feed({ type: 'resume' })
      case 'person':
        return feed({ type: 'person' })
      case 'edit':
        return feed({ type: 'edit', ...(arg === undefined ? {} : { number: Number.parseInt(arg, 10) }) })
      case 'menu':
        note('menu.registered')
        return remind()
      case 'language':
      case 'erase':
        return start(word)
      default:
        said.push({ type: 'plain', text: `[${word}: heard, but it needs the running bot]` })
        return remind()
    }
  }

  function remind(): void {
    const session = top()
    const prompt = session && openPrompt(loadedOf(session), session)
    if (!prompt) return
    if (prompt.progress) note('remind.question', prompt.progress)
    else note('remind.open')
  }

  function hear(text: string): void {
    const session = top()
    if (!session) return
    const loaded = loadedOf(session)
    const prompt = openPrompt(loaded, session)
    if (!prompt) return
    const place = { loaded, state: session }
    const reader = {
      understand,
      offers,
      intent,
      language,
      users: ['anyone', 'invited'] as const,
      hasWord,
      title: (word: Word) => content.texts.vi.raw(`word.${word}`) ?? '',
      readValue: (asked: typeof prompt, words: string) => readValue(world, place, asked, words),
      afterPause: false,
    }
    const isSaidAgain = fold(text) === fold(before)
    before = text
    const reading = readText(reader, place, prompt, text)
    if (reading.type === 'doubtful_name' && isSaidAgain) return feed({ type: 'value', value: reading.name })
    obey(reading, prompt.options)
  }

  function obey(reading: Reading, options: readonly { key: string; text: { key: string } }[]): void {
    switch (reading.type) {
      case 'input':
        return feed(reading.input)
      case 'word':
        return runWord(reading.word, reading.arg)
      case 'edit':
        return reading.input ? feed(reading.input) : start('profile')
      case 'which_village':
        note('engine.which_village', { list: reading.list })
        return
      case 'which_word': {
        const option = options.find((item) => item.key === reading.key)
        const voice = voiceNow()
        return start('word-or-answer', {
          meaning: voice({ key: `word.${reading.word}` }),
          answer: voice(option ? option.text : { key: 'word.answer_question' }),
          _word: reading.word,
          ...(option ? { _key: option.key } : {}),
        })
      }
      case 'doubtful_name':
        return feed({ type: 'not_understood', reason: 'name_doubtful' })
      default:
        return reading satisfies never
    }
  }

  function voiceNow() {
    const texts = content.texts[language]
    const address = top()?.vars.address ?? TALKER.address
    const words = { goi: texts.format({ key: `address.${address}` }, {}), xung: texts.format({ key: `address.${address}.self` }, {}) }
    const common = { ...commonParams(words), commune: COMMUNE, min_age: defaultSettings().get('age.minimum') }
    return (ref: TextRef) => {
      try {
        return texts.format(ref, common)
      } catch {
        // What an action would have looked up is not known here: the text stands as it is written
        return texts.raw(ref.key) ?? ref.key
      }
    }
  }

  function screen(): string {
    const message = compose(said, voiceNow(), zaloAbilities)
    said = []
    return message?.text ?? ''
  }

  return {
    begin() {
      start(flow)
      return screen()
    },
    say(text) {
      hear(text)
      return screen()
    },
    isOver: () => stack.length === 0,
  }
}

function sampleCommune(understand: ReturnType<typeof createUnderstanding>): NonNullable<ValueWorld['commune']> {
  const villages = VILLAGES.map((name, index): Unit => {
    const id = index + 1
    return {
      id,
      communeId: 0,
      parentId: 0,
      code: `v${id}`,
      level: 'thon_ban',
      label: 'bản',
      name,
      position: id,
      joinCode: null,
      predecessorCodes: [],
      validFrom: null,
      validTo: null,
      sample: true,
    }
  })
  const options = villages.map(({ id, label, name }) => ({ key: String(id), text: name, phrases: [`${label} ${name}`] }))
  return { villages, preparedVillages: understand.prepare({ kind: 'village', options }) }
}

import { and, desc, eq, inArray, isNotNull } from 'drizzle-orm'
import { inboundEvent } from '../db/schema.ts'
import type { Prompt } from '../engine/effect.ts'
import type { Input } from '../engine/input.ts'
import { OTHER_ANSWER } from '../engine/prompt.ts'
import { fold } from '../lib/fold.ts'
import type { Understanding } from '../lib/understand.ts'
import type { InboundContent, Report } from '../model/inbound.ts'
import { openTicket } from '../outreach/tickets.ts'
import { parseInvitationCode } from '../registry/codes.ts'
import { findUnitByJoinCode, unitTitle } from '../registry/units.ts'
import { findToHelp } from './assist.ts'
import { tookAssistChoice } from './assist-choice.ts'
import { setCameBy } from './contacts.ts'
import { nominationSession } from './edit-finished.ts'
import { erase } from './erase.ts'
import { readListed, readListedTap } from './listed.ts'
import { findSuccessor, readEarlier } from './move-session.ts'
import { openFor } from './presented.ts'
import { promptAt, type Reader, type Reading, readEdit, readText } from './read-text.ts'
import { readValue, type ValueRead } from './read-value.ts'
import { feed, startFlow } from './run-session.ts'
import type { Seen } from './seen.ts'
import { findEnded, setStatus } from './sessions.ts'
import { runStanding, tookStanding } from './standing.ts'
import { parseTap, STANDING, type Tap } from './tap.ts'
import { activeSession, type LiveSession, say, type Turn, voiceOf, wordUsers } from './turn.ts'
import { hasWord, runWord } from './words.ts'

/** When something arrived, as far as the chat is concerned. */
export type Moment = {
  /** The prompt the person had before their eyes. */
  seen: Pick<Seen, 'sessionId' | 'ref'> | undefined
  /** The message with taps of no session that stood last before their eyes, if nothing was asked after it. */
  standing?: number
  /** Sent before our newest message could be read. */
  crossed: boolean
  /** In the same breath as what we said last: a second tap, a second press of send. */
  inOneBreath: boolean
  /** Long after their last word. */
  afterPause: boolean
}

/** Finds out what an event means in this conversation and has it done. Decides nothing about forms: that is the engine's. */
export async function routeInput(turn: Turn, content: Exclude<InboundContent, Report>, moment: Moment): Promise<void> {
  // What stood open is not known any more, so nothing can be read as its answer
  if (activeSession(turn)?.isLost && content.kind !== 'withdraw') return feed(turn, { type: 'again' })
  switch (content.kind) {
    case 'text':
      return routeText(turn, content.text, moment)
    case 'tap':
      return routeTap(turn, content.payload, moment)
    case 'media':
      return routeMedia(turn, content, moment)
    case 'start':
      return routeStart(turn, content.code, moment)
    case 'follow':
      return routeStart(turn, undefined, moment)
    case 'withdraw':
      return startErasure(turn)
    case 'press':
    case 'unfollow':
    case 'staff_echo':
      return
    default:
      content satisfies never
  }
}

async function routeText(turn: Turn, text: string, moment: Moment): Promise<void> {
  const live = activeSession(turn)
  const prompt = live && (await openFor(turn, live))
  if (moment.standing !== undefined && (await tookStanding(turn, moment.standing, text))) return
  if (await tookJoinCode(turn, text, live, prompt)) return
  if (!live || !prompt) return withoutSession(turn, turn.deps.understand.word(text, wordUsers(turn)), moment)
  if (moment.seen === undefined || moment.seen.sessionId !== live.id || moment.seen.ref !== prompt.ref) {
    return crossed(turn, live, text, moment)
  }
  const listed = prompt.input === 'listed' ? await readListed(turn, live, prompt.ref, text) : undefined
  const reading = readText(readerOf(turn, live, moment, listed), live, prompt, text)
  const isUnclear = reading.type === 'input' && (reading.input.type === 'not_understood' || reading.input.type === 'which')
  const offered = prompt.options.at(-1)?.key === OTHER_ANSWER ? prompt.options[0]?.key : undefined
  if (isUnclear && offered !== undefined && (await isSaidAgain(turn, text))) return feed(turn, { type: 'option', key: offered })
  const isMissed = reading.type === 'input' && (reading.input.type === 'not_understood' || reading.input.type === 'explain')
  if (isMissed && (await leftDoubt(turn, live))) return routeText(turn, text, { ...moment, seen: await seenIn(turn) })
  if (reading.type === 'input' && reading.input.type === 'not_understood' && prompt.input === 'village') sayVillages(turn)
  if (reading.type === 'input' && reading.input.type === 'option' && (await tookAssistChoice(turn, live, prompt, reading.input.key))) return
  return actOn(turn, prompt, reading, text)
}

/** Whether these are the words the person wrote last: to "is it this?" that is a yes. */
async function isSaidAgain({ tx, deps, contact }: Turn, text: string): Promise<boolean> {
  const [before] = await tx
    .select({ bodyEnc: inboundEvent.bodyEnc })
    .from(inboundEvent)
    .where(
      and(eq(inboundEvent.contactId, contact.id), isNotNull(inboundEvent.handledAt), inArray(inboundEvent.kind, ['text', 'tap', 'media'])),
    )
    .orderBy(desc(inboundEvent.id))
    .limit(1)
  if (!before?.bodyEnc) return false
  const content = deps.sealer.openJson<InboundContent>(before.bodyEnc)
  return content.kind === 'text' && fold(content.text) === fold(text)
}

/** Whoever says something else than which of two things they meant has gone on: it is read where they were before. */
async function leftDoubt(turn: Turn, live: LiveSession): Promise<boolean> {
  const beneath = turn.sessions.filter((item) => item.status === 'paused').sort((a, b) => b.id - a.id)[0]
  if (live.loaded.flow.id !== 'word-or-answer' || !beneath) return false
  await setStatus(turn, live, 'ended')
  await setStatus(turn, beneath, 'active')
  return true
}

/** What is open now, as if it stood on the screen. */
async function seenIn(turn: Turn): Promise<Moment['seen']> {
  const live = activeSession(turn)
  const prompt = live && (await openFor(turn, live))
  return live && prompt && { sessionId: live.id, ref: prompt.ref }
}

function readerOf(turn: Turn, live: LiveSession, moment: Moment, listed?: ValueRead): Reader {
  const { understand, offers, intent } = turn.deps
  return {
    understand,
    offers,
    intent,
    language: turn.contact.language,
    users: wordUsers(turn),
    hasWord,
    title: (word) => turn.deps.content.texts.vi.raw(`word.${word}`) ?? '',
    readValue: (prompt, text) => listed ?? readValue(turn, live, prompt, text),
    afterPause: moment.afterPause,
  }
}

/** Does what a text turned out to mean. */
async function actOn(turn: Turn, prompt: Prompt, reading: Reading, text: string): Promise<void> {
  switch (reading.type) {
    case 'input':
      return feed(turn, reading.input)
    case 'word':
      return runWord(turn, reading.word, reading.arg)
    case 'which_word':
      return askWhichWord(turn, prompt, reading)
    case 'edit':
      return editAnswer(turn, reading)
    case 'which_village':
      return say(turn, 'engine.which_village', { list: reading.list })
    case 'doubtful_name':
      // Names are of every kind: who says it again knows their own
      if (await isSaidAgain(turn, text)) return feed(turn, { type: 'value', value: reading.name })
      return feed(turn, { type: 'not_understood', reason: 'name_doubtful' })
    default:
      reading satisfies never
  }
}

/**
 * A text that was sent before the open question was: never its answer. It is held against the question the person had before their
 * eyes; what means nothing there needs no reply, the open question has just reached them.
 */
async function crossed(turn: Turn, live: LiveSession, text: string, moment: Moment): Promise<void> {
  const { deps } = turn
  const moved = moment.seen && moment.seen.sessionId !== live.id ? await findSuccessor(turn, moment.seen.sessionId) : undefined
  const place = moment.seen?.sessionId === live.id ? live : moved?.live === live ? moved.place : undefined
  const earlier = place && moment.seen ? promptAt(place, moment.seen.ref) : undefined
  const understood =
    earlier && earlier.options.length > 0
      ? deps.understand.understand(text, deps.offers.prepare(place?.loaded ?? live.loaded, earlier, turn.contact.language), wordUsers(turn))
      : deps.understand.word(text, wordUsers(turn))
  if (understood.kind === 'word' && hasWord(understood.word)) return runWord(turn, understood.word, understood.arg)
  if (understood.kind === 'person') return feed(turn, { type: 'person' })
  if (understood.kind === 'edit') return editAnswer(turn, readEdit(readerOf(turn, live, moment), live, understood))
  if (!earlier) return
  if (moved && understood.kind === 'option' && understood.key !== '0') {
    const said = readEarlier(turn, moved, { ref: earlier.ref, key: understood.key })
    return said ? feed(turn, { type: 'earlier', ...said, repeat: true }) : undefined
  }
  if (understood.kind === 'option' && understood.key !== '0')
    return feed(turn, { type: 'earlier', ref: earlier.ref, key: understood.key, repeat: true })
  if (earlier.options.length === 0) {
    const value = readValue(turn, live, earlier, text)
    if (value.kind === 'value') {
      return feed(turn, {
        type: 'earlier',
        ref: earlier.ref,
        key: value.value,
        ...(value.label === undefined ? {} : { label: value.label }),
        repeat: true,
      })
    }
  }
}

async function routeTap(turn: Turn, payload: string, moment: Moment): Promise<void> {
  const tap = parseTap(payload)
  if (!tap) return routeText(turn, payload, moment)
  if (tap.sessionId === STANDING) return runStanding(turn, tap)
  const live = turn.sessions.find((session) => session.id === tap.sessionId)
  if (!live) return tapOnEnded(turn, tap, moment)
  if (live.status === 'paused') await bringUp(turn, live)
  const prompt = await openFor(turn, live)
  if (prompt && prompt.ref === tap.ref && (await tookAssistChoice(turn, live, prompt, tap.key))) return
  if (prompt?.ref === tap.ref && prompt.input === 'listed') {
    const chosen = await readListedTap(turn, live, tap.ref, tap.key)
    return feed(turn, chosen.kind === 'value' ? asValueInput(chosen) : { type: 'again' })
  }
  if (prompt?.ref === tap.ref) return feed(turn, tap.key === '0' ? { type: 'person' } : { type: 'option', key: tap.key })
  if (tap.key === '0') return moment.inOneBreath ? undefined : feed(turn, { type: 'again' })
  return feed(turn, { type: 'earlier', ref: tap.ref, key: tap.key, repeat: moment.inOneBreath })
}

const asValueInput = ({ value, label }: Extract<ValueRead, { kind: 'value' }>): Input => ({
  type: 'value',
  value,
  ...(label === undefined ? {} : { label }),
})

/** Whoever taps on something beneath a side matter (erase? language?) has left that matter; a form begun for somebody waits. */
async function bringUp(turn: Turn, live: LiveSession): Promise<void> {
  const above = activeSession(turn)
  if (above) await setStatus(turn, above, above.state.form && !above.state.form.confirmed ? 'paused' : 'ended')
  await setStatus(turn, live, 'active')
}

/** A button of a conversation that is over. An answer of a finished form may still be changed by it. */
async function tapOnEnded(turn: Turn, tap: Tap, moment: Moment): Promise<void> {
  if (moment.inOneBreath) return
  const moved = await findSuccessor(turn, tap.sessionId)
  if (moved) {
    if (moved.live.status === 'paused') await bringUp(turn, moved.live)
    const said = readEarlier(turn, moved, tap)
    return feed(turn, said ? { type: 'earlier', ...said, repeat: false } : { type: 'again' })
  }
  const next = await listedForNext(turn, tap)
  if (next !== undefined) return startFlow(turn, 'assist', { _assist: 'nguoi_nay', who: next })
  const reopened = await nominationSession(turn, tap)
  if (reopened) return feed(turn, reopened)
  const live = activeSession(turn)
  say(turn, 'tap.over')
  if (live) return feed(turn, { type: 'again' })
}

/** A leader may come back to the list of before and tap the next person there. */
async function listedForNext(turn: Turn, tap: Tap): Promise<number | undefined> {
  const id = /^p(\d+)$/.exec(tap.key)?.[1]
  if (id === undefined || (await findEnded(turn, tap.sessionId))?.flow !== 'assist') return undefined
  return (await findToHelp(turn, Number(id)))?.id
}

async function routeMedia(turn: Turn, { media, fetched }: Extract<InboundContent, { kind: 'media' }>, moment: Moment): Promise<void> {
  const live = activeSession(turn)
  const node = live?.loaded.nodes.get(live.state.node)
  if (fetched && node?.kind === 'ask' && node.input.type === 'text' && node.input.media) {
    if (fetched.kind !== 'refused') return feed(turn, { type: 'value', value: JSON.stringify(fetched), label: fetched.name })
    say(turn, 'broadcast.file_problem', { problem: fetched.problem })
    return feed(turn, { type: 'again' })
  }
  if (live) return moment.afterPause ? feed(turn, { type: 'resume' }) : feed(turn, { type: 'not_understood', media })
  if (!turn.person) return welcome(turn)
  say(turn, `media.${media}`)
}

async function routeStart(turn: Turn, code: string | undefined, moment: Moment): Promise<void> {
  if (code !== undefined && (await tookJoinCode(turn, code, activeSession(turn), undefined))) return
  // A link may carry what MÃ is followed by
  if (code !== undefined && parseInvitationCode(code) !== undefined) return runWord(turn, 'code', code)
  if (activeSession(turn)) return moment.inOneBreath ? undefined : feed(turn, { type: 'resume' })
  if (!turn.person) return welcome(turn)
  return runWord(turn, 'start', undefined)
}

/** Nothing is open: a word, or a first or stray text. */
async function withoutSession(turn: Turn, understood: Understanding, moment: Moment): Promise<void> {
  if (understood.kind === 'word' && hasWord(understood.word)) return runWord(turn, understood.word, understood.arg)
  if (understood.kind === 'person') return runWord(turn, 'person', undefined)
  if (understood.kind === 'edit' && turn.person) return runWord(turn, 'edit', String(understood.number))
  // Nothing is open that it could answer instead
  const intent = understood.kind === 'none' || understood.kind === 'which_word' ? turn.deps.intent(turn.heard) : undefined
  if (intent?.sure) return runWord(turn, intent.word, undefined)
  const asked = understood.kind === 'which_word' ? understood.word : intent?.word
  if (asked && hasWord(asked) && turn.person) return say(turn, 'word.sure', { word: { key: `word.${asked}` } })
  // Said to a question that was answered meanwhile, e.g. "1" twice at the end: our words have just reached them
  if (moment.crossed && moment.seen !== undefined) return
  if (turn.person) return say(turn, understood.kind === 'greeting' ? 'default.hello_registered' : 'default.registered')
  if (turn.roles.length > 0) return say(turn, understood.kind === 'greeting' ? 'default.hello_role' : 'default.role')
  if (turn.hasDeclined) return say(turn, 'default.declined')
  return welcome(turn)
}

/** The first flow of everybody; with the village when they came by its code. */
export async function welcome(turn: Turn): Promise<void> {
  const village = turn.commune?.villages.find((item) => item.id === turn.contact.cameByUnitId)
  return startFlow(turn, 'welcome', village ? { village: village.id, village_label: unitTitle(village) } : {})
}

/** All villages by number, for somebody whose word for theirs was not found. */
function sayVillages(turn: Turn): void {
  turn.said.push({
    type: 'plain',
    text: (turn.commune?.villages ?? []).map((village, index) => `${index + 1}. ${village.name}`).join('\n'),
  })
}

/** A village's code, from its QR or typed: remembered, and the answer where the village is being asked. */
async function tookJoinCode(turn: Turn, text: string, live: LiveSession | undefined, prompt: Prompt | undefined): Promise<boolean> {
  if (text.length > 24) return false
  const unit = await findUnitByJoinCode(turn.tx, text)
  if (!unit || unit.communeId !== turn.contact.communeId) return false
  await setCameBy(turn, unit.id)
  if (live && prompt?.input === 'village' && !live.state.pending) {
    await feed(turn, { type: 'value', value: unit.id, label: unitTitle(unit) })
    return true
  }
  if (live) {
    if (live.state.vars.village === undefined && live.loaded.flow.id === 'welcome') {
      live.state = { ...live.state, vars: { ...live.state.vars, village: unit.id, village_label: unitTitle(unit) } }
    }
    await feed(turn, { type: 'again' })
    return true
  }
  if (turn.person) await runWord(turn, 'start', undefined)
  else await welcome(turn)
  return true
}

function editAnswer(turn: Turn, { number, input }: Extract<Reading, { type: 'edit' }>): Promise<void> {
  return input ? feed(turn, input) : runWord(turn, 'edit', String(number))
}

/** "dung" may be đúng, dùng or dừng: nobody is unsubscribed by a yes. */
async function askWhichWord(turn: Turn, prompt: Prompt, understood: Extract<Reading, { type: 'which_word' }>): Promise<void> {
  const voice = voiceOf(turn)
  const option = prompt.options.find((item) => item.key === understood.key)
  return startFlow(turn, 'word-or-answer', {
    meaning: voice({ key: `word.${understood.word}` }),
    answer: option ? voice(option.text) : voice({ key: 'word.answer_question' }),
    _word: understood.word,
    ...(option ? { _key: option.key } : {}),
  })
}

async function startErasure(turn: Turn): Promise<void> {
  // The person withdrew at the platform itself: that is the confirmation
  await openTicket(turn, { kind: 'erasure', question: null })
  await erase(turn)
}

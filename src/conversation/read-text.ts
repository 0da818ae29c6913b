import type { Language } from '../content/texts.ts'
import type { Prompt } from '../engine/effect.ts'
import type { LoadedFlow } from '../engine/flow.ts'
import type { Input } from '../engine/input.ts'
import { mainPrompt } from '../engine/prompt.ts'
import type { Session } from '../engine/session.ts'
import { fold } from '../lib/fold.ts'
import type { Understand, Understanding, Word, WordUser } from '../lib/understand.ts'
import type { FindIntent } from './intents.ts'
import type { Offers } from './offer.ts'
import type { ValueRead } from './read-value.ts'

/** Where somebody is: the flow, and the place in it. */
export type Place = { loaded: LoadedFlow; state: Session }

/** What reading a text needs to know of the reader's world and of who wrote it. */
export type Reader = {
  understand: Understand
  offers: Offers
  /** The word a sentence of somebody's own asks for. */
  intent: FindIntent
  language: Language
  users: readonly WordUser[]
  hasWord(word: Word): boolean
  /** As the help prints it: "XEM". */
  title(word: Word): string
  readValue(prompt: Prompt, text: string): ValueRead
  /** Long after their last word. */
  afterPause: boolean
}

/** What a text turned out to be. An input is the engine's; the rest is for the conversation to do. */
export type Reading =
  | { type: 'input'; input: Input }
  | { type: 'word'; word: Word; arg: string | undefined }
  /** May be this word, or the answer `key`, or another one: to be asked. */
  | { type: 'which_word'; word: Word; key: string | undefined }
  /** Another answer to question `number`; `input` where a form is open. */
  | { type: 'edit'; number: number; input: Input | undefined }
  | { type: 'which_village'; list: string }
  /** A name, if it is said again. */
  | { type: 'doubtful_name'; name: string }

/** A text of more than this is a story, not an answer that failed. */
const STORY_CHARS = 200

/** Finds out what a text means to the open prompt. Nothing is done or changed. */
export function readText(reader: Reader, place: Place, prompt: Prompt, text: string): Reading {
  if (prompt.options.length === 0) return readFree(reader, place, prompt, text)
  const { understand, offers, language } = reader
  const understood = understand.understand(text, offers.prepare(place.loaded, prompt, language), reader.users)
  if (understood.kind === 'none' && place.state.pending) {
    // Not an answer to the side question: maybe to the one beneath it
    const beneath = mainPrompt(place.loaded, place.state)
    const again =
      beneath && beneath.options.length > 0 ? understand.understand(text, offers.prepare(place.loaded, beneath, language)) : undefined
    if (again?.kind === 'option' && again.key === '0') return asInput({ type: 'person' })
    if (beneath && again?.kind === 'option') return asInput({ type: 'earlier', ref: beneath.ref, key: again.key, repeat: false })
  }
  return readUnderstood(reader, place, understood, text)
}

const asInput = (input: Input): Reading => ({ type: 'input', input })

function readUnderstood(reader: Reader, place: Place, understood: Understanding, text: string): Reading {
  switch (understood.kind) {
    case 'option':
      return asInput(understood.key === '0' ? { type: 'person' } : { type: 'option', key: understood.key })
    case 'which':
      return asInput({ type: 'which', keys: understood.keys })
    case 'question':
      return asInput({ type: 'explain' })
    case 'person':
      return asInput({ type: 'person' })
    case 'word':
      return reader.hasWord(understood.word) ? { type: 'word', word: understood.word, arg: understood.arg } : missed(reader, text)
    case 'which_word':
      // In capitals and with its marks, as the help prints it, nothing else is meant
      if (reader.hasWord(understood.word) && text.normalize('NFC').trim() === reader.title(understood.word))
        return { type: 'word', word: understood.word, arg: undefined }
      return reader.hasWord(understood.word)
        ? { type: 'which_word', word: understood.word, key: understood.key }
        : asInput({ type: 'not_understood' })
    case 'edit':
      return readEdit(reader, place, understood)
    // Somebody who greets has not failed to answer
    case 'greeting':
      return asInput(reader.afterPause ? { type: 'resume' } : { type: 'again' })
    case 'none':
      if (!place.state.form && isLeaving(place, text)) return asInput({ type: 'leave' })
      return readIntent(reader, place, text) ?? missed(reader, text)
    default:
      return understood satisfies never
  }
}

/**
 * A sentence that asks for what a word does. Among the questions of a form it is asked back; where somebody is only being registered, what is
 * surely meant is done.
 */
function readIntent(reader: Reader, { loaded, state }: Place, text: string): Reading | undefined {
  const intent = reader.intent(text)
  if (!intent || !reader.hasWord(intent.word)) return undefined
  // Who helps already says once more that they help
  if (intent.word === 'assist' && loaded.flow.id === 'assist' && !state.form) return asInput({ type: 'explain' })
  return intent.sure && !state.form
    ? { type: 'word', word: intent.word, arg: undefined }
    : { type: 'which_word', word: intent.word, key: undefined }
}

function missed(reader: Reader, text: string): Reading {
  if (reader.afterPause) return asInput({ type: 'resume' })
  return asInput({ type: 'not_understood', ...(text.length > STORY_CHARS ? { reason: 'too_long' } : {}) })
}

/** Names, years, villages and counts: words that work everywhere come first, then the value. */
function readFree(reader: Reader, place: Place, prompt: Prompt, text: string): Reading {
  if (prompt.input !== 'listed' && isLeaving(place, text)) return asInput({ type: 'leave' })
  const value = reader.readValue(prompt, text)
  const word = reader.understand.word(text, reader.users)
  if (word.kind === 'greeting' && prompt.input !== 'text') return asInput(reader.afterPause ? { type: 'resume' } : { type: 'again' })
  // Words to be passed on are taken as they stand, save a word that is the whole message
  if (prompt.input === 'text' && value.kind === 'value' && word.kind !== 'word') return asInput({ type: 'value', value: value.value })
  const mayBeName = prompt.input === 'name' && (value.kind === 'value' || value.kind === 'doubtful')
  if (word.kind === 'word' && reader.hasWord(word.word) && !(mayBeName && isNameToo(word, reader.title(word.word), text)))
    return { type: 'word', word: word.word, arg: word.arg }
  if (!mayBeName) {
    if (word.kind === 'question') return asInput({ type: 'explain' })
    if (word.kind === 'person') return asInput({ type: 'person' })
  }
  const wanted = prompt.input !== 'listed' && (value.kind === 'none' || mayBeName) ? readIntent(reader, place, text) : undefined
  if (wanted) return wanted
  switch (value.kind) {
    case 'value':
      return asInput({ type: 'value', value: value.value, ...(value.label === undefined ? {} : { label: value.label }) })
    case 'doubtful':
      return { type: 'doubtful_name', name: value.value }
    case 'which':
      return { type: 'which_village', list: value.list }
    case 'none':
      return asInput(reader.afterPause ? { type: 'resume' } : { type: 'not_understood', reason: `${prompt.input}_bad` })
    default:
      return value satisfies never
  }
}

const isLeaving = ({ loaded }: Place, text: string): boolean =>
  loaded.flow.leave?.phrases.some((phrase) => fold(phrase) === fold(text)) ?? false

/** Without its marks a word may be somebody's name ("Dung", "Nhan Tin"), and so may what begins like one ("MA SEO PHAO"). */
function isNameToo({ arg }: Extract<Understanding, { kind: 'word' }>, title: string, text: string): boolean {
  const typed = text.normalize('NFC').trim().toLocaleLowerCase('vi')
  return arg !== undefined || (fold(typed) === typed && typed !== title.toLocaleLowerCase('vi'))
}

/** "SỬA 3", "câu 3 chọn 2": with the new answer understood against that question. */
export function readEdit(
  reader: Pick<Reader, 'understand' | 'offers' | 'language'>,
  { loaded, state }: Place,
  { number, rest }: Extract<Understanding, { kind: 'edit' }>,
): Extract<Reading, { type: 'edit' }> {
  const set = state.form ? loaded.sets.get(state.form.set) : undefined
  if (!set) return { type: 'edit', number, input: undefined }
  const question = set.questions.filter((item) => item.source === 'asked')[number - 1]
  const target = question && promptAt({ loaded, state }, question.key)
  const answer =
    target && rest !== undefined ? reader.understand.understand(rest, reader.offers.prepare(loaded, target, reader.language)) : undefined
  const key = answer?.kind === 'option' && answer.key !== '0' ? answer.key : undefined
  return { type: 'edit', number, input: { type: 'edit', number, ...(key === undefined ? {} : { key }) } }
}

/** The prompt that stood open at an earlier place, without what stood beside it then. */
export function promptAt({ loaded, state }: Place, ref: string): Prompt | undefined {
  const { form } = state
  const set = form ? loaded.sets.get(form.set) : undefined
  const { pending: _, ...rest } = state
  if (form && set?.questions.some((question) => question.key === ref)) {
    const node = loaded.flow.nodes.find((item) => item.kind === 'form')
    return node && mainPrompt(loaded, { ...rest, node: node.id, form: { ...form, at: ref } })
  }
  const node = loaded.nodes.get(ref)
  return node?.kind === 'ask' ? mainPrompt(loaded, { ...rest, node: ref, waiting: 'input' }) : undefined
}

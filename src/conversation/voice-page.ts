import { and, desc, eq, isNotNull } from 'drizzle-orm'
import type { Language } from '../content/texts.ts'
import {
  account as accountTable,
  contact as contactTable,
  inboundEvent,
  outboundMessage,
  person as personTable,
  session as sessionTable,
} from '../db/schema.ts'
import type { Prompt } from '../engine/effect.ts'
import { mainPrompt, openPrompt } from '../engine/prompt.ts'
import { score } from '../engine/score.ts'
import type { Session } from '../engine/session.ts'
import type { Press } from '../model/inbound.ts'
import type { TextRef } from '../model/text.ts'
import { loadNomination } from '../recognition/nominations.ts'
import { findPerson } from '../registry/helping.ts'
import { VOICE_LANGUAGES } from '../registry/voice-clips.ts'
import type { Deps } from './deps.ts'
import type { Arrival } from './receive.ts'
import { resultTexts } from './result.ts'
import { voiceFor } from './turn.ts'
import { chooseVoiceLanguage, openLink, type PageLink, voiceLanguage } from './voice.ts'

/** A button of the page: what it says, what pressing it sends, and what is heard beside it. */
export type PageButton = { number: string; label: string; press: string; sound?: string }

/** What the voice page shows; the words are ready to be read, sounds are named by their digest. */
export type PageView =
  | { kind: 'gone'; title: string; text: string }
  | { kind: 'languages'; title: string; language: Language; languages: { code: string; name: string }[] }
  | {
      kind: 'question'
      title: string
      language: Language
      /** Whose answers, and which of how many. */
      heading: string[]
      progress?: { n: number; total: number }
      text: string
      lines: { text: string; press?: string; label?: string; sound?: string }[]
      buttons: PageButton[]
      small: PageButton[]
      sound?: string
      /** Stands for this question as it is asked just now: one press of it counts. */
      once: string
      words: PageWords
    }
  | { kind: 'done'; title: string; language: Language; texts: string[]; sound?: string; words: PageWords }
export type PageWords = { play: string; again: string; back: string; saving: string; offline: string }

type VoicePageDeps = Pick<
  Deps,
  'database' | 'sealer' | 'content' | 'flows' | 'communes' | 'clips' | 'channelOf' | 'publicUrl' | 'now' | 'wake'
> & {
  accept(arrivals: Arrival[]): Promise<void>
}

/** The page a link leads to: the question that is open in its conversation now, or how it ended. */
export async function openVoicePage(deps: VoicePageDeps, token: string): Promise<PageView> {
  const link = openLink(deps, token)
  const found = link && (await load(deps, link))
  if (!link || !found) return gone(deps)
  const { contact, session, voice } = found
  const title = voice({ key: 'voice.page_title' })
  const language = await voiceLanguage(deps, contact)
  const present = await deps.clips.languages()
  if (language === undefined && present.length > 1) {
    const languages = VOICE_LANGUAGES.filter(({ code }) => present.includes(code))
    return {
      kind: 'languages',
      title,
      language: contact.language,
      languages: languages.map((item) => ({ code: item.code, name: item[contact.language] })),
    }
  }
  const words = wordsOf(voice)
  const sound = async (key: string) => (language === undefined ? undefined : (await deps.clips.find(language, key))?.digest)
  const loaded = deps.flows.find(session.flow, session.flowVersion)
  const state = session.status === 'ended' ? undefined : (session.state as Session)
  const prompt = loaded && state && openPrompt(loaded, state)
  if (!loaded || !state || !prompt) {
    const texts = (await resultOf(deps, found)).map(voice)
    return {
      kind: 'done',
      title,
      language: contact.language,
      texts: [voice({ key: 'voice.done' }), ...texts, voice({ key: 'voice.done_back' })],
      ...optional('sound', await sound('voice.done')),
      words,
    }
  }
  if (prompt.options.length === 0 && prompt.ref !== 'side_edit') {
    return { kind: 'done', title, language: contact.language, texts: [voice({ key: 'voice.in_chat' })], words }
  }
  return questionPage(deps, { link, found, prompt, form: mainPrompt(loaded, state), sound })
}

type QuestionPageArgs = {
  link: PageLink
  found: Found
  prompt: Prompt
  /** What the form itself asks, while something beside it is open. */
  form: Prompt | undefined
  /** The digest of what is heard for a text's key, in the language chosen. */
  sound: (key: string) => Promise<string | undefined>
}

/** The question that is open, with a button for each answer and for each line that can be changed. */
async function questionPage(deps: VoicePageDeps, { link, found, prompt, form, sound }: QuestionPageArgs): Promise<PageView> {
  const { contact, session, voice } = found
  const words = wordsOf(voice)
  const heading = [
    ...(found.subject ? [voice({ key: 'assist.heading', params: { their: found.their } })] : []),
    ...(prompt.progress ? [voice({ key: 'engine.progress', params: prompt.progress })] : []),
  ]
  const buttons = await Promise.all(
    prompt.options
      // On this page each answer read back has its own button
      .filter((option) => !(prompt.kind === 'review' && option.key === 'sua'))
      .map(
        async (option, index): Promise<PageButton> => ({
          number: String(index + 1),
          label: voice(option.text),
          press: `o:${option.key}`,
          ...optional('sound', await sound(option.text.key)),
        }),
      ),
  )
  const numbered = prompt.ref === 'side_edit' ? (reviewLines(form) ?? []) : []
  const small: PageButton[] = [
    ...(prompt.help
      ? [{ number: '0', label: voice({ key: 'engine.help_option' }), press: 'h', ...optional('sound', await sound('engine.help_option')) }]
      : []),
    ...(prompt.kind === 'question' && (prompt.progress?.n ?? 1) > 1 ? [{ number: '‹', label: words.back, press: 'b' }] : []),
  ]
  const question = await sound(prompt.text.key)
  return {
    kind: 'question',
    title: voice({ key: 'voice.page_title' }),
    language: contact.language,
    heading,
    ...(prompt.progress ? { progress: prompt.progress } : {}),
    text: voice(prompt.text),
    lines: await Promise.all(
      (prompt.lines ?? []).map(async (line, index) => {
        const answer = line.params?.answer
        return {
          text: voice(line),
          // Read back by ear too
          ...optional('sound', typeof answer === 'object' ? await sound(answer.key) : undefined),
          ...(prompt.kind === 'review' ? { press: `e:${index + 1}`, label: voice({ key: 'voice.edit', params: { n: index + 1 } }) } : {}),
        }
      }),
    ),
    buttons: [...buttons, ...numbered.map((_, index) => ({ number: String(index + 1), label: '', press: `e:${index + 1}` }))],
    small,
    ...optional('sound', question),
    once: sealOnce(deps, link, prompt.ref, session.updatedAt),
    words,
  }
}

const reviewLines = (form: Prompt | undefined): readonly TextRef[] | undefined =>
  form?.lines ?? (form?.progress ? Array.from({ length: form.progress.total }, () => form.text) : undefined)

const optional = <K extends string>(name: K, value: string | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [name in K]?: string }

export type PressOutcome = 'taken' | 'waiting' | 'refused'

// A press is stored at once and answered a moment later; the page waits so long for what comes next
const WAIT_MS = 5_000
const LOOK_MS = 25

/**
 * Takes a press of the page as what this contact answered. It is stored as an event with its own key, made of the question as it was
 * asked: the same page pressed twice, or sent again by a weak network, counts once. `waiting`: it is stored and will be answered, but was
 * not within five seconds.
 */
export async function pressVoicePage(deps: VoicePageDeps, token: string, once: string, pressText: string): Promise<PressOutcome> {
  const link = openLink(deps, token)
  const asked = openOnce(deps, once)
  const press = parsePress(pressText)
  if (!link || !asked || !press || asked.contactId !== link.contactId || asked.sessionId !== link.sessionId) return 'refused'
  const { db } = deps.database
  const [contact] = await db.select().from(contactTable).where(eq(contactTable.id, link.contactId))
  if (!contact || contact.erasedAt) return 'refused'
  const [account] = await db.select().from(accountTable).where(eq(accountTable.id, contact.accountId))
  const channel = await deps.channelOf(contact.accountId)
  if (!account || !channel) return 'refused'
  const nowMs = deps.now().getTime()
  const order = channel.abilities.orders === 'clock' ? nowMs : await lastPlace(deps, contact.id)
  const event = {
    channelUserId: contact.channelUserId,
    dedupeKey: `press:${asked.sessionId}.${asked.ref}.${asked.atMs}`,
    atMs: nowMs,
    order,
    content: { kind: 'press' as const, sessionId: asked.sessionId, ref: asked.ref, press },
  }
  await deps.accept([{ accountId: account.id, event }])
  for (let waited = 0; waited < WAIT_MS; waited += LOOK_MS) {
    const [row] = await db
      .select({ handledAt: inboundEvent.handledAt })
      .from(inboundEvent)
      .where(and(eq(inboundEvent.accountId, account.id), eq(inboundEvent.dedupeKey, event.dedupeKey)))
    if (!row || row.handledAt) return 'taken'
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return 'waiting'
}

/** Keeps the language chosen on the page. */
export async function chooseOnVoicePage(deps: VoicePageDeps, token: string, language: string): Promise<PressOutcome> {
  const link = openLink(deps, token)
  if (!link || !(await deps.clips.languages()).includes(language)) return 'refused'
  await chooseVoiceLanguage({ db: deps.database.db, sealer: deps.sealer }, link.contactId, language)
  return 'taken'
}

const PRESS = /^(?:o:([a-z][a-z0-9_]{0,23})|e:(\d{1,3})|(h)|(b))$/

function parsePress(text: string): Press | undefined {
  const match = PRESS.exec(text)
  if (!match) return undefined
  const [, key, number, help] = match
  if (key !== undefined) return { type: 'option', key }
  if (number !== undefined) return { type: 'edit', number: Number(number) }
  return help === undefined ? { type: 'back' } : { type: 'person' }
}

function sealOnce({ sealer }: Pick<Deps, 'sealer'>, link: PageLink, ref: string, updatedAt: Date): string {
  return sealer.sealJson([link.contactId, link.sessionId, ref, updatedAt.getTime()]).toString('base64url')
}

function openOnce(
  { sealer }: Pick<Deps, 'sealer'>,
  once: string,
): { contactId: number; sessionId: number; ref: string; atMs: number } | undefined {
  if (!/^[\w-]{40,300}$/.test(once)) return undefined
  try {
    const [contactId, sessionId, ref, atMs] = sealer.openJson<[number, number, string, number]>(Buffer.from(once, 'base64url'))
    return typeof ref === 'string' ? { contactId, sessionId, ref, atMs } : undefined
  } catch {
    return undefined
  }
}

async function lastPlace({ database }: Pick<Deps, 'database'>, contactId: number): Promise<number> {
  const [row] = await database.db
    .select({ order: outboundMessage.order })
    .from(outboundMessage)
    .where(and(eq(outboundMessage.contactId, contactId), isNotNull(outboundMessage.order)))
    .orderBy(desc(outboundMessage.id))
    .limit(1)
  return row?.order ?? 0
}

async function load(deps: VoicePageDeps, link: PageLink) {
  const { db } = deps.database
  const [row] = await db
    .select({ contact: contactTable, session: sessionTable })
    .from(sessionTable)
    .innerJoin(contactTable, eq(contactTable.id, sessionTable.contactId))
    .where(and(eq(sessionTable.id, link.sessionId), eq(contactTable.id, link.contactId)))
  if (!row || row.contact.erasedAt) return undefined
  const { contact, session } = row
  const [own] =
    contact.personId === null
      ? []
      : await db
          .select()
          .from(personTable)
          .where(and(eq(personTable.communeId, contact.communeId), eq(personTable.id, contact.personId)))
  const subject = session.subjectPersonId === null ? undefined : (await findPerson(db, contact.communeId, session.subjectPersonId))?.person
  const spokenTo = subject ?? own
  const commune = await deps.communes.get(contact.communeId)
  const texts = deps.content.texts[contact.language]
  const voice = voiceFor(deps.content, { language: contact.language, address: spokenTo?.address, commune })
  const their = subject
    ? contact.language === 'vi'
      ? `${texts.format({ key: `address.${subject.address}` }, {})} ${subject.name}`
      : subject.name
    : ''
  return { contact, session, subject, their, commune, voice }
}

type Found = NonNullable<Awaited<ReturnType<typeof load>>>

async function resultOf(deps: VoicePageDeps, { session, contact, commune, subject, their }: Found): Promise<TextRef[]> {
  if (session.nominationId === null) return []
  const nomination = await deps.database.db.transaction((tx) => loadNomination(tx, contact.communeId, session.nominationId ?? 0))
  const set = nomination && deps.content.sets.get(nomination.row.criteriaSet)
  if (!nomination || !set || nomination.row.status !== 'da_tu_danh_gia' || nomination.row.title !== 'CDHT') return []
  const answers = Object.fromEntries([...nomination.answers.values()].map((item) => [item.question, item.option]))
  const result = score(set, answers, undefined, commune.settings.passRule(set))
  const said = resultTexts({ title: 'CDHT', set, result }, { isHead: false }).filter(({ key }) => key !== 'result.after')
  return subject ? [{ key: 'assist.result_heading', params: { their } }, ...said] : said
}

function gone(deps: VoicePageDeps): PageView {
  const voice = voiceFor(deps.content, { language: 'vi', commune: undefined })
  return { kind: 'gone', title: voice({ key: 'voice.page_title' }), text: voice({ key: 'voice.gone' }) }
}

function wordsOf(voice: (text: TextRef) => string): PageWords {
  const word = (name: keyof PageWords) => voice({ key: `voice.page.${name}` })
  return { play: word('play'), again: word('again'), back: word('back'), saving: word('saving'), offline: word('offline') }
}

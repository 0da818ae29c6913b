import { and, asc, desc, eq, inArray, isNull, ne, notInArray, sql } from 'drizzle-orm'
import type { Channel } from '../channels/channel.ts'
import { partsOf } from '../channels/parts.ts'
import { commonParams } from '../content/texts.ts'
import type { Tx } from '../db/connect.ts'
import {
  account as accountTable,
  consent,
  contact as contactTable,
  inboundEvent,
  NO_COMMUNE,
  outboundMessage,
  person as personTable,
} from '../db/schema.ts'
import { isTransient } from '../db/transient.ts'
import { type FileRef, type InboundContent, REPORT_KINDS, type Report } from '../model/inbound.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import { fetchAttachment } from '../outreach/chat/attachment.ts'
import { meetNotices } from '../outreach/meet.ts'
import { heardByStaff } from '../outreach/tickets.ts'
import { saveNomination } from '../recognition/nominations.ts'
import { rolesOf } from '../registry/roles.ts'
import { applyTallies } from '../reports/tally.ts'
import { afterErasure, beginsAnew, partFrom } from './after-erasure.ts'
import { type PlatformAnswers, PlatformQuestion } from './ask-platform.ts'
import { listOf } from './command-menu.ts'
import { compose } from './compose.ts'
import { type Claimed, deliver } from './deliver.ts'
import type { Deps } from './deps.ts'
import { pressed, returning } from './from-page.ts'
import { keepInStep } from './keep-in-step.ts'
import { type Moment, routeInput } from './route-input.ts'
import { feed } from './run-session.ts'
import { loadShown, type Shown, seenAt } from './seen.ts'
import { loadSessions, saveSessions } from './sessions.ts'
import { settleStranded } from './settle.ts'
import { settleEchoes } from './settle-echoes.ts'
import { quietForStaff } from './staff-echo.ts'
import { isStarted, mayLeave, TALK_CAUSES } from './started.ts'
import { STANDING } from './tap.ts'
import { activeSession, type ContactRow, say, type Turn, voiceOf } from './turn.ts'
import { withoutParameters } from './without-parameters.ts'

// What the platform says of the office's messages or of somebody who goes, and what was pressed on a page of ours: nobody wrote in the chat
const NOT_WRITTEN: ReadonlySet<string> = new Set(['staff_echo', 'unfollow', 'press'])
// Events of one contact answered in one transaction, and so in one message
const BATCH = 20
// Another process is sending to this contact: its answer is a matter of milliseconds
const BUSY_MS = 40
// After an unexpected failure: long enough not to spin, short enough not to be felt as silence
const FAILED_MS = 1_000
// An event that fails this often is put aside so that those behind it are not held up
const MAX_ATTEMPTS = 5
// The others owe nobody an answer
const SAYS_SOMETHING: ReadonlySet<string> = new Set<InboundContent['kind']>(['text', 'tap', 'media', 'start'])
/** A second tap or a second press of "send" comes within this time of what it answers. */
const ONE_BREATH_MS = 3_000

/** What one transaction came to. */
type Answered =
  | { kind: 'nothing' }
  | { kind: 'in_flight' }
  | { kind: 'uncertain' }
  | { kind: 'to_fetch'; channel: Channel; files: Sent[] }
  | { kind: 'to_ask'; question: PlatformQuestion }
  | { kind: 'answered'; claimed: Claimed[]; more: boolean; wake: Iterable<number>; listChanged?: ContactRow }

/**
 * Answers everything a contact has sent, in the order it was sent, and sends what there is to say. Returns how long to wait before this
 * contact should be looked at again, ms. Never throws; safe to call at any time, from any process, again and again.
 */
export async function handleContact(deps: Deps, contactId: number): Promise<number | undefined> {
  const at: { event?: number } = {}
  let answers: PlatformAnswers = {}
  let knowsEchoes = false
  try {
    for (;;) {
      const answered = await takeTurn(deps, { contactId, at, answers, knowsEchoes })
      delete at.event
      if (answered.kind === 'nothing') return undefined
      if (answered.kind === 'in_flight' || answered.kind === 'uncertain') {
        await settleEchoes(deps, contactId)
        knowsEchoes = true
      }
      if (answered.kind === 'uncertain') continue
      if (answered.kind === 'in_flight') {
        if ((await settleStranded(deps, contactId)) === 'busy') return BUSY_MS
        continue
      }
      if (answered.kind === 'to_fetch') {
        await fetchFiles(deps, answered)
        continue
      }
      if (answered.kind === 'to_ask') {
        await answered.question.ask(answers)
        continue
      }
      answers = {}
      knowsEchoes = false
      for (const id of answered.wake) deps.wake(id)
      if (answered.listChanged) deps.listChanged(answered.listChanged)
      const again = await deliver(deps, answered.claimed)
      if (!answered.more) return again
    }
  } catch (error) {
    if (isTransient(error)) {
      deps.log.warn({ contact: contactId }, 'the database was away while a contact was being answered; it is tried again')
      return FAILED_MS
    }
    deps.log.error({ err: withoutParameters(error), contact: contactId }, 'a contact could not be answered; it is tried again')
    if (at.event !== undefined) await markAttempt(deps, contactId, at.event).catch(() => {})
    return FAILED_MS
  }
}

/** `at` names the oldest event that is being answered, so that a failure knows what it failed at. */
type Taken = { contactId: number; at: { event?: number }; answers: PlatformAnswers; knowsEchoes: boolean }

/** One turn in one transaction; one that has to ask the platform first is taken back. */
async function takeTurn(deps: Deps, taken: Taken): Promise<Answered> {
  try {
    return await deps.database.db.transaction((tx) => answerWaiting(deps, tx, taken))
  } catch (error) {
    if (error instanceof PlatformQuestion) return { kind: 'to_ask', question: error }
    throw error
  }
}

async function answerWaiting(deps: Deps, tx: Tx, { contactId, at, answers, knowsEchoes }: Taken): Promise<Answered> {
  const [locked] = await tx
    .select({ contact: contactTable, account: accountTable })
    .from(contactTable)
    .innerJoin(accountTable, eq(accountTable.id, contactTable.accountId))
    .where(eq(contactTable.id, contactId))
    .for('update', { of: contactTable })
  if (!locked) return { kind: 'nothing' }
  const { contact, account } = locked
  const channel = await deps.channelOf(account.id)
  if (!channel) return { kind: 'nothing' }
  const now = deps.now()

  const [events, sessions, waiting, shown, person, roles] = await Promise.all([
    tx
      .select()
      .from(inboundEvent)
      .where(and(eq(inboundEvent.contactId, contactId), isNull(inboundEvent.handledAt), notInArray(inboundEvent.kind, [...REPORT_KINDS])))
      // A tap on an old message has an old place: where places count, the order of arrival is the order of what was done
      .orderBy(...(channel.abilities.orders === 'clock' ? [asc(inboundEvent.order)] : []), asc(inboundEvent.id))
      .limit(BATCH + 1),
    loadSessions(tx, deps, contactId),
    tx
      .select({
        id: outboundMessage.id,
        cause: outboundMessage.cause,
        createdAt: outboundMessage.createdAt,
        claimedBy: outboundMessage.claimedBy,
        notBefore: outboundMessage.notBefore,
        bodyEnc: outboundMessage.bodyEnc,
        attempts: outboundMessage.attempts,
      })
      .from(outboundMessage)
      .where(
        and(eq(outboundMessage.contactId, contactId), eq(outboundMessage.status, 'waiting'), inArray(outboundMessage.cause, TALK_CAUSES)),
      )
      .orderBy(asc(outboundMessage.id)),
    loadShown(tx, contactId, channel.abilities.orders),
    loadPerson(tx, contact),
    rolesOf(tx, contactId),
  ])
  // What was in flight decides what the person had before their eyes: it is settled first
  if (waiting.some((row) => row.claimedBy !== null)) return { kind: 'in_flight' }
  if (shown.isUncertain && events.length > 0 && !knowsEchoes) return { kind: 'uncertain' }

  const due = waiting.filter((row) => row.notBefore === null || row.notBefore <= now)
  const claim = (row: (typeof waiting)[number]): Claimed[] =>
    row.bodyEnc
      ? [
          {
            id: row.id,
            cause: row.cause,
            createdAt: row.createdAt,
            attempts: row.attempts + 1,
            message: deps.sealer.openJson<OutboundMessage>(row.bodyEnc),
            contact,
            account,
            channel,
          },
        ]
      : []
  const replies = waiting.filter((row) => !isStarted(row.cause))
  // Order is kept: while an older reply must wait, none behind it goes
  const resend = replies.every((row) => due.includes(row)) ? replies.flatMap(claim) : []
  // What we start goes behind the replies, waits for its own time only, and is held against the rules once more as it leaves
  const started: Claimed[] = []
  for (const row of due) {
    if (isStarted(row.cause) && (await mayLeave({ deps, tx, now, contact, channel, person }, row))) started.push(...claim(row))
  }
  if (events.length === 0 && resend.length === 0 && started.length === 0) return { kind: 'nothing' }

  const anew = contact.erasedAt ? events.findIndex((event) => event.bodyEnc && beginsAnew(deps, deps.sealer.openJson(event.bodyEnc))) : -1
  if (anew === 0) {
    const fresh = await partFrom(tx, contact, { eventIds: events.map((event) => event.id), now })
    return { kind: 'answered', claimed: [], more: true, wake: [fresh] }
  }
  // What failed before is answered alone: those beside it are not blamed for it
  const batch = events.slice(0, events[0]?.attempts ? 1 : anew > 0 ? anew : BATCH)
  if (batch[0]) at.event = batch[0].id
  const files = filesIn(deps, batch)
  // A platform may take seconds to hand one over: nobody's chat and no transaction waits for that
  if (files.length > 0) return { kind: 'to_fetch', channel, files }
  const turn: Turn = {
    deps,
    tx,
    now,
    contact,
    account,
    channel,
    commune: contact.communeId === NO_COMMUNE ? undefined : await deps.communes.get(contact.communeId),
    person,
    roles,
    hasDeclined: person === undefined && (await hasDeclined(tx, contact)),
    sessions,
    nominations: new Map(),
    tallies: [],
    saidAtMs: 0,
    heard: '',
    said: [],
    answers,
    wake: new Set(),
  }
  const listBefore = listOf(turn)
  const isAnsweredElsewhere =
    batch.some((event) => SAYS_SOMETHING.has(event.kind)) && (await hasOtherChat(tx, contact)) && (await keepInStep(turn))
  for (const event of batch) {
    if (!event.bodyEnc) continue
    turn.saidAtMs = event.at.getTime()
    const content = deps.sealer.openJson<Exclude<InboundContent, Report>>(event.bodyEnc)
    turn.heard = content.kind === 'text' ? content.text : ''
    await answer(turn, content, event, shown)
  }
  // The question these words were about was answered in the other chat: they were held against that answer, and the next one is asked
  if (isAnsweredElsewhere && !turn.said.some((item) => item.type === 'prompt')) await feed(turn, { type: 'again' })
  const made = await writeTurn(turn)
  if (batch.length > 0) {
    await Promise.all([
      tx
        .update(inboundEvent)
        .set({ handledAt: now, ...(contact.erasedAt ? { bodyEnc: null } : {}) })
        .where(
          inArray(
            inboundEvent.id,
            batch.map((event) => event.id),
          ),
        ),
      touchContact(turn, batch),
      ...(batch.some((event) => !NOT_WRITTEN.has(event.kind)) && !contact.stoppedAt && !contact.erasedAt
        ? [meetNotices(tx, contact, now)]
        : []),
    ])
  }
  const taken = [...resend, ...started]
  if (taken.length > 0) {
    await tx
      .update(outboundMessage)
      .set({ claimedBy: deps.instance.id, claimedAt: now, attempts: sql`${outboundMessage.attempts} + 1` })
      .where(
        inArray(
          outboundMessage.id,
          taken.map((row) => row.id),
        ),
      )
  }
  // While older ones wait for their time, new ones wait behind them
  const held = replies.length > 0 && resend.length === 0
  if (held && made.length > 0) {
    await tx
      .update(outboundMessage)
      .set({ claimedBy: null, claimedAt: null, attempts: 0 })
      .where(
        inArray(
          outboundMessage.id,
          made.map((row) => row.id),
        ),
      )
  }
  const claimed = [...(held ? [] : [...resend, ...made]), ...started]
  const listChanged = listOf(turn) === listBefore ? {} : { listChanged: contact }
  return {
    kind: 'answered',
    claimed,
    more: events.length > batch.length,
    wake: turn.wake,
    ...listChanged,
  }
}

/** A file that was sent and is not on this machine yet. */
type Sent = { eventId: number; content: Extract<InboundContent, { kind: 'media' }>; file: FileRef }

function filesIn(deps: Deps, events: readonly { id: number; kind: string; bodyEnc: Buffer | null }[]): Sent[] {
  return events.flatMap(({ id, kind, bodyEnc }) => {
    if (kind !== 'media' || !bodyEnc) return []
    const content = deps.sealer.openJson<InboundContent>(bodyEnc)
    return content.kind === 'media' && content.file ? [{ eventId: id, content, file: content.file }] : []
  })
}

/** Takes the files from the platform and writes into the events what they were. Run twice, the last copy counts. */
async function fetchFiles(deps: Deps, { channel, files }: { channel: Channel; files: readonly Sent[] }): Promise<void> {
  for (const { eventId, content, file } of files) {
    const { file: _, ...rest } = content
    const fetched = await fetchAttachment(deps, { channel, file })
    await deps.database.db
      .update(inboundEvent)
      .set({ bodyEnc: deps.sealer.sealJson({ ...rest, fetched }) })
      .where(and(eq(inboundEvent.id, eventId), isNull(inboundEvent.handledAt)))
  }
}

async function answer(
  turn: Turn,
  content: Exclude<InboundContent, Report>,
  event: { at: Date; order: number },
  shown: Shown,
): Promise<void> {
  switch (content.kind) {
    case 'staff_echo':
      return quietForStaff(turn, event.at)
    case 'unfollow':
      turn.contact.follows = false
      return
    case 'follow':
      turn.contact.follows = true
      // Where there are places in the chat, unblocking us is none: pressing START comes as a message of its own
      if (turn.channel.abilities.orders === 'sequence') return
      break
    case 'press':
      return pressed(turn, content)
    default:
      break
  }
  if (turn.contact.erasedAt) return afterErasure(turn, content)
  if (turn.contact.staffUntil && turn.contact.staffUntil > turn.now && (await heardByStaff(turn, content))) return
  if (!turn.commune || turn.commune.villages.length === 0) {
    turn.deps.log.warn({ account: turn.account.id }, 'somebody wrote, but there are no villages yet: run `unit import`')
    say(turn, 'service.preparing')
    return
  }
  await returning(turn, () => routeInput(turn, content, momentOf(turn, content, event, shown)))
  // What they wrote answered nothing, and the question that stands open never reached them
  if (shown.isLost && turn.said.length === 0 && activeSession(turn)) await feed(turn, { type: 'again' })
}

function momentOf(turn: Turn, content: InboundContent, event: { at: Date; order: number }, { prompts, lastOrder }: Shown): Moment {
  const asked = prompts.filter((prompt) => prompt.sessionId !== STANDING)
  const newest = asked[0]
  const last = seenAt(prompts, event.order)
  const live = activeSession(turn)
  const pauseMs = (turn.commune?.settings.get('conversation.resume_after_hours') ?? 0) * 3_600_000
  return {
    seen: seenAt(asked, event.order),
    ...(last?.sessionId === STANDING ? { standing: last.messageId } : {}),
    // Something was said in this very turn, or crossed the event on its way
    crossed: turn.said.length > 0 || (lastOrder !== undefined && event.order < lastOrder),
    // A tap on an old message has that message's place, so for taps the time alone counts
    inOneBreath:
      newest === undefined || (content.kind !== 'tap' && event.order < newest.order) || event.at.getTime() - newest.atMs < ONE_BREATH_MS,
    afterPause: live !== undefined && event.at.getTime() - turn.contact.lastInboundAt.getTime() > pauseMs,
  }
}

/** Writes what the turn decided: the forms, the counts, where the conversation stands, and the message that says so. */
async function writeTurn(turn: Turn): Promise<Claimed[]> {
  const { tx, deps, contact, account, channel } = turn
  for (const nomination of turn.nominations.values()) turn.tallies.push(...(await saveNomination(tx, nomination, turn.now)))
  await saveSessions(turn)
  // A question of a conversation that ended later in the same turn is not asked any more
  const open = activeSession(turn)?.id
  const said = turn.said.filter((item) => item.type !== 'prompt' || item.sessionId === open)
  const composed = compose(said, voiceOf(turn), channel.abilities)
  const own = said.flatMap((item) => {
    if (item.type !== 'message') return []
    const { otherwise, ...message } = item.message
    return partsOf(channel, message).map((part) => ({ ...part, ...(otherwise === undefined ? {} : { otherwise }) }))
  })
  const claimed: Claimed[] = []
  if (composed || own.length > 0) {
    const { opens, ...message } = composed ?? {}
    const messages = [...own, ...('text' in message ? partsOf(channel, message) : [])]
    const rows = await tx
      .insert(outboundMessage)
      .values(
        messages.map((part, index) => ({
          communeId: contact.communeId,
          accountId: account.id,
          contactId: contact.id,
          cause: 'reply' as const,
          sessionId: index === messages.length - 1 ? (opens?.sessionId ?? null) : null,
          prompt: index === messages.length - 1 ? (opens?.ref ?? null) : null,
          bodyEnc: deps.sealer.sealJson(part),
          claimedBy: deps.instance.id,
          claimedAt: turn.now,
          attempts: 1,
          createdAt: turn.now,
        })),
      )
      .returning({ id: outboundMessage.id })
    rows.forEach((row, index) => {
      const message = messages[index]
      if (message) claimed.push({ id: row.id, cause: 'reply', createdAt: turn.now, attempts: 1, message, contact, account, channel })
    })
  }
  // Last of all: everybody of a village waits for these counters until the commit
  await applyTallies(tx, turn.tallies)
  return claimed
}

async function touchContact(turn: Turn, events: { at: Date; kind: string }[]): Promise<void> {
  const words = events.filter((event) => !NOT_WRITTEN.has(event.kind)).map((event) => event.at.getTime())
  if (words.length === 0 && turn.contact.follows === null) return
  await turn.tx
    .update(contactTable)
    .set({
      follows: turn.contact.follows,
      // Writing again shows that messages arrive
      ...(words.length > 0
        ? { lastInboundAt: new Date(Math.max(turn.contact.lastInboundAt.getTime(), ...words)), unreachableClass: null }
        : {}),
    })
    .where(eq(contactTable.id, turn.contact.id))
}

/** Whether the person behind a contact has another chat, where the same form may be answered. */
async function hasOtherChat(tx: Tx, contact: ContactRow): Promise<boolean> {
  if (contact.personId === null) return false
  const rows = await tx
    .select({ id: contactTable.id })
    .from(contactTable)
    .where(and(eq(contactTable.communeId, contact.communeId), eq(contactTable.personId, contact.personId), ne(contactTable.id, contact.id)))
    .limit(1)
  return rows.length > 0
}

async function loadPerson(tx: Tx, contact: ContactRow) {
  if (contact.personId === null) return undefined
  const [row] = await tx
    .select()
    .from(personTable)
    .where(and(eq(personTable.communeId, contact.communeId), eq(personTable.id, contact.personId)))
  return row
}

async function hasDeclined(tx: Tx, contact: ContactRow): Promise<boolean> {
  const [last] = await tx
    .select({ decision: consent.decision })
    .from(consent)
    .where(and(eq(consent.communeId, contact.communeId), eq(consent.contactId, contact.id)))
    .orderBy(desc(consent.id))
    .limit(1)
  return last?.decision === 'declined'
}

/**
 * Counts a failed try at an event. One that fails again and again is put aside so that those behind it are not held up: the log names it,
 * and the person is told kindly what to do.
 */
async function markAttempt({ database, log, now, content, sealer }: Deps, contactId: number, eventId: number): Promise<void> {
  await database.db.transaction(async (tx) => {
    const [row] = await tx
      .update(inboundEvent)
      .set({ attempts: sql`${inboundEvent.attempts} + 1` })
      .where(and(eq(inboundEvent.id, eventId), isNull(inboundEvent.handledAt)))
      .returning({
        id: inboundEvent.id,
        attempts: inboundEvent.attempts,
        communeId: inboundEvent.communeId,
        accountId: inboundEvent.accountId,
      })
    if (!row || row.attempts < MAX_ATTEMPTS) return
    await tx.update(inboundEvent).set({ handledAt: now(), failedClass: 'cannot_be_answered' }).where(eq(inboundEvent.id, row.id))
    const [contact] = await tx.select({ language: contactTable.language }).from(contactTable).where(eq(contactTable.id, contactId))
    const texts = content.texts[contact?.language ?? 'vi']
    const words = { goi: texts.format({ key: 'address.bac' }, {}), xung: texts.format({ key: 'address.bac.self' }, {}) }
    const apology: OutboundMessage = { text: texts.format({ key: 'engine.fault' }, commonParams(words)) }
    await tx.insert(outboundMessage).values({
      communeId: row.communeId,
      accountId: row.accountId,
      contactId,
      cause: 'reply',
      bodyEnc: sealer.sealJson(apology),
      createdAt: now(),
    })
    log.error({ event: row.id, contact: contactId }, 'an event was put aside after failing again and again')
  })
}

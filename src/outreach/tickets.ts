import { and, asc, eq, inArray, isNull, lt, ne, notInArray, or, sql } from 'drizzle-orm'
import { startFlow } from '../conversation/run-session.ts'
import type { Said } from '../conversation/said.ts'
import { setStatus } from '../conversation/sessions.ts'
import { activeSession, type LiveSession, offer, say, type Turn, voiceFor, voiceOf, wordUsers } from '../conversation/turn.ts'
import { hasWord } from '../conversation/words.ts'
import type { DbOrTx, Tx } from '../db/connect.ts'
import { contact as contactTable, ticket, ticketMessage } from '../db/schema.ts'
import type { Var } from '../engine/flow.ts'
import { fold } from '../lib/fold.ts'
import { formatDate } from '../lib/vietnam-time.ts'
import { criteriaTextKey } from '../model/criteria.ts'
import type { InboundContent } from '../model/inbound.ts'
import { mayDo, rolesThatMay } from '../registry/roles.ts'
import { unitPath } from '../registry/units.ts'
import { addWorkingDays } from './calendar.ts'
import { askRight, fileDataRequest, isRight, mayBeDataRequest } from './data-requests.ts'
import { isWindowOpen } from './gate.ts'
import { findReader, note, post, type Reader, tap } from './post.ts'
import { rolesHeldBy } from './staff.ts'
import { tellStaff } from './ticket-notice.ts'
import { describe, LOOKED_INTO, loadFacts, orNone, type TicketRow, ticketRules, type Words } from './ticket-row.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
// More are not read on a phone; the oldest come first
const LISTED = 8
const QUOTED_CHARS = 300

/** A request for a human; asking again at the same place while it is open is the same request. The unit's officers are told in their chats. */
export async function openTicket(
  turn: Turn,
  given: { kind: TicketRow['kind']; question: string | null; personId?: number | null },
): Promise<void> {
  const { tx, contact, person, now } = turn
  const open = await tx
    .select({ id: ticket.id, question: ticket.question, personId: ticket.personId })
    .from(ticket)
    .where(and(eq(ticket.contactId, contact.id), eq(ticket.status, 'open'), eq(ticket.kind, given.kind)))
  // Somebody who helps may ask for the person they answer for
  const personId = given.personId ?? person?.id ?? null
  if (open.some((row) => row.question === given.question && row.personId === personId)) return
  const words: Words = { asked: askedText(turn, given.question), heard: heardText(turn) }
  const [row] = await tx
    .insert(ticket)
    .values({
      communeId: contact.communeId,
      villageId: person?.villageId ?? contact.cameByUnitId,
      contactId: contact.id,
      personId,
      kind: given.kind,
      question: given.question,
      wordsEnc: words.asked || words.heard ? turn.deps.sealer.sealJson(words) : null,
      openedAt: now,
      firstAnswerDueAt: addWorkingDays(now, ticketRules.first_answer_working_days),
      doneDueAt: new Date(now.getTime() + (ticketRules.done_days[given.kind] ?? 0) * DAY_MS),
    })
    .returning()
  if (row) await tellStaff(turn, row)
}

/** The question somebody stands at, as they were asked it. */
function askedText(turn: Turn, question: string | null): string {
  const live = activeSession(turn)
  if (!live || question === null || question === 'twin') return ''
  const voice = voiceFor(turn.deps.content, { language: 'vi', commune: turn.commune })
  const set = live.state.form ? live.loaded.sets.get(live.state.form.set) : undefined
  if (set?.questions.some((item) => item.key === question)) return voice({ key: criteriaTextKey(set.id, question, 'short') })
  return ''
}

/** What the person wrote, unless it was only the wish for an officer. */
function heardText(turn: Turn): string {
  const text = turn.heard.trim()
  if (text === '' || /^\d+$/.test(text)) return ''
  const { kind } = turn.deps.understand.word(text, wordUsers(turn))
  return kind === 'word' || kind === 'person' ? '' : text.slice(0, QUOTED_CHARS)
}

const isWaiting = (row: TicketRow) => row.status === 'open' || (row.status === 'answered' && row.kind !== 'help')

/** Requests this officer may answer that still wait, the oldest clock first. */
export async function waitingTickets(turn: Turn): Promise<TicketRow[]> {
  const { tx, contact } = turn
  const units = rolesThatMay(turn.roles, 'tickets')
  const rights = rolesThatMay(turn.roles, 'data_requests')
  if (units.length === 0 && rights.length === 0) return []
  const rows = await tx
    .select()
    .from(ticket)
    .where(and(eq(ticket.communeId, contact.communeId), ne(ticket.status, 'closed')))
    .orderBy(asc(ticket.firstAnswerDueAt), asc(ticket.id))
  const whole = units.some((held) => held.level !== 'thon_ban')
  const own = new Set(units.map((held) => held.unitId))
  return rows.filter(
    (row) =>
      isWaiting(row) &&
      (whole || (row.villageId !== null && own.has(row.villageId)) || (row.kind !== 'help' && rights.length > 0)) &&
      row.contactId !== contact.id,
  )
}

/** Việc chờ trả lời. */
async function listTickets(turn: Turn): Promise<void> {
  if (rolesThatMay(turn.roles, 'tickets').length + rolesThatMay(turn.roles, 'data_requests').length === 0) return unknownTap(turn)
  const rows = await waitingTickets(turn)
  if (rows.length === 0) return say(turn, 'ticket.none')
  say(turn, 'ticket.list', { total: rows.length })
  for (const row of rows.slice(0, LISTED)) {
    const facts = await loadFacts(turn.tx, row)
    const due = row.status === 'open' ? row.firstAnswerDueAt : row.doneDueAt
    offer(turn, `ticket_${row.id}`, 'show', 'ticket.line', {
      Who: facts.Who,
      due: formatDate(due),
      late: due < turn.now ? 'yes' : 'no',
      kind: row.question === 'twin' ? 'twin' : row.kind,
    })
  }
}

export function unknownTap(turn: Turn): void {
  say(turn, 'tap.over')
}

/** A tap on a ticket: `show`, `reply`, `done`, `rights` or a right over one's data. */
export async function actOnTicket(turn: Turn, id: number, act: string): Promise<void> {
  if (act === 'list') return listTickets(turn)
  const row = await findTicket(turn, id)
  if (!row) return unknownTap(turn)
  if (act === 'done') return closeTicket(turn, row)
  if (row.status === 'closed') return say(turn, 'ticket.closed')
  if (act === 'reply') return replyTo(turn, row)
  if (act === 'rights' || isRight(act)) return act === 'rights' ? askRight(turn, row) : fileDataRequest(turn, row, act)
  turn.said.push(...describe(turn, row, await loadFacts(turn.tx, row)))
  offer(turn, `ticket_${row.id}`, 'reply', 'ticket.reply')
  offer(turn, `ticket_${row.id}`, 'done', 'ticket.done')
  if (mayBeDataRequest(row)) offer(turn, `ticket_${row.id}`, 'rights', 'ticket.rights')
}

/** The ticket, if this officer's role reaches it. */
async function findTicket(turn: Turn, id: number): Promise<TicketRow | undefined> {
  const [row] = await turn.tx
    .select()
    .from(ticket)
    .where(and(eq(ticket.communeId, turn.contact.communeId), eq(ticket.id, id)))
  if (!row) return undefined
  const path = await unitPath(turn.tx, row.villageId ?? row.communeId)
  if (mayDo(turn.roles, 'tickets', path)) return row
  return row.kind !== 'help' && mayDo(turn.roles, 'data_requests', path) ? row : undefined
}

/** Takes the ticket and opens the reply; who comes second is told who was first. */
async function replyTo(turn: Turn, row: TicketRow): Promise<void> {
  const { tx, now, contact } = turn
  const stale = new Date(now.getTime() - ticketRules.taken_for_minutes * MINUTE_MS)
  const [taken] = await tx
    .update(ticket)
    .set({ takenBy: contact.id, takenAt: now })
    .where(
      and(
        eq(ticket.id, row.id),
        ne(ticket.status, 'closed'),
        or(isNull(ticket.takenBy), eq(ticket.takenBy, contact.id), lt(ticket.takenAt, stale)),
      ),
    )
    .returning({ id: ticket.id })
  if (!taken) {
    const by = row.takenBy === null ? undefined : await findReader(tx, row.takenBy)
    return say(turn, 'ticket.taken', { name: orNone(by?.name) })
  }
  const facts = await loadFacts(tx, row)
  if (!(await findReachable(turn, row.contactId))) {
    say(turn, 'ticket.window_closed', { who: facts.who })
    offer(turn, `ticket_${row.id}`, 'done', 'ticket.done')
    return
  }
  const live = activeSession(turn)
  if (live?.loaded.flow.id === 'ticket-reply') await setStatus(turn, live, 'ended')
  await startFlow(turn, 'ticket-reply', { ticket: row.id, name: voiceOf(turn)(facts.who) })
}

/** Who asked, while their own channel lets us write to them. */
async function findReachable({ tx, deps, now }: Turn, contactId: number): Promise<Reader | undefined> {
  const to = await findReader(tx, contactId)
  const channel = to && (await deps.channelOf(to.contact.accountId))
  return channel && !to.contact.erasedAt && isWindowOpen(to.contact.lastInboundAt, channel.abilities.sendWindowMs, now) ? to : undefined
}

const CLOSES = new Set(['xong', 'xong roi', 'da xong', 'ket thuc', 'het', 'done'])
const LEAVES = new Set(['thoi', 'huy', 'thoat', 'bo qua', 'de sau', 'cancel'])

/** What the officer typed reaches the person as it stands; the bot keeps quiet for that person meanwhile. */
export async function sendStaffAnswer(turn: Turn, live: LiveSession): Promise<Record<string, Var>> {
  const { tx, deps, now, contact } = turn
  const text = String(live.state.vars.words ?? '').trim()
  const row = await findTicket(turn, Number(live.state.vars.ticket))
  if (!row || row.status === 'closed') {
    say(turn, 'ticket.closed')
    return { _next: 'end' }
  }
  if (CLOSES.has(fold(text))) {
    await closeTicket(turn, row)
    return { _next: 'end' }
  }
  if (LEAVES.has(fold(text))) {
    // Who has not answered lets others do it
    await tx
      .update(ticket)
      .set({ takenBy: null, takenAt: null })
      .where(and(eq(ticket.id, row.id), eq(ticket.status, 'open'), eq(ticket.takenBy, contact.id)))
    say(turn, 'ticket.left')
    return { _next: 'end' }
  }
  if (row.takenBy !== contact.id) {
    const by = row.takenBy === null ? undefined : await findReader(tx, row.takenBy)
    say(turn, 'ticket.taken', { name: orNone(by?.name) })
    return { _next: 'end' }
  }
  const to = await findReachable(turn, row.contactId)
  if (!to) {
    say(turn, 'ticket.window_closed', { who: String(live.state.vars.name) })
    return { _next: 'end' }
  }
  const role = await rolesHeldBy(tx, contact.id)
  const said: Said[] = [
    note('ticket.answer', { role: { key: role ? `role.${role}` : 'role.commune_reviewer' }, name: orNone(turn.person?.name), text }),
    ...(row.status === 'open' ? [note('ticket.answer_how')] : []),
  ]
  const outboundId = await post(deps, tx, { to, cause: 'staff', said, now })
  if (outboundId === undefined) return { _next: 'end' }
  await tx.insert(ticketMessage).values({ communeId: row.communeId, ticketId: row.id, outboundId, byContactId: contact.id, at: now })
  await tx
    .update(ticket)
    .set({
      status: 'answered',
      answeredAt: row.answeredAt ?? now,
      answeredBy: contact.id,
      takenAt: now,
      // The second clock has a warning of its own
      ...(row.status === 'open' && { warnedAt: null }),
    })
    .where(eq(ticket.id, row.id))
  await tx
    .update(ticket)
    .set({ status: 'answered', answeredAt: now, answeredBy: contact.id })
    .where(and(sameTalk(row), eq(ticket.status, 'open')))
  await keepQuiet(tx, row.contactId, now)
  turn.wake.add(row.contactId)
  offer(turn, `ticket_${row.id}`, 'done', 'ticket.done')
  return { _next: 'more' }
}

/** Other wishes of the same person for somebody to talk to: whoever answers one of them answers all. */
const sameTalk = (row: TicketRow) =>
  and(
    eq(ticket.communeId, row.communeId),
    eq(ticket.contactId, row.contactId),
    ne(ticket.id, row.id),
    eq(ticket.kind, 'help'),
    or(isNull(ticket.question), notInArray(ticket.question, LOOKED_INTO)),
  )

const keepQuiet = (tx: Tx, contactId: number, now: Date) =>
  tx
    .update(contactTable)
    .set({ staffUntil: new Date(now.getTime() + ticketRules.quiet_minutes * MINUTE_MS) })
    .where(eq(contactTable.id, contactId))

async function closeTicket(turn: Turn, row: TicketRow): Promise<void> {
  const { tx, deps, now, contact } = turn
  const live = activeSession(turn)
  if (live?.loaded.flow.id === 'ticket-reply' && live.state.vars.ticket === row.id && live.state.waiting === 'input') {
    await setStatus(turn, live, 'ended')
    const beneath = turn.sessions.filter((item) => item.status === 'paused').sort((a, b) => b.id - a.id)[0]
    if (beneath) await setStatus(turn, beneath, 'active')
  }
  if (row.status === 'closed') return say(turn, 'ticket.closed')
  await tx
    .update(ticket)
    .set({ status: 'closed', closedAt: now, answeredAt: row.answeredAt ?? now, answeredBy: row.answeredBy ?? contact.id })
    .where(eq(ticket.id, row.id))
  if (row.kind === 'help' && !LOOKED_INTO.includes(row.question ?? ''))
    await tx
      .update(ticket)
      .set({
        status: 'closed',
        closedAt: now,
        answeredAt: sql`coalesce(answered_at, ${now.toISOString()}::timestamptz)`,
        answeredBy: contact.id,
      })
      .where(and(sameTalk(row), ne(ticket.status, 'closed')))
  const lately = row.takenAt !== null && now.getTime() - row.takenAt.getTime() < ticketRules.quiet_minutes * MINUTE_MS
  if (row.answeredAt && lately) {
    await tx.update(contactTable).set({ staffUntil: null }).where(eq(contactTable.id, row.contactId))
    const to = await findReachable(turn, row.contactId)
    if (to) {
      await post(deps, tx, { to, cause: 'staff', said: [note('ticket.over')], now })
      turn.wake.add(row.contactId)
    }
  }
  say(turn, 'ticket.done_said')
  const left = await waitingTickets(turn)
  if (left.length > 0) offer(turn, 'tickets_0', 'list', 'ticket.waiting_n', { total: left.length })
}

/**
 * Somebody whom an officer is answering writes: their words go to that officer and the bot says nothing. A word that works everywhere or
 * a tap turns to the bot again, until the officer's next message: what it asks then is answered there. False: the bot is to answer.
 */
export async function heardByStaff(turn: Turn, content: InboundContent): Promise<boolean> {
  const { tx, deps, contact, now } = turn
  const word = content.kind === 'text' ? deps.understand.word(content.text, wordUsers(turn)) : undefined
  if (content.kind === 'tap' || content.kind === 'withdraw' || (word?.kind === 'word' && hasWord(word.word))) {
    contact.staffUntil = null
    await tx.update(contactTable).set({ staffUntil: null }).where(eq(contactTable.id, contact.id))
    return false
  }
  if (content.kind !== 'text' && content.kind !== 'media') return true
  const [row] = await tx
    .select()
    .from(ticket)
    .where(and(eq(ticket.contactId, contact.id), inArray(ticket.status, ['open', 'answered'])))
    // What nobody has taken comes last: these words are for whoever is answering
    .orderBy(sql`${ticket.takenAt} DESC NULLS LAST`)
    .limit(1)
  if (!row || row.takenBy === null) return true
  const to = await findReader(tx, row.takenBy)
  if (!to) return true
  const facts = await loadFacts(tx, row)
  const text = content.kind === 'text' ? content.text : (content.text ?? '')
  const said: Said[] = [
    note('ticket.heard', {
      Who: facts.Who,
      text: text.slice(0, 1_500),
      media: content.kind === 'media' ? content.media : 'no',
    }),
    tap(`ticket_${row.id}`, 'reply', 'ticket.reply'),
    tap(`ticket_${row.id}`, 'done', 'ticket.done'),
  ]
  // The officer wrote to this person within the day: this answers them
  const live = now.getTime() - to.contact.lastInboundAt.getTime() < DAY_MS
  const outboundId = await post(deps, tx, { to, cause: live ? 'staff' : 'digest', said, now })
  if (outboundId !== undefined)
    await tx.insert(ticketMessage).values({ communeId: row.communeId, ticketId: row.id, outboundId, byContactId: null, at: now })
  turn.wake.add(row.takenBy)
  return true
}

/** An officer answered in the platform's own tool: what was open is answered. */
export async function answeredElsewhere(tx: Tx, contactId: number, at: Date): Promise<void> {
  await tx
    .update(ticket)
    .set({ status: 'answered', answeredAt: at, warnedAt: null })
    .where(and(eq(ticket.contactId, contactId), eq(ticket.status, 'open')))
}

/** Of this commune: how many wait, and how many are past their clock. */
export async function ticketFigures(db: DbOrTx, communeId: number, now: Date): Promise<{ open: number; late: number }> {
  const [row] = await db.execute<{ open: number; late: number }>(sql`
    SELECT count(*)::int AS open, count(*) FILTER (WHERE first_answer_due_at < ${now.toISOString()}::timestamptz)::int AS late
    FROM ticket WHERE commune_id = ${communeId} AND status = 'open'`)
  return row ?? { open: 0, late: 0 }
}

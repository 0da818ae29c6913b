import { and, desc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import { capitalise } from '../content/texts.ts'
import { audit, consent, inboundEvent, outboundMessage, session as sessionTable } from '../db/schema.ts'
import type { Prompt } from '../engine/effect.ts'
import type { Var } from '../engine/flow.ts'
import { fold } from '../lib/fold.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import { openTicket } from '../outreach/tickets.ts'
import { findNomination } from '../recognition/nominations.ts'
import { findPerson, findSame, type Known, peopleToHelp, registerByHelper, type ToHelp } from '../registry/helping.ts'
import { type PersonFacts, registerPerson } from '../registry/people.ts'
import { getUnit, unitTitle } from '../registry/units.ts'
import { consentVersion, GROUPS, groupKey, isGroup } from './actions.ts'
import type { Listed } from './listed.ts'
import { helps, setSubject, subjectOf, titleOf } from './subject.ts'
import type { LiveSession, PersonRow, Turn } from './turn.ts'

// A list of more is not read on a phone
const MOST_LISTED = 10
const WHOLE_VILLAGE = 10_000

/** So many people of the list at once that each has a button, beside the one that leads to the others. */
const listedAtOnce = ({ channel }: Turn): number => Math.min(MOST_LISTED, channel.abilities.maxChoices - 1)

type Vars = Record<string, Var>

const yearOf = (turn: Turn): number => vietnamTime(turn.now).year

/** The village whose people a leader goes through; undefined for everybody else. */
function ledVillage(turn: Turn): number | undefined {
  return turn.roles.find((held) => held.level === 'thon_ban' && (held.role === 'village_lead' || held.role === 'chapter_lead'))?.unitId
}

/** Where the helper stands before anybody is named: a leader's list, else their own village. */
export async function assistBegin(turn: Turn, live: LiveSession): Promise<Vars> {
  const led = ledVillage(turn)
  const village = await getUnit(turn.tx, led ?? turn.person?.villageId ?? 0)
  const vars: Vars = { village: village.id, village_label: unitTitle(village), _own_village: village.id, _page: 0, _left: 0 }
  return led === undefined ? vars : { ...vars, ...(await list(turn, live, village.id, 0)) }
}

/** The next part of the list. */
export async function assistMore(turn: Turn, live: LiveSession): Promise<Vars> {
  return list(turn, live, Number(live.state.vars._own_village), Number(live.state.vars._page) + 1)
}

async function list(turn: Turn, live: LiveSession, villageId: number, page: number): Promise<Vars> {
  const found = await waiting(turn, live, villageId, page * listedAtOnce(turn))
  // Past the end it begins anew
  if (found.people.length === 0 && page > 0) return list(turn, live, villageId, 0)
  return {
    _people: found.people.map(({ id }) => id).join(','),
    left: found.total,
    _left: found.total,
    _page: page,
    _more: found.total > found.people.length,
  }
}

function waiting(turn: Turn, live: LiveSession, villageId: number, offset = 0) {
  const { communeId } = turn.contact
  // The form that was finished just now is written at the end of the turn
  const without = [...idsOf(live.state.vars._skip), turn.person?.id ?? 0, live.subjectPersonId ?? 0]
  return peopleToHelp(turn.tx, { communeId, villageId, year: yearOf(turn), without, limit: listedAtOnce(turn), offset })
}

/** Somebody of the village this leader goes through who has not finished; undefined for anybody else. */
export async function findToHelp(turn: Turn, id: number): Promise<ToHelp | undefined> {
  const villageId = ledVillage(turn)
  if (villageId === undefined || id === turn.person?.id) return undefined
  const { communeId } = turn.contact
  const all = await peopleToHelp(turn.tx, { communeId, villageId, year: yearOf(turn), without: [], limit: WHOLE_VILLAGE })
  return all.people.find((one) => one.id === id)
}

const idsOf = (value: Var | undefined): number[] =>
  String(value ?? '')
    .split(',')
    .map(Number)
    .filter(Boolean)

/** The first of the list, whatever page was shown. */
export async function assistTakeNext(turn: Turn, live: LiveSession): Promise<Vars> {
  const led = ledVillage(turn)
  const [next] = led === undefined ? [] : (await waiting(turn, live, led)).people
  return { who: next?.id ?? 0 }
}

/** The people or languages a `listed` prompt offers just now, as they were shown: their numbers do not shift while somebody reads. */
export async function listedPeople(turn: Turn, live: LiveSession): Promise<Listed[]> {
  const ids = idsOf(live.state.vars._people)
  const known = await Promise.all(ids.map((id) => findPerson(turn.tx, turn.contact.communeId, id)))
  const forms = await peopleToHelp(turn.tx, {
    communeId: turn.contact.communeId,
    villageId: Number(live.state.vars._own_village),
    year: yearOf(turn),
    without: [],
    limit: WHOLE_VILLAGE,
  })
  const shown = new Map<number, ToHelp>(forms.people.map((item) => [item.id, item]))
  return known.flatMap((item, index) => {
    if (!item) return []
    const { id, name, birthYear } = item.person
    const params = { n: index + 1, name, birth_year: birthYear, answered: shown.get(id)?.answered ?? 0, chat: item.hasChat ? 'yes' : 'no' }
    return [{ key: String(id), label: name, text: { key: 'assist.list_line', params }, tap: { key: 'assist.list_tap', params } }]
  })
}

/** Finds out who is meant, and whether and how that person may be helped. */
export async function assistFind(turn: Turn, live: LiveSession): Promise<Vars> {
  const { vars } = live.state
  const who = Number(vars.who)
  const found = who >= 1 ? await findPerson(turn.tx, turn.contact.communeId, who) : await findNamed(turn, vars)
  if (!found) return { _found: 'new', who: 0 }
  const { person } = found
  const village = await getUnit(turn.tx, person.villageId)
  const known: Vars = {
    who: person.id,
    name: person.name,
    birth_year: person.birthYear,
    village: person.villageId,
    village_label: unitTitle(village),
    their_address: person.address,
    group: groupKey(person.group),
    ...callThem(turn, person),
  }
  return { ...known, _found: await standing(turn, found) }
}

async function findNamed(turn: Turn, vars: Vars): Promise<Known | undefined> {
  const key = {
    communeId: turn.contact.communeId,
    villageId: Number(vars.village),
    nameKey: fold(String(vars.name)),
    birthYear: Number(vars.birth_year),
  }
  const [first] = await findSame(turn.tx, key)
  return first
}

async function standing(turn: Turn, { person, hasChat }: Known): Promise<string> {
  if (person.id === turn.person?.id) return 'self'
  const { communeId, id: subjectId } = person
  const form = await findNomination(turn.tx, { communeId, year: yearOf(turn), title: 'CDHT', subjectId })
  const finished = form !== undefined && form.row.status !== 'dang_tu_danh_gia'
  if (finished && hasChat) return 'own_finished'
  if (finished) return form.row.helperPersonId === turn.person?.id && form.row.status === 'da_tu_danh_gia' ? 'mine' : 'finished'
  const [agreed] = await turn.tx
    .select({ id: consent.id })
    .from(consent)
    .where(and(eq(consent.communeId, communeId), eq(consent.personId, person.id), eq(consent.decision, 'given')))
    .limit(1)
  return agreed ? 'consented' : 'known'
}

function callThem(turn: Turn, person: Pick<PersonRow, 'address' | 'name'>): Vars {
  const their = titleOf(turn, person)
  const goi = turn.deps.content.texts[turn.contact.language].format({ key: `address.${person.address}` }, {})
  return { their, Their: capitalise(their), their_goi: goi, Their_goi: capitalise(goi), helper: turn.person?.name ?? '' }
}

/** How the person is called, once it was asked. */
export async function assistTheir(turn: Turn, live: LiveSession): Promise<Vars> {
  return callThem(turn, { address: String(live.state.vars.their_address), name: String(live.state.vars.name) })
}

/** They agreed when it was read to them: what text, when, and who read it. */
export async function assistConsented(turn: Turn, live: LiveSession): Promise<Vars> {
  const who = Number(live.state.vars.who)
  const [row] = await turn.tx
    .insert(consent)
    .values({ ...consentBy(turn, live), decision: 'given', personId: who >= 1 ? who : null })
    .returning({ id: consent.id })
  return { _consent: row?.id ?? 0 }
}

/** They said no: that is all that is kept, and of whom it is not. */
export async function assistRefused(turn: Turn, live: LiveSession): Promise<Vars> {
  await turn.tx.insert(consent).values({ ...consentBy(turn, live), decision: 'declined' })
  return assistForget(turn, live)
}

function consentBy(turn: Turn, live: LiveSession) {
  return {
    communeId: turn.contact.communeId,
    contactId: turn.contact.id,
    helperPersonId: turn.person?.id ?? null,
    textVersion: consentVersion(turn, live, 'assist.consent.ask'),
    channel: turn.account.channel,
    decidedAt: turn.now,
  }
}

// What the helper said of somebody; the ids of a leader's own list are none of it
const SAID_OF_THEM = [
  'name',
  'birth_year',
  'their_address',
  'their',
  'Their',
  'their_goi',
  'Their_goi',
  'group',
  'head',
  'adults',
  'head_name',
  '_consent',
  '_found',
]

/** Forgets whom the helper spoke of: in the conversation, and in the words that were said and written about it. */
export async function assistForget(turn: Turn, live: LiveSession): Promise<Vars> {
  const { vars } = live.state
  const skipped = Number(vars.who) >= 1 ? [...idsOf(vars._skip), Number(vars.who)] : idsOf(vars._skip)
  for (const name of SAID_OF_THEM) delete vars[name]
  live.changed = true
  await forgetWords(turn, [live.id])
  return { _skip: skipped.join(','), who: 0 }
}

/** Takes the words of conversations away, from where each began; what is still to be sent goes out first and is forgotten by the 90 days. */
export async function forgetWords(turn: Pick<Turn, 'tx'>, sessionIds: readonly number[]): Promise<void> {
  if (sessionIds.length === 0) return
  const ids = sql.param([...sessionIds])
  const spoken = (table: 'inbound_event' | 'outbound_message', time: 'received_at' | 'created_at') => sql`EXISTS (
    SELECT 1 FROM session s WHERE s.id = ANY (${ids}::bigint[]) AND s.contact_id = ${sql.raw(table)}.contact_id
      AND ${sql.raw(`${table}.${time}`)} >= s.started_at - interval '1 minute'
      AND (s.status <> 'ended' OR ${sql.raw(`${table}.${time}`)} <= s.updated_at + interval '1 minute'))`
  await turn.tx
    .update(inboundEvent)
    .set({ bodyEnc: null })
    .where(and(isNotNull(inboundEvent.handledAt), spoken('inbound_event', 'received_at')))
  await turn.tx
    .update(outboundMessage)
    .set({ bodyEnc: null })
    .where(and(sql`${outboundMessage.status} <> 'waiting'`, spoken('outbound_message', 'created_at')))
}

/** The person themself was wrong: begins with the name again; the consent given before was for somebody else. */
export async function assistStartAgain(turn: Turn, live: LiveSession): Promise<Vars> {
  const id = Number(live.state.vars._consent ?? 0)
  if (id > 0)
    await turn.tx.delete(consent).where(and(eq(consent.communeId, turn.contact.communeId), eq(consent.id, id), isNull(consent.personId)))
  for (const name of SAID_OF_THEM) delete live.state.vars[name]
  return { who: 0, village: live.state.vars._own_village ?? 0 }
}

/** Registers the person helped, or finds them again, and makes the session about them. */
export async function assistRegister(turn: Turn, live: LiveSession): Promise<Vars> {
  const { tx, contact, now } = turn
  const helper = turn.person
  if (!helper) throw new Error('somebody who is not registered helps')
  const { vars } = live.state
  const known = Number(vars.who) >= 1 ? await findPerson(tx, contact.communeId, Number(vars.who)) : undefined
  const placed = known
    ? await registerByHelper(tx, known.person, helper.id)
    : await registerPerson(tx, { communeId: contact.communeId, facts: factsOf(vars), source: 'helper', registeredBy: helper.id, now })
  turn.tallies.push(...placed.tallies)
  setSubject(live, placed.person)
  const consentId = Number(vars._consent ?? 0)
  if (consentId > 0)
    await tx
      .update(consent)
      .set({ personId: placed.person.id })
      .where(and(eq(consent.communeId, contact.communeId), eq(consent.id, consentId)))
  await tx.insert(audit).values({
    communeId: contact.communeId,
    at: now,
    actor: `contact:${contact.id}`,
    action: 'person.help',
    subject: `person:${placed.person.id}`,
    detail: { helper: helper.id, registered: known === undefined },
  })
  return { who: placed.person.id, group: groupKey(placed.person.group) }
}

function factsOf(vars: Vars): PersonFacts {
  const { group } = vars
  if (!isGroup(group)) throw new Error('a flow registers somebody without a group')
  return {
    villageId: Number(vars.village),
    name: String(vars.name),
    birthYear: Number(vars.birth_year),
    address: String(vars.their_address),
    group: GROUPS[group],
    household: vars.head === 'co' ? { head: true, adults: Number(vars.adults) } : { head: false, headName: String(vars.head_name) },
  }
}

/** After one person: who could be next, and whose form SỬA would change. */
export async function assistAfter(turn: Turn, live: LiveSession): Promise<Vars> {
  const [last] = await turn.tx
    .select({ nominationId: sessionTable.nominationId, subjectPersonId: sessionTable.subjectPersonId })
    .from(sessionTable)
    .where(and(eq(sessionTable.contactId, turn.contact.id), eq(sessionTable.status, 'ended'), inArray(sessionTable.flow, ['assist'])))
    .orderBy(desc(sessionTable.id))
    .limit(1)
  if (last?.subjectPersonId && last.nominationId) {
    const found = await findPerson(turn.tx, turn.contact.communeId, last.subjectPersonId)
    if (found) {
      setSubject(live, found.person)
      live.nominationId = last.nominationId
    }
  }
  const led = ledVillage(turn)
  if (led === undefined) return { _next: false }
  const { total, people } = await waiting(turn, live, led)
  const [next] = people
  return next ? { _next: true, left: total, next: `${next.name} (${next.birthYear})` } : { _next: false }
}

/** The helper asks, at the other's word, that the other's data go: that is for an officer to do. */
export async function askErasureForOther(turn: Turn, live: LiveSession): Promise<Vars> {
  const about = Number(live.state.vars._about)
  await openTicket(turn, { kind: 'erasure', question: null, personId: about >= 1 ? about : null })
  return {}
}

/** An open prompt as it is shown in a form filled in for another: the way back in names them, and the helper may leave it for later. */
export async function resumeFor(turn: Turn, live: LiveSession, prompt: Prompt): Promise<Prompt> {
  const subject = await subjectOf(turn, live)
  if (!helps(live) || prompt.ref !== 'side_resume' || !subject) return prompt
  const params = { ...(prompt.text.params ?? {}), their: titleOf(turn, subject) }
  const option = (key: string, text = `assist.resume.${key}`) => ({ key, text: { key: text } })
  return {
    ...prompt,
    text: { key: prompt.text.key === 'engine.resume' ? 'assist.resume' : 'assist.resume_review', params },
    options: [option('tiep_tuc', 'engine.resume.tiep_tuc'), option('nguoi_khac'), option('de_sau')],
  }
}

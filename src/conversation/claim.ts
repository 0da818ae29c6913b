import { and, eq, isNull, ne } from 'drizzle-orm'
import { audit, consent, contact as contactTable, session as sessionTable } from '../db/schema.ts'
import type { Var } from '../engine/flow.ts'
import { fold } from '../lib/fold.ts'
import { formatDate, vietnamTime } from '../lib/vietnam-time.ts'
import { findNomination } from '../recognition/nominations.ts'
import { findHelpedRecords, findPerson } from '../registry/helping.ts'
import { changePerson } from '../registry/people.ts'
import { factsOf, GROUPS, groupKey, ownConsents } from './actions.ts'
import { answerLines } from './answer-lines.ts'
import { type LiveSession, say, type Turn } from './turn.ts'

type Vars = Record<string, Var>

/** Whether somebody has answered for the one who registers: exactly one record of this name, year and village that no chat has taken. */
export async function findOwnRecord(turn: Turn, live: LiveSession): Promise<Vars> {
  const { vars } = live.state
  if (turn.person) return { _helped: false }
  const found = await findHelpedRecords(turn.tx, {
    communeId: turn.contact.communeId,
    villageId: Number(vars.village),
    nameKey: fold(String(vars.name)),
    birthYear: Number(vars.birth_year),
    year: vietnamTime(turn.now).year,
  })
  const [record] = found
  if (!record || found.length > 1) return { _helped: false }
  const helper = record.helperPersonId ? await findPerson(turn.tx, turn.contact.communeId, record.helperPersonId) : undefined
  return { _helped: true, _record_of: record.person.id, helped_by: helper?.person.name ?? 'none', helped_on: formatDate(record.at) }
}

/** "Không phải tôi": two people of one name, year and village, or a mistake of the helper's; registering opens a ticket for an officer. */
export async function refuseRecord(): Promise<Vars> {
  return { _helped: false }
}

/**
 * The record others made becomes the chat's own: who helped stays written down, and from now on nobody else changes it. What was just
 * said of the household and the form of address is newer than what the helper said.
 */
export async function takeOverRecord(turn: Turn, live: LiveSession): Promise<Vars> {
  const { tx, contact, now } = turn
  const { communeId } = contact
  const year = vietnamTime(now).year
  // The form is locked first: a helper who is answering just now waits, and then finds it taken
  const form = await findNomination(tx, { communeId, year, title: 'CDHT', subjectId: Number(live.state.vars._record_of) })
  const known = await findPerson(tx, communeId, Number(live.state.vars._record_of))
  if (!known || known.hasChat) return { _record: 'gone' }
  const facts = { ...factsOf(live.state.vars), ...(form ? { group: GROUPS[groupKey(known.person.group)] } : {}) }
  const { person, tallies } = await changePerson(tx, known.person, facts, now)
  turn.tallies.push(...tallies)
  turn.person = person
  contact.personId = person.id
  await tx.update(contactTable).set({ personId: person.id }).where(eq(contactTable.id, contact.id))
  await tx
    .update(consent)
    .set({ personId: person.id })
    .where(and(ownConsents(turn), isNull(consent.personId)))
  await tx
    .update(sessionTable)
    .set({ status: 'ended', updatedAt: now })
    .where(
      and(
        eq(sessionTable.communeId, communeId),
        eq(sessionTable.subjectPersonId, person.id),
        ne(sessionTable.contactId, contact.id),
        ne(sessionTable.status, 'ended'),
      ),
    )
  await tx.insert(audit).values({
    communeId,
    at: now,
    actor: `contact:${contact.id}`,
    action: 'person.take_over',
    subject: `person:${person.id}`,
    detail: { nomination: form?.row.id ?? null },
  })
  if (!form) return { _record: 'none', group: groupKey(person.group) }
  return { _record: form.row.status === 'dang_tu_danh_gia' ? 'unfinished' : 'finished', group: groupKey(person.group) }
}

/** What the helper answered, to be looked through. */
export async function showRecord(turn: Turn): Promise<Vars> {
  const { person } = turn
  if (!person) return {}
  const year = vietnamTime(turn.now).year
  const form = await findNomination(turn.tx, { communeId: person.communeId, year, title: 'CDHT', subjectId: person.id })
  if (form) say(turn, 'view.answers', { year, lines: answerLines(turn, form) })
  say(turn, 'view.rights')
  return {}
}

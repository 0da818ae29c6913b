import { and, asc, eq, inArray, or, sql } from 'drizzle-orm'
import {
  answer,
  answerHistory,
  audit,
  consent,
  contact as contactTable,
  inboundEvent,
  nomination,
  outboundMessage,
  person as personTable,
  roleGrant,
  session as sessionTable,
  ticket,
} from '../db/schema.ts'
import { eraseMentions } from '../outreach/erase-mentions.ts'
import { loadNomination, uncount } from '../recognition/nominations.ts'
import { findHousehold, leaveHousehold, personTallies } from '../registry/people.ts'
import { ownConsents } from './actions.ts'
import { forgetWords } from './assist.ts'
import type { Turn } from './turn.ts'

/**
 * Erases a person at their own word: registration, answers and their history, conversations, words said and written. What stays are
 * ids without a person (audit, ledger, the proof of consent) and figures. The chat's own id goes when the farewell is out
 * (`finishErasures`), so that it can be said at all.
 */
export async function erase(turn: Turn): Promise<void> {
  const { tx, contact, person, now } = turn
  const { communeId } = contact
  const home = person?.householdId ? await findHousehold(tx, communeId, person.householdId) : undefined
  const ownHome = home && home.headPersonId === person?.id ? home : undefined
  const nominationIds = person ? await findNominations(turn, person.id, ownHome?.id) : []
  const contactIds = await lockChats(turn)
  await deleteForms(turn, nominationIds)
  if (person) {
    turn.tallies.push(...personTallies(person, undefined))
    await tx.delete(personTable).where(and(eq(personTable.communeId, communeId), eq(personTable.id, person.id)))
    if (home) turn.tallies.push(...(await leaveHousehold(tx, home, ownHome !== undefined)))
    // What this person did for others stays theirs, done by somebody without a name: the number alone says no more who it was
    await forgetHelp(turn, person.id)
  }
  await tx.insert(consent).values({
    communeId,
    contactId: contact.id,
    textVersion: '',
    decision: 'withdrawn',
    channel: turn.account.channel,
    decidedAt: now,
  })
  await tx.update(consent).set({ personId: null }).where(ownConsents(turn))
  await emptyChats(turn, contactIds)
  await tx
    .insert(audit)
    .values({ communeId, at: now, actor: `contact:${contact.id}`, action: 'person.erase', subject: person ? `person:${person.id}` : null })
  const nobody = { personId: null, cameByUnitId: null, voiceLanguageEnc: null, stoppedAt: null, erasedAt: now }
  await tx.update(contactTable).set(nobody).where(inArray(contactTable.id, contactIds))
  Object.assign(contact, nobody)
  turn.person = undefined
  turn.roles = []
}

/** A person's own forms, and those of the household they are the head of. */
async function findNominations({ tx, contact }: Turn, personId: number, ownHomeId: number | undefined): Promise<number[]> {
  const rows = await tx
    .select({ id: nomination.id })
    .from(nomination)
    .where(
      and(
        eq(nomination.communeId, contact.communeId),
        or(
          and(eq(nomination.title, 'CDHT'), eq(nomination.subjectId, personId)),
          ownHomeId === undefined ? undefined : and(eq(nomination.title, 'GDHT'), eq(nomination.subjectId, ownHomeId)),
        ),
      ),
    )
  return rows.map(({ id }) => id)
}

/** Locks all chats the person came through and gives their ids, this one's first. */
async function lockChats({ tx, contact, person }: Turn): Promise<number[]> {
  const chats = person
    ? await tx
        .select({ id: contactTable.id })
        .from(contactTable)
        .where(and(eq(contactTable.communeId, contact.communeId), eq(contactTable.personId, person.id)))
        .orderBy(asc(contactTable.id))
        .for('update')
    : []
  return [...new Set([contact.id, ...chats.map((chat) => chat.id)])]
}

/** Deletes forms with their answers and the history of these, and takes them out of the figures. */
async function deleteForms(turn: Turn, ids: readonly number[]): Promise<void> {
  const { tx } = turn
  const { communeId } = turn.contact
  turn.nominations.clear()
  for (const id of ids) {
    const open = await loadNomination(tx, communeId, id)
    if (open) turn.tallies.push(...uncount(open))
  }
  if (ids.length === 0) return
  await tx.delete(answer).where(and(eq(answer.communeId, communeId), inArray(answer.nominationId, [...ids])))
  await tx.delete(answerHistory).where(and(eq(answerHistory.communeId, communeId), inArray(answerHistory.nominationId, [...ids])))
  await tx.delete(nomination).where(and(eq(nomination.communeId, communeId), inArray(nomination.id, [...ids])))
}

/** Takes the words, the roles and the conversations out of chats. What is still to be handled or sent keeps its words until then. */
async function emptyChats(turn: Turn, contactIds: readonly number[]): Promise<void> {
  const { tx, person, now } = turn
  const { communeId } = turn.contact
  const ids = [...contactIds]
  for (const contactId of ids) await eraseMentions(tx, { communeId, contactId, villageId: person?.villageId })
  await tx.update(ticket).set({ wordsEnc: null, personId: null, status: 'closed', closedAt: now }).where(inArray(ticket.contactId, ids))
  await tx.update(roleGrant).set({ revokedAt: now }).where(inArray(roleGrant.contactId, ids))
  await tx
    .update(inboundEvent)
    .set({ bodyEnc: null })
    .where(and(inArray(inboundEvent.contactId, ids), sql`handled_at IS NOT NULL`))
  await tx
    .update(outboundMessage)
    .set({ bodyEnc: null })
    .where(and(inArray(outboundMessage.contactId, ids), sql`status <> 'waiting'`))
  await tx.update(sessionTable).set({ state: {}, status: 'ended' }).where(inArray(sessionTable.contactId, ids))
  turn.sessions = turn.sessions.filter((session) => session.status === 'active')
}

/** Stands for a helper who is no more known: the person was helped, by whom is forgotten. */
const SOMEBODY = 0

/**
 * Takes a person out of what others did for them, and out of what they did for others. That somebody was helped stays true and counted;
 * conversations and words of helpers about the person go with the person.
 */
async function forgetHelp({ tx, contact, now }: Turn, personId: number): Promise<void> {
  const { communeId } = contact
  const helper = { helperPersonId: SOMEBODY }
  await tx
    .update(answer)
    .set(helper)
    .where(and(eq(answer.communeId, communeId), eq(answer.helperPersonId, personId)))
  await tx
    .update(answerHistory)
    .set(helper)
    .where(and(eq(answerHistory.communeId, communeId), eq(answerHistory.helperPersonId, personId)))
  await tx
    .update(nomination)
    .set(helper)
    .where(and(eq(nomination.communeId, communeId), eq(nomination.helperPersonId, personId)))
  await tx
    .update(consent)
    .set(helper)
    .where(and(eq(consent.communeId, communeId), eq(consent.helperPersonId, personId)))
  await tx
    .update(personTable)
    .set({ registeredBy: null })
    .where(and(eq(personTable.communeId, communeId), eq(personTable.registeredBy, personId)))
  await tx
    .update(consent)
    .set({ personId: null })
    .where(and(eq(consent.communeId, communeId), eq(consent.personId, personId)))
  await tx
    .update(ticket)
    .set({ personId: null })
    .where(and(eq(ticket.communeId, communeId), eq(ticket.personId, personId)))
  const about = await tx
    .select({ id: sessionTable.id })
    .from(sessionTable)
    .where(and(eq(sessionTable.communeId, communeId), eq(sessionTable.subjectPersonId, personId)))
  const ids = about.map(({ id }) => id)
  if (ids.length === 0) return
  await forgetWords({ tx }, ids)
  await tx
    .update(sessionTable)
    .set({ state: {}, status: 'ended', subjectPersonId: null, nominationId: null, updatedAt: now })
    .where(inArray(sessionTable.id, ids))
}

import { and, asc, eq, inArray, or } from 'drizzle-orm'
import {
  answer,
  answerHistory,
  consent,
  contact as contactTable,
  household,
  nomination,
  person as personTable,
  session as sessionTable,
  ticket,
} from '../db/schema.ts'
import { loadNomination, type OpenNomination, reckon, saveNomination, type Title, uncount } from '../recognition/nominations.ts'
import { findHousehold, leaveHousehold, personTallies } from '../registry/people.ts'
import type { PersonRow, Turn } from './turn.ts'

/** Whether two registrations say the same of who somebody is. */
export const isSamePerson = (a: PersonRow, b: PersonRow): boolean =>
  a.communeId === b.communeId && a.villageId === b.villageId && a.nameKey === b.nameKey && a.birthYear === b.birthYear

/**
 * Makes one person of two registrations of the same one. Of two forms for one title and year the further one stays, with what only the
 * other had answered; what the other said instead becomes history. Counts move with the rows.
 */
export async function mergePeople(turn: Turn, kept: PersonRow, gone: PersonRow): Promise<PersonRow> {
  const { tx, now } = turn
  const { communeId } = kept
  const both = [kept.id, gone.id]
  // Nobody answers in a chat of either meanwhile: a session written back would name a form that is no more
  await tx
    .select({ id: contactTable.id })
    .from(contactTable)
    .where(and(eq(contactTable.communeId, communeId), inArray(contactTable.personId, both)))
    .orderBy(asc(contactTable.id))
    .for('update')
  for (const open of turn.nominations.values()) turn.tallies.push(...(await saveNomination(tx, open, now)))
  turn.nominations.clear()

  await joinForms(turn, { title: 'CDHT', kept: kept.id, gone: gone.id })
  const householdId = await joinHouseholds(turn, kept, gone)
  await passOn(turn, kept.id, gone.id)
  await tx.delete(personTable).where(and(eq(personTable.communeId, communeId), eq(personTable.id, gone.id)))
  turn.tallies.push(...personTallies(gone, undefined))
  return { ...kept, householdId }
}

/** Everything that names the one names the other. */
async function passOn({ tx, contact: { communeId } }: Turn, kept: number, gone: number): Promise<void> {
  await tx
    .update(contactTable)
    .set({ personId: kept })
    .where(and(eq(contactTable.communeId, communeId), eq(contactTable.personId, gone)))
  await tx
    .update(consent)
    .set({ personId: kept })
    .where(and(eq(consent.communeId, communeId), eq(consent.personId, gone)))
  await tx
    .update(consent)
    .set({ helperPersonId: kept })
    .where(and(eq(consent.communeId, communeId), eq(consent.helperPersonId, gone)))
  await tx
    .update(ticket)
    .set({ personId: kept })
    .where(and(eq(ticket.communeId, communeId), eq(ticket.personId, gone)))
  await tx
    .update(answer)
    .set({ helperPersonId: kept })
    .where(and(eq(answer.communeId, communeId), eq(answer.helperPersonId, gone)))
  await tx
    .update(answerHistory)
    .set({ helperPersonId: kept })
    .where(and(eq(answerHistory.communeId, communeId), eq(answerHistory.helperPersonId, gone)))
  await tx
    .update(nomination)
    .set({ helperPersonId: kept })
    .where(and(eq(nomination.communeId, communeId), eq(nomination.helperPersonId, gone)))
  await tx
    .update(sessionTable)
    .set({ subjectPersonId: kept })
    .where(and(eq(sessionTable.communeId, communeId), eq(sessionTable.subjectPersonId, gone)))
  await tx
    .update(personTable)
    .set({ registeredBy: kept })
    .where(and(eq(personTable.communeId, communeId), eq(personTable.registeredBy, gone)))
}

/** One household for both: the head's, and of two heads the kept one's with the members of the other. */
async function joinHouseholds(turn: Turn, kept: PersonRow, gone: PersonRow): Promise<number | null> {
  const { tx } = turn
  const { communeId } = kept
  const own = kept.householdId === null ? undefined : await findHousehold(tx, communeId, kept.householdId)
  const other = gone.householdId === null ? undefined : await findHousehold(tx, communeId, gone.householdId)
  const leave = (id: number) =>
    tx
      .update(personTable)
      .set({ householdId: null })
      .where(and(eq(personTable.communeId, communeId), eq(personTable.id, id)))
  if (!other) return kept.householdId
  await leave(gone.id)
  const wasHead = other.headPersonId === gone.id
  if (own?.id === other.id) {
    if (wasHead) await tx.update(household).set({ headPersonId: kept.id }).where(eq(household.id, own.id))
    return own.id
  }
  if (own?.headPersonId === kept.id && wasHead) {
    await tx
      .update(personTable)
      .set({ householdId: own.id })
      .where(and(eq(personTable.communeId, communeId), eq(personTable.householdId, other.id)))
    await tx
      .update(household)
      .set({ adults: own.adults ?? other.adults })
      .where(eq(household.id, own.id))
    await joinForms(turn, { title: 'GDHT', kept: own.id, gone: other.id })
    turn.tallies.push(...(await leaveHousehold(tx, other, false)))
    return own.id
  }
  if (wasHead) {
    // Who is head in one registration answers for the family: their household is the one both belong to
    await tx.update(household).set({ headPersonId: kept.id }).where(eq(household.id, other.id))
    await tx
      .update(personTable)
      .set({ householdId: other.id })
      .where(and(eq(personTable.communeId, communeId), eq(personTable.id, kept.id)))
    if (own) turn.tallies.push(...(await leaveHousehold(tx, own, false)))
    return other.id
  }
  turn.tallies.push(...(await leaveHousehold(tx, other, false)))
  return kept.householdId
}

/** Brings the forms of one subject to another: one form a title and year. */
async function joinForms(turn: Turn, { title, kept, gone }: { title: Title; kept: number; gone: number }): Promise<void> {
  const { tx, now } = turn
  const communeId = turn.contact.communeId
  const rows = await tx
    .select({ id: nomination.id, year: nomination.year, subjectId: nomination.subjectId })
    .from(nomination)
    .where(
      and(
        eq(nomination.communeId, communeId),
        eq(nomination.title, title),
        or(eq(nomination.subjectId, kept), eq(nomination.subjectId, gone)),
      ),
    )
    .orderBy(asc(nomination.id))
  for (const year of new Set(rows.map((row) => row.year))) {
    const forms: OpenNomination[] = []
    for (const { id } of rows.filter((row) => row.year === year)) {
      const open = await loadNomination(tx, communeId, id)
      if (open) forms.push(open)
    }
    const [further, other] = forms.sort((a, b) => Number(isFurther(b, a)) - Number(isFurther(a, b)))
    if (!further) continue
    if (other) await fold(turn, further, other)
    further.row.subjectId = kept
    turn.tallies.push(...(await saveNomination(tx, further, now)))
  }
}

/** A confirmed form is further than one under way; then the one with more answers; then the older. */
function isFurther(a: OpenNomination, b: OpenNomination): boolean {
  const [first, second] = [a.row, b.row]
  if ((first.confirmedAt === null) !== (second.confirmedAt === null)) return first.confirmedAt !== null
  if (first.answered !== second.answered) return first.answered > second.answered
  return first.openedAt < second.openedAt
}

/** Puts what `other` has into `further`, as answers where there were none, else as history, and takes `other` out of rows and counts. */
async function fold(turn: Turn, further: OpenNomination, other: OpenNomination): Promise<void> {
  const { tx, now } = turn
  const { communeId } = further.row
  const nominationId = further.row.id
  const isOpen = further.row.confirmedAt === null
  const [taken, replaced] = [[...other.answers.values()], [...other.answers.values()]].map((items, place) =>
    items.filter((item) => {
      const fills =
        isOpen && item.criteriaSet === further.row.criteriaSet && item.source !== 'computed' && !further.answers.has(item.question)
      return fills === (place === 0)
    }),
  )
  turn.tallies.push(...uncount(other))
  const ofOther = and(eq(answer.communeId, communeId), eq(answer.nominationId, other.row.id))
  await tx.delete(answer).where(ofOther)
  await tx
    .update(answerHistory)
    .set({ nominationId })
    .where(and(eq(answerHistory.communeId, communeId), eq(answerHistory.nominationId, other.row.id)))
  await tx
    .update(sessionTable)
    .set({ nominationId })
    .where(and(eq(sessionTable.communeId, communeId), eq(sessionTable.nominationId, other.row.id)))
  for (const live of turn.sessions) if (live.nominationId === other.row.id) live.nominationId = nominationId
  await tx.delete(nomination).where(and(eq(nomination.communeId, communeId), eq(nomination.id, other.row.id)))
  if (replaced && replaced.length > 0) {
    await tx.insert(answerHistory).values(
      replaced.map(({ question, criteriaSet, option, points, source, helperPersonId, answeredAt }) => ({
        communeId,
        nominationId,
        question,
        criteriaSet,
        option,
        points,
        source,
        helperPersonId,
        answeredAt,
        replacedAt: now,
      })),
    )
  }
  for (const item of taken ?? []) further.answers.set(item.question, { ...item, nominationId })
  const set = turn.deps.content.sets.get(further.row.criteriaSet)
  if (set && turn.commune && further.row.title === 'CDHT' && taken && taken.length > 0)
    reckon(further, set, turn.commune.settings.passRule(set), { now })
  else further.row.answered = [...further.answers.values()].filter((item) => item.source !== 'computed').length
}

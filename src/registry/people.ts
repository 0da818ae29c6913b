import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { contact, household, nomination, person } from '../db/schema.ts'
import { fold } from '../lib/fold.ts'
import { householdContributions, personContributions } from '../reports/contributions.ts'
import { PEOPLE, type TallyChange } from '../reports/tally.ts'

export type Person = typeof person.$inferSelect
export type Household = typeof household.$inferSelect

/** What somebody says of themselves when they register. */
export type PersonFacts = {
  villageId: number
  name: string
  birthYear: number
  address: string
  group: 1 | 2 | 3
  household: { head: true; adults: number } | { head: false; headName: string }
}

/** A person as stored, with what that changes in the counts: it belongs into the same transaction. */
export type Placed = { person: Person; tallies: TallyChange[] }

/** Registers the person behind a contact, in their household. Counted once; the contact is joined to the person. */
export async function registerPerson(
  tx: Tx,
  given: { communeId: number; facts: PersonFacts; source: 'chat' | 'helper'; registeredBy: number | null; now: Date },
): Promise<Placed> {
  const { communeId, facts } = given
  const [row] = await tx
    .insert(person)
    .values({
      communeId,
      ...columnsOf(facts),
      source: given.source,
      registeredBy: given.registeredBy,
      createdAt: given.now,
    })
    .returning()
  if (!row) throw new Error('a person was not stored')
  const placed = await placeInHousehold(tx, row, facts, given.now)
  return { person: placed.person, tallies: [...placed.tallies, ...personTallies(undefined, placed.person)] }
}

const columnsOf = ({ villageId, name, birthYear, address, group }: PersonFacts) => ({
  villageId,
  name,
  nameKey: fold(name),
  birthYear,
  address,
  group,
})

/** Changes what is known of a person. Safe to repeat. */
export async function changePerson(tx: Tx, before: Person, facts: PersonFacts, now: Date): Promise<Placed> {
  const [row] = await tx
    .update(person)
    .set(columnsOf(facts))
    .where(and(eq(person.communeId, before.communeId), eq(person.id, before.id)))
    .returning()
  if (!row) throw new Error(`there is no person ${before.id}`)
  const placed = await placeInHousehold(tx, row, facts, now)
  return { person: placed.person, tallies: [...placed.tallies, ...personTallies(before, placed.person)] }
}

/** What a person adds to the counts; of a person who is gone, what is taken away. */
export function personTallies(before: Person | undefined, after: Person | undefined): TallyChange[] {
  return [
    ...(before ? [{ scope: scopeOf(before), before: personContributions(before), after: [] }] : []),
    ...(after ? [{ scope: scopeOf(after), before: [], after: personContributions(after) }] : []),
  ]
}

const scopeOf = ({ communeId, villageId }: { communeId: number; villageId: number }) => ({ communeId, villageId, ...PEOPLE })

/**
 * The household of a person: a head has their own; others join the one whose head has the name they say, made anew when there is none.
 * A head who comes later takes the household that was waiting under their name.
 */
async function placeInHousehold(tx: Tx, who: Person, facts: PersonFacts, now: Date): Promise<Placed> {
  const tallies: TallyChange[] = []
  const count = householdContributions()
  const headName = facts.household.head ? who.name : facts.household.headName
  const key = fold(headName)
  const own = who.householdId === null ? undefined : await findHousehold(tx, who.communeId, who.householdId)
  let home: Household | undefined
  if (facts.household.head) {
    home = own?.headPersonId === who.id ? own : await findByHead(tx, who, key, true)
  } else {
    home = own && own.headNameKey === key && own.villageId === who.villageId ? own : await findByHead(tx, who, key, false)
  }
  if (own && own.id !== home?.id && own.headPersonId === who.id) {
    await tx.update(household).set({ headPersonId: null }).where(eq(household.id, own.id))
  }
  const values = facts.household.head
    ? { headPersonId: who.id, headName, headNameKey: key, adults: facts.household.adults, villageId: who.villageId }
    : { headName, headNameKey: key, villageId: who.villageId }
  let homeId: number
  if (home) {
    homeId = home.id
    if (home.villageId !== who.villageId) {
      tallies.push({ scope: scopeOf(home), before: count, after: [] }, { scope: scopeOf(who), before: [], after: count })
    }
    await tx.update(household).set(values).where(eq(household.id, home.id))
  } else {
    const [made] = await tx
      .insert(household)
      .values({ communeId: who.communeId, createdAt: now, ...values })
      .returning({ id: household.id })
    if (!made) throw new Error('a household was not stored')
    homeId = made.id
    tallies.push({ scope: scopeOf(who), before: [], after: count })
  }
  if (who.householdId !== homeId) {
    await tx.update(person).set({ householdId: homeId }).where(eq(person.id, who.id))
  }
  return { person: { ...who, householdId: homeId }, tallies }
}

async function findByHead(tx: Tx, who: Person, headNameKey: string, withoutHead: boolean): Promise<Household | undefined> {
  const rows = await tx
    .select()
    .from(household)
    .where(
      and(
        eq(household.communeId, who.communeId),
        eq(household.villageId, who.villageId),
        eq(household.headNameKey, headNameKey),
        withoutHead ? isNull(household.headPersonId) : sql`true`,
      ),
    )
    .orderBy(asc(household.id))
    .limit(2)
  // Two heads of one name: nobody is put into the wrong family, a new household waits for an officer to join them
  return rows.length === 1 ? rows[0] : undefined
}

export async function findHousehold(tx: Tx, communeId: number, id: number): Promise<Household | undefined> {
  const [row] = await tx
    .select()
    .from(household)
    .where(and(eq(household.communeId, communeId), eq(household.id, id)))
  return row
}

/** After a member was erased: a household nobody is left in goes too, one that lost its head waits for another. */
export async function leaveHousehold(tx: Tx, home: Household, wasHead: boolean): Promise<TallyChange[]> {
  const [left] = await tx
    .select({ id: person.id })
    .from(person)
    .where(and(eq(person.communeId, home.communeId), eq(person.householdId, home.id)))
    .limit(1)
  if (!left) {
    await tx.delete(household).where(eq(household.id, home.id))
    return [{ scope: scopeOf(home), before: householdContributions(), after: [] }]
  }
  if (wasHead)
    await tx.update(household).set({ headPersonId: null, headName: null, headNameKey: null, adults: null }).where(eq(household.id, home.id))
  return []
}

export async function setAdults(tx: Tx, communeId: number, householdId: number, adults: number): Promise<void> {
  await tx
    .update(household)
    .set({ adults })
    .where(and(eq(household.communeId, communeId), eq(household.id, householdId)))
}

/** How many of a household are self-assessed as passing this year, and how many adults live there (never fewer than are registered). */
export async function familyFigures(tx: Tx, home: Household, year: number): Promise<{ citizens: number; adults: number }> {
  const [row] = await tx
    .select({
      members: sql<number>`count(DISTINCT ${person.id})::int`,
      citizens: sql<number>`count(DISTINCT ${person.id}) FILTER (WHERE ${nomination.selfPassed})::int`,
    })
    .from(person)
    .leftJoin(
      nomination,
      and(
        eq(nomination.communeId, person.communeId),
        eq(nomination.subjectId, person.id),
        eq(nomination.title, 'CDHT'),
        eq(nomination.year, year),
      ),
    )
    .where(and(eq(person.communeId, home.communeId), eq(person.householdId, home.id)))
  return { citizens: row?.citizens ?? 0, adults: Math.max(home.adults ?? 0, row?.members ?? 0) }
}

/** What people are known by among their neighbours. */
export type PersonKey = Pick<Person, 'communeId' | 'villageId' | 'nameKey' | 'birthYear'>

/** Everybody of this name, year of birth and village. */
export const named = (key: PersonKey) =>
  and(
    eq(person.communeId, key.communeId),
    eq(person.villageId, key.villageId),
    eq(person.nameKey, key.nameKey),
    eq(person.birthYear, key.birthYear),
  )

/** Others of the same name, year of birth and village: maybe the same person on another phone. */
export async function findTwins(tx: Tx, who: Person): Promise<{ id: number; hasContact: boolean }[]> {
  return tx
    .select({ id: person.id, hasContact: sql<boolean>`EXISTS (SELECT 1 FROM ${contact} c WHERE c.person_id = ${person.id})` })
    .from(person)
    .where(and(named(who), sql`${person.id} <> ${who.id}`))
}

import { and, eq, sql } from 'drizzle-orm'
import type { DbOrTx, Tx } from '../db/connect.ts'
import { person } from '../db/schema.ts'
import type { TallyChange } from '../reports/tally.ts'
import { named, type Person, type PersonKey, personTallies } from './people.ts'

/** A person of a village who has not finished this year's form, as somebody who helps sees them. */
export type ToHelp = { id: number; name: string; birthYear: number; hasChat: boolean; answered: number | null }

/**
 * Who of a village may be helped, those without a chat of their own first, then by given name; the roster's people are among them. Whoever
 * withdrew is not asked again.
 */
export async function peopleToHelp(
  db: DbOrTx,
  given: { communeId: number; villageId: number; year: number; without: readonly number[]; limit: number; offset?: number },
): Promise<{ total: number; people: ToHelp[] }> {
  const without = given.without.length > 0 ? given.without : [0]
  const rows = await db.execute<{
    id: string
    name: string
    birth_year: number
    has_chat: boolean
    answered: number | null
    total: number
  }>(sql`
    SELECT p.id, p.name, p.birth_year, n.answered, c.has_chat, count(*) OVER ()::int AS total
    FROM person p
    LEFT JOIN nomination n ON n.commune_id = p.commune_id AND n.year = ${given.year} AND n.title = 'CDHT' AND n.subject_id = p.id
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT 1 FROM contact c WHERE c.commune_id = p.commune_id AND c.person_id = p.id) AS has_chat) c
    WHERE p.commune_id = ${given.communeId} AND p.village_id = ${given.villageId}
      AND (n.id IS NULL OR n.status = 'dang_tu_danh_gia') AND p.id <> ALL (${sql.param([...without])}::bigint[])
    ORDER BY c.has_chat, split_part(p.name_key, ' ', -1), p.name_key, p.id
    LIMIT ${given.limit} OFFSET ${given.offset ?? 0}`)
  return {
    total: rows[0]?.total ?? 0,
    people: rows.map((row) => ({
      id: Number(row.id),
      name: row.name,
      birthYear: row.birth_year,
      hasChat: row.has_chat,
      answered: row.answered,
    })),
  }
}

/** A person with whether a chat of their own is joined to them. */
export type Known = { person: Person; hasChat: boolean }

export async function findPerson(db: DbOrTx, communeId: number, id: number): Promise<Known | undefined> {
  const [row] = await db
    .select({ person, hasChat: hasChat() })
    .from(person)
    .where(and(eq(person.communeId, communeId), eq(person.id, id)))
  return row
}

/** Everybody of this name, year of birth and village; those without a chat first. */
export async function findSame(db: DbOrTx, key: PersonKey): Promise<Known[]> {
  const rows = await db.select({ person, hasChat: hasChat() }).from(person).where(named(key)).orderBy(person.id)
  return rows.sort((a, b) => Number(a.hasChat) - Number(b.hasChat))
}

/** A record others made for somebody: registered or answered by a helper, and no chat of their own has taken it over. */
export type HelpedRecord = { person: Person; helperPersonId: number | null; at: Date }

export async function findHelpedRecords(db: DbOrTx, key: PersonKey & { year: number }): Promise<HelpedRecord[]> {
  const rows = await db
    .select({
      person,
      helper: sql<string | null>`n.helper_person_id`,
      at: sql<string>`coalesce(n.confirmed_at, n.opened_at, ${person.createdAt})`,
    })
    .from(person)
    .leftJoin(
      sql`nomination n`,
      sql`n.commune_id = ${person.communeId} AND n.year = ${key.year} AND n.title = 'CDHT' AND n.subject_id = ${person.id}`,
    )
    .where(and(named(key), sql`(${person.source} = 'helper' OR n.helper_person_id IS NOT NULL)`, sql`NOT ${hasChat()}`))
    .orderBy(person.id)
  return rows.map((row) => ({
    person: row.person,
    helperPersonId: row.helper === null ? row.person.registeredBy : Number(row.helper),
    at: new Date(row.at),
  }))
}

/** Somebody of the roster takes part, by another's help: counted as registered from now on. */
export async function registerByHelper(tx: Tx, before: Person, registeredBy: number): Promise<{ person: Person; tallies: TallyChange[] }> {
  if (before.source !== 'roster') return { person: before, tallies: [] }
  const after: Person = { ...before, source: 'helper', registeredBy }
  await tx
    .update(person)
    .set({ source: 'helper', registeredBy })
    .where(and(eq(person.communeId, before.communeId), eq(person.id, before.id)))
  return { person: after, tallies: personTallies(before, after) }
}

// Written out: in a list of fields the builder leaves the table's name away, and `id` would be the contact's own
const hasChat = () => sql<boolean>`EXISTS (SELECT 1 FROM contact c WHERE c.commune_id = person.commune_id AND c.person_id = person.id)`

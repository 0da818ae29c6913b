import { and, eq } from 'drizzle-orm'
import type { Db, Tx } from '../../src/db/connect.ts'
import { answer, household, nomination, person } from '../../src/db/schema.ts'
import { householdContributions, nominationContributions, personContributions } from '../../src/reports/contributions.ts'
import { applyTallies, applyTally, PEOPLE, type TallyChange } from '../../src/reports/tally.ts'

type Nomination = typeof nomination.$inferSelect
type NewPerson = { villageId: number; group: number; source: 'chat' | 'helper' | 'roster' }

/** Writes people and forms as a conversation does: rows and counters in one transaction. */
export function createFormBook(db: Db, communeId: number, now = new Date('2026-06-01T02:00:00Z')) {
  const people = (villageId: number) => ({ communeId, villageId, ...PEOPLE })

  async function tallied(tx: Tx, nominationId: number): Promise<Pick<TallyChange, 'scope' | 'before'>[]> {
    const [row] = await tx.select().from(nomination).where(eq(nomination.id, nominationId))
    if (!row) return []
    const answers = await tx.select().from(answer).where(eq(answer.nominationId, nominationId))
    const scope = { communeId, villageId: row.villageId, year: row.year, title: row.title }
    return [{ scope, before: nominationContributions(row, answers) }]
  }

  /** Changes a form by whatever `change` does to its rows. */
  async function changeForm(nominationId: number, change: (tx: Tx) => Promise<unknown>): Promise<void> {
    await db.transaction(async (tx) => {
      const before = await tallied(tx, nominationId)
      await change(tx)
      const after = await tallied(tx, nominationId)
      await applyTallies(tx, [
        ...before.map((was) => ({ ...was, after: [] })),
        ...after.map(({ scope, before: is }) => ({ scope, before: [], after: is })),
      ])
    })
  }

  return {
    async addPerson({ villageId, group, source }: NewPerson, name = 'Lò Văn Thử'): Promise<number> {
      return db.transaction(async (tx) => {
        const row = { communeId, villageId, name, nameKey: name, birthYear: 1980, address: 'bac', group, source, createdAt: now }
        const [created] = await tx.insert(person).values(row).returning({ id: person.id })
        await applyTally(tx, people(villageId), [], personContributions({ group, source }))
        return created!.id
      })
    },
    async addHousehold(villageId: number): Promise<number> {
      return db.transaction(async (tx) => {
        const [created] = await tx.insert(household).values({ communeId, villageId }).returning({ id: household.id })
        await applyTally(tx, people(villageId), [], householdContributions())
        return created!.id
      })
    },
    async begin(values: Pick<Nomination, 'villageId' | 'year' | 'title' | 'subjectId'> & Partial<Nomination>): Promise<number> {
      return db.transaction(async (tx) => {
        const row = { communeId, status: 'dang_tu_danh_gia' as const, criteriaSet: 'cdht-g1.1', openedAt: now, ...values }
        const [created] = await tx.insert(nomination).values(row).returning()
        const scope = { communeId, villageId: row.villageId, year: row.year, title: row.title }
        await applyTally(tx, scope, [], nominationContributions(created!, []))
        return created!.id
      })
    },
    async answer(nominationId: number, question: string, option: string, extra: Partial<typeof answer.$inferInsert> = {}): Promise<void> {
      await changeForm(nominationId, (tx) =>
        tx
          .insert(answer)
          .values({
            communeId,
            nominationId,
            question,
            criteriaSet: 'cdht-g1.1',
            option,
            points: 8,
            source: 'self',
            answeredAt: now,
            ...extra,
          })
          .onConflictDoUpdate({ target: [answer.communeId, answer.nominationId, answer.question], set: { option } }),
      )
    },
    async withdrawAnswer(nominationId: number, question: string): Promise<void> {
      await changeForm(nominationId, (tx) =>
        tx.delete(answer).where(and(eq(answer.nominationId, nominationId), eq(answer.question, question))),
      )
    },
    async update(nominationId: number, values: Partial<Nomination>): Promise<void> {
      await changeForm(nominationId, (tx) => tx.update(nomination).set(values).where(eq(nomination.id, nominationId)))
    },
    async erase(nominationId: number): Promise<void> {
      await changeForm(nominationId, async (tx) => {
        await tx.delete(answer).where(eq(answer.nominationId, nominationId))
        await tx.delete(nomination).where(eq(nomination.id, nominationId))
      })
    },
  }
}

import { sql } from 'drizzle-orm'
import type { DbOrTx, Tx } from '../db/connect.ts'
import { tally, unit } from '../db/schema.ts'
import type { Unit } from '../registry/units.ts'
import type { Contribution, Dimension } from './contributions.ts'

/** Where counts are kept. Those of people and households have `PEOPLE` for year and title. */
export type TallyScope = { communeId: number; villageId: number; year: number; title: string }

export const PEOPLE = { year: 0, title: '' } as const

export type TallyChange = { scope: TallyScope; before: readonly Contribution[]; after: readonly Contribution[] }

/** Counts what changed from `before` to `after`; a new row has no `before`, an erased one no `after`. */
export async function applyTally(
  tx: Tx,
  scope: TallyScope,
  before: readonly Contribution[],
  after: readonly Contribution[],
): Promise<void> {
  await applyTallies(tx, [{ scope, before, after }])
}

/**
 * The same for many rows at once, as one statement that locks counters in the order of their key. Call it once in a transaction, last:
 * two calls could lock in opposite orders, and everybody of a village waits for these rows until the commit.
 */
export async function applyTallies(tx: Tx, changes: readonly TallyChange[]): Promise<void> {
  const deltas = new Map<string, TallyScope & Contribution & { n: number }>()
  for (const { scope, before, after } of changes) {
    const add = (contributions: readonly Contribution[], n: number) => {
      for (const { dimension, key } of contributions) {
        const at = [scope.communeId, scope.year, scope.title, dimension, scope.villageId, key].join('\n')
        const delta = deltas.get(at)
        if (delta) delta.n += n
        else deltas.set(at, { ...scope, dimension, key, n })
      }
    }
    add(before, -1)
    add(after, 1)
  }
  const rows = [...deltas.values()].filter(({ n }) => n !== 0)
  if (rows.length === 0) return
  const column = <K extends keyof (typeof rows)[number]>(name: K) => sql.param(rows.map((row) => row[name]))
  await tx.execute(sql`
    INSERT INTO ${tally} (commune_id, village_id, year, title, dimension, key, n)
    SELECT * FROM unnest(
      ${column('communeId')}::bigint[], ${column('villageId')}::bigint[], ${column('year')}::smallint[], ${column('title')}::text[],
      ${column('dimension')}::text[], ${column('key')}::text[], ${column('n')}::int[]
    ) AS delta (commune_id, village_id, year, title, dimension, key, n)
    ORDER BY commune_id, year, title, dimension, village_id, key
    ON CONFLICT (commune_id, year, title, dimension, village_id, key) DO UPDATE SET n = tally.n + excluded.n`)
}

export type TallyAt = Pick<Unit, 'id' | 'level' | 'communeId'>
export type Count = { villageId: number; title: string; dimension: Dimension; key: string; n: number }

/** Counters of all villages of a unit; reading costs the number of villages, not of people. */
export async function readCounts(
  db: DbOrTx,
  at: TallyAt,
  wanted: { year: number; titles: readonly string[]; dimensions: readonly Dimension[] },
): Promise<Count[]> {
  const communes = at.level === 'tinh' ? sql`(SELECT id FROM ${unit} WHERE parent_id = ${at.id})` : sql`(${at.communeId}::bigint)`
  const rows = await db.execute<{ village_id: string; title: string; dimension: Dimension; key: string; n: number }>(sql`
    SELECT village_id, title, dimension, key, n FROM ${tally}
    WHERE commune_id IN ${communes} AND year = ${wanted.year}
      AND title IN ${wanted.titles} AND dimension IN ${wanted.dimensions}
      ${at.level === 'thon_ban' ? sql`AND village_id = ${at.id}` : sql``} AND n <> 0`)
  return rows.map((row) => ({ villageId: Number(row.village_id), title: row.title, dimension: row.dimension, key: row.key, n: row.n }))
}

export const TALLY_VIEWS = ['village', 'question', 'status', 'group'] as const
export type TallyView = (typeof TALLY_VIEWS)[number]

/** A table of figures: one row a village, question, status or group. */
export type TallyTable = {
  unit: { code: string; label: string; name: string }
  year: number
  title: string
  by: TallyView
  rows: TallyRow[]
  /** Column sums, where they mean something: by village. */
  total?: Record<string, number>
}
type TallyRow = { key: string; name?: string; figures: Record<string, number> }

export type ReadTallyArgs = {
  year: number
  title: string
  by: TallyView
  /** How an answer given under an older criteria set is read; undefined leaves it out. By default each answer is read as given. */
  readAnswer?: (answer: { criteriaSet: string; question: string; option: string }) => { question: string; option: string } | undefined
}

const STATES = ['begun', 'finished', 'self_passed', 'self_not_passed', 'helped', 'withdrawn']
const GROUP_STATES = ['begun', 'finished', 'self_passed']

/** The figures of a unit, summed upward from its villages. */
export async function readTally(
  db: DbOrTx,
  at: Pick<Unit, 'id' | 'level' | 'communeId' | 'code' | 'label' | 'name'>,
  args: ReadTallyArgs,
): Promise<TallyTable> {
  const { year, title, by } = args
  const head = { unit: { code: at.code, label: at.label, name: at.name }, year, title, by }
  const read = (dimension: Dimension) => readCounts(db, at, { year, titles: [title], dimensions: [dimension] })
  switch (by) {
    case 'status': {
      const figures = sumByKey(await read('state'))
      return { ...head, rows: STATES.map((key) => ({ key, figures: { n: figures.get(key) ?? 0 } })) }
    }
    case 'group': {
      const figures = sumByKey(await read('group'))
      const groups = [...new Set([...figures.keys()].map((key) => key.split(':')[0] ?? ''))].sort()
      return {
        ...head,
        rows: groups.map((key) => ({
          key,
          figures: Object.fromEntries(GROUP_STATES.map((state) => [state, figures.get(`${key}:${state}`) ?? 0])),
        })),
      }
    }
    case 'question':
      return { ...head, rows: questionRows(await read('question'), args.readAnswer ?? ((answer) => answer)) }
    case 'village':
      return { ...head, ...(await villageRows(db, at, await read('state'), title)) }
    default:
      return by satisfies never
  }
}

function questionRows(counts: Count[], readAnswer: NonNullable<ReadTallyArgs['readAnswer']>): TallyRow[] {
  const rows = new Map<string, Record<string, number>>()
  for (const [key, n] of sumByKey(counts)) {
    const [, criteriaSet = '', question = '', option = ''] = /^(.*)\/(.*):(.*)$/.exec(key) ?? []
    const read = readAnswer({ criteriaSet, question, option })
    if (!read) continue
    const figures = rows.get(read.question) ?? {}
    figures[read.option] = (figures[read.option] ?? 0) + n
    rows.set(read.question, figures)
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, figures]) => ({ key, figures }))
}

/** Counters of people that stand beside a title's own. */
const peopleKeys = (title: string) => (title === 'CDHT' ? ['known', 'registered'] : ['households'])

async function villageRows(db: DbOrTx, at: TallyAt, states: Count[], title: string): Promise<Pick<TallyTable, 'rows' | 'total'>> {
  const people = await readCounts(db, at, { year: PEOPLE.year, titles: [PEOPLE.title], dimensions: ['people'] })
  const columns = [...peopleKeys(title), ...STATES]
  const byVillage = new Map<number, Map<string, number>>()
  for (const { villageId, key, n } of [...people, ...states]) {
    const figures = byVillage.get(villageId) ?? new Map<string, number>()
    byVillage.set(villageId, figures.set(key, n))
  }
  const rows = (await villagesOf(db, at)).map((village) => ({
    key: village.code,
    name: `${village.label} ${village.name}`,
    figures: Object.fromEntries(columns.map((column) => [column, byVillage.get(village.id)?.get(column) ?? 0])),
  }))
  const total = Object.fromEntries(columns.map((column) => [column, rows.reduce((sum, row) => sum + (row.figures[column] ?? 0), 0)]))
  return { rows, total }
}

/** The villages of a unit in the order people know them by; a village is its own only one. */
export async function villagesOf(db: DbOrTx, at: TallyAt): Promise<Unit[]> {
  const scope = {
    thon_ban: sql`${unit.id} = ${at.id}`,
    xa: sql`${unit.communeId} = ${at.communeId}`,
    tinh: sql`${unit.communeId} IN (SELECT id FROM unit c WHERE c.parent_id = ${at.id})`,
  }[at.level]
  return db.select().from(unit).where(sql`${unit.level} = 'thon_ban' AND ${scope}`).orderBy(unit.communeId, unit.position, unit.id)
}

export function sumByKey(counts: readonly Pick<Count, 'key' | 'n'>[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { key, n } of counts) sums.set(key, (sums.get(key) ?? 0) + n)
  return sums
}

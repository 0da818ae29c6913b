import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { DbOrTx, Tx } from '../db/connect.ts'
import { audit, NO_COMMUNE, unit } from '../db/schema.ts'
import { createJoinCode, parseJoinCode, type RandomInt } from './codes.ts'
import { loadTable, parseTable, type RowProblem, type TableOutcome } from './table-file.ts'

export type Unit = typeof unit.$inferSelect
export type UnitLevel = Unit['level']

/** One row of a unit file (contract, section 6). `row` is its number in the file. */
export type UnitRow = {
  row: number
  code: string
  level: UnitLevel
  label: string
  name: string
  parentCode?: string
  predecessorCodes: string[]
}

export type UnitRowsOutcome = { type: 'read'; rows: UnitRow[] } | { type: 'refused'; problems: RowProblem[] }

export type UnitImportOutcome =
  | { type: 'imported'; created: number; updated: number; unchanged: number }
  | { type: 'refused'; problems: RowProblem[] }

const COLUMNS = { required: ['code', 'level', 'label', 'name', 'parent_code'], optional: ['predecessor_codes'] }
const LEVELS: readonly UnitLevel[] = ['tinh', 'xa', 'thon_ban']
const PARENT_LEVEL = { tinh: undefined, xa: 'tinh', thon_ban: 'xa' } as const
const CODE = /^[a-z0-9][a-z0-9_-]{0,39}$/
const MAX_LABEL_CHARS = 30
const MAX_NAME_CHARS = 80
// Two imports at once would give the same places and codes
const IMPORT_LOCK = 7_301_003
// Rows of one insert: PostgreSQL takes 65,535 parameters
const BATCH = 1_000

/** "bản Nà Đa", "xã Bình Lư". */
export function unitTitle({ label, name }: Pick<Unit, 'label' | 'name'>): string {
  return `${label} ${name}`
}

/** The rows of a CSV or .xlsx file, or everything that is wrong in it. */
export async function loadUnitRows(path: string): Promise<UnitRowsOutcome> {
  return readUnitRows(await loadTable(path, COLUMNS))
}

export async function parseUnitRows(bytes: Buffer): Promise<UnitRowsOutcome> {
  return readUnitRows(await parseTable(bytes, COLUMNS))
}

function readUnitRows(outcome: TableOutcome): UnitRowsOutcome {
  if (outcome.type === 'refused') return outcome
  const problems: RowProblem[] = []
  const rows: UnitRow[] = []
  const firstRowOf = new Map<string, number>()
  for (const { row, cells } of outcome.table.rows) {
    const refuse = (column: string, problem: string) => problems.push({ row, column, problem })
    const before = problems.length
    const code = (cells.code ?? '').toLowerCase()
    if (code === '') refuse('code', 'is empty; give each unit a code of its own')
    else if (!CODE.test(code)) refuse('code', `"${code}" cannot be a code; use a-z without diacritics, 0-9, - and _, at most 40 characters`)
    else if (firstRowOf.has(code)) refuse('code', `"${code}" is already in row ${firstRowOf.get(code)}; each code stands once in a file`)
    else firstRowOf.set(code, row)

    const level = LEVELS.find((known) => known === (cells.level ?? '').toLowerCase())
    if (!level) refuse('level', `"${cells.level}" is no level; write tinh, xa or thon_ban`)

    const label = cells.label ?? ''
    if (label === '') refuse('label', 'is empty; write the local word, such as tỉnh, xã, phường, thôn, bản, tổ dân phố')
    else if (label.length > MAX_LABEL_CHARS) refuse('label', `is longer than ${MAX_LABEL_CHARS} characters; write only the local word`)

    const name = cells.name ?? ''
    if (name === '') refuse('name', 'is empty; write the name without the word before it')
    else if (name.length > MAX_NAME_CHARS) refuse('name', `is longer than ${MAX_NAME_CHARS} characters; shorten it`)

    const parentCode = (cells.parent_code ?? '').toLowerCase()
    if (level === 'tinh' && parentCode !== '') refuse('parent_code', 'a province stands below nothing; leave it empty')
    if (level === 'thon_ban' && parentCode === '') refuse('parent_code', 'is empty; write the code of the commune it belongs to')

    const predecessorCodes = (cells.predecessor_codes ?? '')
      .toLowerCase()
      .split(/[\s,;|]+/)
      .filter((predecessor) => predecessor !== '')
    for (const predecessor of predecessorCodes) {
      if (!CODE.test(predecessor)) refuse('predecessor_codes', `"${predecessor}" cannot be a code; separate codes by a space`)
      else if (predecessor === code) refuse('predecessor_codes', 'a unit cannot be its own predecessor; leave it out')
    }
    if (level && problems.length === before) {
      rows.push({ row, code, level, label, name, ...(parentCode !== '' && { parentCode }), predecessorCodes })
    }
  }
  if (outcome.table.rows.length === 0) problems.push({ row: 2, column: '', problem: 'the file has no rows below its header' })
  return problems.length > 0 ? { type: 'refused', problems } : { type: 'read', rows }
}

export type ImportUnitsArgs = { rows: UnitRow[]; actor: string; now: Date; randomInt: RandomInt; sample?: boolean }

/**
 * Creates what is new and updates labels, names, parents and predecessors of what is there; all or nothing, safe to repeat.
 * Villages stand in the order of the file; when the file lacks some of a commune's villages, those there keep their places and new ones follow,
 * because people type these numbers from posters. A village's join code never changes.
 */
export async function importUnits(db: DbOrTx, args: ImportUnitsArgs): Promise<UnitImportOutcome> {
  return db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(${IMPORT_LOCK})`)
    const known = await findUnitsByCodes(
      tx,
      args.rows.flatMap((row) => [row.code, ...(row.parentCode ? [row.parentCode] : [])]),
    )
    const problems = findMisplaced(args.rows, known)
    if (problems.length > 0) return { type: 'refused', problems }

    const counts = { created: 0, updated: 0, unchanged: 0 }
    // From the top down, so that every parent has its id
    for (const level of LEVELS) {
      const rows = args.rows.filter((row) => row.level === level)
      const written = await writeLevel(tx, { ...args, level, rows, known })
      counts.created += written.created
      counts.updated += written.updated
      counts.unchanged += written.unchanged
    }
    const communeIds = new Set(args.rows.map((row) => known.get(row.code)?.communeId ?? NO_COMMUNE))
    const detail = { rows: args.rows.length, ...counts }
    await tx
      .insert(audit)
      .values([...communeIds].map((communeId) => ({ communeId, at: args.now, actor: args.actor, action: 'unit.import', detail })))
    return { type: 'imported', ...counts }
  })
}

/** What the rows say about levels and parents, against each other and against what is there. */
function findMisplaced(rows: UnitRow[], known: ReadonlyMap<string, Unit>): RowProblem[] {
  const problems: RowProblem[] = []
  const levelOf = new Map<string, UnitLevel>([...known.values()].map((found) => [found.code, found.level]))
  for (const row of rows) levelOf.set(row.code, row.level)
  for (const { row, code, level, parentCode } of rows) {
    const present = known.get(code)
    if (present && present.level !== level) {
      problems.push({ row, column: 'level', problem: `"${code}" is there as ${present.level}; a unit keeps its level, use another code` })
    }
    if (parentCode === undefined) continue
    const parentLevel = levelOf.get(parentCode)
    const needed = PARENT_LEVEL[level]
    if (parentLevel === undefined) {
      problems.push({
        row,
        column: 'parent_code',
        problem: `"${parentCode}" is neither in this file nor imported before; add a row for it`,
      })
    } else if (parentLevel !== needed) {
      problems.push({
        row,
        column: 'parent_code',
        problem: `"${parentCode}" is of level ${parentLevel}; the parent of a ${level} is a ${needed}`,
      })
    } else if (present?.level === 'thon_ban' && present.communeId !== known.get(parentCode)?.id) {
      const problem = `"${code}" belongs to another commune; its people do not move with a file: give the new village a new code and name "${code}" among its predecessor_codes`
      problems.push({ row, column: 'parent_code', problem })
    }
  }
  return problems
}

type LevelArgs = ImportUnitsArgs & { level: UnitLevel; known: Map<string, Unit> }

async function writeLevel(tx: Tx, args: LevelArgs): Promise<{ created: number; updated: number; unchanged: number }> {
  const { rows, known } = args
  const positions = await findPositions(tx, args)
  const joinCodes = args.level === 'thon_ban' ? await createJoinCodes(tx, args) : []
  const counts = { created: 0, updated: 0, unchanged: 0 }
  const changed: (typeof unit.$inferInsert)[] = []
  for (const row of rows) {
    const parent = row.parentCode ? known.get(row.parentCode) : undefined
    const present = known.get(row.code)
    const wanted = {
      communeId: present?.communeId ?? (row.level === 'thon_ban' ? parent!.id : NO_COMMUNE),
      // A commune imported without its province keeps the province it had
      parentId: parent?.id ?? present?.parentId ?? null,
      code: row.code,
      level: row.level,
      label: row.label,
      name: row.name,
      position: positions.get(row.code) ?? present?.position ?? 0,
      joinCode: present?.joinCode ?? joinCodes.pop() ?? null,
      predecessorCodes: row.predecessorCodes,
      sample: present?.sample ?? args.sample ?? false,
    }
    if (!present) counts.created += 1
    else if (isSame(present, wanted)) counts.unchanged += 1
    else counts.updated += 1
    if (!present || !isSame(present, wanted)) changed.push(wanted)
  }
  for (let start = 0; start < changed.length; start += BATCH) {
    const written = await tx
      .insert(unit)
      .values(changed.slice(start, start + BATCH))
      .onConflictDoUpdate({
        target: unit.code,
        set: {
          parentId: sql`excluded.parent_id`,
          label: sql`excluded.label`,
          name: sql`excluded.name`,
          position: sql`excluded.position`,
          predecessorCodes: sql`excluded.predecessor_codes`,
        },
      })
      .returning()
    for (const found of written) known.set(found.code, found)
  }
  if (args.level === 'xa') {
    const own = await tx
      .update(unit)
      .set({ communeId: sql`${unit.id}` })
      .where(and(eq(unit.level, 'xa'), eq(unit.communeId, NO_COMMUNE)))
      .returning()
    for (const found of own) known.set(found.code, found)
  }
  return counts
}

type Written = Pick<Unit, 'parentId' | 'label' | 'name' | 'position' | 'predecessorCodes'>

function isSame(present: Written, wanted: Written): boolean {
  return (
    present.parentId === wanted.parentId &&
    present.label === wanted.label &&
    present.name === wanted.name &&
    present.position === wanted.position &&
    present.predecessorCodes.join(' ') === wanted.predecessorCodes.join(' ')
  )
}

/** Places of the rows among their siblings, from 1. */
async function findPositions(tx: Tx, { rows, level, known }: LevelArgs): Promise<Map<string, number>> {
  const positions = new Map<string, number>()
  const parentIds = [...new Set(rows.map((row) => (row.parentCode ? known.get(row.parentCode)!.id : null)))]
  const there = await tx
    .select({ code: unit.code, parentId: unit.parentId, position: unit.position })
    .from(unit)
    .where(eq(unit.level, level))
  for (const parentId of parentIds) {
    const codes = rows.filter((row) => (row.parentCode ? known.get(row.parentCode)!.id : null) === parentId).map((row) => row.code)
    const siblings = there.filter((sibling) => sibling.parentId === parentId)
    const inFile = new Set(codes)
    if (siblings.every((sibling) => inFile.has(sibling.code))) {
      for (const [place, code] of codes.entries()) positions.set(code, place + 1)
      continue
    }
    let last = siblings.reduce((highest, sibling) => Math.max(highest, sibling.position), 0)
    const placed = new Set(siblings.map((sibling) => sibling.code))
    for (const code of codes) {
      if (placed.has(code)) continue
      last += 1
      positions.set(code, last)
    }
  }
  return positions
}

/** One unused code for each row that has none. */
async function createJoinCodes(tx: Tx, { rows, known, randomInt }: LevelArgs): Promise<string[]> {
  const needed = rows.filter((row) => !known.get(row.code)?.joinCode).length
  const codes = new Set<string>()
  while (codes.size < needed) {
    const candidates = new Set(Array.from({ length: needed - codes.size }, () => createJoinCode(randomInt)))
    const taken = await tx
      .select({ joinCode: unit.joinCode })
      .from(unit)
      .where(inArray(unit.joinCode, [...candidates]))
    for (const { joinCode } of taken) candidates.delete(joinCode ?? '')
    for (const code of candidates) codes.add(code)
  }
  return [...codes]
}

/** Those of the codes that exist, by code. */
export async function findUnitsByCodes(db: DbOrTx, codes: string[]): Promise<Map<string, Unit>> {
  const distinct = [...new Set(codes)]
  const found = new Map<string, Unit>()
  for (let start = 0; start < distinct.length; start += BATCH) {
    for (const row of await db
      .select()
      .from(unit)
      .where(inArray(unit.code, distinct.slice(start, start + BATCH)))) {
      found.set(row.code, row)
    }
  }
  return found
}

export async function findUnitByCode(db: DbOrTx, code: string): Promise<Unit | undefined> {
  const [found] = await db.select().from(unit).where(eq(unit.code, code.toLowerCase()))
  return found
}

/** The village of a code someone typed or scanned; undefined also for a mistyped one. */
export async function findUnitByJoinCode(db: DbOrTx, text: string): Promise<Unit | undefined> {
  const code = parseJoinCode(text)
  if (!code) return undefined
  const [found] = await db.select().from(unit).where(eq(unit.joinCode, code))
  return found
}

export async function getUnit(db: DbOrTx, unitId: number): Promise<Unit> {
  const [found] = await db.select().from(unit).where(eq(unit.id, unitId))
  if (!found) throw new Error(`there is no unit ${unitId}`)
  return found
}

export async function getCommune(db: DbOrTx, communeId: number): Promise<Unit> {
  const found = await getUnit(db, communeId)
  if (found.level !== 'xa') throw new Error(`unit ${communeId} is a ${found.level}, not a commune`)
  return found
}

export async function listCommunes(db: DbOrTx): Promise<Unit[]> {
  return db.select().from(unit).where(eq(unit.level, 'xa')).orderBy(asc(unit.id))
}

/** A commune's villages in the order people know them by. */
export async function listVillages(db: DbOrTx, communeId: number): Promise<Unit[]> {
  return db
    .select()
    .from(unit)
    .where(and(eq(unit.communeId, communeId), eq(unit.level, 'thon_ban')))
    .orderBy(asc(unit.position), asc(unit.id))
}

/** The unit itself, then what it stands below: village, commune, province. */
export async function unitPath(db: DbOrTx, unitId: number): Promise<Unit[]> {
  const path: Unit[] = []
  let next: number | null = unitId
  while (next !== null) {
    const found: Unit = await getUnit(db, next)
    path.push(found)
    next = found.parentId
  }
  return path
}

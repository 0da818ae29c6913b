import { and, eq, inArray } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { answer, answerHistory, nomination } from '../db/schema.ts'
import { findMapping } from '../engine/mapping.ts'
import { type PassRule, pointsOf, type Score, score } from '../engine/score.ts'
import type { CriteriaSet } from '../model/criteria.ts'
import { nominationContributions } from '../reports/contributions.ts'
import type { TallyChange } from '../reports/tally.ts'

export type NominationRow = typeof nomination.$inferSelect
export type AnswerRow = typeof answer.$inferSelect
export type Title = NominationRow['title']

/** A nomination with its answers while it is worked on; `saveNomination` writes what changed and moves the tallies with it. */
export type OpenNomination = {
  before: { row: NominationRow | undefined; answers: readonly AnswerRow[] }
  row: NominationRow
  answers: Map<string, AnswerRow>
}

/** Whose words an answer is: through which chat, by whose help, and when they were said. */
export type AnswerSource = {
  contactId: number
  source: 'self' | 'helper'
  helperPersonId: number | null
  /** By the platform's clock. */
  saidAtMs: number
  /** The chat hands its events over in the order they happened, so that none of them is ever older than the one before. */
  inOrder: boolean
  now: Date
}

// Clocks of two platforms may differ by so much; within it what is handled later is taken for the later
const CLOCKS_APART_MS = 10_000

export async function loadNomination(tx: Tx, communeId: number, id: number): Promise<OpenNomination | undefined> {
  const [row] = await tx
    .select()
    .from(nomination)
    .where(and(eq(nomination.communeId, communeId), eq(nomination.id, id)))
    .for('update')
  return row ? withAnswers(tx, row) : undefined
}

/** The one nomination of a subject for a title in a year. */
export async function findNomination(
  tx: Tx,
  subject: { communeId: number; year: number; title: Title; subjectId: number },
): Promise<OpenNomination | undefined> {
  const [row] = await tx
    .select()
    .from(nomination)
    .where(
      and(
        eq(nomination.communeId, subject.communeId),
        eq(nomination.year, subject.year),
        eq(nomination.title, subject.title),
        eq(nomination.subjectId, subject.subjectId),
      ),
    )
    .for('update')
  return row ? withAnswers(tx, row) : undefined
}

async function withAnswers(tx: Tx, row: NominationRow): Promise<OpenNomination> {
  const answers = await tx
    .select()
    .from(answer)
    .where(and(eq(answer.communeId, row.communeId), eq(answer.nominationId, row.id)))
  return { before: { row, answers }, row: { ...row }, answers: new Map(answers.map((item) => [item.question, item])) }
}

/** Begins a self-assessment. The row is stored at once and counted when it is saved. */
export async function createNomination(
  tx: Tx,
  given: Pick<
    NominationRow,
    'communeId' | 'villageId' | 'year' | 'title' | 'subjectId' | 'group' | 'criteriaSet' | 'helperPersonId' | 'channel' | 'openedAt'
  >,
): Promise<OpenNomination> {
  const [row] = await tx
    .insert(nomination)
    .values({ ...given, status: 'dang_tu_danh_gia' })
    .returning()
  if (!row) throw new Error('a nomination was not stored')
  return { before: { row: undefined, answers: [] }, row, answers: new Map() }
}

/**
 * Puts an answer in force, or takes it away with null. An answer that was said before the one in force changes nothing: it only arrived
 * late. Returns whether it is in force now.
 */
export function setAnswer(open: OpenNomination, set: CriteriaSet, question: string, option: string | null, source: AnswerSource): boolean {
  const inForce = open.answers.get(question)
  if (option === null) {
    open.answers.delete(question)
    return true
  }
  if (inForce && isOlder(source, inForce)) return false
  open.answers.set(question, {
    communeId: open.row.communeId,
    nominationId: open.row.id,
    question,
    criteriaSet: set.id,
    option,
    points: pointsOf(set, question, option),
    contactId: source.contactId,
    source: source.source,
    helperPersonId: source.helperPersonId,
    eventOrder: source.saidAtMs,
    answeredAt: source.now,
  })
  return true
}

function isOlder(source: AnswerSource, inForce: AnswerRow): boolean {
  if (inForce.contactId === source.contactId) return !source.inOrder && source.saidAtMs < inForce.eventOrder
  return source.saidAtMs + CLOCKS_APART_MS < inForce.eventOrder
}

/** Puts the answers in force in the words of another criteria set. What has no place there is no longer in force; it stays in the history. */
export function moveAnswers(open: OpenNomination, set: CriteriaSet, sets: ReadonlyMap<string, CriteriaSet>): void {
  const moved = new Map<string, AnswerRow>()
  for (const given of open.answers.values()) {
    if (given.source === 'computed') continue
    const map = findMapping(sets, given.criteriaSet, set.id)
    const question = map?.question(given.question)
    const option = map?.option(given.question, given.option)
    if (question === undefined || option === undefined || moved.has(question)) continue
    moved.set(question, { ...given, question, option, criteriaSet: set.id, points: pointsOf(set, question, option) })
  }
  open.answers = moved
  open.row.criteriaSet = set.id
}

export type FamilyFigures = { citizens: number; adults: number }

/** Brings total, flags and the verdict in line with the answers. `confirm` makes it a self-assessment; a later change keeps it one. */
export function reckon(
  open: OpenNomination,
  set: CriteriaSet,
  rule: PassRule,
  options: { figures?: FamilyFigures; confirm?: boolean; now: Date },
): Score {
  const answers = Object.fromEntries([...open.answers.values()].map((item) => [item.question, item.option]))
  const result = score(set, answers, options.figures, rule)
  for (const [question, option] of Object.entries(result.computed)) {
    const known = open.answers.get(question)
    if (known?.option === option) continue
    open.answers.set(question, {
      communeId: open.row.communeId,
      nominationId: open.row.id,
      question,
      criteriaSet: set.id,
      option,
      points: pointsOf(set, question, option),
      contactId: null,
      source: 'computed',
      helperPersonId: null,
      eventOrder: 0,
      answeredAt: options.now,
    })
  }
  const { row } = open
  row.criteriaSet = set.id
  row.total = result.total
  row.answered = [...open.answers.values()].filter((item) => item.source !== 'computed').length
  row.flags = result.flags
  if (options.confirm && result.complete) {
    row.status = 'da_tu_danh_gia'
    row.confirmedAt ??= options.now
  }
  if (!result.complete && row.status === 'da_tu_danh_gia') {
    // Started over, or a new question came: it is under way again
    row.status = 'dang_tu_danh_gia'
    row.confirmedAt = null
  }
  row.selfPassed = row.status === 'da_tu_danh_gia' ? result.passed : null
  return result
}

/** Writes what changed and keeps what was replaced; the returned changes of the tallies belong into the same transaction. */
export async function saveNomination(tx: Tx, open: OpenNomination, now: Date): Promise<TallyChange[]> {
  const { before, row, answers } = open
  const writes: Promise<unknown>[] = []
  const replaced: AnswerRow[] = []
  for (const old of before.answers) {
    const current = answers.get(old.question)
    if (current !== old && (current?.option !== old.option || current.criteriaSet !== old.criteriaSet)) replaced.push(old)
  }
  const gone = before.answers.filter((old) => !answers.has(old.question))
  const written = [...answers.values()].filter((item) => !before.answers.includes(item))
  if (gone.length > 0) {
    writes.push(
      tx.delete(answer).where(
        and(
          eq(answer.communeId, row.communeId),
          eq(answer.nominationId, row.id),
          inArray(
            answer.question,
            gone.map((item) => item.question),
          ),
        ),
      ),
    )
  }
  for (const item of written) {
    writes.push(
      tx
        .insert(answer)
        .values(item)
        .onConflictDoUpdate({ target: [answer.communeId, answer.nominationId, answer.question], set: item }),
    )
  }
  if (replaced.length > 0) {
    writes.push(
      tx.insert(answerHistory).values(
        replaced.map((old) => ({
          communeId: old.communeId,
          nominationId: old.nominationId,
          question: old.question,
          criteriaSet: old.criteriaSet,
          option: old.option,
          points: old.points,
          source: old.source,
          helperPersonId: old.helperPersonId,
          answeredAt: old.answeredAt,
          replacedAt: now,
        })),
      ),
    )
  }
  const { id, communeId, ...fields } = row
  writes.push(
    tx
      .update(nomination)
      .set(fields)
      .where(and(eq(nomination.communeId, communeId), eq(nomination.id, id))),
  )
  await Promise.all(writes)
  const changes: TallyChange[] = []
  const after = { scope: scopeOf(row), before: [], after: nominationContributions(row, [...answers.values()]) }
  if (before.row) changes.push({ scope: scopeOf(before.row), before: nominationContributions(before.row, before.answers), after: [] })
  changes.push(after)
  open.before = { row: { ...row }, answers: [...answers.values()] }
  return changes
}

/** What a nomination no longer adds once it is gone. */
export function uncount(open: OpenNomination): TallyChange[] {
  const { row, answers } = open.before
  return row ? [{ scope: scopeOf(row), before: nominationContributions(row, answers), after: [] }] : []
}

const scopeOf = ({ communeId, villageId, year, title }: NominationRow) => ({ communeId, villageId, year, title })

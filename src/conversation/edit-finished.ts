import { and, desc, eq, isNotNull, isNull } from 'drizzle-orm'
import { session as sessionTable } from '../db/schema.ts'
import { openForm } from '../engine/form.ts'
import type { Input } from '../engine/input.ts'
import { findMapping } from '../engine/mapping.ts'
import { moveEarlier } from '../engine/move.ts'
import { type FormState, newSession } from '../engine/session.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import type { CriteriaSet } from '../model/criteria.ts'
import { findNomination, loadNomination, type OpenNomination } from '../recognition/nominations.ts'
import { findPerson } from '../registry/helping.ts'
import { groupKey, moveNomination } from './actions.ts'
import { findEnded, openSession } from './sessions.ts'
import type { Tap } from './tap.ts'
import type { LiveSession, Turn } from './turn.ts'

const FLOWS = { CDHT: 'cong-dan-hoc-tap', GDHT: 'gia-dinh-hoc-tap' } as const

/**
 * Opens a form that was answered before on the newest version, with its answers in place: standing at the read-back, from where any of them
 * can be changed, or at what the newer version asks besides. Undefined when its answers cannot be read there.
 */
export async function reopen(
  turn: Turn,
  nomination: OpenNomination,
  subjectPersonId: number | null = null,
): Promise<LiveSession | undefined> {
  const { row } = nomination
  const loaded = turn.deps.flows.latest(FLOWS[row.title])
  const form = loaded.flow.nodes.find((node) => node.kind === 'form')
  if (!form) return undefined
  const value = formValue(row.title, row.group)
  const set = loaded.sets.get(form.set.of[value] ?? '')
  if (!set || !findMapping(loaded.sets, row.criteriaSet, set.id)) return undefined
  await moveNomination(turn, nomination, set)
  const state = newSession(loaded.flow.id, loaded.flow.version, form.id, { [form.set.by]: value, year: row.year })
  state.form = formOf(set, nomination)
  return openSession(turn, loaded, state, row.id, subjectPersonId)
}

/** A form with the answers in force in place, standing at the first question without one, else at the read-back. */
export function formOf(set: CriteriaSet, nomination: OpenNomination): FormState {
  const answers = Object.fromEntries(
    [...nomination.answers.values()].filter((item) => item.source !== 'computed').map((item) => [item.question, item.option]),
  )
  return openForm(set, answers)
}

/** This year's form of the person, if there is one. */
export async function nominationOfYear(turn: Turn): Promise<OpenNomination | undefined> {
  const { person } = turn
  if (!person) return undefined
  return findNomination(turn.tx, { communeId: person.communeId, year: vietnamTime(turn.now).year, title: 'CDHT', subjectId: person.id })
}

/** The form somebody worked on last, which "SỬA 3" means: their family's right after it, else their own of this year. */
export async function nominationInHand(turn: Turn): Promise<OpenNomination | undefined> {
  const [last] = await turn.tx
    .select({ nominationId: sessionTable.nominationId })
    .from(sessionTable)
    .where(and(eq(sessionTable.contactId, turn.contact.id), isNotNull(sessionTable.nominationId), isNull(sessionTable.subjectPersonId)))
    .orderBy(desc(sessionTable.id))
    .limit(1)
  const inHand = last?.nominationId ? await loadNomination(turn.tx, turn.contact.communeId, last.nominationId) : undefined
  return inHand?.row.year === vietnamTime(turn.now).year ? inHand : nominationOfYear(turn)
}

/** Opens again the form that an ended session was about; what was tapped there, as it is read now. */
export async function nominationSession(turn: Turn, tap: Tap): Promise<Input | undefined> {
  const ended = await findEnded(turn, tap.sessionId)
  if (!ended?.nominationId) return undefined
  const open = turn.sessions.find((session) => session.nominationId === ended.nominationId)
  if (open) return undefined
  const nomination = await loadNomination(turn.tx, turn.contact.communeId, ended.nominationId)
  if (!nomination) return undefined
  // Whoever has a chat of their own changes their answers there
  if (ended.subjectPersonId !== null && (await findPerson(turn.tx, turn.contact.communeId, ended.subjectPersonId))?.hasChat !== false)
    return undefined
  const { title, group, criteriaSet } = nomination.row
  const opened = await reopen(turn, nomination, ended.subjectPersonId)
  if (!opened) return undefined
  // The button is of the version that conversation was held in
  const from = turn.deps.flows.find(ended.flow, ended.flowVersion)?.flow.nodes.find((node) => node.kind === 'form')
  const set = { from: from?.set.of[formValue(title, group)] ?? criteriaSet, to: opened.state.form?.set }
  const versions = turn.deps.flows.newer({ id: ended.flow, version: ended.flowVersion })
  const said = moveEarlier(versions, set, tap)
  return said ? { type: 'earlier', ...said, repeat: false } : { type: 'again' }
}

const formValue = (title: OpenNomination['row']['title'], group: number | null) => (title === 'GDHT' ? 'GDHT' : groupKey(group ?? 1))

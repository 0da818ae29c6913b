import { loadNomination, type OpenNomination } from '../recognition/nominations.ts'
import type { LiveSession, Turn } from './turn.ts'

/**
 * One person may answer one form in two chats. Before a chat is answered its forms take over what was answered in the other one; the
 * forms stay locked until the end of the transaction. Returns whether the question open here was answered there.
 */
export async function keepInStep(turn: Turn): Promise<boolean> {
  let moved = false
  for (const live of turn.sessions) {
    if (live.nominationId === null || live.subjectPersonId !== null || !live.state.form || live.state.waiting !== 'input') continue
    const nomination = turn.nominations.get(live.nominationId) ?? (await loadNomination(turn.tx, turn.contact.communeId, live.nominationId))
    if (!nomination) continue
    turn.nominations.set(nomination.row.id, nomination)
    const movedHere = takeOver(live, nomination)
    moved ||= movedHere && live.status === 'active'
  }
  return moved
}

function takeOver(live: LiveSession, nomination: OpenNomination): boolean {
  const { form } = live.state
  if (!form) return false
  const inForce = answersOf(nomination, form.set)
  const before = form.answers
  if (isEqual(before, inForce)) return false
  const set = live.loaded.sets.get(form.set)
  const open = (set?.questions ?? []).filter((item) => item.source === 'asked' && inForce[item.key] === undefined).map((item) => item.key)
  const isAnswered = (question: string | null) => question !== null && before[question] === undefined && inForce[question] !== undefined
  const next = open.find((question) => !form.skipped.includes(question)) ?? open[0] ?? null
  const moves = isAnswered(form.at) || (form.at === null && !form.confirmed && open.length > 0)
  live.state = {
    ...live.state,
    form: {
      ...form,
      answers: inForce,
      skipped: form.skipped.filter((question) => open.includes(question)),
      ...(moves ? { at: next } : {}),
    },
  }
  if (moves) delete live.state.pending
  if (live.state.form?.back !== undefined && isAnswered(live.state.form.back)) live.state.form.back = next
  live.changed = true
  return moves
}

/** What was asked and answered, as a session keeps it. */
function answersOf(nomination: OpenNomination, set: string): Record<string, string> {
  return Object.fromEntries(
    [...nomination.answers.values()]
      .filter((item) => item.source !== 'computed' && item.criteriaSet === set)
      .map((item) => [item.question, item.option]),
  )
}

function isEqual(a: Record<string, string>, b: Record<string, string>): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key])
}

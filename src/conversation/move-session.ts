import type { LoadedFlow } from '../engine/flow.ts'
import type { Input } from '../engine/input.ts'
import { move, moveEarlier } from '../engine/move.ts'
import type { Session } from '../engine/session.ts'
import { moveNomination, nominationOf } from './actions.ts'
import { findEnded, openSession, setStatus } from './sessions.ts'
import { type LiveSession, say, type Turn } from './turn.ts'

/**
 * Whoever is in a version that a newer one takes them out of is moved at their next word, which was still said to the old one. Gives the
 * session to go on with, and what was said in its words. A new session, so that buttons of the old one are known by theirs.
 */
export async function moveIfMust(turn: Turn, live: LiveSession, input: Input): Promise<{ live: LiveSession; input: Input }> {
  if (live.state.waiting !== 'input' || input.type === 'start') return { live, input }
  const { flows } = turn.deps
  if (live.isLost) return moveLost(turn, live)
  const versions = flows.mustMove(live.loaded.flow)
  const to = versions.at(-1)
  if (!to) return { live, input }
  const moved = move(versions, live.state, input)
  if (moved.session.form) say(turn, 'engine.moved')
  return { live: await replace(turn, live, to, moved.session), input: moved.input }
}

/** Their version's file is gone: they go on in the newest there is. What they said cannot be read: what it was said to is not known. */
async function moveLost(turn: Turn, live: LiveSession): Promise<{ live: LiveSession; input: Input }> {
  const { flow, version } = live.state
  const newer = turn.deps.flows.newer({ id: flow, version })
  const moved = move(newer.length > 0 ? newer : [live.loaded], live.state, { type: 'again' })
  say(turn, 'engine.version_gone')
  return { live: await replace(turn, live, live.loaded, moved.session), input: moved.input }
}

async function replace(turn: Turn, live: LiveSession, loaded: LoadedFlow, state: Session): Promise<LiveSession> {
  await setStatus(turn, live, 'moved')
  const next = await openSession(turn, loaded, state, live.nominationId, live.subjectPersonId)
  if (live.subject) next.subject = live.subject
  const set = state.form && loaded.sets.get(state.form.set)
  if (set && live.nominationId !== null) await moveNomination(turn, await nominationOf(turn, next), set)
  // Of the old place only its names are still needed: for the buttons people still have
  live.state = namesOf(live.state)
  return next
}

/** A place without what the person said in it. */
function namesOf(state: Session): Session {
  const { form } = state
  return {
    flow: state.flow,
    version: state.version,
    node: state.node,
    vars: {},
    misses: 0,
    waiting: 'input',
    ...(form ? { form: { set: form.set, answers: {}, at: null, skipped: [], revisited: [], confirmed: false } } : {}),
  }
}

/** The session that goes on where another one, moved meanwhile, left off; and that one's place. */
export async function findSuccessor(
  turn: Turn,
  sessionId: number,
): Promise<{ live: LiveSession; place: { loaded: LoadedFlow; state: Session } } | undefined> {
  const gone = await findEnded(turn, sessionId)
  if (gone?.status !== 'moved') return undefined
  const live = turn.sessions.find(
    (item) =>
      isOpen(item) &&
      item.loaded.flow.id === gone.flow &&
      item.nominationId === gone.nominationId &&
      item.subjectPersonId === gone.subjectPersonId,
  )
  const loaded = turn.deps.flows.find(gone.flow, gone.flowVersion)
  return live && loaded ? { live, place: { loaded, state: gone.state } } : undefined
}

const isOpen = ({ status }: LiveSession) => status === 'active' || status === 'paused'

/** What was said to an older version's prompt, as the session it became reads it. */
export function readEarlier(
  turn: Turn,
  { live, place }: { live: LiveSession; place: { state: Session } },
  said: { ref: string; key: string },
): { ref: string; key: string } | undefined {
  const { flow, version } = place.state
  const versions = turn.deps.flows.newer({ id: flow, version }).filter((item) => item.flow.version <= live.loaded.flow.version)
  return moveEarlier(versions, { from: place.state.form?.set, to: live.state.form?.set }, said)
}

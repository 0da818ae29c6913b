import { and, desc, eq, inArray } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { session as sessionTable } from '../db/schema.ts'
import type { LoadedFlow } from '../engine/flow.ts'
import type { Session } from '../engine/session.ts'
import type { Deps } from './deps.ts'
import { activeSession, type LiveSession, type Turn } from './turn.ts'

/** Conversations of a contact that are not over, each on the version it began with. */
export async function loadSessions(tx: Tx, deps: Pick<Deps, 'flows' | 'log'>, contactId: number): Promise<LiveSession[]> {
  const rows = await tx
    .select()
    .from(sessionTable)
    .where(and(eq(sessionTable.contactId, contactId), inArray(sessionTable.status, ['active', 'paused'])))
    .orderBy(desc(sessionTable.id))
  return rows.flatMap((row): LiveSession[] => {
    const own = deps.flows.find(row.flow, row.flowVersion)
    if (!own)
      deps.log.error({ file: `flows/${row.flow}.${row.flowVersion}.json` }, 'somebody is in a flow version whose file is gone; put it back')
    const loaded = own ?? deps.flows.newest(row.flow)
    if (!loaded) return []
    return [
      {
        id: row.id,
        loaded,
        state: row.state as Session,
        status: row.status,
        nominationId: row.nominationId,
        subjectPersonId: row.subjectPersonId,
        updatedAt: row.updatedAt,
        changed: false,
        ...(own ? {} : { isLost: true as const }),
      },
    ]
  })
}

/** Makes a session the active one, as it stands: nothing is said yet. Whatever was open waits beneath it. */
export async function openSession(
  turn: Turn,
  loaded: LoadedFlow,
  state: Session,
  nominationId: number | null = null,
  subjectPersonId: number | null = null,
): Promise<LiveSession> {
  const open = activeSession(turn)
  if (open) await setStatus(turn, open, 'paused')
  const [row] = await turn.tx
    .insert(sessionTable)
    .values({
      communeId: turn.contact.communeId,
      contactId: turn.contact.id,
      flow: loaded.flow.id,
      flowVersion: loaded.flow.version,
      status: 'active',
      state,
      nominationId,
      subjectPersonId,
      startedAt: turn.now,
      updatedAt: turn.now,
    })
    .returning({ id: sessionTable.id })
  if (!row) throw new Error('a session was not stored')
  const live: LiveSession = {
    id: row.id,
    loaded,
    state,
    status: 'active',
    nominationId,
    subjectPersonId,
    updatedAt: turn.now,
    changed: true,
  }
  turn.sessions.push(live)
  return live
}

/** Written at once: the database allows one active session per contact at any moment. */
export async function setStatus(turn: Turn, live: LiveSession, status: LiveSession['status']): Promise<void> {
  live.status = status
  live.changed = true
  await turn.tx.update(sessionTable).set({ status, updatedAt: turn.now }).where(eq(sessionTable.id, live.id))
}

/** Writes where everybody is now. */
export async function saveSessions(turn: Turn): Promise<void> {
  await Promise.all(
    turn.sessions
      .filter((live) => live.changed)
      .map((live) =>
        turn.tx
          .update(sessionTable)
          // Of a conversation that is over nothing is needed but what it was about: no name waits there for years
          .set({
            state: live.status === 'ended' ? {} : live.state,
            nominationId: live.nominationId,
            subjectPersonId: live.subjectPersonId,
            updatedAt: turn.now,
          })
          .where(eq(sessionTable.id, live.id)),
      ),
  )
}

export type EndedSession = {
  flow: string
  flowVersion: number
  /** `moved`: it goes on as another session, of a newer version. */
  status: LiveSession['status']
  state: Session
  nominationId: number | null
  subjectPersonId: number | null
}

/** A conversation of this contact that is over. */
export async function findEnded(turn: Turn, sessionId: number): Promise<EndedSession | undefined> {
  const [row] = await turn.tx
    .select({
      flow: sessionTable.flow,
      flowVersion: sessionTable.flowVersion,
      status: sessionTable.status,
      state: sessionTable.state,
      nominationId: sessionTable.nominationId,
      subjectPersonId: sessionTable.subjectPersonId,
    })
    .from(sessionTable)
    .where(and(eq(sessionTable.id, sessionId), eq(sessionTable.contactId, turn.contact.id)))
  return row && { ...row, state: row.state as Session }
}

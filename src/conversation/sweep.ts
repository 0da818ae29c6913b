import { sql } from 'drizzle-orm'
import { LIVING_INSTANCES } from '../db/instance.ts'
import { REPORT_KINDS } from '../model/inbound.ts'
import type { Deps } from './deps.ts'

// One process sweeps at a time
const SWEEP_LOCK = 7_301_002
const MOST_CONTACTS = 500
// Kept many at a time: after a crash in a broadcast there is one of each message of the last seconds. More than can wait for results at once:
// those that wait hold nobody else up
const MOST_REPORTED = 20_000
// Younger events are being handled by the process that stored them
const GRACE_MS = 2_000
// A farewell that cannot be delivered does not keep a name alive
const FAREWELL_MS = 10 * 60_000
// A second tap on "erase" comes within these, and is not greeted as somebody new
const CALM_MS = 5 * 60_000

/** Contacts with something left over: with what takes a turn, and with reports that nobody has kept. One may be among both. */
type Leftovers = { turns: number[]; reported: number[] }

/**
 * Contacts with something left over: events nobody answers, messages whose time has come, messages whose process died, reports nobody has
 * kept. The tables alone are asked, so whatever a queue or a process lost is found here. `atStart`: without grace, right after this process
 * began.
 */
export async function findLeftovers({ database, now }: Pick<Deps, 'database' | 'now'>, atStart = false): Promise<Leftovers> {
  const at = now()
  const before = new Date(at.getTime() - (atStart ? 0 : GRACE_MS)).toISOString()
  const waiting = sql`handled_at IS NULL AND received_at <= ${before}::timestamptz AND (SELECT got FROM mine)`
  // One statement, since it runs all the time: the lock ends with it
  const rows = await database.db.execute<{ contact_id: string; reported: boolean }>(sql`
    WITH mine AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(${SWEEP_LOCK}) OR ${atStart}::boolean AS got)
    (SELECT DISTINCT contact_id, true AS reported FROM inbound_event WHERE ${waiting} AND kind IN ${REPORT_KINDS} LIMIT ${MOST_REPORTED})
    UNION ALL
    ((SELECT DISTINCT contact_id, false FROM inbound_event WHERE ${waiting} AND kind NOT IN ${REPORT_KINDS} LIMIT ${MOST_CONTACTS})
    UNION
    (SELECT DISTINCT contact_id, false FROM outbound_message
     WHERE status = 'waiting' AND cause <> 'campaign' AND (SELECT got FROM mine)
       AND ((claimed_by IS NULL AND (not_before IS NULL OR not_before <= ${at.toISOString()}::timestamptz))
            OR (claimed_by IS NOT NULL AND claimed_by NOT IN (${LIVING_INSTANCES})))
     LIMIT ${MOST_CONTACTS}))`)
  const idsOf = (reported: boolean) => rows.filter((row) => row.reported === reported).map((row) => Number(row.contact_id))
  return { turns: idsOf(false), reported: idsOf(true) }
}

/** Takes the chat's own id from contacts that were erased some minutes ago and have been told so. */
export async function finishErasures({ database, now }: Pick<Deps, 'database' | 'now'>): Promise<void> {
  const before = (ms: number) => new Date(now().getTime() - ms).toISOString()
  await database.db.execute(sql`
    WITH gone AS (
      UPDATE contact SET channel_user_id = 'erased-' || id
      WHERE erased_at < ${before(CALM_MS)}::timestamptz AND channel_user_id <> 'erased-' || id
        AND (erased_at < ${before(FAREWELL_MS)}::timestamptz OR NOT EXISTS (SELECT 1 FROM outbound_message o WHERE o.contact_id = contact.id AND o.status = 'waiting'))
        AND NOT EXISTS (SELECT 1 FROM inbound_event e WHERE e.contact_id = contact.id AND e.handled_at IS NULL AND e.kind NOT IN ${REPORT_KINDS})
      RETURNING id
    ), farewells AS (
      UPDATE outbound_message SET body_enc = NULL, status = CASE WHEN status = 'waiting' THEN 'cancelled' ELSE status END
      WHERE contact_id IN (SELECT id FROM gone)
    )
    UPDATE inbound_event SET body_enc = NULL WHERE contact_id IN (SELECT id FROM gone)`)
}

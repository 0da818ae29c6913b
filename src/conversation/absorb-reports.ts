import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { LIVING_INSTANCES } from '../db/instance.ts'
import type { InboundContent } from '../model/inbound.ts'
import { RECEIPT_MS } from '../outreach/meet.ts'
import type { Deps } from './deps.ts'

/** What a platform says of messages of ours: they arrived, were read, left. Of a broadcast it says so three times for each. */
export type Report = Extract<InboundContent, { kind: 'received' | 'seen' | 'echo' }>

/** Whether an event is such a report. One typed by a human in the platform's tool is part of the talk and no report. */
export const isReport = (content: InboundContent): content is Report =>
  content.kind === 'received' || content.kind === 'seen' || (content.kind === 'echo' && content.staffId === undefined)

export const REPORT_KINDS: readonly Report['kind'][] = ['received', 'seen', 'echo']
// An echo belongs to a send of the last ten minutes, and clocks and ways to us are slow at times
const ECHO_MS = 20 * 60_000

type Event = {
  id: string
  contact_id: string
  commune_id: number
  person_id: number | null
  kind: string
  at_ms: number
  body_enc: Buffer | null
}
type Echo = { event: Event; message_id: string; isList: boolean }
type Mark = { event: Event; message_id: string; received_at: string | null; seen_at: string | null }
/** A campaign of late; the recipients of one are looked up by their keys alone, since PostgreSQL knows nothing yet of one that has just begun. */
type Running = { id: number; commune_id: number; finished_ms: number | null }

/**
 * Keeps the reports of many contacts in one transaction, without a turn for each: receipts at their rows, once, the first time; an article's
 * arrival at each of its readers' rows; echoes of what is recorded already need nothing. Returns contacts that need a turn after all (`turn`: something else was said, or an echo may settle
 * what is uncertain) and contacts with a report on a message whose result is not recorded yet (`again`). Safe to run twice, beside turns
 * too: it waits for no row that somebody holds.
 */
export async function absorbReports(
  { database, sealer, now }: Pick<Deps, 'database' | 'sealer' | 'now'>,
  contactIds: readonly number[],
): Promise<{ turn: number[]; again: number[] }> {
  if (contactIds.length === 0) return { turn: [], again: [] }
  const ids = JSON.stringify(contactIds)
  return database.db.transaction(async (tx) => {
    // Whatever PostgreSQL believes of a campaign that has just begun, rows are looked up by their keys
    await tx.execute(
      sql`SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) AS u (name)`,
    )
    const events = await tx.execute<Event>(sql`
      SELECT e.id, e.contact_id, c.commune_id::int AS commune_id, c.person_id::float8 AS person_id, e.kind, extract(epoch FROM e.at)::float8 * 1000 AS at_ms,
        e.body_enc
      FROM json_array_elements_text(${ids}::text::json) AS given (id) JOIN contact c ON c.id = given.id::bigint JOIN inbound_event e ON e.contact_id = c.id
      WHERE e.handled_at IS NULL ORDER BY e.id FOR UPDATE OF e SKIP LOCKED`)
    const turn = new Set(events.filter(({ kind }) => !REPORT_KINDS.some((report) => report === kind)).map((event) => event.contact_id))
    const marks: Mark[] = []
    const echoes: Echo[] = []
    const done = new Set<string>()
    for (const event of events) {
      if (turn.has(event.contact_id)) continue
      const content = event.body_enc ? sealer.openJson<InboundContent>(event.body_enc) : undefined
      if (content === undefined) done.add(event.id)
      else if (!isReport(content)) turn.add(event.contact_id)
      else if (content.kind === 'echo') echoes.push({ event, message_id: content.messageId, isList: content.isList === true })
      else if (content.messageIds.length === 0) done.add(event.id)
      else {
        const at = new Date(event.at_ms).toISOString()
        const times = { received_at: content.kind === 'received' ? at : null, seen_at: content.kind === 'seen' ? at : null }
        for (const messageId of content.messageIds) marks.push({ event, message_id: messageId, ...times })
      }
    }
    const running = await runningOf(tx, events, now())
    const ours = marks.filter(({ event }) => !turn.has(event.contact_id))
    const missing = await markMessages(tx, ours, running)
    for (const { event } of ours) if (!missing.has(event.id)) done.add(event.id)
    const heard = echoes.map(({ event }) => event)
    const { unsettled, underWay } = await findUnsettled(tx, heard, running, now())
    for (const id of unsettled) turn.add(id)
    const settled = echoes.filter(({ event }) => !turn.has(event.contact_id) && !underWay.has(event.contact_id))
    const unknown = await markArticles(
      tx,
      settled.filter((echo) => echo.isList),
      running,
    )
    for (const id of unknown) turn.add(id)
    for (const event of heard) {
      if (turn.has(event.contact_id)) continue
      if (underWay.has(event.contact_id)) missing.add(event.id)
      else done.add(event.id)
    }
    if (done.size > 0)
      // Our own words come back in echoes: they are kept where they were written
      await tx.execute(sql`
        UPDATE inbound_event e SET handled_at = ${now().toISOString()}::timestamptz,
          body_enc = CASE WHEN e.kind <> 'echo' AND c.erased_at IS NULL THEN e.body_enc END
        FROM contact c
        WHERE c.id = e.contact_id AND e.handled_at IS NULL
          AND e.id IN (SELECT id::bigint FROM json_array_elements_text(${JSON.stringify([...done])}::text::json) AS given (id))`)
    const again = new Set(events.filter(({ id, contact_id }) => missing.has(id) && !turn.has(contact_id)).map((event) => event.contact_id))
    return { turn: [...turn].map(Number), again: [...again].map(Number) }
  })
}

async function runningOf(tx: Tx, events: readonly Event[], now: Date): Promise<Running[]> {
  const communes = [...new Set(events.map((event) => event.commune_id))]
  return tx.execute<Running>(sql`
    SELECT id::int AS id, commune_id::int AS commune_id, extract(epoch FROM finished_at)::float8 * 1000 AS finished_ms FROM campaign
    WHERE commune_id IN (SELECT id::int FROM json_array_elements_text(${JSON.stringify(communes)}::text::json) AS given (id))
      AND started_at > ${new Date(now.getTime() - RECEIPT_MS).toISOString()}::timestamptz`)
}

/** Where rows of this chat may be: its person's, and its own from before anybody was registered on it. */
const keysOf = ({ contact_id, commune_id, person_id }: Event, running: readonly Running[]) =>
  running
    .filter((campaign) => campaign.commune_id === commune_id)
    .flatMap(({ id }) =>
      [...(person_id === null ? [] : [person_id]), -Number(contact_id)].map((subject) => ({
        commune_id,
        campaign_id: id,
        person_id: subject,
      })),
    )

/** Writes down when messages of the talk and of campaigns arrived and were read. Returns the events of which some message was not found. */
async function markMessages(tx: Tx, marks: readonly Mark[], running: readonly Running[]): Promise<Set<string>> {
  if (marks.length === 0) return new Set()
  const times = sql`received_at = coalesce(m.received_at, held.received_at), seen_at = coalesce(m.seen_at, held.seen_at)`
  const oneEach = sql`min(received_at) AS received_at, min(seen_at) AS seen_at`
  const said = marks.map(({ event, message_id, received_at, seen_at }) => ({
    contact_id: event.contact_id,
    message_id,
    received_at,
    seen_at,
  }))
  const talk = await tx.execute<{ message_id: string }>(sql`
    WITH given AS MATERIALIZED (
      SELECT contact_id, message_id, ${oneEach}
      FROM json_to_recordset(${JSON.stringify(said)}::text::json) AS given (contact_id bigint, message_id text, received_at timestamptz, seen_at timestamptz)
      GROUP BY contact_id, message_id
    ), held AS MATERIALIZED (
      SELECT given.*, found.id FROM given, LATERAL (
        SELECT o.id FROM contact c JOIN outbound_message o ON o.account_id = c.account_id AND o.platform_message_id = given.message_id
        WHERE c.id = given.contact_id FOR UPDATE OF o SKIP LOCKED
      ) found
    )
    UPDATE outbound_message m SET ${times} FROM held WHERE m.id = held.id RETURNING held.message_id`)
  const found = new Set(talk.map((row) => row.message_id))
  const keys = marks.flatMap(({ event, message_id, received_at, seen_at }) =>
    found.has(message_id) ? [] : keysOf(event, running).map((key) => ({ ...key, message_id, received_at, seen_at })),
  )
  if (keys.length > 0) {
    const campaigns = await tx.execute<{ message_id: string }>(sql`
      WITH given AS MATERIALIZED (
        SELECT commune_id, campaign_id, person_id, message_id, ${oneEach}
        FROM json_to_recordset(${JSON.stringify(keys)}::text::json)
          AS given (commune_id int, campaign_id int, person_id bigint, message_id text, received_at timestamptz, seen_at timestamptz)
        GROUP BY commune_id, campaign_id, person_id, message_id
      ), held AS MATERIALIZED (
        SELECT given.*, found.place FROM given, LATERAL (
          SELECT ctid AS place FROM recipient
          WHERE commune_id = given.commune_id AND campaign_id = given.campaign_id AND person_id = given.person_id AND platform_message_id = given.message_id
          FOR UPDATE SKIP LOCKED
        ) found
      )
      UPDATE recipient m SET ${times} FROM held WHERE m.ctid = held.place RETURNING held.message_id`)
    for (const row of campaigns) found.add(row.message_id)
  }
  return new Set(marks.filter((mark) => !found.has(mark.message_id)).map((mark) => mark.event.id))
}

/** The article has reached these followers, as a message of its own to each. Returns the contacts of lists that are no such article's. */
async function markArticles(tx: Tx, echoes: readonly Echo[], running: readonly Running[]): Promise<string[]> {
  const keys = echoes.flatMap(({ event, message_id }) =>
    keysOf(event, running).map((key) => ({ ...key, contact_id: event.contact_id, message_id, at: new Date(event.at_ms).toISOString() })),
  )
  if (keys.length === 0) return echoes.map(({ event }) => event.contact_id)
  const rows = await tx.execute<{ contact_id: string }>(sql`
    WITH held AS MATERIALIZED (
      SELECT given.*, found.place
      FROM json_to_recordset(${JSON.stringify(keys)}::text::json)
        AS given (commune_id int, campaign_id int, person_id bigint, contact_id text, message_id text, at timestamptz), LATERAL (
        SELECT r.ctid AS place FROM recipient r JOIN campaign c ON c.id = r.campaign_id
        WHERE r.commune_id = given.commune_id AND r.campaign_id = given.campaign_id AND r.person_id = given.person_id
          AND r.route = 'article' AND r.status = 'sent' AND r.platform_message_id = c.article_message_id
        FOR UPDATE OF r SKIP LOCKED
      ) found
    )
    UPDATE recipient m SET platform_message_id = held.message_id, received_at = coalesce(m.received_at, held.at)
    FROM held WHERE m.ctid = held.place RETURNING held.contact_id`)
  const found = new Set(rows.map((row) => row.contact_id))
  return echoes.flatMap(({ event }) => (found.has(event.contact_id) ? [] : [event.contact_id]))
}

/**
 * Of the contacts of these echoes, those with a message nobody knows the end of (`unsettled`: an echo may be of it), and those to whom a
 * campaign is sending at this moment (`underWay`).
 */
async function findUnsettled(
  tx: Tx,
  echoes: readonly Event[],
  running: readonly Running[],
  now: Date,
): Promise<{ unsettled: Set<string>; underWay: Set<string> }> {
  const unsettled = new Set<string>()
  const underWay = new Set<string>()
  if (echoes.length === 0) return { unsettled, underWay }
  const ids = [...new Set(echoes.map((event) => event.contact_id))]
  const talk = await tx.execute<{ id: string }>(sql`
    SELECT given.id FROM json_array_elements_text(${JSON.stringify(ids)}::text::json) AS given (id)
    WHERE EXISTS (
      SELECT 1 FROM outbound_message o
      WHERE o.contact_id = given.id::bigint AND (o.status = 'uncertain' OR (o.status = 'waiting' AND o.claimed_by IS NOT NULL)))`)
  for (const { id } of talk) unsettled.add(id)
  const open = running.filter(({ finished_ms }) => finished_ms === null || finished_ms > now.getTime() - ECHO_MS)
  const keys = echoes.flatMap((event) => keysOf(event, open).map((key) => ({ ...key, contact_id: event.contact_id })))
  if (keys.length === 0) return { unsettled, underWay }
  const campaigns = await tx.execute<{ id: string; living: boolean }>(sql`
    SELECT given.contact_id AS id, found.status = 'waiting' AND held.claimed_by IN (${LIVING_INSTANCES}) AS living
    FROM json_to_recordset(${JSON.stringify(keys)}::text::json) AS given (commune_id int, campaign_id int, person_id bigint, contact_id text), LATERAL (
      SELECT status FROM recipient
      WHERE commune_id = given.commune_id AND campaign_id = given.campaign_id AND person_id = given.person_id AND status IN ('uncertain', 'waiting')
    ) found LEFT JOIN LATERAL (
      SELECT b.claimed_by FROM recipient_batch b WHERE b.campaign_id = given.campaign_id AND given.person_id = ANY (b.person_ids) LIMIT 1
    ) held ON true
    WHERE found.status = 'uncertain' OR held.claimed_by IS NOT NULL`)
  for (const { id, living } of campaigns) (living ? underWay : unsettled).add(id)
  return { unsettled, underWay }
}

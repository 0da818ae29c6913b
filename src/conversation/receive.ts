import { type InboundEvent, REPORT_KINDS } from '../model/inbound.ts'
import { markTrackedReceipts } from '../outreach/tracked-receipts.ts'
import type { Deps } from './deps.ts'

/** An event with the account it came through. */
export type Arrival = { accountId: number; event: InboundEvent }

/** Kinds that say something about a message of ours: they never make a new contact. */
const ABOUT_OUR_MESSAGES: ReadonlySet<string> = new Set([...REPORT_KINDS, 'staff_echo'])

export type Receiver = {
  /** Resolves when the events are committed, with the contact of each that is new. A repeat changes nothing and names nobody. */
  receive(arrivals: Arrival[]): Promise<(number | undefined)[]>
}

// What one insert takes at most; a single commit then answers for all of them
const MAX_BATCH = 200

/**
 * Stores events once, whatever their number. Many that arrive while an insert is under way share the next one: the database pays per
 * commit, not per row.
 */
export function createReceiver(deps: Pick<Deps, 'database' | 'sealer' | 'now'>): Receiver {
  type Waiting = { arrivals: Arrival[]; resolve: (contacts: (number | undefined)[]) => void; reject: (error: unknown) => void }
  let waiting: Waiting[] = []
  let busy = false

  async function drain(): Promise<void> {
    if (busy) return
    busy = true
    try {
      while (waiting.length > 0) {
        const batch = takeBatch()
        try {
          const contacts = await store(
            deps,
            batch.flatMap((item) => item.arrivals),
          )
          let at = 0
          for (const item of batch) {
            item.resolve(contacts.slice(at, at + item.arrivals.length))
            at += item.arrivals.length
          }
        } catch (error) {
          for (const item of batch) item.reject(error)
        }
      }
    } finally {
      busy = false
    }
  }

  function takeBatch(): Waiting[] {
    const batch: Waiting[] = []
    let size = 0
    for (const item of waiting) {
      if (batch.length > 0 && size + item.arrivals.length > MAX_BATCH) break
      batch.push(item)
      size += item.arrivals.length
    }
    waiting = waiting.slice(batch.length)
    return batch
  }

  return {
    receive: (arrivals) =>
      new Promise((resolve, reject) => {
        if (arrivals.length === 0) return resolve([])
        waiting.push({ arrivals, resolve, reject })
        void drain()
      }),
  }
}

/** Contact of each arrival that was new, undefined for repeats and for receipts of unknown contacts. */
async function store(
  { database, sealer, now }: Pick<Deps, 'database' | 'sealer' | 'now'>,
  received: Arrival[],
): Promise<(number | undefined)[]> {
  const arrivals = await withoutFiles(database, received)
  await markTrackedReceipts(
    database.sql,
    arrivals.flatMap(({ accountId, event: { content } }) =>
      content.kind === 'received' && content.tracked
        ? [{ accountId, trackingId: content.tracked.id, messageId: content.messageIds[0] ?? '', at: new Date(content.tracked.atMs) }]
        : [],
    ),
  )
  const rows = arrivals.map(({ accountId, event }, place) => ({
    place,
    account_id: accountId,
    channel_user_id: event.channelUserId,
    makes_contact: !ABOUT_OUR_MESSAGES.has(event.content.kind),
    dedupe_key: event.dedupeKey,
    kind: event.content.kind,
    body: sealer.sealJson(event.content).toString('base64'),
    at: new Date(event.atMs).toISOString(),
    chat_order: event.order,
    received_at: now().toISOString(),
  }))
  // One text for any number of rows: the statement stays the same and is planned once
  const given = JSON.stringify(rows)
  return database.sql.begin(async (tx) => {
    // Sorted, so that two processes with the same new contacts wait for each other in one order
    await tx`
      INSERT INTO contact (commune_id, account_id, channel_user_id, first_seen_at, last_inbound_at)
      SELECT account.commune_id, given.account_id, given.channel_user_id, given.received_at, given.received_at
      FROM json_to_recordset(${given}::text::json) AS given (account_id bigint, channel_user_id text, makes_contact boolean, received_at timestamptz)
      JOIN account ON account.id = given.account_id
      WHERE makes_contact
        AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.account_id = given.account_id AND c.channel_user_id = given.channel_user_id)
      ORDER BY given.account_id, given.channel_user_id
      ON CONFLICT (account_id, channel_user_id) DO NOTHING`
    const stored = await tx<{ place: number; contact_id: number }[]>`
      WITH given AS (
        SELECT * FROM json_to_recordset(${given}::text::json)
          AS given (place int, account_id bigint, channel_user_id text, dedupe_key text, kind text, body text, at timestamptz, chat_order bigint, received_at timestamptz)
      ), stored AS (
        INSERT INTO inbound_event (commune_id, account_id, contact_id, dedupe_key, kind, body_enc, at, chat_order, received_at)
        SELECT contact.commune_id, given.account_id, contact.id, given.dedupe_key, given.kind, decode(given.body, 'base64'), given.at, given.chat_order, given.received_at
        FROM given JOIN contact USING (account_id, channel_user_id)
        ORDER BY given.account_id, length(given.dedupe_key), given.dedupe_key
        ON CONFLICT (account_id, dedupe_key) DO NOTHING
        RETURNING account_id, dedupe_key, contact_id
      )
      SELECT DISTINCT ON (account_id, dedupe_key) given.place, stored.contact_id::float8 AS contact_id
      FROM stored JOIN given USING (account_id, dedupe_key)
      ORDER BY account_id, dedupe_key, given.place`
    const contacts: (number | undefined)[] = arrivals.map(() => undefined)
    for (const row of stored) contacts[row.place] = row.contact_id
    return contacts
  })
}

// The only conversation in which somebody may send a file that is kept: an officer composing a notice
const FILE_FLOWS = ['broadcast']

/** Addresses of pictures and files are dropped before anything is stored, save of those who are being asked for one. */
async function withoutFiles(database: Deps['database'], arrivals: Arrival[]): Promise<Arrival[]> {
  const withFile = arrivals.filter(({ event }) => event.content.kind === 'media' && event.content.file)
  if (withFile.length === 0) return arrivals
  const given = JSON.stringify(withFile.map(({ accountId, event }) => ({ account_id: accountId, channel_user_id: event.channelUserId })))
  const asked = await database.sql<{ account_id: string; channel_user_id: string }[]>`
    SELECT c.account_id, c.channel_user_id
    FROM json_to_recordset(${given}::text::json) AS given (account_id bigint, channel_user_id text)
    JOIN contact c USING (account_id, channel_user_id)
    JOIN session s ON s.contact_id = c.id AND s.status = 'active' AND s.flow IN ${database.sql(FILE_FLOWS)}`
  const keep = new Set(asked.map((row) => `${row.account_id}:${row.channel_user_id}`))
  return arrivals.map((arrival) => {
    const { content } = arrival.event
    if (content.kind !== 'media' || !content.file || keep.has(`${arrival.accountId}:${arrival.event.channelUserId}`)) return arrival
    const { file: _, ...rest } = content
    return { ...arrival, event: { ...arrival.event, content: rest } }
  })
}

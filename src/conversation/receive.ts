import type { InboundEvent } from '../model/inbound.ts'
import type { Deps } from './deps.ts'

export type ReceivedFrom = { accountId: number; communeId: number; channel: string }

/** An event with the account it came through. */
export type Arrival = ReceivedFrom & { event: InboundEvent }

/** Kinds that say something about a message of ours: they never make a new contact. */
const ABOUT_OUR_MESSAGES = new Set(['received', 'seen', 'echo'])

export type Receiver = {
  /** Resolves when the events are committed, with the contacts that have something new. A repeat changes nothing and names nobody. */
  receive(arrivals: Arrival[]): Promise<number[]>
}

// What one insert takes at most; a single commit then answers for all of them
const MAX_BATCH = 200

/**
 * Stores events once, whatever their number. Many that arrive while an insert is under way share the next one: the database pays per
 * commit, not per row.
 */
export function createReceiver(deps: Pick<Deps, 'database' | 'sealer' | 'now'>): Receiver {
  type Waiting = { arrivals: Arrival[]; resolve: (contacts: number[]) => void; reject: (error: unknown) => void }
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
            item.resolve(contacts.slice(at, at + item.arrivals.length).filter((id) => id !== undefined))
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
  arrivals: Arrival[],
): Promise<(number | undefined)[]> {
  const received = now()
  const makers = arrivals.filter(({ event }) => !ABOUT_OUR_MESSAGES.has(event.content.kind))
  return database.sql.begin(async (tx) => {
    if (makers.length > 0) {
      // Sorted, so that two processes with the same new contacts wait for each other in one order
      const sorted = [...makers].sort((a, b) => a.accountId - b.accountId || (a.event.channelUserId < b.event.channelUserId ? -1 : 1))
      await tx`
        INSERT INTO contact (commune_id, account_id, channel_user_id, first_seen_at, last_inbound_at)
        SELECT commune_id, account_id, channel_user_id, ${received}, ${received}
        FROM unnest(${sorted.map((a) => a.communeId)}::bigint[], ${sorted.map((a) => a.accountId)}::bigint[], ${sorted.map((a) => a.event.channelUserId)}::text[])
          AS given (commune_id, account_id, channel_user_id)
        ON CONFLICT (account_id, channel_user_id) DO NOTHING`
    }
    const rows = await tx<{ place: number; contact_id: number }[]>`
      WITH given AS (
        SELECT * FROM unnest(
          ${arrivals.map((_, place) => place)}::int[],
          ${arrivals.map((a) => a.accountId)}::bigint[],
          ${arrivals.map((a) => a.event.channelUserId)}::text[],
          ${arrivals.map((a) => a.event.dedupeKey)}::text[],
          ${arrivals.map((a) => a.event.content.kind)}::text[],
          ${arrivals.map((a) => sealer.sealJson(a.event.content))}::bytea[],
          ${arrivals.map((a) => new Date(a.event.atMs))}::timestamptz[],
          ${arrivals.map((a) => a.event.order)}::bigint[]
        ) AS given (place, account_id, channel_user_id, dedupe_key, kind, body, at, chat_order)
      ), stored AS (
        INSERT INTO inbound_event (commune_id, account_id, contact_id, dedupe_key, kind, body_enc, at, chat_order, received_at)
        SELECT contact.commune_id, given.account_id, contact.id, given.dedupe_key, given.kind, given.body, given.at, given.chat_order, ${received}
        FROM given JOIN contact USING (account_id, channel_user_id)
        ORDER BY given.account_id, given.dedupe_key
        ON CONFLICT (account_id, dedupe_key) DO NOTHING
        RETURNING account_id, dedupe_key, contact_id
      )
      SELECT DISTINCT ON (account_id, dedupe_key) given.place, stored.contact_id::float8 AS contact_id
      FROM stored JOIN given USING (account_id, dedupe_key)
      ORDER BY account_id, dedupe_key, given.place`
    const contacts: (number | undefined)[] = arrivals.map(() => undefined)
    for (const row of rows) contacts[row.place] = row.contact_id
    return contacts
  })
}

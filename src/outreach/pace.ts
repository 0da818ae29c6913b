import type { Sql, TransactionSql } from 'postgres'
import type { Database } from '../db/connect.ts'

/**
 * What an account or app may send, in one row of PostgreSQL that all processes share. The row counts requests by slot of a sliding
 * window; a request is granted only while all slots a window can touch hold fewer than the limit, so that no 60 seconds, wherever they
 * begin, see more. Campaigns come evenly, at the share that is not kept for replies; replies may take all there is, the oldest first.
 */
export type PaceLimit = {
  /** `account:12`, `app:1234567890`. */
  key: string
  /** Requests in any window. */
  limit: number
  windowMs: number
  /** Share of the limit campaigns leave free, percent. */
  reservePercent: number
  /**
   * A limit of bulk sends only, or one that nobody has named and the platform has not enforced yet: campaigns keep to it, and nobody waits
   * for an answer because of it. Replies are counted all the same.
   */
  freesReplies?: boolean
}

export type Granted = {
  granted: number
  /** When to ask again, ms from now; 0 when everything was granted. */
  waitMs: number
}

export type Pace = {
  /**
   * May a reply leave now? `waitMs` > 0: no, and its turn is then: ask again with `inTurn`. Many that ask at once share one statement, so
   * that a reply waits for no lock longer than a commit takes.
   */
  takeReply(limits: readonly PaceLimit[], inTurn: boolean): Promise<number>
  /** Counts a reply that leaves in any case, so that campaigns make room for it. Costs the reply no time. */
  countReply(limits: readonly PaceLimit[]): void
  /** The platform itself asked for a pause: all processes keep it. */
  hold(key: string, untilMs: number): Promise<void>
}

// Slots of one window. One more is looked at than fit, since a window that begins inside a slot touches one more
const SLOTS = 120
const RING = SLOTS + 1
// Lateness a campaign makes up for: its loop may be held up so long without losing its share. Where the window itself is a second, what is
// made up for comes in a burst that the way to the platform may press together: an eighth of the window at most
const CATCH_UP_MS = 1_000
const CATCH_UP_SHARE = 1 / 8
const LEAST_WAIT_MS = 5
// Replies that leave in any case are counted together so often
const COUNT_MS = 100

type Sqlish = Sql | TransactionSql
type Kind = 'campaign' | 'reply' | 'any'

/** Grants up to `want` campaign messages. Inside a transaction the row stays locked until its end: ask last. */
export async function takeForCampaign(sql: Sqlish, limits: readonly PaceLimit[], want: number, nowMs?: number): Promise<Granted> {
  let granted = want
  let waitMs = 0
  const taken: { limit: PaceLimit; n: number }[] = []
  for (const [index, limit] of limits.entries()) {
    if (granted === 0) break
    // The account's share is kept by the first limit; an app's is for all its accounts together
    const answer = await take(sql, limit, index === 0 ? 'campaign' : 'any', granted, false, nowMs)
    granted = answer.granted
    waitMs = Math.max(waitMs, answer.waitMs)
    taken.push({ limit, n: answer.granted })
  }
  for (const { limit, n } of taken) if (n > granted) await giveBack(sql, limit, n - granted)
  return { granted, waitMs }
}

export function createPace({ sql }: Pick<Database, 'sql'>, nowMs?: () => number): Pace {
  type Asking = { inTurn: boolean; resolve: (waitMs: number) => void; reject: (error: unknown) => void }
  const asking = new Map<string, Asking[]>()
  const uncounted = new Map<string, { limits: readonly PaceLimit[]; n: number }>()
  let counting: NodeJS.Timeout | undefined

  async function drain(limits: readonly PaceLimit[], key: string): Promise<void> {
    for (;;) {
      const batch = asking.get(key) ?? []
      if (batch.length === 0) {
        asking.delete(key)
        return
      }
      asking.set(key, [])
      // Whoever waited for its turn goes before those who just came
      batch.sort((a, b) => Number(b.inTurn) - Number(a.inTurn))
      const inTurn = batch.filter((one) => one.inTurn).length
      try {
        let at = 0
        for (const [count, isTurn] of [
          [inTurn, true],
          [batch.length - inTurn, false],
        ] as const) {
          if (count === 0) continue
          const { granted, waitMs } = await takeAll(limits, count, isTurn)
          for (let index = 0; index < count; index++) {
            // Those behind wait one after the other
            const step = windowShare(limits)
            batch[at]?.resolve(index < granted ? 0 : Math.max(LEAST_WAIT_MS, waitMs + (index - granted) * step))
            at++
          }
        }
      } catch (error) {
        for (const one of batch) one.reject(error)
      }
    }
  }

  async function takeAll(limits: readonly PaceLimit[], want: number, inTurn: boolean): Promise<Granted> {
    let granted = want
    let waitMs = 0
    for (const [index, limit] of [...limits].reverse().entries()) {
      if (granted === 0) break
      const isAccount = index === limits.length - 1
      const answer = await take(sql, limit, isAccount ? 'reply' : 'any', granted, inTurn, nowMs?.())
      granted = answer.granted
      waitMs = Math.max(waitMs, answer.waitMs)
    }
    return { granted, waitMs }
  }

  return {
    takeReply(limits, inTurn) {
      const key = limits[0]?.key
      if (key === undefined) return Promise.resolve(0)
      return new Promise((resolve, reject) => {
        const waiting = asking.get(key)
        if (waiting) {
          waiting.push({ inTurn, resolve, reject })
          return
        }
        asking.set(key, [{ inTurn, resolve, reject }])
        void drain(limits, key)
      })
    },
    countReply(limits) {
      const key = limits[0]?.key
      if (key === undefined) return
      const counted = uncounted.get(key)
      uncounted.set(key, { limits, n: (counted?.n ?? 0) + 1 })
      if (counting !== undefined) return
      counting = setTimeout(async () => {
        counting = undefined
        const due = [...uncounted.values()]
        uncounted.clear()
        // A count that is lost lets campaigns be a little faster, no more
        for (const { limits, n } of due) for (const limit of limits) await take(sql, limit, 'any', n, false, nowMs?.()).catch(() => {})
      }, COUNT_MS)
    },
    async hold(key, untilMs) {
      await sql`
        INSERT INTO pace_bucket (key, slots, slot, campaign_at_ms, reply_at_ms, hold_until_ms)
        VALUES (${key}, array_fill(0, ARRAY[${RING}::int]), 0, 0, 0, ${untilMs}::float8)
        ON CONFLICT (key) DO UPDATE SET hold_until_ms = greatest(pace_bucket.hold_until_ms, excluded.hold_until_ms)`
    },
  }
}

const windowShare = (limits: readonly PaceLimit[]) => Math.max(...limits.map((limit) => limit.windowMs / limit.limit))

async function take(sql: Sqlish, limit: PaceLimit, kind: Kind, want: number, inTurn: boolean, nowMs?: number): Promise<Granted> {
  const known = await tryTake(sql, limit, kind, want, inTurn, nowMs)
  if (known) return known
  await sql`
    INSERT INTO pace_bucket (key, slots, slot, campaign_at_ms, reply_at_ms, hold_until_ms)
    VALUES (${limit.key}, array_fill(0, ARRAY[${RING}::int]), 0, 0, 0, 0) ON CONFLICT (key) DO NOTHING`
  const made = await tryTake(sql, limit, kind, want, inTurn, nowMs)
  if (!made) throw new Error(`pace ${limit.key} has no row`)
  return made
}

async function tryTake(
  sql: Sqlish,
  limit: PaceLimit,
  kind: Kind,
  want: number,
  inTurn: boolean,
  nowMs?: number,
): Promise<Granted | undefined> {
  const slotMs = limit.windowMs / SLOTS
  const share = Math.max(1e-9, (limit.limit * (100 - limit.reservePercent)) / 100)
  const catchUpMs = Math.min(CATCH_UP_MS, limit.windowMs * CATCH_UP_SHARE)
  // Between two campaign messages, and between two replies while they queue
  const everyMs = kind === 'campaign' ? limit.windowMs / share : limit.windowMs / limit.limit
  const [row] = await sql<{ granted: number; wait_ms: number }[]>`
    WITH old AS (
      SELECT * FROM pace_bucket WHERE key = ${limit.key} FOR UPDATE
    ), timed AS MATERIALIZED (
      -- The clock is read when the row is ours: nobody is granted a moment that others have left behind
      SELECT old.*, coalesce(${nowMs ?? null}::float8, extract(epoch FROM clock_timestamp()) * 1000) AS now_ms FROM old
    ), placed AS MATERIALIZED (
      SELECT timed.*, greatest(slot, floor(now_ms / ${slotMs}::float8)::bigint) AS current FROM timed
    ), live AS MATERIALIZED (
      SELECT placed.*, counted.ring, counted.used, (counted.oldest + ${RING}::bigint) * ${slotMs}::float8 AS frees_ms
      FROM placed, LATERAL (
        SELECT array_agg(CASE WHEN is_live THEN n ELSE 0 END ORDER BY place) AS ring,
          coalesce(sum(n) FILTER (WHERE is_live), 0)::int AS used, min(number) FILTER (WHERE is_live AND n > 0) AS oldest
        FROM (
          SELECT place, n, number, number > placed.current - ${RING}::bigint AS is_live
          FROM unnest(placed.slots) WITH ORDINALITY AS u (n, place),
            LATERAL (SELECT placed.slot - mod(placed.slot - (place - 1) + ${RING}::bigint * 1000000000, ${RING}::bigint) AS number) numbered
        ) slots_of_window
      ) counted
    ), allowed AS MATERIALIZED (
      SELECT live.*, greatest(campaign_at_ms, now_ms - ${catchUpMs}::float8) AS due_ms,
        CASE
          WHEN hold_until_ms > now_ms THEN 0
          WHEN ${kind}::text = 'campaign' AND reply_at_ms > now_ms THEN 0
          WHEN ${kind}::text = 'campaign' THEN greatest(0, least(${want}::int, ${limit.limit}::int - used,
            floor((now_ms - greatest(campaign_at_ms, now_ms - ${catchUpMs}::float8)) / ${everyMs}::float8)::int + 1))
          -- Others wait already: whoever just came goes behind them
          WHEN ${kind}::text = 'reply' AND NOT ${inTurn}::boolean AND reply_at_ms > now_ms THEN 0
          ELSE greatest(0, least(${want}::int, ${limit.limit}::int - used))
        END AS granted
      FROM live
    ), decided AS MATERIALIZED (
      SELECT allowed.*,
        -- The first that has to wait has its turn when the oldest requests leave the window, the others behind it
        greatest(reply_at_ms + ${everyMs}::float8, now_ms, hold_until_ms, CASE WHEN used + granted >= ${limit.limit}::int THEN frees_ms END) AS turn_ms
      FROM allowed
    ), written AS (
      UPDATE pace_bucket b SET
        slots = (SELECT array_agg(CASE WHEN u.place - 1 = mod(d.current, ${RING}::bigint) THEN u.n + d.granted ELSE u.n END ORDER BY u.place)
                 FROM unnest(d.ring) WITH ORDINALITY AS u (n, place)),
        slot = d.current,
        campaign_at_ms = CASE WHEN ${kind}::text = 'campaign' AND d.granted > 0 THEN d.due_ms + d.granted * ${everyMs}::float8 ELSE b.campaign_at_ms END,
        reply_at_ms = CASE WHEN ${kind}::text = 'reply' AND NOT ${inTurn}::boolean AND d.granted < ${want}::int
          THEN d.turn_ms + (${want}::int - d.granted - 1) * ${everyMs}::float8 ELSE b.reply_at_ms END
      FROM decided d WHERE b.key = d.key
      RETURNING d.granted,
        CASE
          WHEN d.granted >= ${want}::int THEN 0
          WHEN d.hold_until_ms > d.now_ms THEN d.hold_until_ms - d.now_ms
          WHEN ${kind}::text = 'reply' AND NOT ${inTurn}::boolean THEN d.turn_ms - d.now_ms
          WHEN d.granted + d.used >= ${limit.limit}::int THEN d.frees_ms - d.now_ms
          WHEN ${kind}::text = 'campaign' AND d.reply_at_ms <= d.now_ms THEN d.due_ms + d.granted * ${everyMs}::float8 - d.now_ms
          ELSE ${everyMs}::float8
        END AS wait_ms
    )
    SELECT granted::int AS granted, wait_ms::float8 AS wait_ms FROM written`
  return row && { granted: row.granted, waitMs: row.granted >= want ? 0 : Math.max(LEAST_WAIT_MS, Math.ceil(row.wait_ms)) }
}

/** What was granted and is not used after all. */
async function giveBack(sql: Sqlish, limit: PaceLimit, n: number): Promise<void> {
  const share = Math.max(1e-9, (limit.limit * (100 - limit.reservePercent)) / 100)
  await sql`
    UPDATE pace_bucket SET
      slots[mod(slot, ${RING}::bigint) + 1] = greatest(0, slots[mod(slot, ${RING}::bigint) + 1] - ${n}::int),
      campaign_at_ms = campaign_at_ms - ${n}::int * ${limit.windowMs / share}::float8
    WHERE key = ${limit.key}`
}

/** Keys of accounts whose replies have to queue at this moment, whoever writes now for longer than `waitMs`. */
export async function slowPaces({ sql }: Pick<Database, 'sql'>, waitMs = 0): Promise<string[]> {
  const rows = await sql<
    { key: string }[]
  >`SELECT key FROM pace_bucket WHERE reply_at_ms > extract(epoch FROM clock_timestamp()) * 1000 + ${waitMs}::float8 ORDER BY key`
  return rows.map((row) => row.key)
}

import type { TransactionSql } from 'postgres'
import type { OutboundStatus } from '../model/outbound.ts'
import type { SendingAccount } from './claim-batch.ts'
import type { OutreachDeps } from './deps.ts'
import { DEAD_CLASSES } from './final-classes.ts'
import { addCounts, whyWordsOnly } from './ledger.ts'

/** What became of one recipient, as the ledger keeps it. */
export type Result = {
  campaignId: number
  batchId: string
  personId: number
  contactId: number | null
  status: OutboundStatus
  class: string | null
  route?: 'next'
  notBeforeMs: number | null
  claimedAtMs: number
  platformMessageId: string | null
  contentHash: string | null
  sentAtMs: number | null
  /** Whether it counts as one of the tries a message has. */
  tried: boolean
  /** Counts as a failure when failures are piling up; null: says nothing about that. */
  failed: boolean | null
}

/**
 * Records what became of many recipients, of one commune, in one transaction; batches that are through go with it. A row that an echo settled
 * meanwhile is left alone; one that was thought lost while this process lived gets its true result. Safe to repeat: what was recorded before
 * is no longer held by its batch and changes nothing. Returns the lanes' last results.
 */
export async function markResults(
  deps: OutreachDeps,
  { account, results, doneBatches }: { account: SendingAccount; results: readonly Result[]; doneBatches: readonly string[] },
): Promise<Map<number, string>> {
  const { communeId } = account
  const recent = new Map<number, string>()
  const campaignIds = [...new Set(results.map((result) => result.campaignId))].sort((a, b) => a - b)
  const batchIds = [...new Set(results.map((result) => result.batchId))]
  await deps.database.sql.begin(async (tx) => {
    const rows = await withoutCancelled(tx, results)
    const batches = await loadBatches(tx, batchIds)
    // What was recorded before is in no batch any more: then the database's answer was lost, and this is the same again
    const held = (await holdRows(tx, communeId, rows)).filter(({ number, status }) => {
      const row = rows[number]
      return row && (status === 'uncertain' || batches.get(row.batchId)?.has(row.personId))
    })
    const given = held.flatMap(({ number, ctid }) => {
      const row = rows[number]
      return row ? [{ place: ctid, ...toGiven(row) }] : []
    })
    // Each row by its place, and not by reading the table from end to end for a batch
    await tx`SET LOCAL enable_seqscan = off`
    await tx`
      UPDATE recipient r SET status = g.status, class = g.class, route = coalesce(g.route, r.route), not_before = g.not_before,
        claimed_at = g.claimed_at, attempts = r.attempts + g.tried::int,
        platform_message_id = coalesce(g.platform_message_id, r.platform_message_id), content_hash = g.content_hash, sent_at = coalesce(g.sent_at, r.sent_at)
      FROM json_to_recordset(${JSON.stringify(given)}::text::json)
        AS g (place tid, status text, class text, route text, not_before timestamptz, claimed_at timestamptz,
          platform_message_id text, content_hash text, sent_at timestamptz, tried boolean)
      WHERE r.ctid = g.place`
    const moves = tx`SELECT * FROM json_to_recordset(${JSON.stringify(movesOf(held, rows))}::text::json)
      AS given (campaign_id int, status text, route text, class text, n int)`
    await addCounts(tx, communeId, moves)
    // What an officer may yet put back to wait is not in flight any more either
    const mayWait = rows.filter((row) => row.status !== 'sent' && !doneBatches.includes(row.batchId))
    if (mayWait.length > 0) await letGo(tx, mayWait)
    for (const campaignId of campaignIds) {
      const lane = await rememberOutcomes(tx, { account, campaignId, results })
      if (lane !== undefined) recent.set(campaignId, lane)
    }
    if (doneBatches.length > 0) await tx`DELETE FROM recipient_batch WHERE id IN ${tx([...doneBatches])}`
  })
  await markDead(deps, results)
  return recent
}

/** What comes back to wait does not wait for a campaign that was cancelled meanwhile: it ends, as sent where its words went out. */
async function withoutCancelled(tx: TransactionSql, results: readonly Result[]): Promise<readonly Result[]> {
  const waiting = [...new Set(results.flatMap((result) => (result.status === 'waiting' ? [result.campaignId] : [])))]
  if (waiting.length === 0) return results
  const states = await tx<{ id: number; state: string }[]>`
    SELECT id::int AS id, state FROM campaign WHERE id IN ${tx(waiting)} ORDER BY id FOR SHARE`
  const cancelled = new Set(states.flatMap(({ id, state }) => (state === 'cancelled' ? [id] : [])))
  return results.map((result): Result => {
    if (result.status !== 'waiting' || !cancelled.has(result.campaignId)) return result
    return result.class !== null && whyWordsOnly(result.class) !== undefined
      ? { ...result, status: 'sent', notBeforeMs: null }
      : { ...result, status: 'cancelled', class: null, notBeforeMs: null }
  })
}

/** Adds how sends ended to what a campaign's lane remembers, 1 failed and 0 not; gives all of it, nothing where nothing was added. */
async function rememberOutcomes(
  tx: TransactionSql,
  { account, campaignId, results }: { account: SendingAccount; campaignId: number; results: readonly Result[] },
): Promise<string | undefined> {
  const said = results.flatMap((result) => (result.campaignId === campaignId && result.failed !== null ? [result.failed ? '1' : '0'] : []))
  if (said.length === 0) return undefined
  const [lane] = await tx<{ recent: string }[]>`
    UPDATE campaign_lane SET recent = right(recent || ${said.join('')}, ${account.settings.get('campaign.pause_after')}::int)
    WHERE account_id = ${account.id} AND campaign_id = ${campaignId} RETURNING recent`
  return lane?.recent
}

type Held = { number: number; ctid: string; status: string; route: string; class: string | null }

/**
 * Locks the rows of results in the order of their key and says how they stand and where; those that were settled meanwhile are missing. Each
 * row is looked up by its key, whatever PostgreSQL believes of the table: of a campaign that has just begun it knows nothing.
 */
async function holdRows(tx: TransactionSql, communeId: number, rows: readonly Result[]): Promise<Held[]> {
  const keys = rows
    .map(({ campaignId, personId }, number) => ({ campaign_id: campaignId, person_id: personId, number }))
    .sort((a, b) => a.campaign_id - b.campaign_id || a.person_id - b.person_id)
  return tx<Held[]>`
    SELECT given.number, found.* FROM json_to_recordset(${JSON.stringify(keys)}::text::json) AS given (campaign_id int, person_id bigint, number int),
      LATERAL (
        SELECT ctid::text AS ctid, status, route, class FROM recipient
        WHERE commune_id = ${communeId} AND campaign_id = given.campaign_id AND person_id = given.person_id
          AND (status = 'waiting' OR (status = 'uncertain' AND class = 'process_died'))
        FOR UPDATE
      ) found`
}

type Move = { campaign_id: number; status: string; route: string; class: string; n: number }

/** What the counts gain and lose. */
function movesOf(held: readonly Held[], rows: readonly Result[]): Move[] {
  const moves = new Map<string, Move>()
  const add = (move: Move) => {
    const key = `${move.campaign_id} ${move.status} ${move.route} ${move.class}`
    const known = moves.get(key)
    if (known) known.n += move.n
    else moves.set(key, move)
  }
  for (const { number, status, route, class: reason } of held) {
    const row = rows[number]
    if (!row) continue
    add({ campaign_id: row.campaignId, status, route, class: reason ?? '', n: -1 })
    add({ campaign_id: row.campaignId, status: row.status, route: row.route ?? route, class: row.class ?? '', n: 1 })
  }
  return [...moves.values()]
}

const isoOf = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** Whose result is still to come, by batch. */
async function loadBatches(tx: TransactionSql, batchIds: readonly string[]): Promise<Map<string, Set<number>>> {
  const rows = await tx<{ id: string; person_ids: number[] }[]>`
    SELECT id, person_ids::float8[] AS person_ids FROM recipient_batch WHERE id IN ${tx([...batchIds])}`
  return new Map(rows.map((row) => [row.id, new Set(row.person_ids)]))
}

/** What waits again, or may, is nobody's: a batch holds those only whose result is still to come, and those that were sent. */
async function letGo(tx: TransactionSql, rows: readonly Result[]): Promise<void> {
  const given = JSON.stringify(rows.map((row) => ({ batch_id: row.batchId, person_id: row.personId })))
  await tx`
    UPDATE recipient_batch b SET (person_ids, content_hashes) = (
      SELECT coalesce(array_agg(one.person_id ORDER BY one.place), '{}'), coalesce(array_agg(one.hash ORDER BY one.place), '{}')
      FROM unnest(b.person_ids, b.content_hashes) WITH ORDINALITY AS one (person_id, hash, place)
      WHERE NOT EXISTS (
        SELECT 1 FROM json_to_recordset(${given}::text::json) AS g (batch_id text, person_id bigint) WHERE g.batch_id = b.id AND g.person_id = one.person_id))
    WHERE b.id IN ${tx([...new Set(rows.map((row) => row.batchId))])}`
}

function toGiven(result: Result) {
  return {
    status: result.status,
    class: result.class,
    route: result.route ?? null,
    not_before: isoOf(result.notBeforeMs),
    claimed_at: isoOf(result.claimedAtMs),
    platform_message_id: result.platformMessageId,
    content_hash: result.contentHash,
    sent_at: isoOf(result.sentAtMs),
    tried: result.tried,
  }
}

/** A chat the platform calls dead is marked once, so that later campaigns leave it out with that reason. */
async function markDead({ database }: OutreachDeps, results: readonly Result[]): Promise<void> {
  const dead = results.filter((result) => result.contactId !== null && result.class !== null && DEAD_CLASSES.has(result.class))
  if (dead.length === 0) return
  await database.sql`
    UPDATE contact SET unreachable_class = given.class
    FROM json_to_recordset(${JSON.stringify(dead.map((result) => ({ id: result.contactId, class: result.class })))}::text::json) AS given (id bigint, class text)
    WHERE contact.id = given.id AND contact.unreachable_class IS NULL`
}

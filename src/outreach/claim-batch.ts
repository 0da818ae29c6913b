import type { TransactionSql } from 'postgres'
import type { Channel } from '../channels/channel.ts'
import type { CampaignRoutes } from '../db/schema.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import type { Settings } from '../registry/settings.ts'
import { type Campaign, formYear, templateOf } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { mayStart, quietUntil, type StartFacts } from './gate.ts'
import { hasWords, moveRows, wordsOnly } from './ledger.ts'
import { type PacedAccount, paceLimits } from './limits.ts'
import { takeForCampaign } from './pace.ts'
import { type RecipientRow, recipientRows, toMessage } from './recipient-rows.ts'
import { hashContent } from './template.ts'

/** An account with what its sending obeys. */
export type SendingAccount = PacedAccount & { communeId: number; commune: string; settings: Settings }

/** One recipient this process has claimed: committed, and nobody else's to send. */
export type ClaimedRecipient = {
  batchId: string
  campaignId: number
  row: RecipientRow
  message: OutboundMessage
  /** The words are in the chat: only the file is still to be sent. */
  hasWords: boolean
  contentHash: string
  claimedAt: Date
  routes: CampaignRoutes
  template?: { id: string; development: boolean }
}

export type Claim =
  | { kind: 'claimed'; items: ClaimedRecipient[] }
  /** There is something to send, not before so many ms. */
  | { kind: 'wait'; ms: number }
  | { kind: 'idle' }

// First half of the two-part advisory lock under which rows of an account are claimed
const CLAIM_CLASS = 7_305
const WEEK_MS = 7 * 86_400_000
const HOUR_MS = 3_600_000

/** Batches this process is sending; one of its own that is not here was claimed by a commit it lost sight of, and never sent. */
export const activeBatches = new Set<string>()

type Lane = {
  campaign_id: number
  cursor: number
  text: string
  rule: Campaign['rule']
  routes: CampaignRoutes
  attachment: Campaign['attachment']
  next_until_ms: number | null
  others: number[] | null
}

/**
 * Takes up to `most` recipients of one account, from the campaign that was served longest ago: those whose second try is due, then the
 * next in order. Whoever may not be written to at this moment is put aside with the reason. What is returned is paid for out of the pace
 * and has to be sent at once: if this process dies, exactly these are uncertain.
 */
export async function claimBatch(
  deps: OutreachDeps,
  { account, channel, most, batchId }: { account: SendingAccount; channel: Channel; most: number; batchId: string },
): Promise<Claim> {
  const { settings, communeId } = account
  const now = deps.now()
  const quiet = { from: settings.get('quiet.from'), to: settings.get('quiet.to'), days: settings.get('quiet.days') }
  const until = quietUntil(now, quiet)
  if (until) return { kind: 'wait', ms: until.getTime() - now.getTime() }
  const limits = paceLimits(account, settings)
  return deps.database.sql.begin(async (tx): Promise<Claim> => {
    await tx`SELECT pg_advisory_xact_lock(${CLAIM_CLASS}, ${account.id})`
    const lane = await nextLane(tx, account, now)
    if (!lane) return { kind: 'idle' }
    const picked = await pick(tx, { account, lane, most, now })
    const template = templateOf({ id: lane.campaign_id, text: lane.text })
    const rows = await recipientRows(tx, {
      communeId,
      from: givenRows(tx, picked),
      year: formYear(lane, now),
      template,
      ceiling: { campaignIds: lane.others ?? [], since: new Date(now.getTime() - WEEK_MS).toISOString() },
    })
    const byPerson = new Map(rows.map((row) => [row.personId, row]))
    const busy = await putOffBusy(tx, { account, lane, picked, now, channel })
    const allowed: Picked[] = []
    const refused: Refusal[] = []
    for (const one of picked) {
      if (busy.has(one.person_id)) continue
      const row = byPerson.get(one.person_id)
      const refusal = row && refusalOf(row, { now, quiet, settings, channel, routes: lane.routes, nextUntilMs: lane.next_until_ms })
      if (refusal) refused.push({ personId: one.person_id, ...refusal })
      else allowed.push(one)
    }
    if (refused.length > 0) await putAside(tx, communeId, lane.campaign_id, refused)

    const pace = allowed.length > 0 ? await takeForCampaign(tx, limits, allowed.length) : { granted: 0, waitMs: 0 }
    const chosen = allowed.slice(0, pace.granted)
    await moveLane(tx, { account, lane, picked, most, chosen, complete: chosen.length === allowed.length })
    if (chosen.length === 0) return { kind: 'wait', ms: pace.waitMs }

    const items = chosen.flatMap(({ person_id, has_words: hasWords }): ClaimedRecipient[] => {
      const row = byPerson.get(person_id)
      if (!row) return []
      const message = toMessage(lane, template, row, { content: deps.content, commune: account.commune })
      const contentHash = hashContent(message.text)
      const extra = lane.routes.template ? { template: lane.routes.template } : {}
      return [{ batchId, campaignId: lane.campaign_id, row, message, hasWords, contentHash, claimedAt: now, routes: lane.routes, ...extra }]
    })
    await tx`
      INSERT INTO recipient_batch (id, commune_id, campaign_id, account_id, claimed_by, claimed_at, person_ids, content_hashes)
      SELECT ${batchId}, ${communeId}::int, ${lane.campaign_id}::int, ${account.id}::int, ${deps.instance.id}::int, ${now.toISOString()}::timestamptz,
        array_agg(person_id), array_agg(hash)
      FROM json_to_recordset(${JSON.stringify(items.map(({ row, contentHash }) => ({ person_id: row.personId, hash: contentHash })))}::text::json)
        AS given (person_id bigint, hash text)`
    const due = chosen.filter((one) => one.is_due).map((one) => one.person_id)
    if (due.length > 0) {
      await tx`
        UPDATE recipient SET not_before = NULL
        WHERE commune_id = ${communeId} AND campaign_id = ${lane.campaign_id} AND person_id IN ${tx(due)}`
    }
    return { kind: 'claimed', items }
  })
}

async function nextLane(tx: TransactionSql, account: SendingAccount, now: Date): Promise<Lane | undefined> {
  const at = now.toISOString()
  const since = new Date(now.getTime() - WEEK_MS).toISOString()
  // The campaign's row is shared with other claims and kept from a pause or cancel until the commit: those are exact
  const [lane] = await tx<Lane[]>`
    SELECT l.campaign_id, l.cursor::float8 AS cursor, c.text, c.rule, c.routes, c.attachment, extract(epoch FROM c.next_contact_until)::float8 * 1000 AS next_until_ms,
      (SELECT json_agg(o.id) FROM campaign o WHERE o.commune_id = c.commune_id AND o.id <> c.id AND o.started_at IS NOT NULL
        AND (o.finished_at IS NULL OR o.finished_at > ${since}::timestamptz)) AS others
    FROM campaign_lane l JOIN campaign c ON c.id = l.campaign_id
    WHERE l.account_id = ${account.id} AND c.state = 'running' AND (NOT l.exhausted OR EXISTS (
      SELECT 1 FROM recipient r WHERE r.account_id = l.account_id AND r.not_before <= ${at}::timestamptz AND r.campaign_id + 0 = l.campaign_id
        AND r.commune_id + 0 = l.commune_id AND r.status = 'waiting'))
    ORDER BY l.served_at LIMIT 1
    FOR SHARE OF c`
  return lane
}

type Picked = { person_id: number; contact_id: number | null; route: string; attempts: number; is_due: boolean; has_words: boolean }

async function pick(
  tx: TransactionSql,
  { account, lane, most, now }: { account: SendingAccount; lane: Lane; most: number; now: Date },
): Promise<Picked[]> {
  const due = await tx<Picked[]>`
    SELECT person_id::float8 AS person_id, contact_id::float8 AS contact_id, route, attempts, true AS is_due, ${hasWords(tx)} AS has_words FROM recipient r
    -- A sum is no key: of use is only the index of the few rows that have a time. By the key the whole campaign would be read
    WHERE account_id = ${account.id} AND not_before <= ${now.toISOString()}::timestamptz
      AND commune_id + 0 = ${account.communeId} AND campaign_id + 0 = ${lane.campaign_id} AND status = 'waiting'
    ORDER BY not_before, r.person_id LIMIT ${most} FOR UPDATE`
  if (due.length === most) return [...due]
  const fresh = await tx<Picked[]>`
    SELECT person_id::float8 AS person_id, contact_id::float8 AS contact_id, route, attempts, false AS is_due, false AS has_words FROM recipient
    -- The order is the key's own: by the column of the result, a number of another type, every row that waits would be sorted
    WHERE commune_id = ${account.communeId} AND campaign_id = ${lane.campaign_id} AND person_id > ${lane.cursor}::bigint
      AND account_id = ${account.id} AND status = 'waiting' AND route IN ('now', 'telegram', 'zbs') AND not_before IS NULL
    ORDER BY recipient.person_id LIMIT ${most - due.length} FOR UPDATE`
  return [...due, ...fresh]
}

function givenRows(tx: TransactionSql, picked: readonly Picked[]) {
  return tx`(SELECT * FROM json_to_recordset(${JSON.stringify(picked)}::text::json) AS given (person_id bigint, contact_id bigint, route text, attempts int))`
}

type Busy = { account: SendingAccount; lane: Lane; picked: readonly Picked[]; now: Date; channel: Channel }

/**
 * Where a platform wants a pause between two messages of one chat: whose chat got something of ours within it, by another campaign or by
 * the conversation, has to wait for so long. Returns them.
 */
async function putOffBusy(tx: TransactionSql, { account, lane, picked, now, channel }: Busy): Promise<ReadonlySet<number>> {
  const { chatIntervalMs } = channel.abilities
  if (chatIntervalMs === null || picked.length === 0) return new Set()
  const since = new Date(now.getTime() - chatIntervalMs).toISOString()
  const rows = await tx<{ person_id: number }[]>`
    SELECT given.person_id::float8 AS person_id FROM ${givenRows(tx, picked)} given
    WHERE EXISTS (SELECT 1 FROM recipient_batch b WHERE b.account_id = ${account.id} AND given.person_id = ANY (b.person_ids))
      OR EXISTS (
        SELECT 1 FROM recipient had WHERE had.commune_id = ${account.communeId} AND had.campaign_id IN ${tx([0, ...(lane.others ?? [])])}
          AND had.person_id = given.person_id AND had.sent_at > ${since}::timestamptz)
      OR (SELECT o.sent_at > ${since}::timestamptz OR o.claimed_by IS NOT NULL FROM outbound_message o
        WHERE o.contact_id = given.contact_id ORDER BY o.id DESC LIMIT 1)`
  const busy = rows.map((row) => row.person_id)
  if (busy.length > 0) {
    const until = new Date(now.getTime() + chatIntervalMs).toISOString()
    await tx`
      UPDATE recipient SET not_before = ${until}::timestamptz
      WHERE commune_id = ${account.communeId} AND campaign_id = ${lane.campaign_id} AND person_id IN ${tx(busy)}`
  }
  return new Set(busy)
}

type Refusal = { personId: number; to: 'next' } | { personId: number; to: 'skipped'; reason: string }
type Rules = {
  now: Date
  quiet: StartFacts['quiet']
  settings: Settings
  channel: Channel
  routes: CampaignRoutes
  nextUntilMs: number | null
}

/** Asked at the very moment of claiming, whatever was true when the audience was frozen. */
function refusalOf(row: RecipientRow, rules: Rules): { to: 'next' } | { to: 'skipped'; reason: string } | undefined {
  const { now, quiet, settings, channel, routes, nextUntilMs } = rules
  const byPhone = row.route === 'zbs'
  if (!byPhone && row.channelUserId === null) return { to: 'skipped', reason: 'no_chat' }
  if (row.personId > 0 && row.name === null) return { to: 'skipped', reason: 'erased' }
  const freeMs = settings.get('account.free_window_hours') * HOUR_MS
  const { sendWindowMs } = channel.abilities
  const answer = mayStart({
    now,
    contact: {
      lastInboundAt: row.lastInboundAt ?? now,
      stoppedAt: row.stoppedAt,
      erasedAt: row.erasedAt,
      unreachableClass: byPhone ? null : row.unreachableClass,
    },
    windowMs: byPhone || sendWindowMs === null ? null : routes.billedWindow ? sendWindowMs : Math.min(freeMs, sendWindowMs),
    quiet,
    ceiling: { most: settings.get('campaign.per_week'), sent: row.recentlySent },
  })
  if (answer.may) return undefined
  if (answer.reason === 'window_closed' && nextUntilMs !== null && nextUntilMs > now.getTime()) return { to: 'next' }
  return { to: 'skipped', reason: answer.reason === 'unreachable' ? (row.unreachableClass ?? answer.reason) : answer.reason }
}

async function putAside(tx: TransactionSql, communeId: number, campaignId: number, refused: readonly Refusal[]): Promise<void> {
  const given = JSON.stringify(refused.map((one) => ({ id: one.personId, reason: one.to === 'next' ? null : one.reason })))
  const reason = tx`(SELECT g.reason FROM json_to_recordset(${given}::text::json) AS g (id bigint, reason text) WHERE g.id = r.person_id)`
  await moveRows(tx, {
    communeId,
    campaignId,
    where: tx`r.status = 'waiting' AND r.person_id IN (SELECT g.id FROM json_to_recordset(${given}::text::json) AS g (id bigint))`,
    set: tx`not_before = NULL,
      class = CASE WHEN ${hasWords(tx)} THEN ${wordsOnly('')} || coalesce(${reason}, 'window_closed') ELSE ${reason} END,
      status = CASE WHEN ${hasWords(tx)} THEN 'sent' WHEN ${reason} IS NULL THEN 'waiting' ELSE 'skipped' END,
      route = CASE WHEN ${reason} IS NULL AND NOT ${hasWords(tx)} THEN 'next' ELSE r.route END`,
  })
}

type Moved = { account: SendingAccount; lane: Lane; picked: readonly Picked[]; most: number; chosen: readonly Picked[]; complete: boolean }

/** The cursor goes to the last row that was taken; where the pace cut a batch short, the rest comes first next time. */
async function moveLane(tx: TransactionSql, { account, lane, picked, most, chosen, complete }: Moved): Promise<void> {
  const fresh = (list: readonly Picked[]) => list.filter((one) => !one.is_due).map((one) => one.person_id)
  const passed = fresh(complete ? picked : chosen)
  const exhausted = complete && picked.length < most
  await tx`
    UPDATE campaign_lane SET served_at = clock_timestamp(), cursor = ${Math.max(lane.cursor, ...passed)}::bigint, exhausted = exhausted OR ${exhausted}
    WHERE account_id = ${account.id} AND campaign_id = ${lane.campaign_id}`
}

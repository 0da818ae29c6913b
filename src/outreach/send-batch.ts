import type { TransactionSql } from 'postgres'
import type { Channel } from '../channels/channel.ts'
import { partsOf } from '../channels/parts.ts'
import type { CampaignRoutes } from '../db/schema.ts'
import type { OutboundMessage, OutboundStatus, SendOutcome } from '../model/outbound.ts'
import type { Settings } from '../registry/settings.ts'
import { type Campaign, formYear, templateOf } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { DEAD_CLASSES } from './final-classes.ts'
import { mayStart, quietUntil, type StartFacts } from './gate.ts'
import { addCounts, hasWords, moveRows, whyWordsOnly, wordsOnly } from './ledger.ts'
import { limitRefused, type PacedAccount, paceLimits } from './limits.ts'
import { type PaceLimit, takeForCampaign } from './pace.ts'
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

// First half of the two-part advisory lock under which rows of an account are claimed
const CLAIM_CLASS = 7_305
const WEEK_MS = 7 * 86_400_000
const HOUR_MS = 3_600_000
// A message that certainly was not delivered is tried so often in all
const MAX_TRIES = 5
const BACKOFF_MS = [2_000, 10_000, 60_000, 300_000]
// An echo comes within seconds; after this the chat itself is asked
const ASK_AFTER_MS = 20_000

const WINDOW_CLOSED: ReadonlySet<string> = new Set(['window_closed', 'no_interaction'])

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

/** What a platform answered. `words`: of their own request, where the file takes another one; `outcome` is then the file's. */
type Attempt = { outcome: SendOutcome; words?: { platformMessageId: string; atMs: number } | 'before' }

/** Sends one claimed message and says what became of it. Never throws. */
export async function sendClaimed(
  deps: OutreachDeps,
  { account, channel, item }: { account: SendingAccount; channel: Channel; item: ClaimedRecipient },
): Promise<{ result: Result; outcome: SendOutcome }> {
  const limits = paceLimits(account, account.settings)
  const { outcome, words } = await attempt(deps, channel, limits, item).catch((error): Attempt => {
    deps.log.error({ err: error, campaign: item.campaignId }, 'a campaign message met an error nobody expected')
    return { outcome: { kind: 'uncertain', class: 'error' } }
  })
  deps.count.outbound(channel.abilities.kind, outcome.kind === 'sent' ? 'sent' : outcome.class)
  const result = toResult(item, outcome, {
    now: deps.now(),
    isForAll: limitRefused(limits, 'class' in outcome ? outcome.class : '') !== undefined,
  })
  return { result: words ? withWords(result, words) : result, outcome }
}

async function attempt(deps: OutreachDeps, channel: Channel, limits: readonly PaceLimit[], item: ClaimedRecipient): Promise<Attempt> {
  const { row, template } = item
  if (row.route === 'zbs') {
    if (!channel.sendTemplate || !template || !row.phoneEnc) return { outcome: { kind: 'failed', class: 'no_template' } }
    const phone = deps.sealer.open(row.phoneEnc)
    const data = { ho_ten: row.name ?? '', noi_dung: item.message.text }
    const trackingId = `c${item.campaignId}-${row.personId}`
    return { outcome: await channel.sendTemplate({ phone, templateId: template.id, data, trackingId, development: template.development }) }
  }
  if (row.channelUserId === null) return { outcome: { kind: 'failed', class: 'no_chat' } }
  // A campaign's words fit into one request (campaign-draft checks it), so what may follow is the file
  const [first, file] = partsOf(channel, item.message)
  if (item.hasWords && file) return { outcome: await channel.send(row.channelUserId, file), words: 'before' }
  if (!first) return { outcome: { kind: 'failed', class: 'invalid_message' } }
  const outcome = await channel.send(row.channelUserId, first)
  if (outcome.kind !== 'sent' || !file) return { outcome }
  if (channel.abilities.chatIntervalMs !== null) await new Promise((resolve) => setTimeout(resolve, channel.abilities.chatIntervalMs ?? 0))
  await turnOf(deps, limits)
  return { outcome: await channel.send(row.channelUserId, file), words: outcome }
}

/** The words are in the chat, whatever became of the file: that may be tried again, but the message is sent. */
function withWords(file: Result, words: NonNullable<Attempt['words']>): Result {
  const sent =
    words === 'before' ? { platformMessageId: null, sentAtMs: null } : { platformMessageId: words.platformMessageId, sentAtMs: words.atMs }
  // Of two messages the words are the one a receipt is about
  const { route: _, ...result } = { ...file, ...sent, contentHash: null }
  if (file.status === 'sent') return { ...result, class: null }
  const waits = file.status === 'waiting' && file.route === undefined
  return {
    ...result,
    status: waits ? 'waiting' : 'sent',
    class: wordsOnly(file.class ?? 'window_closed'),
    notBeforeMs: waits ? file.notBeforeMs : null,
  }
}

async function turnOf(deps: OutreachDeps, limits: readonly PaceLimit[]): Promise<void> {
  for (;;) {
    const { granted, waitMs } = await takeForCampaign(deps.database.sql, limits, 1)
    if (granted > 0) return
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

function toResult(item: ClaimedRecipient, outcome: SendOutcome, { now, isForAll }: { now: Date; isForAll: boolean }): Result {
  const base: Result = {
    campaignId: item.campaignId,
    batchId: item.batchId,
    personId: item.row.personId,
    contactId: item.row.contactId,
    status: 'waiting',
    class: 'class' in outcome ? outcome.class : null,
    notBeforeMs: null,
    claimedAtMs: item.claimedAt.getTime(),
    platformMessageId: null,
    contentHash: null,
    sentAtMs: null,
    tried: true,
    failed: null,
  }
  switch (outcome.kind) {
    case 'sent':
      return { ...base, status: 'sent', platformMessageId: outcome.platformMessageId, sentAtMs: outcome.atMs, failed: false }
    case 'retry': {
      // The platform asks for a pause of everybody: that is no fault of this message
      if (isForAll) return { ...base, notBeforeMs: outcome.notBeforeMs, tried: false }
      const tries = item.row.attempts + 1
      if (tries >= MAX_TRIES) return { ...base, status: 'failed', failed: true }
      const backoff = BACKOFF_MS[Math.min(tries, BACKOFF_MS.length) - 1] ?? 0
      return { ...base, notBeforeMs: Math.max(outcome.notBeforeMs, now.getTime() + backoff), failed: true }
    }
    case 'account_paused':
      return { ...base, notBeforeMs: now.getTime(), tried: false }
    case 'uncertain':
      return { ...base, status: 'uncertain', contentHash: item.contentHash, notBeforeMs: now.getTime() + ASK_AFTER_MS, failed: true }
    case 'failed': {
      // The platform knows better than we when the person wrote last: the notice waits for their next word
      if (WINDOW_CLOSED.has(outcome.class) && item.routes.nextContactDays > 0) return { ...base, route: 'next', class: null }
      // One person's dead chat says nothing about the others
      // Nor does a phone number that takes no template
      if (item.row.route === 'zbs') return { ...base, status: 'failed' }
      return { ...base, status: 'failed', failed: !DEAD_CLASSES.has(outcome.class) && !WINDOW_CLOSED.has(outcome.class) }
    }
    default:
      return outcome satisfies never
  }
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
    const back = results.filter((result) => result.status === 'waiting')
    // What comes back to wait must not wait for a campaign that was cancelled meanwhile
    const cancelled = new Set<number>()
    if (back.length > 0) {
      const states = await tx<{ id: number; state: string }[]>`
        SELECT id::int AS id, state FROM campaign WHERE id IN ${tx([...new Set(back.map((result) => result.campaignId))])} ORDER BY id FOR SHARE`
      for (const { id, state } of states) if (state === 'cancelled') cancelled.add(id)
    }
    const rows = results.map(
      (result): Result =>
        result.status === 'waiting' && cancelled.has(result.campaignId)
          ? result.class !== null && whyWordsOnly(result.class) !== undefined
            ? { ...result, status: 'sent', notBeforeMs: null }
            : { ...result, status: 'cancelled', class: null, notBeforeMs: null }
          : result,
    )
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
      const said = results.flatMap((result) =>
        result.campaignId === campaignId && result.failed !== null ? [result.failed ? '1' : '0'] : [],
      )
      if (said.length === 0) continue
      const [lane] = await tx<{ recent: string }[]>`
        UPDATE campaign_lane SET recent = right(recent || ${said.join('')}, ${account.settings.get('campaign.pause_after')}::int)
        WHERE account_id = ${account.id} AND campaign_id = ${campaignId} RETURNING recent`
      if (lane) recent.set(campaignId, lane.recent)
    }
    if (doneBatches.length > 0) await tx`DELETE FROM recipient_batch WHERE id IN ${tx([...doneBatches])}`
  })
  await markDead(deps, results)
  return recent
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

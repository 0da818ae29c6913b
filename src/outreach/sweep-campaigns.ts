import type { TransactionSql } from 'postgres'
import { livingInstances } from '../db/instance.ts'
import { loadSettings } from '../registry/settings.ts'
import { getCommune } from '../registry/units.ts'
import { sendArticles } from './article.ts'
import { startScheduled } from './campaign.ts'
import { findCampaign, formYear, templateOf } from './campaign-row.ts'
import { certificate } from './certificate.ts'
import { activeBatches } from './claim-batch.ts'
import type { OutreachDeps } from './deps.ts'
import { BEFORE_ALL } from './freeze.ts'
import { hasWords, moveRows, readCounts, wordsOnly } from './ledger.ts'
import { paceLimits } from './limits.ts'
import { takeForCampaign } from './pace.ts'
import { recipientRows, toMessage } from './recipient-rows.ts'
import { hashContent } from './template.ts'
import { settleByReceipts } from './tracked-receipts.ts'

// One process at a time
const SWEEP_LOCK = 7_301_005
// After the database was restarted every instance has to say anew that it lives (db/instance.ts looks every second)
const RETURN_MS = 3_000
const ASK_AFTER_MS = 20_000
const ASKED_AT_ONCE = 20
// Clocks of the platform and ours may differ by so much
const CLOCK_SLACK_MS = 30_000

/** Whether campaigns need looking after, and whether messages of theirs are uncertain. An idle commune costs this one statement. */
export async function findWork({ database, now }: OutreachDeps): Promise<{ open: boolean; uncertain: boolean }> {
  const [found] = await database.sql<{ open: boolean; uncertain: boolean }[]>`
    SELECT EXISTS (SELECT 1 FROM recipient_batch) OR EXISTS (SELECT 1 FROM campaign WHERE state = 'running')
        OR EXISTS (SELECT 1 FROM campaign WHERE state = 'scheduled' AND scheduled_at <= ${now().toISOString()}::timestamptz) AS open,
      EXISTS (SELECT 1 FROM recipient_count WHERE status = 'uncertain' AND n > 0) AS uncertain`
  return found ?? { open: false, uncertain: false }
}

/**
 * Looks after campaigns from the tables alone, whatever a queue or a process lost: begins what is due, takes up what a dead process was
 * sending, ends what is through. Safe to run at any time, from every process.
 */
export async function sweepCampaigns(deps: OutreachDeps): Promise<void> {
  await releaseOwn(deps)
  const mine = await deps.database.sql.begin(async (tx) => {
    const [lock] = await tx<{ got: boolean }[]>`SELECT pg_try_advisory_xact_lock(${SWEEP_LOCK}) AS got`
    if (lock?.got) await strand(deps)
    return lock?.got === true
  })
  if (!mine) return
  for (const campaignId of await dueCampaigns(deps)) await startScheduled(deps, campaignId)
  await sendArticles(deps)
  await finishCampaigns(deps)
}

async function dueCampaigns(deps: OutreachDeps): Promise<number[]> {
  const rows = await deps.database.sql<{ id: number }[]>`
    SELECT id::int AS id FROM campaign WHERE state = 'scheduled' AND scheduled_at <= ${deps.now().toISOString()}::timestamptz ORDER BY scheduled_at`
  return rows.map((row) => row.id)
}

/**
 * What a process was sending when it died was in flight: it may have arrived. It stays `uncertain` until the platform's echo or an officer
 * settles it, and is never sent again blindly.
 */
async function strand(deps: OutreachDeps): Promise<void> {
  const batches = await deps.database.sql<Batch[]>`
    SELECT id, commune_id, campaign_id, claimed_by, extract(epoch FROM claimed_at)::float8 * 1000 AS claimed_ms FROM recipient_batch
    WHERE clock_timestamp() - pg_postmaster_start_time() > ${RETURN_MS} * interval '1 ms'`
  if (batches.length === 0) return
  const living = new Set(await livingInstances(deps.database))
  for (const batch of batches) {
    if (living.has(batch.claimed_by)) continue
    // One after the other: who holds counts waits for no more recipients (ledger.ts)
    const uncertain = await deps.database.sql.begin((tx) => strandBatch(deps, tx, batch))
    if (uncertain > 0)
      deps.log.warn({ campaign: batch.campaign_id, uncertain }, 'a process died while sending; what it was sending is uncertain')
  }
}

type Batch = { id: string; commune_id: number; campaign_id: number; claimed_by: number; claimed_ms: number }

async function strandBatch(deps: OutreachDeps, tx: TransactionSql, batch: Batch): Promise<number> {
  const locked = await tx`SELECT 1 FROM recipient_batch WHERE id = ${batch.id} FOR UPDATE SKIP LOCKED`
  if (locked.length === 0) return 0
  const claimedAt = new Date(batch.claimed_ms).toISOString()
  const askAt = new Date(deps.now().getTime() + ASK_AFTER_MS).toISOString()
  const uncertain = await moveRows(tx, {
    communeId: batch.commune_id,
    campaignId: batch.campaign_id,
    where: tx`r.status = 'waiting' AND r.person_id IN (SELECT unnest(person_ids) FROM recipient_batch WHERE id = ${batch.id})`,
    set: tx`status = CASE WHEN ${hasWords(tx)} THEN 'sent' ELSE 'uncertain' END, attempts = r.attempts + 1, claimed_at = ${claimedAt}::timestamptz,
        class = CASE WHEN ${hasWords(tx)} THEN ${wordsOnly('process_died')} ELSE 'process_died' END,
        not_before = CASE WHEN ${hasWords(tx)} OR r.route = 'article' THEN NULL ELSE ${askAt}::timestamptz END,
        content_hash = (SELECT held.hash FROM recipient_batch b, unnest(b.person_ids, b.content_hashes) AS held (id, hash) WHERE b.id = ${batch.id} AND held.id = r.person_id)`,
  })
  await tx`DELETE FROM recipient_batch WHERE id = ${batch.id}`
  return uncertain
}

/** Claims of this very process that it never learnt of: nothing of them was sent, so they wait again. */
async function releaseOwn(deps: OutreachDeps): Promise<void> {
  const own = await deps.database.sql<{ id: string }[]>`SELECT id FROM recipient_batch WHERE claimed_by = ${deps.instance.id}`
  for (const { id } of own) {
    if (activeBatches.has(id)) continue
    await deps.database.sql.begin(async (tx) => {
      const [batch] = await tx<{ campaign_id: number; commune_id: number }[]>`
        SELECT campaign_id, commune_id FROM recipient_batch WHERE id = ${id} FOR UPDATE`
      if (!batch || activeBatches.has(id)) return
      const [campaign] = await tx<{ state: string }[]>`SELECT state FROM campaign WHERE id = ${batch.campaign_id} FOR SHARE`
      const again = tx`not_before = ${deps.now().toISOString()}::timestamptz`
      await moveRows(tx, {
        communeId: batch.commune_id,
        campaignId: batch.campaign_id,
        where: tx`r.status = 'waiting' AND r.person_id IN (SELECT unnest(person_ids) FROM recipient_batch WHERE id = ${id})`,
        // Nobody would come by what waits for a cancelled campaign
        set: campaign?.state === 'cancelled' ? tx`status = 'cancelled', class = NULL, not_before = NULL` : again,
      })
      await tx`DELETE FROM recipient_batch WHERE id = ${id}`
    })
  }
}

/** Ends campaigns that are through; lets notices expire whose time to wait is over; finds rows everybody has lost sight of. */
async function finishCampaigns(deps: OutreachDeps): Promise<void> {
  const { sql } = deps.database
  const now = deps.now()
  const running = await sql<{ id: number; commune_id: number; until_ms: number | null }[]>`
    SELECT id::int AS id, commune_id::int AS commune_id, extract(epoch FROM next_contact_until)::float8 * 1000 AS until_ms
    FROM campaign WHERE state = 'running' ORDER BY id`
  for (const { id, commune_id: communeId, until_ms } of running) {
    const counts = await readCounts(sql, communeId, id)
    const waiting = counts.rows.filter((row) => row.status === 'waiting')
    const next = waiting.reduce((sum, row) => sum + (row.route === 'next' ? row.n : 0), 0)
    const open = waiting.reduce((sum, row) => sum + row.n, 0) - next
    const byArticle = waiting.reduce((sum, row) => sum + (row.route === 'article' ? row.n : 0), 0)
    if (open > 0) {
      if (open > byArticle) await findLost(deps, communeId, id)
      continue
    }
    if (next > 0 && (until_ms === null || until_ms > now.getTime())) continue
    await sql.begin(async (tx) => {
      const [locked] = await tx<{ state: string }[]>`SELECT state FROM campaign WHERE id = ${id} FOR UPDATE`
      if (locked?.state !== 'running') return
      const [busy] = await tx`SELECT 1 FROM recipient_batch WHERE campaign_id = ${id} LIMIT 1`
      if (busy) return
      await moveRows(tx, {
        communeId,
        campaignId: id,
        where: tx`r.status = 'waiting' AND r.route = 'next'`,
        set: tx`status = 'expired', class = 'not_met', not_before = NULL`,
      })
      const left = await readCounts(tx, communeId, id)
      if (left.statuses.waiting > 0) return
      await tx`UPDATE campaign SET state = 'done', finished_at = ${now.toISOString()}::timestamptz, updated_at = ${now.toISOString()}::timestamptz WHERE id = ${id}`
    })
    if ((await findCampaign(deps, id))?.state === 'done') await certificate(deps, id)
  }
}

/** Rows that wait behind a cursor, in no batch and for no time: nobody would ever come by them. The lane begins anew. */
async function findLost(deps: OutreachDeps, communeId: number, campaignId: number): Promise<void> {
  await deps.database.sql`
    UPDATE campaign_lane l SET cursor = ${BEFORE_ALL}::bigint, exhausted = false
    WHERE l.campaign_id = ${campaignId}
      AND NOT EXISTS (SELECT 1 FROM campaign_lane open WHERE open.campaign_id = l.campaign_id AND NOT open.exhausted)
      AND NOT EXISTS (SELECT 1 FROM recipient_batch b WHERE b.campaign_id = l.campaign_id)
      AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.account_id = l.account_id AND r.not_before IS NOT NULL
        AND r.commune_id = ${communeId} AND r.campaign_id = l.campaign_id AND r.status = 'waiting')`
}

/** Asks the chats of uncertain recipients whether the message is there, and takes the platform's receipts; what is found becomes `sent`, what is not stays open. */
export async function askUncertain(deps: OutreachDeps): Promise<void> {
  await settleByReceipts(deps.database.sql)
  const now = deps.now()
  const rows = await deps.database.sql<
    {
      commune_id: number
      campaign_id: number
      person_id: number
      contact_id: number | null
      account_id: number
      claimed_ms: number
      content_hash: string | null
    }[]
  >`
    UPDATE recipient SET not_before = NULL
    FROM (
      SELECT commune_id, campaign_id, person_id FROM recipient
      WHERE account_id IN (SELECT account_id FROM campaign_lane) AND not_before <= ${now.toISOString()}::timestamptz AND status = 'uncertain'
      LIMIT ${ASKED_AT_ONCE} FOR UPDATE SKIP LOCKED
    ) due
    WHERE recipient.commune_id = due.commune_id AND recipient.campaign_id = due.campaign_id AND recipient.person_id = due.person_id
    RETURNING recipient.commune_id, recipient.campaign_id, recipient.person_id::float8 AS person_id, recipient.contact_id::float8 AS contact_id,
      recipient.account_id, extract(epoch FROM recipient.claimed_at)::float8 * 1000 AS claimed_ms, recipient.content_hash`
  for (const row of rows) {
    const found = await findCampaign(deps, row.campaign_id)
    const channel = await deps.channelOf(row.account_id)
    if (!found || !channel || row.contact_id === null) continue
    const { sql, db } = deps.database
    const [settings, commune] = await Promise.all([loadSettings(db, row.commune_id), getCommune(db, row.commune_id)])
    const [account] = await sql<{ id: number; channel: 'zalo' | 'telegram'; app_id: string | null; traits: object }[]>`
      SELECT id::int AS id, channel, app_id, traits FROM account WHERE id = ${row.account_id}`
    if (!account) continue
    const limits = paceLimits({ ...account, appId: account.app_id }, settings)
    const { granted } = await takeForCampaign(sql, limits, 1)
    if (granted === 0) {
      const again = new Date(now.getTime() + ASK_AFTER_MS / 4).toISOString()
      await sql`UPDATE recipient SET not_before = ${again}::timestamptz WHERE commune_id = ${row.commune_id} AND campaign_id = ${row.campaign_id} AND person_id = ${row.person_id} AND status = 'uncertain'`
      continue
    }
    const template = templateOf(found)
    const from = sql`(SELECT ${row.person_id}::bigint AS person_id, ${row.contact_id}::bigint AS contact_id, 'now'::text AS route, 0 AS attempts)`
    const [facts] = await recipientRows(sql, { communeId: row.commune_id, from, year: formYear(found, now), template })
    if (!facts?.channelUserId) continue
    const message = toMessage(found, template, facts, { content: deps.content, commune: commune.name })
    // Other words than were sent cannot be looked for
    if (hashContent(message.text) !== row.content_hash) continue
    const answer = await channel.findDelivered(facts.channelUserId, message, row.claimed_ms - CLOCK_SLACK_MS)
    if (answer.kind !== 'delivered') continue
    await settleFound(deps, { ...row, platformMessageId: answer.platformMessageId, sentAt: new Date(answer.atMs) })
  }
}

type Found = { commune_id: number; campaign_id: number; person_id: number; platformMessageId: string; sentAt: Date }

/** A message found in the chat settles one row only, and only one that was never told of otherwise. */
async function settleFound(deps: OutreachDeps, found: Found): Promise<void> {
  await deps.database.sql.begin(async (tx) => {
    await moveRows(tx, {
      communeId: found.commune_id,
      campaignId: found.campaign_id,
      where: tx`r.person_id = ${found.person_id} AND r.status = 'uncertain' AND NOT EXISTS (
        SELECT 1 FROM campaign c JOIN recipient told ON told.commune_id = c.commune_id AND told.campaign_id = c.id AND told.person_id = r.person_id
        WHERE c.commune_id = ${found.commune_id} AND told.platform_message_id = ${found.platformMessageId})`,
      set: tx`status = 'sent', class = 'settled_by_search', not_before = NULL, platform_message_id = ${found.platformMessageId}, sent_at = ${found.sentAt.toISOString()}::timestamptz`,
    })
  })
}

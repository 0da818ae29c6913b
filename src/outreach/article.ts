import { randomUUID } from 'node:crypto'
import type { PendingQuery, Row } from 'postgres'
import type { SendOutcome } from '../model/outbound.ts'
import { loadSettings } from '../registry/settings.ts'
import { pauseCampaign } from './campaign.ts'
import { lock, record } from './campaign-row.ts'
import { activeBatches } from './claim-batch.ts'
import type { OutreachDeps } from './deps.ts'
import { quietUntil } from './gate.ts'
import { moveRows } from './ledger.ts'
import { paceLimits } from './limits.ts'
import { takeForCampaign } from './pace.ts'

/**
 * The article of a campaign: one request, after which the platform brings it to every follower of the account, about half an hour later and
 * once it was reviewed (zalo.md 4.7). Nobody can be chosen or left out, so it is only begun while everybody who follows may be written to,
 * and whoever follows gets the article in the place of a message. The rows of the ledger are claimed and settled like all others.
 */
type Due = {
  campaign_id: number
  commune_id: number
  account_id: number
  app_id: string | null
  channel: 'zalo' | 'telegram'
  traits: object
  article_id: string
}

const AFTER_REFUSAL_MS = 60_000
/** When a campaign's article may be asked for again; a process that begins anew asks at once. */
const notBefore = new Map<number, number>()

/** Sends the articles of running campaigns that have not been sent, at most once each. Safe to run at any time, from every process. */
export async function sendArticles(deps: OutreachDeps): Promise<void> {
  const due = await deps.database.sql<Due[]>`
    SELECT c.id::int AS campaign_id, c.commune_id::int AS commune_id, a.id::int AS account_id, a.app_id, a.channel, a.traits, c.routes->>'articleId' AS article_id
    FROM campaign c JOIN recipient_count k ON k.commune_id = c.commune_id AND k.campaign_id = c.id AND k.status = 'waiting' AND k.route = 'article' AND k.n > 0
      JOIN LATERAL (SELECT * FROM account WHERE commune_id = c.commune_id AND channel = 'zalo' ORDER BY id LIMIT 1) a ON true
    WHERE c.state = 'running' AND c.routes ? 'articleId'`
  for (const one of due) if ((notBefore.get(one.campaign_id) ?? 0) <= deps.now().getTime()) await sendArticle(deps, one)
}

async function sendArticle(deps: OutreachDeps, due: Due): Promise<void> {
  const channel = await deps.channelOf(due.account_id)
  const settings = await loadSettings(deps.database.db, due.commune_id)
  const quiet = { from: settings.get('quiet.from'), to: settings.get('quiet.to'), days: settings.get('quiet.days') }
  if (!channel?.broadcastArticle || quietUntil(deps.now(), quiet)) return
  const limits = paceLimits({ id: due.account_id, channel: due.channel, appId: due.app_id, traits: due.traits }, settings)
  if ((await takeForCampaign(deps.database.sql, limits, 1)).granted === 0) return
  const batchId = randomUUID()
  activeBatches.add(batchId)
  try {
    if (!(await claim(deps, due, batchId))) return
    const outcome: SendOutcome =
      settings.get('campaign.article') !== 'yes' || (await hasStoppedReader(deps, due))
        ? { kind: 'failed', class: 'article_not_allowed' }
        : await channel.broadcastArticle(due.article_id)
    deps.count.outbound(channel.abilities.kind, outcome.kind === 'sent' ? 'sent' : outcome.class)
    await settle(deps, due, batchId, outcome)
  } finally {
    activeBatches.delete(batchId)
  }
}

/** Somebody who follows has said DỪNG since the campaign began. */
async function hasStoppedReader({ database }: OutreachDeps, due: Due): Promise<boolean> {
  const rows = await database.sql`
    SELECT 1 FROM contact WHERE commune_id = ${due.commune_id} AND account_id = ${due.account_id} AND follows AND stopped_at IS NOT NULL LIMIT 1`
  return rows.length > 0
}

/** The rows belong to this process from here on: should it die, they are uncertain like all that was in flight. */
async function claim({ database, instance, now }: OutreachDeps, due: Due, batchId: string): Promise<boolean> {
  return database.sql.begin(async (tx) => {
    const locked = await lock(tx, due.campaign_id)
    if (locked?.state !== 'running') return false
    const rows = await tx`
      INSERT INTO recipient_batch (id, commune_id, campaign_id, account_id, claimed_by, claimed_at, person_ids, content_hashes)
      SELECT ${batchId}, ${due.commune_id}::int, ${due.campaign_id}::int, ${due.account_id}::int, ${instance.id}::int, ${now().toISOString()}::timestamptz,
        array_agg(person_id), array_agg(''::text)
      FROM recipient r WHERE commune_id = ${due.commune_id} AND campaign_id = ${due.campaign_id} AND status = 'waiting' AND route = 'article'
        AND NOT EXISTS (SELECT 1 FROM recipient_batch b WHERE b.campaign_id = ${due.campaign_id} AND r.person_id = ANY (b.person_ids))
      HAVING count(*) > 0 RETURNING id`
    return rows.length > 0
  })
}

async function settle(deps: OutreachDeps, due: Due, batchId: string, outcome: SendOutcome): Promise<void> {
  const { sql } = deps.database
  const at = deps.now().toISOString()
  await sql.begin(async (tx) => {
    const where = tx`r.status = 'waiting' AND r.route = 'article' AND r.person_id IN (SELECT unnest(person_ids) FROM recipient_batch WHERE id = ${batchId})`
    const move = (set: PendingQuery<Row[]>) => moveRows(tx, { communeId: due.commune_id, campaignId: due.campaign_id, where, set })
    if (outcome.kind === 'sent') {
      await move(tx`status = 'sent', class = 'article_broadcast', platform_message_id = ${outcome.platformMessageId}, claimed_at = ${at}::timestamptz,
        sent_at = ${new Date(outcome.atMs).toISOString()}::timestamptz, attempts = r.attempts + 1`)
      await tx`UPDATE campaign SET article_message_id = ${outcome.platformMessageId}, article_class = NULL WHERE id = ${due.campaign_id}`
    } else {
      if (outcome.kind === 'failed') await move(tx`status = 'failed', class = ${outcome.class}, attempts = r.attempts + 1`)
      if (outcome.kind === 'uncertain')
        await move(tx`status = 'uncertain', class = ${outcome.class}, attempts = r.attempts + 1, claimed_at = ${at}::timestamptz`)
      await tx`UPDATE campaign SET article_class = ${outcome.class} WHERE id = ${due.campaign_id}`
    }
    await tx`DELETE FROM recipient_batch WHERE id = ${batchId}`
  })
  if (outcome.kind === 'retry') notBefore.set(due.campaign_id, Math.max(outcome.notBeforeMs, deps.now().getTime() + AFTER_REFUSAL_MS))
  if (outcome.kind === 'account_paused')
    await pauseCampaign(deps, { campaignId: due.campaign_id, actor: 'system', reason: { class: 'account', detail: outcome.class } })
}

/** An officer looked at the account's page: the article is there, or it is not and is sent once more. Returns how many rows that settles. */
export async function settleArticle(
  { database, now }: Pick<OutreachDeps, 'database' | 'now'>,
  { communeId, campaignId, arrived, actor }: { communeId: number; campaignId: number; arrived: boolean; actor: string },
): Promise<number> {
  return database.sql.begin(async (tx) => {
    const locked = await lock(tx, campaignId)
    const again =
      locked?.state === 'cancelled'
        ? tx`status = 'cancelled', class = NULL, not_before = NULL`
        : tx`status = 'waiting', class = NULL, not_before = NULL`
    const moved = await moveRows(tx, {
      communeId,
      campaignId,
      where: tx`r.status = 'uncertain' AND r.route = 'article'`,
      set: arrived ? tx`status = 'sent', class = 'settled_by_hand', not_before = NULL, sent_at = r.claimed_at` : again,
    })
    if (!arrived && locked?.state === 'done')
      await tx`UPDATE campaign SET state = 'running', finished_at = NULL, checksum = NULL WHERE id = ${campaignId}`
    await record(tx, { communeId, now: now(), actor, action: 'campaign.settle', campaignId, detail: { article: true, arrived, moved } })
    return moved
  })
}

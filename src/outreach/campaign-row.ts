import { eq } from 'drizzle-orm'
import type { TransactionSql } from 'postgres'
import { type CampaignState, campaign } from '../db/schema.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import { loadSettings } from '../registry/settings.ts'
import type { AudienceArgs } from './audience.ts'
import type { OutreachDeps } from './deps.ts'
import { parseTemplate, type Template } from './template.ts'

export type Campaign = typeof campaign.$inferSelect

/** Who acts: `contact:12`, `cli`, `system`; goes into the audit trail. */
export type Actor = string

export type Attachment = NonNullable<OutboundMessage['attachment']>

export async function findCampaign(deps: Pick<OutreachDeps, 'database'>, campaignId: number): Promise<Campaign | undefined> {
  const [row] = await deps.database.db.select().from(campaign).where(eq(campaign.id, campaignId))
  return row
}

/** A campaign as it stands, nobody else's to change until the transaction ends. */
export type Locked = {
  state: CampaignState
  commune_id: number
  shown_people: number | null
  recipients: number | null
  scheduled_ms: number | null
}

/** Locks the campaign's row: before its recipients, in every transaction that changes either. */
export async function lock(tx: TransactionSql, campaignId: number): Promise<Locked | undefined> {
  const [row] = await tx<Locked[]>`
    SELECT state, commune_id::int AS commune_id, shown_people, recipients, extract(epoch FROM scheduled_at)::float8 * 1000 AS scheduled_ms
    FROM campaign WHERE id = ${campaignId} FOR UPDATE`
  return row
}

type Recorded = { communeId: number; now: Date; actor: Actor; action: string; campaignId: number; detail: Record<string, unknown> }

/** Says in the audit trail who did what to a campaign, in the transaction that does it. */
export async function record(tx: TransactionSql, { communeId, now, actor, action, campaignId, detail }: Recorded): Promise<void> {
  await tx`
    INSERT INTO audit (commune_id, at, actor, action, subject, detail)
    VALUES (${communeId}, ${now.toISOString()}::timestamptz, ${actor}, ${action}, ${`campaign:${campaignId}`}, ${JSON.stringify(detail)}::text::jsonb)`
}

/** What its audience is counted and frozen with, by the settings as they are now. */
export async function audienceArgs(deps: OutreachDeps, found: Campaign): Promise<AudienceArgs> {
  const settings = await loadSettings(deps.database.db, found.communeId)
  const { articleId, ...routes } = found.routes
  const mayArticle = settings.get('campaign.article') === 'yes' && articleId !== undefined
  return { communeId: found.communeId, rule: found.rule, routes: mayArticle ? found.routes : routes, settings, now: deps.now() }
}

/** The template of a campaign that was checked when it was stored. */
export function templateOf(found: Pick<Campaign, 'id' | 'text'>): Template {
  const parsed = parseTemplate(found.text, Number.POSITIVE_INFINITY)
  if (parsed.type === 'refused') throw new Error(`the text of campaign ${found.id} cannot be read any more`)
  return parsed.template
}

/** The year whose form {còn thiếu} speaks of. */
export function formYear(found: Pick<Campaign, 'rule'>, now: Date): number {
  return found.rule.year ?? vietnamTime(now).year
}

import { desc, eq, inArray } from 'drizzle-orm'
import { account as accountTable, campaign } from '../db/schema.ts'
import type { OutboundStatus } from '../model/outbound.ts'
import { loadSettings } from '../registry/settings.ts'
import { type Route, SENT_AT_ONCE } from './audience.ts'
import { type Campaign, findCampaign } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { quietOf, requestsEach } from './estimate.ts'
import { afterOpenTime, quietUntil } from './gate.ts'
import { type LedgerCounts, readCounts } from './ledger.ts'
import { campaignPerMinute, paceLimits } from './limits.ts'

export type CampaignProgress = {
  campaign: Campaign
  /** Rows of the ledger; the seven statuses add up to it at every moment. */
  recipients: number
  statuses: Record<OutboundStatus, number>
  /** Waiting rows by way: `now` is still to be sent, `next` waits for the person's word. */
  waiting: Partial<Record<Route, number>>
  /** Classes of failures and reasons of skips, the most frequent first. */
  classes: { status: OutboundStatus; class: string; n: number }[]
  perMinute: number
  /** When the last of what is to be sent now will be out; absent while paused and when done. */
  expectedAt?: Date
  /** While it runs: the end of the quiet hours or days in which nothing goes out. */
  restsUntil?: Date
}

const MINUTE_MS = 60_000

/** Where a campaign stands, from its counts; undefined where there is none. */
export async function campaignProgress(deps: OutreachDeps, campaignId: number): Promise<CampaignProgress | undefined> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return undefined
  const counts = await readCounts(deps.database.sql, found.communeId, campaignId)
  const settings = await loadSettings(deps.database.db, found.communeId)
  const waiting: Partial<Record<Route, number>> = {}
  for (const row of counts.rows) if (row.status === 'waiting') waiting[row.route as Route] = (waiting[row.route as Route] ?? 0) + row.n
  const open = Object.entries(waiting).reduce((sum, [route, n]) => sum + (SENT_AT_ONCE.has(route as Route) ? n : 0), 0)
  const accounts = await deps.database.db.select().from(accountTable).where(eq(accountTable.communeId, found.communeId))
  const perMinute = accounts.reduce((sum, one) => Math.max(sum, campaignPerMinute(paceLimits(one, settings))), 0)
  const requests = open * requestsEach(found)
  const restsUntil = found.state === 'running' ? quietUntil(deps.now(), quietOf(settings)) : undefined
  return {
    campaign: found,
    recipients: counts.recipients,
    statuses: counts.statuses,
    waiting,
    classes: classesOf(counts),
    perMinute,
    ...(restsUntil ? { restsUntil } : {}),
    ...(found.state === 'running' && open > 0 && perMinute > 0
      ? { expectedAt: afterOpenTime(deps.now().getTime(), (requests / perMinute) * MINUTE_MS, quietOf(settings)) }
      : {}),
  }
}

/** Campaigns of a commune: those under way or still to come, then the others, each the newest first. */
export async function listCampaigns(
  deps: OutreachDeps,
  { communeId, limit = 20 }: { communeId: number; limit?: number },
): Promise<Campaign[]> {
  return deps.database.db
    .select()
    .from(campaign)
    .where(eq(campaign.communeId, communeId))
    .orderBy(desc(inArray(campaign.state, ['running', 'paused', 'scheduled'])), desc(campaign.id))
    .limit(limit)
}

/** Classes and reasons of a ledger, the most frequent first. */
export function classesOf(counts: LedgerCounts): CampaignProgress['classes'] {
  const sums = new Map<string, CampaignProgress['classes'][number]>()
  for (const { status, class: name, n } of counts.rows) {
    if (name === '') continue
    const key = `${status} ${name}`
    sums.set(key, { status, class: name, n: (sums.get(key)?.n ?? 0) + n })
  }
  return [...sums.values()].sort((a, b) => b.n - a.n)
}

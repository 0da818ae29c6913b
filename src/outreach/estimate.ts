import { inArray } from 'drizzle-orm'
import { account as accountTable } from '../db/schema.ts'
import type { Settings } from '../registry/settings.ts'
import type { AudiencePreview } from './audience.ts'
import type { Campaign } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { afterOpenTime } from './gate.ts'
import { campaignPerMinute, paceLimits } from './limits.ts'

const MINUTE_MS = 60_000

export type Estimate = {
  /** Messages that go out at once, through which accounts, and at what pace each may. */
  accounts: { accountId: number; messages: number; perMinute: number }[]
  messages: number
  /** From the start to the last message, quiet hours included. */
  durationMs: number
  finishedAt: Date
  /** Messages beyond the free part of the window, and templates by phone. */
  billed: number
  /** What they may cost, đồng, by the prices in the settings. */
  cost: number
}

export const quietOf = (settings: Settings) => ({
  from: settings.get('quiet.from'),
  to: settings.get('quiet.to'),
  days: settings.get('quiet.days'),
})

/** Requests one message takes. */
export const requestsEach = (found: Campaign) => (found.attachment?.kind === 'file' ? 2 : 1)

/** How long a campaign takes from `startAt`, and what it may cost. */
export async function estimate(
  deps: OutreachDeps,
  found: Campaign,
  preview: AudiencePreview,
  settings: Settings,
  startAt: Date,
): Promise<Estimate> {
  const rows = preview.accounts.length
    ? await deps.database.db
        .select()
        .from(accountTable)
        .where(
          inArray(
            accountTable.id,
            preview.accounts.map((one) => one.accountId),
          ),
        )
    : []
  const others = await waitingOfOthers(deps, found)
  const accounts = preview.accounts.map(({ accountId, messages }) => {
    const row = rows.find((one) => one.id === accountId)
    const perMinute = row ? campaignPerMinute(paceLimits(row, settings)) : 0
    return { accountId, messages, perMinute }
  })
  // Campaigns of one account take turns: of each other one at most as many go out meanwhile
  const durations = accounts.map(({ messages, perMinute }) => {
    const shared = others.reduce((sum, n) => sum + Math.min(n, messages), messages)
    return perMinute > 0 ? ((shared * requestsEach(found)) / perMinute) * MINUTE_MS : 0
  })
  const cost = preview.billed * settings.get('account.price.window') + preview.billedTemplates * settings.get('account.price.template')
  const finishedAt = afterOpenTime(startAt.getTime(), Math.max(0, ...durations), quietOf(settings))
  return {
    accounts,
    messages: preview.now,
    durationMs: finishedAt.getTime() - startAt.getTime(),
    finishedAt,
    billed: preview.billed + preview.billedTemplates,
    cost,
  }
}

async function waitingOfOthers(deps: OutreachDeps, found: Campaign): Promise<number[]> {
  const rows = await deps.database.sql<{ n: number }[]>`
    SELECT sum(k.n)::int AS n FROM campaign c JOIN recipient_count k ON k.commune_id = c.commune_id AND k.campaign_id = c.id
    WHERE c.commune_id = ${found.communeId} AND c.state = 'running' AND c.id <> ${found.id} AND k.status = 'waiting' AND k.route IN ('now', 'telegram', 'zbs')
    GROUP BY c.id`
  return rows.map((row) => row.n)
}

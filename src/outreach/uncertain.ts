import type { StateOutcome } from './campaign.ts'
import { type Actor, findCampaign, lock, record } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { ringLanes } from './lane-bell.ts'
import { moveRows } from './ledger.ts'
import { refuse } from './refusal.ts'

/** One whose message may or may not have arrived; settled by the platform's echo or by hand. */
export type UncertainRecipient = {
  personId: number
  name: string | null
  village: string | null
  class: string | null
  claimedAt: Date | null
}

export async function listUncertain(
  deps: OutreachDeps,
  { campaignId, limit = 100 }: { campaignId: number; limit?: number },
): Promise<UncertainRecipient[]> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return []
  const rows = await deps.database.sql<
    { person_id: string; name: string | null; village: string | null; class: string | null; claimed_ms: number | null }[]
  >`
    SELECT r.person_id, p.name, u.label || ' ' || u.name AS village, r.class, extract(epoch FROM r.claimed_at)::float8 * 1000 AS claimed_ms
    FROM recipient r LEFT JOIN contact c ON c.id = r.contact_id LEFT JOIN person p ON p.commune_id = r.commune_id AND p.id = r.person_id
      LEFT JOIN unit u ON u.id = coalesce(p.village_id, c.came_by_unit_id)
    WHERE r.commune_id = ${found.communeId} AND r.campaign_id = ${campaignId} AND r.status = 'uncertain'
    ORDER BY u.position, p.name, r.person_id LIMIT ${limit}`
  return rows.map((row) => ({
    personId: Number(row.person_id),
    name: row.name,
    village: row.village,
    class: row.class,
    claimedAt: row.claimed_ms === null ? null : new Date(row.claimed_ms),
  }))
}

export type SettleArgs = { campaignId: number; personId: number; arrived: boolean; actor: Actor }

/** An officer asked the person: it arrived (`sent`), or it did not and goes out once more. */
export async function settleByHand(deps: OutreachDeps, { campaignId, personId, arrived, actor }: SettleArgs): Promise<StateOutcome> {
  return deps.database.sql.begin(async (tx) => {
    const locked = await lock(tx, campaignId)
    if (!locked) return refuse('unknown')
    const now = deps.now()
    const again =
      locked.state === 'cancelled'
        ? tx`status = 'cancelled', class = NULL, not_before = NULL`
        : tx`status = 'waiting', class = NULL, not_before = ${now.toISOString()}::timestamptz`
    const moved = await moveRows(tx, {
      communeId: locked.commune_id,
      campaignId,
      where: tx`r.person_id = ${personId} AND r.status = 'uncertain'`,
      set: arrived
        ? tx`status = 'sent', class = 'settled_by_hand', not_before = NULL, sent_at = coalesce(claimed_at, ${now.toISOString()}::timestamptz)`
        : again,
    })
    if (moved === 0) return refuse('not_uncertain')
    if (!arrived && locked.state === 'done')
      await tx`UPDATE campaign SET state = 'running', finished_at = NULL, checksum = NULL WHERE id = ${campaignId}`
    await record(tx, { communeId: locked.commune_id, now, actor, action: 'campaign.settle', campaignId, detail: { personId, arrived } })
    if (!arrived) await ringLanes(tx, campaignId)
    return { type: 'done', state: locked.state }
  })
}

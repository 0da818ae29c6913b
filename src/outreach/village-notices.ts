import { and, eq } from 'drizzle-orm'
import { villageNotice } from '../db/schema.ts'
import { listVillages, unitTitle } from '../registry/units.ts'
import { findCampaign } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'

/** A notice for a leader to pass on, with how many people it is for. */
export type VillageNotice = typeof villageNotice.$inferSelect & { village: string }

export async function listVillageNotices(deps: OutreachDeps, campaignId: number): Promise<VillageNotice[]> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return []
  const [rows, villages] = await Promise.all([
    deps.database.db.select().from(villageNotice).where(eq(villageNotice.campaignId, campaignId)),
    listVillages(deps.database.db, found.communeId),
  ])
  const place = new Map(villages.map((village, index) => [village.id, index]))
  const titles = new Map(villages.map((village) => [village.id, unitTitle(village)]))
  return rows
    .map((row) => ({ ...row, village: titles.get(row.villageId) ?? '' }))
    .sort((a, b) => (place.get(a.villageId) ?? 0) - (place.get(b.villageId) ?? 0))
}

export async function markNoticeForwarded(deps: OutreachDeps, args: { campaignId: number; villageId: number }): Promise<void> {
  await deps.database.db
    .update(villageNotice)
    .set({ forwardedAt: deps.now() })
    .where(and(eq(villageNotice.campaignId, args.campaignId), eq(villageNotice.villageId, args.villageId)))
}

/** Names of a village's people whom no message of a campaign has reached so far, in their order. */
export async function listUnreached(
  deps: OutreachDeps,
  { communeId, campaignId, villageId }: { communeId: number; campaignId: number; villageId: number },
): Promise<string[]> {
  const rows = await deps.database.sql<{ name: string }[]>`
    SELECT p.name FROM recipient r JOIN person p ON p.commune_id = r.commune_id AND p.id = r.person_id
    WHERE r.commune_id = ${communeId} AND r.campaign_id = ${campaignId} AND p.village_id = ${villageId}
      AND r.route IN ('village', 'next') AND r.status <> 'sent'
    ORDER BY p.name_key, p.id`
  return rows.map((row) => row.name)
}

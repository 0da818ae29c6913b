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

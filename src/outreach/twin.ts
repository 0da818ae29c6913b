import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'

// With the commune's id: officers of one commune confirm one after the other
const CONFIRM_CLASS = 7_301_006

/**
 * When the same words were sent to the same people within so many hours, or are to be: another officer was asked to do it too, or this one
 * did before. Never with 0 hours. Two who confirm at the same moment wait for each other here, until the transaction ends.
 */
export async function findTwin(
  tx: Tx,
  { communeId, campaignId, hours, now }: { communeId: number; campaignId: number; hours: number; now: Date },
): Promise<{ state: 'sent' | 'scheduled'; at: Date } | undefined> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${CONFIRM_CLASS}, ${communeId})`)
  if (hours === 0) return undefined
  const since = new Date(now.getTime() - hours * 3_600_000).toISOString()
  const [twin] = await tx.execute<{ scheduled: boolean; at_ms: number }>(sql`
    SELECT other.started_at IS NULL AS scheduled, extract(epoch FROM coalesce(other.started_at, other.scheduled_at))::float8 * 1000 AS at_ms
    FROM campaign mine JOIN campaign other ON other.commune_id = mine.commune_id AND other.text = mine.text AND other.rule = mine.rule AND other.id <> mine.id
    WHERE mine.id = ${campaignId} AND mine.commune_id = ${communeId}
      AND (other.state = 'scheduled' OR (other.started_at > ${since}::timestamptz AND other.state <> 'cancelled'))
    ORDER BY other.id DESC LIMIT 1`)
  return twin && { state: twin.scheduled ? 'scheduled' : 'sent', at: new Date(twin.at_ms) }
}

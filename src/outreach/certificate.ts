import { createHash } from 'node:crypto'
import type { Sql } from 'postgres'
import { getCommune } from '../registry/units.ts'
import { findCampaign } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { readCounts } from './ledger.ts'
import { ledgerCells, ledgerRows } from './ledger-rows.ts'
import { type CampaignProgress, classesOf } from './progress.ts'

/** A run in figures, to be kept and shown. */
export type Certificate = {
  campaignId: number
  commune: string
  createdAt: Date
  startedAt: Date
  finishedAt: Date | null
  recipients: number
  statuses: CampaignProgress['statuses']
  classes: CampaignProgress['classes']
  received: number
  seen: number
  firstSentAt: Date | null
  lastSentAt: Date | null
  /** SHA-256 over the exported list, hex; what of it is in certificate.ts. */
  checksum: string
}

/** The run in figures, with a checksum over the list; once the campaign is done, the checksum is kept. */
export async function certificate(deps: OutreachDeps, campaignId: number): Promise<Certificate | undefined> {
  const { sql, db } = deps.database
  const found = await findCampaign(deps, campaignId)
  if (!found?.startedAt) return undefined
  const counts = await readCounts(sql, found.communeId, campaignId)
  const [times] = await sql<{ received: number; seen: number; first_ms: number | null; last_ms: number | null }[]>`
    SELECT count(received_at)::int AS received, count(seen_at)::int AS seen,
      extract(epoch FROM min(sent_at))::float8 * 1000 AS first_ms, extract(epoch FROM max(sent_at))::float8 * 1000 AS last_ms
    FROM recipient WHERE commune_id = ${found.communeId} AND campaign_id = ${campaignId}`
  const checksum = await checksumOf(sql, found.communeId, campaignId)
  if (found.state === 'done') await sql`UPDATE campaign SET checksum = ${checksum} WHERE id = ${campaignId}`
  const commune = await getCommune(db, found.communeId)
  const date = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : new Date(ms))
  return {
    campaignId,
    commune: commune.name,
    createdAt: found.createdAt,
    startedAt: found.startedAt,
    finishedAt: found.finishedAt,
    recipients: counts.recipients,
    statuses: counts.statuses,
    classes: classesOf(counts),
    received: times?.received ?? 0,
    seen: times?.seen ?? 0,
    firstSentAt: date(times?.first_ms),
    lastSentAt: date(times?.last_ms),
    checksum,
  }
}

/**
 * SHA-256 over the list as it is exported at the same moment, so that anybody who holds the file can count it again: of each row, in the
 * file's order, the cells that say what became of whom, with a tab between them and a line feed behind. Names and villages may be put
 * right later and what was seen grows: they are left out.
 */
async function checksumOf(sql: Sql, communeId: number, campaignId: number): Promise<string> {
  const hash = createHash('sha256')
  for await (const batch of ledgerRows(sql, communeId, campaignId)) {
    for (const row of batch) {
      const { channel, channel_user_id, status, class_or_reason, attempts, sent_at } = ledgerCells(row)
      hash.update(`${[channel, channel_user_id, status, class_or_reason, attempts, sent_at].join('\t')}\n`)
    }
  }
  return hash.digest('hex')
}

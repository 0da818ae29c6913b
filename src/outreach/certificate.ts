import { createHash } from 'node:crypto'
import type { Sql } from 'postgres'
import { getCommune } from '../registry/units.ts'
import { type Certificate, classesOf, findCampaign } from './campaign.ts'
import type { OutreachDeps } from './deps.ts'
import { readCounts } from './ledger.ts'

/** A row of the ledger as it is exported (contract, section 5). */
export type LedgerRow = {
  channel: string | null
  channel_user_id: string | null
  person: string | null
  village_code: string | null
  status: string
  class_or_reason: string | null
  attempts: number
  sent_at_ms: number | null
  seen_at_ms: number | null
}

const BATCH = 2_000

/** All rows of a campaign in one snapshot, in the order of the export, a batch at a time. */
export function ledgerRows(sql: Sql, communeId: number, campaignId: number): AsyncIterable<LedgerRow[]> {
  return sql<LedgerRow[]>`
    SELECT a.channel, c.channel_user_id, p.name AS person, u.code AS village_code, r.status,
      coalesce(r.class, CASE WHEN r.status = 'waiting' AND r.route = 'next' THEN 'next_contact' END) AS class_or_reason, r.attempts,
      extract(epoch FROM r.sent_at)::float8 * 1000 AS sent_at_ms, extract(epoch FROM r.seen_at)::float8 * 1000 AS seen_at_ms
    FROM recipient r
    LEFT JOIN contact c ON c.id = r.contact_id
    LEFT JOIN account a ON a.id = coalesce(c.account_id, r.account_id)
    LEFT JOIN person p ON p.commune_id = r.commune_id AND p.id = r.person_id
    LEFT JOIN unit u ON u.id = coalesce(p.village_id, c.came_by_unit_id)
    WHERE r.commune_id = ${communeId} AND r.campaign_id = ${campaignId}
    ORDER BY r.person_id`.cursor(BATCH)
}

/** The run in figures, with a checksum over the rows; once the campaign is done, the checksum is kept. */
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

/** Over what became of whom, by ids: it stays the same when a name is corrected or a person is erased. */
async function checksumOf(sql: Sql, communeId: number, campaignId: number): Promise<string> {
  const hash = createHash('sha256')
  const rows = sql<{ line: string }[]>`
    SELECT concat_ws(' ', person_id, status, route, class, attempts, platform_message_id, extract(epoch FROM sent_at)) AS line
    FROM recipient WHERE commune_id = ${communeId} AND campaign_id = ${campaignId} ORDER BY person_id`.cursor(BATCH)
  for await (const batch of rows) for (const { line } of batch) hash.update(`${line}\n`)
  return hash.digest('hex')
}

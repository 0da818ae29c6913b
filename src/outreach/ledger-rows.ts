import type { Sql } from 'postgres'
import { vietnamTime } from '../lib/vietnam-time.ts'

/** A row of the ledger. */
type LedgerRow = {
  channel: string | null
  channel_user_id: string | null
  person: string | null
  village_code: string | null
  status: string
  class_or_reason: string | null
  attempts: number
  sent_at_ms: number | null
  received_at_ms: number | null
  seen_at_ms: number | null
}

const BATCH = 2_000

/** All rows of a campaign in one snapshot, in the order of the export, a batch at a time. */
export function ledgerRows(sql: Sql, communeId: number, campaignId: number): AsyncIterable<LedgerRow[]> {
  return sql<LedgerRow[]>`
    SELECT a.channel, c.channel_user_id, p.name AS person, u.code AS village_code, r.status,
      coalesce(r.class, CASE WHEN r.status = 'waiting' AND r.route = 'next' THEN 'next_contact' END) AS class_or_reason, r.attempts,
      extract(epoch FROM r.sent_at)::float8 * 1000 AS sent_at_ms, extract(epoch FROM r.received_at)::float8 * 1000 AS received_at_ms,
      extract(epoch FROM r.seen_at)::float8 * 1000 AS seen_at_ms
    FROM recipient r
    LEFT JOIN contact c ON c.id = r.contact_id
    LEFT JOIN account a ON a.id = coalesce(c.account_id, r.account_id)
    LEFT JOIN person p ON p.commune_id = r.commune_id AND p.id = r.person_id
    LEFT JOIN unit u ON u.id = coalesce(p.village_id, c.came_by_unit_id)
    WHERE r.commune_id = ${communeId} AND r.campaign_id = ${campaignId}
    ORDER BY r.person_id`.cursor(BATCH)
}

/** A row as the export writes it (contract, section 5), with when it arrived beside it. */
export function ledgerCells({ sent_at_ms, received_at_ms, seen_at_ms, ...row }: LedgerRow) {
  return { ...row, sent_at: printTime(sent_at_ms), seen_at: printTime(seen_at_ms), received_at: printTime(received_at_ms) }
}

/** "2026-11-21T09:30:05+07:00", by the clock of Việt Nam. */
function printTime(ms: number | null): string {
  if (ms === null) return ''
  const at = new Date(ms)
  const { year, month, day, hour, minute } = vietnamTime(at)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(at.getUTCSeconds())}+07:00`
}

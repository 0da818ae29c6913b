import type { Database } from '../db/connect.ts'
import { audit } from '../db/schema.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { writeCsv } from '../lib/write-csv.ts'
import { findCampaign } from './campaign-row.ts'
import { ledgerCells, ledgerRows } from './ledger-rows.ts'

export type ExportLedgerArgs = {
  campaignId: number
  path: string
  actor: string
  now: Date
  /** A column more: when each message arrived, where the platform says so. */
  receipts?: boolean
}

// Contract, section 5
const COLUMNS = ['channel', 'channel_user_id', 'person', 'village_code', 'status', 'class_or_reason', 'attempts', 'sent_at', 'seen_at']

/**
 * Writes the ledger of a campaign as CSV, one row a recipient, all of one moment. The file appears whole or not at all, readable by its owner
 * only, and after the audit trail says who took it. Returns the number of rows.
 */
export async function exportLedger(
  database: Database,
  { campaignId, path, actor, now, receipts = false }: ExportLedgerArgs,
): Promise<number> {
  const found = await findCampaign({ database }, campaignId)
  if (!found) throw new OperatorError(`there is no campaign ${campaignId}`)
  const { communeId } = found
  async function* cells() {
    for await (const batch of ledgerRows(database.sql, communeId, campaignId)) for (const row of batch) yield ledgerCells(row)
  }
  return await writeCsv({
    path,
    columns: receipts ? [...COLUMNS, 'received_at'] : COLUMNS,
    rows: cells(),
    beforeShown: (rows) =>
      database.db
        .insert(audit)
        .values({ communeId, at: now, actor, action: 'export.ledger', subject: `campaign:${campaignId}`, detail: { rows } }),
  })
}

import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { stringify } from 'csv-stringify'
import type { Database } from '../db/connect.ts'
import { audit } from '../db/schema.ts'
import { OperatorError } from '../lib/operator-error.ts'
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
  const half = `${path}.${process.pid}.part`
  const file = await open(half, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new OperatorError(`${path} cannot be written (${error.code ?? error.message})`)
  })
  try {
    let rows = 0
    // A cell that begins with = + - @ is text to a spreadsheet only with ' before it
    const csv = stringify({ header: true, columns: receipts ? [...COLUMNS, 'received_at'] : COLUMNS, escape_formulas: true })
    async function* cells() {
      for await (const batch of ledgerRows(database.sql, found!.communeId, campaignId)) {
        for (const row of batch) {
          rows += 1
          yield ledgerCells(row)
        }
      }
    }
    await pipeline(cells, csv, file.createWriteStream())
    await database.db
      .insert(audit)
      .values({ communeId: found.communeId, at: now, actor, action: 'export.ledger', subject: `campaign:${campaignId}`, detail: { rows } })
    await rename(half, path)
    return rows
  } catch (error) {
    await rm(half, { force: true })
    throw error
  }
}

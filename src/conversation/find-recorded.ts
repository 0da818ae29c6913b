import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { keysOf, type Recent } from './unsettled.ts'
import type { WaitingReport } from './waiting-reports.ts'

/** One message a report is of. */
export type Of = { report: WaitingReport; message_id: string }

/** The message an echo is of; nothing for a receipt. */
export const echoOf = (report: WaitingReport): Of[] =>
  report.content.kind === 'echo' ? [{ report, message_id: report.content.messageId }] : []

/** As statements take it: at a message of the talk, and at one of each campaign of late. */
export const atTalk = <O extends Of>({ report, ...said }: O) => ({ contact_id: report.contactId, ...said })
export const atCampaigns = <O extends Of>({ report, ...said }: O, campaigns: readonly Recent[]) =>
  keysOf(report, campaigns).map((key) => ({ ...key, ...said }))

/** Of reports of messages, those whose message is recorded, at whatever row, held by somebody or not. */
export async function findRecorded(tx: Tx, given: readonly Of[], campaigns: readonly Recent[]): Promise<Set<WaitingReport>> {
  if (given.length === 0) return new Set()
  const talk = given.map(({ report, message_id }) => atTalk({ report, message_id }))
  const sent = given.flatMap(({ report, message_id }) => atCampaigns({ report, message_id }, campaigns))
  const rows = await tx.execute<{ message_id: string }>(sql`
    SELECT given.message_id FROM json_to_recordset(${JSON.stringify(talk)}::text::json) AS given (contact_id bigint, message_id text)
      JOIN contact c ON c.id = given.contact_id JOIN outbound_message o ON o.account_id = c.account_id AND o.platform_message_id = given.message_id
    UNION
    SELECT given.message_id
    FROM json_to_recordset(${JSON.stringify(sent)}::text::json) AS given (commune_id int, campaign_id int, person_id bigint, message_id text)
      JOIN recipient r ON r.commune_id = given.commune_id AND r.campaign_id = given.campaign_id AND r.person_id = given.person_id
        AND r.platform_message_id = given.message_id`)
  const recorded = new Set(rows.map((row) => row.message_id))
  return new Set(given.flatMap(({ report, message_id }) => (recorded.has(message_id) ? [report] : [])))
}

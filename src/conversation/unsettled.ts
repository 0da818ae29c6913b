import { sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { LIVING_INSTANCES } from '../db/instance.ts'
import type { WaitingReport } from './waiting-reports.ts'

// An echo belongs to a send of the last ten minutes, and clocks and ways to us are slow at times
const ECHO_MS = 20 * 60_000
// A receipt that comes later than this is of no use to anybody
const RECEIPT_MS = 30 * 86_400_000

/** A campaign of late; the recipients of one are looked up by their keys alone, since PostgreSQL knows nothing yet of one that has just begun. */
export type Recent = { id: number; commune_id: number; finished_ms: number | null }

export async function recentCampaigns(tx: Tx, reports: readonly WaitingReport[], now: Date): Promise<Recent[]> {
  const communes = [...new Set(reports.map((report) => report.communeId))]
  return tx.execute<Recent>(sql`
    SELECT id::int AS id, commune_id::int AS commune_id, extract(epoch FROM finished_at)::float8 * 1000 AS finished_ms FROM campaign
    WHERE commune_id IN (SELECT id::int FROM json_array_elements_text(${JSON.stringify(communes)}::text::json) AS given (id))
      AND started_at > ${new Date(now.getTime() - RECEIPT_MS).toISOString()}::timestamptz`)
}

/** Where rows of this chat may be: its person's, and its own from before anybody was registered on it. */
export const keysOf = ({ contactId, communeId, personId }: WaitingReport, campaigns: readonly Recent[]) =>
  campaigns
    .filter((campaign) => campaign.commune_id === communeId)
    .flatMap(({ id }) =>
      [...(personId === null ? [] : [personId]), -contactId].map((subject) => ({
        commune_id: communeId,
        campaign_id: id,
        person_id: subject,
      })),
    )

/** Whether something of a campaign may have been under way when this was reported. */
const mayBeOpen = ({ finished_ms }: Recent, at: Date): boolean => finished_ms === null || finished_ms > at.getTime() - ECHO_MS

/**
 * Contacts with a message that may be the one a report is of, by what is known of it. `underWay`: a living process is sending, and will
 * record its result. `open`: nobody alive knows its end, and an echo may settle it. Both may hold of one contact.
 */
export type Unsettled = { open: Set<number>; underWay: Set<number> }

/** What is unsettled of the contacts of these reports. */
export async function findUnsettled(tx: Tx, reports: readonly WaitingReport[], campaigns: readonly Recent[]): Promise<Unsettled> {
  const unsettled: Unsettled = { open: new Set(), underWay: new Set() }
  if (reports.length === 0) return unsettled
  const given = reports.map(({ contactId, at }) => ({ id: contactId, since: new Date(at.getTime() - ECHO_MS).toISOString() }))
  const talk = await tx.execute<{ id: number; living: boolean }>(sql`
    SELECT o.contact_id::float8 AS id, o.status = 'waiting' AND o.claimed_by IN (${LIVING_INSTANCES}) AS living
    FROM (
      SELECT id, min(since) AS since FROM json_to_recordset(${JSON.stringify(given)}::text::json) AS given (id bigint, since timestamptz) GROUP BY id
    ) given JOIN outbound_message o ON o.contact_id = given.id
    WHERE (o.status = 'uncertain' AND o.claimed_at > given.since) OR (o.status = 'waiting' AND o.claimed_by IS NOT NULL)`)
  const keys = reports.flatMap((report) =>
    keysOf(
      report,
      campaigns.filter((campaign) => mayBeOpen(campaign, report.at)),
    ).map((key) => ({ ...key, contact_id: report.contactId })),
  )
  const sent =
    keys.length === 0
      ? []
      : await tx.execute<{ id: number; living: boolean }>(sql`
    SELECT given.contact_id::float8 AS id, found.status = 'waiting' AND held.claimed_by IN (${LIVING_INSTANCES}) AS living
    FROM json_to_recordset(${JSON.stringify(keys)}::text::json) AS given (commune_id int, campaign_id int, person_id bigint, contact_id bigint), LATERAL (
      SELECT status FROM recipient
      WHERE commune_id = given.commune_id AND campaign_id = given.campaign_id AND person_id = given.person_id AND status IN ('uncertain', 'waiting')
    ) found LEFT JOIN LATERAL (
      SELECT b.claimed_by FROM recipient_batch b WHERE b.campaign_id = given.campaign_id AND given.person_id = ANY (b.person_ids) LIMIT 1
    ) held ON true
    WHERE found.status = 'uncertain' OR held.claimed_by IS NOT NULL`)
  for (const { id, living } of [...talk, ...sent]) (living ? unsettled.underWay : unsettled.open).add(id)
  return unsettled
}

import type { OutboundMessage } from '../model/outbound.ts'
import { getCommune } from '../registry/units.ts'
import { type AudienceArgs, audienceRows } from './audience.ts'
import { audienceArgs, type Campaign, findCampaign, formYear, templateOf } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { type RecipientRow, recipientRows, toMessage } from './recipient-rows.ts'
import { type Refused, refuse } from './refusal.ts'

/** A message as one real recipient will see it. */
export type Sample = { personId: number; name: string; village: string; message: OutboundMessage }

const SAMPLES = 2

/** The message as its first recipient will see it, for an officer to look at. */
export async function firstSample(deps: OutreachDeps, campaignId: number): Promise<{ type: 'sample'; message: OutboundMessage } | Refused> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return refuse('unknown')
  const [sample] = await samplesOf(deps, found, await audienceArgs(deps, found))
  return sample ? { type: 'sample', message: sample.message } : refuse('nobody')
}

/** As the first recipients will see it; those reached at once before the others. */
export async function samplesOf(deps: OutreachDeps, found: Campaign, args: AudienceArgs): Promise<Sample[]> {
  const { sql } = deps.database
  const people = await sql<{ person_id: string; contact_id: string | null }[]>`
    SELECT person_id, contact_id FROM (${audienceRows(sql, args)}) audience
    WHERE person_id > 0 ORDER BY (route IN ('now', 'telegram')) DESC, (contact_id IS NOT NULL) DESC, person_id LIMIT ${SAMPLES}`
  const template = templateOf(found)
  const given = sql`(SELECT person_id, contact_id, NULL::text AS route, 0 AS attempts
    FROM json_to_recordset(${JSON.stringify(people)}::text::json) AS given (person_id bigint, contact_id bigint))`
  const rows = await recipientRows(sql, { communeId: found.communeId, from: given, year: formYear(found, args.now), template })
  const commune = await getCommune(deps.database.db, found.communeId)
  return rows.map((row: RecipientRow) => ({
    personId: row.personId,
    name: row.name ?? '',
    village: row.village ?? '',
    message: toMessage(found, template, row, { content: deps.content, commune: commune.name }),
  }))
}

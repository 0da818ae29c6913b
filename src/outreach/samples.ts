import { eq } from 'drizzle-orm'
import { partsOf } from '../channels/parts.ts'
import { contact as contactTable } from '../db/schema.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import { getCommune } from '../registry/units.ts'
import { type AudienceArgs, audienceRows } from './audience.ts'
import { audienceArgs, type Campaign, findCampaign, formYear, templateOf } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { type RecipientRow, recipientRows, toMessage } from './recipient-rows.ts'
import { type Refused, refuse } from './refusal.ts'

export type TestOutcome = { type: 'tested' } | { type: 'failed'; class: string } | Refused

/** A message as one real recipient will see it. */
export type Sample = { personId: number; name: string; village: string; message: OutboundMessage }

const SAMPLES = 2

/** Sends the message as the first sample sees it to the officer's own chat. It is an answer to the officer and stands in no ledger. */
export async function testToSelf(
  deps: OutreachDeps,
  { campaignId, contactId }: { campaignId: number; contactId: number },
): Promise<TestOutcome> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return refuse('unknown')
  const [to] = await deps.database.db.select().from(contactTable).where(eq(contactTable.id, contactId))
  const channel = to && (await deps.channelOf(to.accountId))
  if (!channel) return refuse('no_account')
  const [sample] = await samplesOf(deps, found, await audienceArgs(deps, found))
  if (!sample) return refuse('nobody')
  for (const part of partsOf(channel, sample.message)) {
    const outcome = await channel.send(to.channelUserId, part)
    if (outcome.kind !== 'sent') return { type: 'failed', class: outcome.class }
  }
  return { type: 'tested' }
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

import type { PendingQuery, Row, Sql, TransactionSql } from 'postgres'
import type { Content } from '../content/load.ts'
import type { Language } from '../content/texts.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import type { Route } from './audience.ts'
import type { Campaign } from './campaign-row.ts'
import { type RecipientFacts, render, type Template } from './template.ts'

type Sqlish = Sql | TransactionSql
type Fragment = PendingQuery<Row[]>

/** What must be known of a person at the moment of sending: the chat, what allows or forbids a message, what its words name. */
export type RecipientRow = {
  personId: number
  contactId: number | null
  channelUserId: string | null
  route: Route
  attempts: number
  lastInboundAt: Date | null
  stoppedAt: Date | null
  erasedAt: Date | null
  unreachableClass: string | null
  phoneEnc: Buffer | null
  name: string | null
  village: string | null
  address: string | null
  language: Language
  form: RecipientFacts['form']
  /** Of other campaigns, in the last week. */
  recentlySent: number
}

export type RowsArgs = {
  communeId: number
  /** Rows (person_id, contact_id, route, attempts) in the order wanted. */
  from: Fragment
  year: number
  template: Template
  /** Other campaigns of the last week: their rows count against the ceiling. */
  ceiling?: { campaignIds: readonly number[]; since: string }
}

export async function recipientRows(sql: Sqlish, { communeId, from, year, template, ceiling }: RowsArgs): Promise<RecipientRow[]> {
  const withForm = template.uses.has('missing')
  const rows = await sql<
    {
      person_id: string
      contact_id: string | null
      channel_user_id: string | null
      route: Route
      attempts: number
      last_inbound_ms: number | null
      stopped_ms: number | null
      erased_ms: number | null
      unreachable_class: string | null
      phone_enc: Buffer | null
      name: string | null
      village: string | null
      address: string | null
      language: Language | null
      criteria_set: string | null
      form_status: string | null
      answered: string | null
      recently_sent: number
    }[]
  >`
    SELECT f.person_id, f.contact_id, f.route, f.attempts, c.channel_user_id, extract(epoch FROM c.last_inbound_at)::float8 * 1000 AS last_inbound_ms,
      extract(epoch FROM c.stopped_at)::float8 * 1000 AS stopped_ms, extract(epoch FROM c.erased_at)::float8 * 1000 AS erased_ms,
      c.unreachable_class, CASE WHEN f.route = 'zbs' THEN p.phone_enc END AS phone_enc, p.name, u.label || ' ' || u.name AS village, p.address, c.language,
      ${
        withForm
          ? sql`n.criteria_set, n.status AS form_status,
        (SELECT string_agg(a.question, ',') FROM answer a WHERE a.commune_id = n.commune_id AND a.nomination_id = n.id) AS answered`
          : sql`NULL AS criteria_set, NULL AS form_status, NULL AS answered`
      },
      ${
        ceiling && ceiling.campaignIds.length > 0
          ? sql`(SELECT count(*)::int FROM recipient had WHERE had.commune_id = ${communeId} AND had.campaign_id IN ${sql([...ceiling.campaignIds])}
            AND had.person_id = f.person_id AND (
              (had.status IN ('sent', 'uncertain') AND coalesce(had.sent_at, had.claimed_at) > ${ceiling.since}::timestamptz)
              -- On its way at this moment
              OR (had.status = 'waiting' AND EXISTS (SELECT 1 FROM recipient_batch b WHERE b.campaign_id = had.campaign_id AND f.person_id = ANY (b.person_ids)))))`
          : sql`0`
      } AS recently_sent
    -- OFFSET 0 is a fence: each person is looked up by key. Joined, the few rows of a batch made PostgreSQL read all people of the commune
    FROM ${from} f
    LEFT JOIN LATERAL (SELECT * FROM contact WHERE id = f.contact_id OFFSET 0) c ON true
    LEFT JOIN LATERAL (SELECT * FROM person WHERE commune_id = ${communeId} AND id = f.person_id OFFSET 0) p ON true
    LEFT JOIN LATERAL (SELECT * FROM unit WHERE id = coalesce(p.village_id, c.came_by_unit_id) OFFSET 0) u ON true
    ${
      withForm
        ? sql`LEFT JOIN LATERAL (
      SELECT * FROM nomination WHERE commune_id = ${communeId} AND year = ${year} AND title = 'CDHT' AND subject_id = f.person_id OFFSET 0) n ON true`
        : sql``
    }
    ORDER BY f.person_id`
  const date = (ms: number | null) => (ms === null ? null : new Date(ms))
  return rows.map((row) => ({
    personId: Number(row.person_id),
    contactId: row.contact_id === null ? null : Number(row.contact_id),
    channelUserId: row.channel_user_id,
    route: row.route,
    attempts: row.attempts,
    lastInboundAt: date(row.last_inbound_ms),
    stoppedAt: date(row.stopped_ms),
    erasedAt: date(row.erased_ms),
    unreachableClass: row.unreachable_class,
    phoneEnc: row.phone_enc,
    name: row.name,
    village: row.village,
    address: row.address,
    language: row.language ?? 'vi',
    form:
      row.criteria_set === null
        ? undefined
        : {
            criteriaSet: row.criteria_set,
            answered: row.answered?.split(',') ?? [],
            finished: row.form_status === 'da_tu_danh_gia',
          },
    recentlySent: row.recently_sent,
  }))
}

/** The message one person gets. */
export function toMessage(
  campaign: Pick<Campaign, 'attachment'>,
  template: Template,
  row: RecipientRow,
  { content, commune }: { content: Content; commune: string },
): OutboundMessage {
  const { form, ...facts } = row
  const text = render(
    template,
    { ...facts, commune, ...(form ? { form } : {}) },
    { texts: content.texts[row.language], sets: content.sets },
  )
  return campaign.attachment ? { text, attachment: campaign.attachment } : { text }
}

import type { TransactionSql } from 'postgres'
import { type AudienceArgs, audienceRows } from './audience.ts'

/** `reached`: by whatever way; `reason`: why most of the others are not. */
export type Frozen = { people: number; reached: number; reason: string }

/** Before every id: chats without a person stand with negative ids. */
const BEFORE_ALL = -(2 ** 53)

/**
 * Makes the ledger of a campaign: one row a person, in one statement, with its way or the reason why there is none. Inside the transaction
 * that starts the campaign, under its lock: it happens once or not at all.
 */
export async function freezeAudience(tx: TransactionSql, campaignId: number, args: AudienceArgs): Promise<Frozen> {
  const { communeId, now } = args
  // The query gives each person once, and the lock lets one start through: without ON CONFLICT it takes half the time
  await tx`
    INSERT INTO recipient (commune_id, campaign_id, person_id, contact_id, account_id, status, route, class)
    SELECT ${communeId}::int, ${campaignId}::int, person_id, contact_id, account_id::int, status, route, class FROM (${audienceRows(tx, args)}) audience`
  // PostgreSQL knows nothing yet of a ledger just made and would sort it, which takes as long as writing it
  await tx`SELECT set_config('enable_sort', 'off', true)`
  const groups = await tx<{ status: string; route: string; class: string; account_id: number | null; n: number }[]>`
    SELECT status, route, coalesce(class, '') AS class, account_id, count(*)::int AS n FROM recipient
    WHERE commune_id = ${communeId} AND campaign_id = ${campaignId} GROUP BY 1, 2, 3, 4`
  await tx`SELECT set_config('enable_sort', 'on', true)`
  const counts = new Map<string, { status: string; route: string; class: string; n: number }>()
  const accounts = new Set<number>()
  for (const { account_id, ...group } of groups) {
    const key = `${group.status} ${group.route} ${group.class}`
    counts.set(key, { ...group, n: (counts.get(key)?.n ?? 0) + group.n })
    if (account_id !== null && group.status === 'waiting') accounts.add(account_id)
  }
  await tx`
    INSERT INTO recipient_count (commune_id, campaign_id, status, route, class, n)
    SELECT ${communeId}::int, ${campaignId}::int, * FROM json_to_recordset(${JSON.stringify([...counts.values()])}::text::json)
      AS given (status text, route text, class text, n int)`
  await tx`
    INSERT INTO campaign_lane (campaign_id, account_id, commune_id, cursor, served_at)
    SELECT ${campaignId}::int, id, ${communeId}::int, ${BEFORE_ALL}::bigint, ${now.toISOString()}::timestamptz
    FROM json_array_elements_text(${JSON.stringify([...accounts])}::text::json) AS given (text), LATERAL (SELECT text::int AS id) made`
  if (args.routes.villageNotice) await addVillageNotices(tx, communeId, campaignId)
  const people = groups.reduce((sum, group) => sum + group.n, 0)
  const unreached = [...counts.values()].filter((group) => group.route === 'none').sort((a, b) => b.n - a.n)
  return { people, reached: people - unreached.reduce((sum, group) => sum + group.n, 0), reason: unreached[0]?.class ?? '' }
}

/** One notice a village with people no message reaches, for its leader: of several the one who wrote last. */
async function addVillageNotices(tx: TransactionSql, communeId: number, campaignId: number): Promise<void> {
  const [led] = await tx`SELECT 1 FROM role_grant WHERE commune_id = ${communeId} AND role = 'village_lead' AND revoked_at IS NULL LIMIT 1`
  // Without leaders nobody has to be counted for them
  if (!led) return
  await tx`
    INSERT INTO village_notice (commune_id, campaign_id, village_id, leader_contact_id, people)
    SELECT ${communeId}, ${campaignId}, needed.village_id, led.contact_id, needed.people
    FROM (
      SELECT coalesce(p.village_id, c.came_by_unit_id) AS village_id, count(*)::int AS people
      FROM recipient r LEFT JOIN person p ON p.commune_id = r.commune_id AND p.id = r.person_id LEFT JOIN contact c ON c.id = r.contact_id
      WHERE r.commune_id = ${communeId} AND r.campaign_id = ${campaignId} AND r.route IN ('village', 'next')
      GROUP BY 1
    ) needed
    JOIN (
      SELECT DISTINCT ON (g.unit_id) g.unit_id, g.contact_id FROM role_grant g JOIN contact c ON c.id = g.contact_id
      WHERE g.commune_id = ${communeId} AND g.role = 'village_lead' AND g.revoked_at IS NULL AND c.stopped_at IS NULL AND c.erased_at IS NULL
      ORDER BY g.unit_id, c.last_inbound_at DESC, g.id
    ) led ON led.unit_id = needed.village_id`
}

export { BEFORE_ALL }

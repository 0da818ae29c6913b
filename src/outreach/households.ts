import { sql } from 'drizzle-orm'
import type { DbOrTx } from '../db/connect.ts'

/** A household with somebody who has registered and not finished this year, and how it can be reached. */
export type Behind = {
  /** `h12`, or `p34` for a person without a household. */
  subject: string
  villageId: number
  /** The head's name, else the first of the members behind. */
  name: string
  /** Names of those who have not finished. */
  members: string[]
  memberIds: number[]
  /** Of the one written to, where that is the only one behind. */
  answered: number | undefined
  criteriaSet: string | undefined
  /** Last word of anybody of the household; absent where nobody has a chat. */
  lastWordAt: Date | undefined
  contactId: number | undefined
  /** When there was a last sign of life: a word, or the registration. */
  silentSince: Date
}

export type BehindArgs = {
  communeId: number
  year: number
  villageId?: number
  subject?: string
  /** Only chats that may be written to and whose last word was between these moments. */
  lastWord?: { from: Date; to: Date }
  /** Only where there has been no sign of life since. */
  silentSince?: Date
  limit?: number
}

/**
 * Households behind, the longest silent first. One contact stands for each: the one who wrote last. Left out is whoever a leader has dealt
 * with this year (`household_step`); where they only asked for another reminder, the household has as long again to answer it.
 */
export async function findBehind(db: DbOrTx, args: BehindArgs): Promise<Behind[]> {
  const { communeId, year } = args
  const rows = await db.execute<{
    subject: string
    village_id: string
    name: string
    members: string[]
    member_ids: string[]
    answered: number | null
    criteria_set: string | null
    last_word: string | null
    contact_id: string | null
    silent_since: string
  }>(sql`
    WITH member AS (
      SELECT p.id, p.name, p.village_id, p.household_id, p.created_at, n.answered, n.criteria_set,
        CASE WHEN p.household_id IS NULL THEN 'p' || p.id ELSE 'h' || p.household_id END AS subject,
        n.id IS NULL OR n.status = 'dang_tu_danh_gia' AS behind
      FROM person p
      LEFT JOIN nomination n ON n.commune_id = p.commune_id AND n.year = ${year} AND n.title = 'CDHT' AND n.subject_id = p.id
      WHERE p.commune_id = ${communeId} AND p.source <> 'roster'
        ${args.villageId === undefined ? sql`` : sql`AND p.village_id = ${args.villageId}`}
    ), home AS (
      SELECT m.subject, min(m.village_id) AS village_id,
        array_agg(m.name ORDER BY m.id) FILTER (WHERE m.behind) AS members,
        array_agg(m.id::text ORDER BY m.id) FILTER (WHERE m.behind) AS member_ids,
        min(m.answered) FILTER (WHERE m.behind) AS answered,
        min(m.criteria_set) FILTER (WHERE m.behind) AS criteria_set,
        min(m.household_id) AS household_id,
        max(m.created_at) AS created_at
      FROM member m GROUP BY m.subject HAVING bool_or(m.behind)
    ), reach AS (
      SELECT DISTINCT ON (m.subject) m.subject, c.id AS contact_id, c.last_inbound_at, c.stopped_at IS NULL AND c.unreachable_class IS NULL AS open
      FROM member m JOIN contact c ON c.commune_id = ${communeId} AND c.person_id = m.id AND c.erased_at IS NULL
      ORDER BY m.subject, c.last_inbound_at DESC, c.id
    )
    SELECT home.subject, home.village_id, coalesce(h.head_name, home.members[1]) AS name, home.members, home.member_ids, home.answered, home.criteria_set,
      reach.contact_id, reach.last_inbound_at::text AS last_word, greatest(reach.last_inbound_at, home.created_at)::text AS silent_since
    FROM home LEFT JOIN reach USING (subject) LEFT JOIN household h ON h.id = home.household_id
    WHERE NOT EXISTS (
        SELECT 1 FROM household_step s
        WHERE s.commune_id = ${communeId} AND s.year = ${year} AND s.subject = home.subject AND s.act <> 'again')
      ${args.subject === undefined ? sql`` : sql`AND home.subject = ${args.subject}`}
      ${
        args.lastWord
          ? sql`AND reach.open AND reach.last_inbound_at BETWEEN ${args.lastWord.from.toISOString()}::timestamptz AND ${args.lastWord.to.toISOString()}::timestamptz`
          : sql``
      }
      ${
        args.silentSince
          ? sql`AND greatest(reach.last_inbound_at, home.created_at) <= ${args.silentSince.toISOString()}::timestamptz
              AND NOT EXISTS (
                SELECT 1 FROM household_step s
                WHERE s.commune_id = ${communeId} AND s.year = ${year} AND s.subject = home.subject AND s.act = 'again' AND s.at > ${args.silentSince.toISOString()}::timestamptz)`
          : sql``
      }
    ORDER BY greatest(reach.last_inbound_at, home.created_at), home.subject
    LIMIT ${args.limit ?? 1_000}`)
  return rows.map((row) => ({
    subject: row.subject,
    villageId: Number(row.village_id),
    name: row.name,
    members: row.members,
    memberIds: row.member_ids.map(Number),
    answered: row.members.length === 1 ? (row.answered ?? undefined) : undefined,
    criteriaSet: row.criteria_set ?? undefined,
    lastWordAt: row.last_word === null ? undefined : new Date(row.last_word),
    contactId: row.contact_id === null ? undefined : Number(row.contact_id),
    silentSince: new Date(row.silent_since),
  }))
}

/** How many reminders a household got in the last seven days and in this year's round; those that never left do not count. */
export async function remindersOf(
  db: DbOrTx,
  { communeId, subject, year, now }: { communeId: number; subject: string; year: number; now: Date },
): Promise<{ week: number; round: number }> {
  const weekAgo = new Date(now.getTime() - 7 * 86_400_000).toISOString()
  const [row] = await db.execute<{ week: number; round: number }>(sql`
    SELECT count(*) FILTER (WHERE r.created_at > ${weekAgo}::timestamptz)::int AS week, count(*)::int AS round
    FROM reminder r LEFT JOIN outbound_message o ON o.id = r.outbound_id
    WHERE r.commune_id = ${communeId} AND r.subject = ${subject} AND r.year = ${year}
      AND coalesce(o.status, 'waiting') NOT IN ('skipped', 'cancelled', 'failed', 'expired')`)
  return row ?? { week: 0, round: 0 }
}

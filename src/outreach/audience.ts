import type { PendingQuery, Row, Sql, TransactionSql } from 'postgres'
import type { AudienceRule, CampaignRoutes, recipient } from '../db/schema.ts'
import type { Settings } from '../registry/settings.ts'

/** The way a person is reached, decided from data when the audience is frozen. */
export type Route = (typeof recipient.$inferSelect)['route']

export type AudienceArgs = {
  communeId: number
  rule: AudienceRule
  routes: CampaignRoutes
  /** Of the commune. */
  settings: Settings
  now: Date
}

/** Whom a rule reaches and whom not, before anything is stored. */
export type AudiencePreview = {
  /** Rows the ledger will have. */
  people: number
  /** Messages that go out at once. */
  now: number
  routes: Partial<Record<Route, number>>
  /** Why people are not written to. */
  reasons: { reason: string; n: number }[]
  villages: {
    villageId: number | null
    code: string
    /** "bản Nà Đa"; empty for chats of people who are not registered and came by no village's code. */
    title: string
    people: number
    routes: Partial<Record<Route, number>>
    reasons: { reason: string; n: number }[]
  }[]
  /** Of `now`: beyond the free part of the window. */
  billed: number
  /** Of `now`: templates by phone that are paid for. */
  billedTemplates: number
  accounts: { accountId: number; messages: number }[]
}

type Sqlish = Sql | TransactionSql
type Fragment = PendingQuery<Row[]>

const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS

/**
 * The audience as rows (person_id, village_id, contact_id, account_id, status, route, class, billed), one a person: the rule's people and
 * the chats of those who have not registered, each with the way that reaches them at `now`. Preview and start use this same query, so
 * what was counted is what is frozen.
 */
export function audienceRows(sql: Sqlish, { communeId, rule, routes, settings, now }: AudienceArgs): Fragment {
  const freeSince = new Date(now.getTime() - settings.get('account.free_window_hours') * HOUR_MS).toISOString()
  const openSince = routes.billedWindow ? new Date(now.getTime() - WEEK_MS).toISOString() : freeSince
  const villages = rule.unitIds
    ? sql`IN (SELECT id FROM unit WHERE id IN ${ids(sql, rule.unitIds)} OR parent_id IN ${ids(sql, rule.unitIds)})`
    : undefined
  const withChats = rule.groups === undefined && (rule.state === undefined || rule.state === 'not_registered')
  const year = rule.year ?? now.getUTCFullYear()
  return sql`
    WITH chat AS (
      -- Of several chats of one person: a DỪNG counts for all of them, then the one that is open, the latest
      SELECT DISTINCT ON (person_id) c.person_id, c.id AS contact_id, c.account_id, c.follows, c.last_inbound_at, c.unreachable_class, ${chatFacts(sql, communeId, openSince)}
      FROM contact c WHERE c.commune_id = ${communeId} AND c.person_id IS NOT NULL AND c.erased_at IS NULL ${channel(sql, rule, communeId)}
      ORDER BY person_id, is_stopped DESC, is_reachable DESC, is_open DESC, is_telegram, last_inbound_at DESC, contact_id
    ), leader AS (
      SELECT r.unit_id FROM role_grant r JOIN contact c ON c.id = r.contact_id
      WHERE ${routes.villageNotice} AND r.commune_id = ${communeId} AND r.role = 'village_lead' AND r.revoked_at IS NULL
        AND c.stopped_at IS NULL AND c.erased_at IS NULL
    ), phone_account AS (
      SELECT min(id) AS id FROM account WHERE commune_id = ${communeId} AND channel = 'zalo'
    ), had AS (${recentlyWritten(sql, communeId, now, settings)}
    ), chosen AS (
      SELECT p.id AS person_id, p.village_id, p.phone_enc IS NOT NULL AS has_phone, chat.contact_id, chat.account_id,
        chat.follows, chat.last_inbound_at, chat.unreachable_class, chat.is_stopped, chat.is_reachable, chat.is_telegram, chat.is_open, false AS has_declined
      FROM person p ${rule.channel ? sql`JOIN` : sql`LEFT JOIN`} chat ON chat.person_id = p.id
      ${nominationJoin(sql, rule, year)}
      WHERE p.commune_id = ${communeId} ${villages ? sql`AND p.village_id ${villages}` : sql``}
        ${rule.groups ? sql`AND p.group_no IN ${ids(sql, rule.groups)}` : sql``}
        ${personState(sql, rule)} ${exclusions(sql, rule, communeId)}
      ${withChats ? sql`UNION ALL ${unregisteredChats(sql, { communeId, rule, openSince, villages })}` : sql``}
    ), decided AS (
      SELECT chosen.*, CASE
        WHEN is_stopped OR has_declined OR person_id IN (SELECT person_id FROM had) THEN 'none'
        -- The platform brings an article to all who follow: nobody gets a message beside it
        WHEN ${routes.articleId !== undefined} AND follows AND NOT is_telegram THEN 'article'
        WHEN is_reachable AND is_open THEN CASE WHEN is_telegram THEN 'telegram' ELSE 'now' END
        WHEN ${routes.template !== undefined} AND has_phone THEN 'zbs'
        WHEN is_reachable AND ${routes.nextContactDays > 0} THEN 'next'
        WHEN village_id IN (SELECT unit_id FROM leader) THEN 'village'
        ELSE 'none' END AS route
      -- A fence: without it the way is worked out anew for each column that looks at it
      FROM chosen OFFSET 0
    )
    SELECT person_id, village_id, contact_id,
      CASE WHEN route = 'zbs' THEN (SELECT id FROM phone_account) ELSE account_id END AS account_id,
      CASE WHEN route IN ('village', 'none') THEN 'skipped' ELSE 'waiting' END AS status,
      route,
      CASE
        WHEN route = 'village' THEN 'village_notice'
        WHEN route <> 'none' THEN NULL
        WHEN is_stopped THEN 'stopped'
        WHEN has_declined THEN 'declined'
        WHEN person_id IN (SELECT person_id FROM had) THEN 'ceiling'
        WHEN contact_id IS NULL THEN 'no_chat'
        ELSE coalesce(unreachable_class, 'window_closed') END AS class,
      ((route = 'zbs' AND ${routes.template?.development !== true}) OR (route = 'now' AND last_inbound_at <= ${freeSince}::timestamptz)) AS billed
    FROM decided`
}

/** Of a chat (`c`): whether its person wants nothing more, a message would arrive at all, and one may be sent at this moment. */
function chatFacts(sql: Sqlish, communeId: number, openSince: string): Fragment {
  const isTelegram = onTelegram(sql, communeId)
  return sql`c.stopped_at IS NOT NULL AS is_stopped, c.unreachable_class IS NULL AS is_reachable, ${isTelegram} AS is_telegram,
    ${isTelegram} OR c.last_inbound_at > ${openSince}::timestamptz AS is_open`
}

/** Counts without storing anything. */
export async function previewAudience(sql: Sqlish, args: AudienceArgs): Promise<AudiencePreview> {
  const rows = await sql<
    {
      village_id: string | null
      code: string
      title: string
      account_id: string | null
      route: Route
      class: string | null
      billed: boolean
      n: number
    }[]
  >`
    SELECT counted.village_id, coalesce(u.code, '') AS code, coalesce(u.label || ' ' || u.name, '') AS title, account_id, route, class, billed, n
    FROM (
      SELECT village_id, account_id, route, class, billed, count(*)::int AS n FROM (${audienceRows(sql, args)}) audience GROUP BY 1, 2, 3, 4, 5
    ) counted LEFT JOIN unit u ON u.id = counted.village_id
    ORDER BY u.position NULLS LAST, counted.village_id`
  const all = tally()
  const villages = new Map<string, ReturnType<typeof tally> & { villageId: number | null; code: string; title: string }>()
  const accounts = new Map<number, number>()
  let billed = 0
  let billedTemplates = 0
  let now = 0
  for (const row of rows) {
    const key = row.village_id ?? ''
    const village = villages.get(key) ?? {
      ...tally(),
      villageId: row.village_id === null ? null : Number(row.village_id),
      code: row.code,
      title: row.title,
    }
    villages.set(key, village)
    for (const counts of [all, village]) counts.add(row.route, row.class, row.n)
    if (row.billed && row.route === 'zbs') billedTemplates += row.n
    else if (row.billed) billed += row.n
    if (row.account_id !== null && SENT_AT_ONCE.has(row.route)) {
      now += row.n
      accounts.set(Number(row.account_id), (accounts.get(Number(row.account_id)) ?? 0) + row.n)
    }
  }
  return {
    people: all.people(),
    now,
    routes: all.routes,
    reasons: all.reasons(),
    villages: [...villages.values()].map(({ villageId, code, title, routes, people, reasons }) => ({
      villageId,
      code,
      title,
      people: people(),
      routes,
      reasons: reasons(),
    })),
    billed,
    billedTemplates,
    accounts: [...accounts].map(([accountId, messages]) => ({ accountId, messages })),
  }
}

/** Followers an article would reach who may not be written to, or for whom this campaign is not. */
export async function countUnwantedReaders(sql: Sqlish, args: AudienceArgs): Promise<number> {
  const [row] = await sql<{ n: number }[]>`
    SELECT count(*)::int AS n FROM contact c JOIN account a ON a.id = c.account_id
    WHERE c.commune_id = ${args.communeId} AND a.channel = 'zalo' AND c.follows
      AND c.id NOT IN (SELECT contact_id FROM (${audienceRows(sql, args)}) audience WHERE route = 'article')`
  return row?.n ?? 0
}

/** Ways on which a message leaves as soon as the pace allows. */
export const SENT_AT_ONCE: ReadonlySet<Route> = new Set<Route>(['now', 'met', 'telegram', 'zbs'])

function tally() {
  const routes: Partial<Record<Route, number>> = {}
  const classes = new Map<string, number>()
  return {
    routes,
    add(route: Route, reason: string | null, n: number) {
      routes[route] = (routes[route] ?? 0) + n
      if (reason !== null) classes.set(reason, (classes.get(reason) ?? 0) + n)
    },
    people: () => Object.values(routes).reduce((sum, n) => sum + n, 0),
    reasons: () => [...classes].map(([reason, n]) => ({ reason, n })).sort((a, b) => b.n - a.n || a.reason.localeCompare(b.reason)),
  }
}

/** A list of ids as PostgreSQL takes it; never empty, so that an empty list matches nobody. */
function ids(sql: Sqlish, list: readonly number[]) {
  return sql(list.length > 0 ? [...list] : [0])
}

function channel(sql: Sqlish, { channel: wanted }: AudienceRule, communeId: number): Fragment {
  if (wanted === undefined) return sql``
  return wanted === 'telegram' ? sql`AND ${onTelegram(sql, communeId)}` : sql`AND NOT ${onTelegram(sql, communeId)}`
}

/** Whether a chat (`c`) is on Telegram. The few accounts are looked up once, and not joined to every chat. */
function onTelegram(sql: Sqlish, communeId: number): Fragment {
  return sql`(c.account_id = ANY (ARRAY(SELECT id FROM account WHERE commune_id = ${communeId} AND channel = 'telegram')))`
}

function nominationJoin(sql: Sqlish, rule: AudienceRule, year: number): Fragment {
  if (rule.state === undefined || rule.state === 'not_registered') return sql``
  return sql`LEFT JOIN nomination n ON n.commune_id = p.commune_id AND n.year = ${year} AND n.title = 'CDHT' AND n.subject_id = p.id`
}

function personState(sql: Sqlish, { state, question }: AudienceRule): Fragment {
  switch (state) {
    case undefined:
      return sql``
    case 'not_registered':
      return sql`AND p.source = 'roster'`
    case 'not_begun':
      return sql`AND p.source <> 'roster' AND n.id IS NULL`
    case 'not_finished':
      return sql`AND p.source <> 'roster' AND (n.id IS NULL OR n.status = 'dang_tu_danh_gia')`
    case 'question_open':
      return sql`AND n.status = 'dang_tu_danh_gia'
        AND NOT EXISTS (SELECT 1 FROM answer a WHERE a.commune_id = n.commune_id AND a.nomination_id = n.id AND a.question = ${question ?? ''})`
    case 'finished':
      return sql`AND n.status = 'da_tu_danh_gia'`
    default:
      return state satisfies never
  }
}

function exclusions(sql: Sqlish, { exclude }: AudienceRule, communeId: number): Fragment {
  if (!exclude) return sql``
  const { unitIds, personIds, groups, campaignIds } = exclude
  return sql`
    ${unitIds ? sql`AND p.village_id NOT IN ${ids(sql, unitIds)}` : sql``}
    ${personIds ? sql`AND p.id NOT IN ${ids(sql, personIds)}` : sql``}
    ${groups ? sql`AND p.group_no NOT IN ${ids(sql, groups)}` : sql``}
    ${campaignIds ? notSent(sql, communeId, campaignIds, sql`p.id`) : sql``}`
}

/** Whoever received none of these campaigns. */
function notSent(sql: Sqlish, communeId: number, campaignIds: readonly number[], person: Fragment): Fragment {
  return sql`AND NOT EXISTS (SELECT 1 FROM recipient r WHERE r.commune_id = ${communeId} AND r.campaign_id IN ${ids(sql, campaignIds)}
    AND r.person_id = ${person} AND r.status IN ('sent', 'uncertain'))`
}

/** Chats of people who wrote and have not registered; who said no to the consent is asked for nothing more. */
function unregisteredChats(
  sql: Sqlish,
  { communeId, rule, openSince, villages }: { communeId: number; rule: AudienceRule; openSince: string; villages: Fragment | undefined },
): Fragment {
  return sql`
    SELECT -c.id, c.came_by_unit_id, false, c.id, c.account_id, c.follows, c.last_inbound_at, c.unreachable_class, ${chatFacts(sql, communeId, openSince)},
      (SELECT k.decision FROM consent k WHERE k.commune_id = c.commune_id AND k.contact_id = c.id ORDER BY k.id DESC LIMIT 1) IS NOT DISTINCT FROM 'declined'
    FROM contact c
    WHERE c.commune_id = ${communeId} AND c.person_id IS NULL AND c.erased_at IS NULL ${channel(sql, rule, communeId)}
      ${villages ? sql`AND c.came_by_unit_id ${villages}` : sql``}
      ${rule.exclude?.unitIds ? sql`AND (c.came_by_unit_id IS NULL OR c.came_by_unit_id NOT IN ${ids(sql, rule.exclude.unitIds)})` : sql``}
      ${rule.exclude?.campaignIds ? notSent(sql, communeId, rule.exclude.campaignIds, sql`-c.id`) : sql``}`
}

/** Whoever got as many campaigns in the last seven days as one may. */
function recentlyWritten(sql: Sqlish, communeId: number, now: Date, settings: Settings): Fragment {
  const since = new Date(now.getTime() - WEEK_MS).toISOString()
  return sql`
    SELECT r.person_id FROM recipient r
    WHERE r.commune_id = ${communeId} AND r.status IN ('sent', 'uncertain') AND coalesce(r.sent_at, r.claimed_at) > ${since}::timestamptz
      AND r.campaign_id IN (
        SELECT id FROM campaign WHERE commune_id = ${communeId} AND started_at IS NOT NULL
          AND (finished_at IS NULL OR finished_at > ${since}::timestamptz))
    GROUP BY r.person_id HAVING count(*) >= ${settings.get('campaign.per_week')}`
}

import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { Deps } from '../conversation/deps.ts'
import type { Said } from '../conversation/said.ts'
import { contact as contactTable, digest, person as personTable, roleGrant, unit } from '../db/schema.ts'
import { formatDate, vietnamTime } from '../lib/vietnam-time.ts'
import { getUnit, unitTitle } from '../registry/units.ts'
import { loadStatistics } from '../reports/statistics.ts'
import { atTime, dayOf, isQuietDay, weekday } from './calendar.ts'
import { refOf } from './chat/reminders.ts'
import type { Behind } from './households.ts'
import { findReader, note, post, tap } from './post.ts'
import { reminderRules } from './reminder-rules.ts'
import { findCommunes } from './reminders.ts'
import { findSilent } from './silent-households.ts'
import { staffFor } from './staff.ts'
import { mayStartNow } from './started-gate.ts'
import { ticketFigures } from './tickets.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
// Roles whose chats have to stay open: the bot writes to them first
const WRITTEN_TO = ['village_lead', 'chapter_lead', 'commune_reviewer', 'commune_approver', 'technician', 'data_protection_contact']

/**
 * The day's digests of village leaders, the week's of officers, and the nudge on day 6. Each is written once by its own key (contact,
 * kind, day): run twice or in two processes, nobody gets two. Returns whom to look at.
 */
export async function runDigests(deps: Deps, now: Date): Promise<number[]> {
  const wake: number[] = []
  for (const communeId of await findCommunes(deps)) {
    const { settings } = await deps.communes.get(communeId)
    if (isQuietDay(dayOf(now), settings.get('quiet.days'))) continue
    wake.push(...(await leaderDigests(deps, communeId, now)))
    wake.push(...(await officerSummaries(deps, communeId, now)))
    wake.push(...(await nudges(deps, communeId, now)))
  }
  for (const id of wake) deps.wake(id)
  return wake
}

/**
 * Writes one digest, if this contact may be written to now and has none of the kind for the day; `about` is kept beside it as a kind of its
 * own. Who may not be written to is looked at again.
 */
export async function writeDigest(
  deps: Deps,
  {
    communeId,
    contactId,
    kind,
    about,
    day,
    said,
    now,
  }: { communeId: number; contactId: number; kind: string; about?: string; day: string; said: Said[]; now: Date },
): Promise<boolean> {
  return deps.database.db.transaction(async (tx) => {
    const to = await findReader(tx, contactId)
    const channel = to && (await deps.channelOf(to.contact.accountId))
    if (!to || !channel) return false
    const commune = await deps.communes.get(communeId)
    const gate = mayStartNow({ contact: to.contact, commune, abilities: channel.abilities, cause: 'digest', now })
    if (gate.kind !== 'go') return false
    const [key] = await tx
      .insert(digest)
      .values({ communeId, contactId, kind, day, createdAt: now })
      .onConflictDoNothing()
      .returning({ day: digest.day })
    if (!key) return false
    if (about) await tx.insert(digest).values({ communeId, contactId, kind: about, day, createdAt: now }).onConflictDoNothing()
    const outboundId = await post(deps, tx, { to, cause: 'digest', said, now })
    await tx
      .update(digest)
      .set({ outboundId: outboundId ?? null })
      .where(and(eq(digest.communeId, communeId), eq(digest.contactId, contactId), eq(digest.kind, kind), eq(digest.day, day)))
    return true
  })
}

async function leaderDigests(deps: Deps, communeId: number, now: Date): Promise<number[]> {
  const { leader_digest: rule } = reminderRules
  const { settings } = await deps.communes.get(communeId)
  const day = dayOf(now)
  if (now < atTime(day, rule.at)) return []
  const { db } = deps.database
  const leaders = await db
    .selectDistinct({ contactId: roleGrant.contactId, villageId: roleGrant.unitId })
    .from(roleGrant)
    .where(and(eq(roleGrant.communeId, communeId), eq(roleGrant.role, 'village_lead'), isNull(roleGrant.revokedAt)))
    .orderBy(roleGrant.contactId, roleGrant.unitId)
  const wake: number[] = []
  for (const { contactId, villageId } of leaders) {
    const { all, homes, afterHours } = await findSilent(db, { communeId, villageId, settings, now })
    if (all.length === 0 || !(await isNews(deps, contactId, villageId, all, now, afterHours))) continue
    const village = unitTitle(await getUnit(db, villageId))
    const said: Said[] = [
      note('digest.leader', { village, total: all.length, date: formatDate(now) }),
      ...(all.length > homes.length ? [note('digest.more', { rest: all.length - homes.length })] : []),
      ...homes.map(({ subject, label }) => tap(refOf(subject), 'show', label.key, label.params)),
      tap('window_0', 'keep', 'digest.seen'),
    ]
    // One a day, also for who leads two villages: the other's turn is tomorrow
    const args = { communeId, contactId, kind: 'leader', about: `leader:${villageId}`, day, said, now }
    if (await writeDigest(deps, args)) wake.push(contactId)
  }
  return wake
}

/** Somebody has fallen silent since the last digest of this village, or it is long ago. */
async function isNews(deps: Deps, contactId: number, villageId: number, homes: Behind[], now: Date, afterHours: number): Promise<boolean> {
  const [last] = await deps.database.db.execute<{ at: string | null }>(
    sql`SELECT max(created_at)::text AS at FROM digest WHERE contact_id = ${contactId} AND kind = ${`leader:${villageId}`}`,
  )
  if (!last?.at) return true
  const lastAt = new Date(last.at).getTime()
  if (now.getTime() - lastAt >= reminderRules.leader_digest.again_after_days * DAY_MS - HOUR_MS) return true
  return homes.some((home) => home.silentSince.getTime() + afterHours * HOUR_MS > lastAt)
}

async function officerSummaries(deps: Deps, communeId: number, now: Date): Promise<number[]> {
  const { officer_summary: rule } = reminderRules
  const day = dayOf(now)
  if (weekday(day) !== rule.weekday || now < atTime(day, rule.at)) return []
  const { db } = deps.database
  const officers = await staffFor(db, 'reminders', [communeId])
  if (officers.length === 0) return []
  const year = vietnamTime(now).year
  const figures = await loadStatistics(db, await getUnit(db, communeId), { year, now })
  const behind = figures.furthestBehind.filter((item) => item.finished.y > 0 && item.finished.x < item.finished.y).slice(0, rule.villages)
  const closed = await closedChats(deps, communeId, now)
  const tickets = await ticketFigures(db, communeId, now)
  const gone = await findGone(deps, communeId, year)
  const said: Said[] = [
    note('summary.head', { date: formatDate(now), finished: `${figures.citizens.finished.x}/${figures.citizens.finished.y}` }),
    ...(behind.length > 0
      ? [
          note('summary.behind', {
            lines: behind.map((item) => `• ${item.village.name}: ${item.finished.x}/${item.finished.y}`).join('\n'),
          }),
        ]
      : []),
    ...(closed.villages.length > 0
      ? [note('summary.closed', { total: closed.villages.length, names: closed.villages.slice(0, rule.leaders).join(', ') })]
      : []),
    ...(closed.others.length > 0
      ? [note('summary.closed_others', { total: closed.others.length, names: closed.others.slice(0, rule.leaders).join(', ') })]
      : []),
    note('summary.tickets', { open: tickets.open, late: tickets.late }),
    ...(gone.length > 0
      ? [
          note('summary.gone', {
            total: gone.length,
            names: gone.slice(0, rule.leaders).join(', '),
            rest: Math.max(0, gone.length - rule.leaders),
          }),
        ]
      : []),
    ...(tickets.open > 0 ? [tap('tickets_0', 'list', 'ticket.waiting_n', { total: tickets.open })] : []),
    tap('window_0', 'keep', 'digest.seen'),
  ]
  const wake: number[] = []
  for (const { contactId } of officers) {
    if (await writeDigest(deps, { communeId, contactId, kind: 'summary', day, said, now })) wake.push(contactId)
  }
  return wake
}

/** Households of which a leader said this year that they are no longer here, the latest first: "Lò Văn Pâng (Nà Đa)". */
async function findGone({ database }: Deps, communeId: number, year: number): Promise<string[]> {
  const rows = await database.db.execute<{ name: string; village: string }>(sql`
    SELECT coalesce(h.head_name, p.name) AS name, u.name AS village
    FROM (SELECT subject, max(at) AS at, min(village_id) AS village_id FROM household_step
      WHERE commune_id = ${communeId} AND year = ${year} AND act = 'gone' GROUP BY subject) s
    LEFT JOIN household h ON s.subject = 'h' || h.id AND h.commune_id = ${communeId}
    LEFT JOIN person p ON s.subject = 'p' || p.id AND p.commune_id = ${communeId}
    JOIN unit u ON u.id = s.village_id
    WHERE coalesce(h.head_name, p.name) IS NOT NULL
    ORDER BY s.at DESC`)
  return rows.map(({ name, village }) => `${name} (${village})`)
}

type Staff = {
  contactId: number
  accountId: number
  role: string
  villageId: number | null
  place: string
  name: string | null
  lastMs: number
  stopped: boolean
}

/** Whoever the bot has to be able to write to, each role once, villages in their order. */
async function staffOf({ database }: Deps, communeId: number): Promise<Staff[]> {
  const rows = await database.db
    .select({
      contactId: contactTable.id,
      accountId: contactTable.accountId,
      role: roleGrant.role,
      unitId: unit.id,
      level: unit.level,
      place: unit.name,
      name: personTable.name,
      lastInboundAt: contactTable.lastInboundAt,
      stoppedAt: contactTable.stoppedAt,
    })
    .from(roleGrant)
    .innerJoin(contactTable, eq(contactTable.id, roleGrant.contactId))
    .innerJoin(unit, eq(unit.id, roleGrant.unitId))
    .leftJoin(personTable, and(eq(personTable.communeId, contactTable.communeId), eq(personTable.id, contactTable.personId)))
    .where(and(eq(contactTable.communeId, communeId), inArray(roleGrant.role, WRITTEN_TO), isNull(roleGrant.revokedAt)))
    .orderBy(unit.position, roleGrant.id)
  return rows.map(({ unitId, level, lastInboundAt, stoppedAt, ...row }) => ({
    ...row,
    villageId: level === 'thon_ban' && row.role === 'village_lead' ? unitId : null,
    lastMs: lastInboundAt.getTime(),
    stopped: stoppedAt !== null,
  }))
}

/** Until when this contact may be written to, ms; undefined where the platform has no such window. */
async function closesAt(deps: Deps, { accountId, lastMs }: Staff): Promise<number | undefined> {
  const windowMs = (await deps.channelOf(accountId))?.abilities.sendWindowMs
  return typeof windowMs === 'number' ? lastMs + windowMs : undefined
}

/** Villages none of whose leaders can be written to any more, and everybody else of the staff who cannot, by name and role. */
async function closedChats(deps: Deps, communeId: number, now: Date): Promise<{ villages: string[]; others: string[] }> {
  const villages = new Map<number, { name: string; open: boolean }>()
  const others = new Map<number, string>()
  for (const one of await staffOf(deps, communeId)) {
    const end = await closesAt(deps, one)
    const open = !one.stopped && (end === undefined || end > now.getTime())
    if (one.villageId !== null) {
      const known = villages.get(one.villageId)
      villages.set(one.villageId, { name: one.place, open: open || (known?.open ?? false) })
    } else if (!open && !others.has(one.contactId)) {
      const role = deps.content.texts.vi.format({ key: `role.${one.role}` }, {})
      others.set(one.contactId, one.name === null ? role : `${one.name} (${role})`)
    }
  }
  return { villages: [...villages.values()].filter((village) => !village.open).map(({ name }) => name), others: [...others.values()] }
}

/** Whoever the bot has to be able to write to and has been silent for six days is asked for a tap. */
async function nudges(deps: Deps, communeId: number, now: Date): Promise<number[]> {
  const after = reminderRules.window_nudge.after_hours * HOUR_MS
  const wake: number[] = []
  const asked = new Set<number>()
  for (const one of await staffOf(deps, communeId)) {
    const { contactId, lastMs } = one
    const end = await closesAt(deps, one)
    if (end === undefined || end <= now.getTime() || now.getTime() - lastMs < after || asked.has(contactId)) continue
    asked.add(contactId)
    const said = [note('window.nudge', { date: formatDate(new Date(end)) }), tap('window_0', 'keep', 'window.keep')]
    // One for each time of silence: its day is the day of the last word
    if (await writeDigest(deps, { communeId, contactId, kind: 'nudge', day: dayOf(new Date(lastMs)), said, now })) wake.push(contactId)
  }
  return wake
}

import { and, eq, isNull, sql } from 'drizzle-orm'
import type { Deps } from '../conversation/deps.ts'
import type { Said } from '../conversation/said.ts'
import { hasWord } from '../conversation/words.ts'
import type { Tx } from '../db/connect.ts'
import { account as accountTable, reminder, unit } from '../db/schema.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import { dayOf } from './calendar.ts'
import { type Behind, findBehind, remindersOf } from './households.ts'
import { findReader, note, post, tap } from './post.ts'
import { dueAt, isBilled, isOn, type ReminderRule, reminderRules } from './reminder-rules.ts'
import { mayStartNow } from './started-gate.ts'

const HOUR_MS = 3_600_000
const FREE_MS = 48 * HOUR_MS
const WINDOW_MS = 7 * 24 * HOUR_MS
// A due moment is moved by quiet hours by half a day at most
const MOVED_MS = 16 * HOUR_MS

/** What became of asking for a reminder to one household. */
export type ReminderOutcome =
  | 'written'
  | 'already'
  | 'ceiling'
  | 'no_chat'
  | 'window_closed'
  | 'stopped'
  | 'unreachable'
  | 'quiet'
  | 'not_needed'

/** Communes with an account that people write to. */
export async function findCommunes(deps: Pick<Deps, 'database'>): Promise<number[]> {
  const rows = await deps.database.db
    .selectDistinct({ id: unit.id })
    .from(unit)
    .innerJoin(accountTable, eq(accountTable.communeId, unit.id))
    .where(eq(unit.level, 'xa'))
  return rows.map((row) => row.id)
}

/**
 * Writes the reminders that are due, each by its own key (rule, household, day): run twice or in two processes, nothing comes twice. What
 * is written goes out through the ledger, where the gate is asked once more. Returns whom to look at.
 */
export async function runReminders(deps: Deps, now: Date): Promise<number[]> {
  const wake: number[] = []
  for (const communeId of await findCommunes(deps)) {
    const { settings } = await deps.communes.get(communeId)
    // A tick comes every minute: a burst leaves room for replies
    const most = Math.max(1, Math.floor((settings.perMinute().limit * (100 - settings.get('account.reply_reserve'))) / 200))
    for (const rule of reminderRules.rules) {
      if (rule.to !== 'household' || !isOn(rule, settings)) continue
      const window = rule.billed ? WINDOW_MS : FREE_MS
      const from = new Date(now.getTime() - window)
      const to = new Date(now.getTime() - Math.max(reminderRules.by_hand.least_hours * HOUR_MS, rule.after_hours * HOUR_MS - MOVED_MS))
      const behind = await findBehind(deps.database.db, { communeId, year: vietnamTime(now).year, lastWord: { from, to } })
      let written = 0
      for (const home of behind) {
        if (written >= most) break
        const due = home.lastWordAt && dueAt(rule, home.lastWordAt, settings)
        if (!due || due > now) continue
        const outcome = await deps.database.db.transaction((tx) => writeReminder(deps, tx, { communeId, home, rule: rule.id, due, now }))
        if (outcome !== 'written' || home.contactId === undefined) continue
        written += 1
        wake.push(home.contactId)
      }
    }
  }
  for (const id of wake) deps.wake(id)
  return wake
}

export type WriteArgs = { communeId: number; home: Behind; rule: ReminderRule['id']; due: Date; now: Date }

/** Writes one reminder, if no ceiling and no rule is against it. */
export async function writeReminder(
  deps: Pick<Deps, 'sealer' | 'content' | 'channelOf' | 'communes'>,
  tx: Tx,
  { communeId, home, rule, due, now }: WriteArgs,
): Promise<ReminderOutcome> {
  if (home.contactId === undefined) return 'no_chat'
  const { year } = vietnamTime(now)
  const to = await findReader(tx, home.contactId)
  if (!to) return 'no_chat'
  const commune = await deps.communes.get(communeId)
  const channel = await deps.channelOf(to.contact.accountId)
  if (!channel) return 'unreachable'
  // One household at a time: the ceiling is counted under this lock
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtext(${`reminder:${communeId}:${home.subject}`}))`)
  const sent = await remindersOf(tx, { communeId, subject: home.subject, year, now })
  if (sent.week >= commune.settings.get('reminder.per_week') || sent.round >= commune.settings.get('reminder.per_round')) return 'ceiling'
  const gate = mayStartNow({ contact: to.contact, commune, abilities: channel.abilities, cause: 'reminder', isBilled: isBilled(rule), now })
  if (gate.kind === 'no') {
    if (gate.reason === 'stopped') return 'stopped'
    return gate.reason === 'window_closed' ? 'window_closed' : 'unreachable'
  }
  if (gate.kind === 'later') return 'quiet'
  const [key] = await tx
    .insert(reminder)
    .values({
      communeId,
      rule,
      subject: home.subject,
      dueOn: dayOf(due),
      year,
      villageId: home.villageId,
      contactId: home.contactId,
      createdAt: now,
    })
    .onConflictDoNothing()
    .returning({ subject: reminder.subject })
  if (!key) return 'already'
  const outboundId = await post(deps, tx, { to, cause: 'reminder', said: words(deps, home, year, to.name), now })
  await tx
    .update(reminder)
    .set({ outboundId: outboundId ?? null })
    .where(
      and(
        eq(reminder.communeId, communeId),
        eq(reminder.rule, rule),
        eq(reminder.subject, home.subject),
        eq(reminder.dueOn, dayOf(due)),
        isNull(reminder.outboundId),
      ),
    )
  return 'written'
}

function words(deps: Pick<Deps, 'content'>, home: Behind, year: number, reader: string | undefined): Said[] {
  const own = home.members.length === 1 && home.members[0] === reader
  const set = home.criteriaSet === undefined ? undefined : deps.content.sets.get(home.criteriaSet)
  const asked = set?.questions.filter((question) => question.source === 'asked').length ?? 0
  const text =
    own && home.answered !== undefined && home.answered > 0
      ? note('reminder.own_begun', { left: Math.max(0, asked - home.answered), year })
      : own
        ? note('reminder.own', { year })
        : note('reminder.household', { count: home.members.length, names: home.members.slice(0, 4).join(', '), year })
  return [
    text,
    ...(own ? [tap('reminder_0', 'start', home.answered ? 'reminder.go_on' : 'reminder.begin')] : []),
    ...(!own && hasWord('assist') ? [tap('reminder_0', 'assist', 'reminder.assist')] : []),
    tap('reminder_0', 'later', 'reminder.later'),
    tap('reminder_0', 'stop', 'reminder.stop'),
  ]
}

/** A written reminder, looked at as it leaves: whether its household is still behind, and whether it may cost money. */
export async function lookAtReminder(tx: Tx, outboundId: number): Promise<{ isNeeded: boolean; isBilled: boolean }> {
  const [row] = await tx
    .select({ communeId: reminder.communeId, rule: reminder.rule, subject: reminder.subject, year: reminder.year })
    .from(reminder)
    .where(eq(reminder.outboundId, outboundId))
  if (!row) return { isNeeded: true, isBilled: false }
  const behind = await findBehind(tx, { communeId: row.communeId, year: row.year, subject: row.subject, limit: 1 })
  return { isNeeded: behind.length > 0, isBilled: isBilled(row.rule) }
}

import { and, desc, eq, sql } from 'drizzle-orm'
import { findToHelp } from '../../conversation/assist.ts'
import { startFlow } from '../../conversation/run-session.ts'
import { offer, say, type Turn } from '../../conversation/turn.ts'
import { hasWord, runWord } from '../../conversation/words.ts'
import { householdStep } from '../../db/schema.ts'
import { formatDate, formatTime, vietnamTime } from '../../lib/vietnam-time.ts'
import { mayDo, rolesThatMay } from '../../registry/roles.ts'
import { loadSettings, type SettingKey, type Settings, setSetting } from '../../registry/settings.ts'
import { unitPath } from '../../registry/units.ts'
import { addQuietDays, dayOf, endQuietDays, isQuietDay } from '../calendar.ts'
import { type Behind, findBehind } from '../households.ts'
import { isOn, type ReminderRule, reminderRules } from '../reminder-rules.ts'
import { writeReminder } from '../reminders.ts'
import { findSilent } from '../silent-households.ts'
import { nextAllowed } from '../started-gate.ts'
import { unknownTap, waitingTickets } from '../tickets.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const WINDOW_FREE_MS = 48 * HOUR_MS

/** NHẮC: the rules now running, how many households they would reach, and one round by hand through the same gate. */
export async function remind(turn: Turn): Promise<void> {
  if (!turn.commune || rolesThatMay(turn.roles, 'reminders').length === 0) return unknownTap(turn)
  const settings = await loadSettings(turn.tx, turn.contact.communeId)
  say(turn, 'remind.rules', {
    from: settings.get('quiet.from'),
    to: settings.get('quiet.to'),
    week: settings.get('reminder.per_week'),
    round: settings.get('reminder.per_round'),
  })
  for (const rule of reminderRules.rules) {
    say(turn, `remind.rule.${rule.id}`, {
      hours: rule.after_hours,
      state: isOn(rule, settings) ? 'on' : 'off',
      days: Math.round(rule.after_hours / 24),
    })
  }
  const [figures] = await turn.tx.execute<{ week: number; answered: number }>(sql`
    SELECT count(*)::int AS week, count(*) FILTER (WHERE c.last_inbound_at > o.sent_at)::int AS answered
    FROM reminder r JOIN outbound_message o ON o.id = r.outbound_id JOIN contact c ON c.id = r.contact_id
    WHERE r.commune_id = ${turn.contact.communeId} AND o.status = 'sent' AND r.created_at > ${new Date(turn.now.getTime() - 7 * DAY_MS).toISOString()}::timestamptz`)
  const due = await byHand(turn)
  say(turn, 'remind.figures', { week: figures?.week ?? 0, answered: figures?.answered ?? 0, due: due.length })
  const rest = restOf(settings, turn.now)
  if (rest) say(turn, 'remind.resting', rest)
  if (due.length > 0) offer(turn, 'reminder_0', 'now', 'remind.now', { count: due.length })
  for (const rule of reminderRules.rules) offerSwitch(turn, rule, isOn(rule, settings))
  offer(turn, 'reminder_0', rest ? 'rest_end' : 'rest', rest ? 'remind.rest_end' : 'remind.rest', { days: reminderRules.rest_days })
  const waiting = await waitingTickets(turn)
  if (waiting.length > 0) offer(turn, 'tickets_0', 'list', 'ticket.waiting_n', { total: waiting.length })
}

function offerSwitch(turn: Turn, { id }: ReminderRule, on: boolean): void {
  offer(turn, 'reminder_0', `${on ? 'off' : 'on'}_${id}`, on ? 'remind.switch_off' : 'remind.switch_on', {
    rule: { key: `remind.short.${id}` },
  })
}

/** Until when nothing is started that officers have not asked for again; undefined outside of days they set. */
function restOf(settings: Settings, now: Date): { time: string; date: string } | undefined {
  const days = settings.get('quiet.days')
  if (!isQuietDay(dayOf(now), days)) return undefined
  const at = nextAllowed(now, settings)
  return at && { time: formatTime(at), date: formatDate(at) }
}

/** An officer switches a rule on or off for the commune. */
async function switchRule(turn: Turn, act: string): Promise<void> {
  const [, on, id] = /^(on|off)_(.+)$/.exec(act) ?? []
  const rule = reminderRules.rules.find((item) => item.id === id)
  if (!rule || !mayChange(turn)) return unknownTap(turn)
  const isNowOn = on === 'on'
  await change(turn, `reminders.${rule.id}`, isNowOn ? 'yes' : 'no')
  say(turn, isNowOn ? 'remind.switched_on' : 'remind.switched_off', { rule: { key: `remind.short.${rule.id}` } })
  offerSwitch(turn, rule, isNowOn)
}

/** Mourning, a flood: for some days nothing is started; or it is over. */
async function rest(turn: Turn, isEnd: boolean): Promise<void> {
  if (!mayChange(turn)) return unknownTap(turn)
  const days = (await loadSettings(turn.tx, turn.contact.communeId)).get('quiet.days')
  const today = dayOf(turn.now)
  await change(turn, 'quiet.days', isEnd ? endQuietDays(days, today) : addQuietDays(days, today, reminderRules.rest_days).days)
  const resting = restOf(await loadSettings(turn.tx, turn.contact.communeId), turn.now)
  if (!resting) return say(turn, 'remind.rest_over')
  say(turn, 'remind.rest_said', resting)
  offer(turn, 'reminder_0', 'rest_end', 'remind.rest_end')
  offer(turn, 'reminder_0', 'rest', 'remind.rest_more', { days: reminderRules.rest_days })
}

const mayChange = (turn: Turn): boolean => rolesThatMay(turn.roles, 'reminders').length > 0

function change(turn: Turn, key: SettingKey, value: string): Promise<void> {
  const { tx, contact, now } = turn
  return setSetting(tx, { unitId: contact.communeId, key, value, actor: `contact:${contact.id}`, now })
}

/** Households a reminder by hand may go to: silent for a day, and still free to write to. */
async function byHand(turn: Turn): Promise<Behind[]> {
  return findBehind(turn.tx, {
    communeId: turn.contact.communeId,
    year: vietnamTime(turn.now).year,
    lastWord: {
      from: new Date(turn.now.getTime() - WINDOW_FREE_MS),
      to: new Date(turn.now.getTime() - reminderRules.by_hand.least_hours * HOUR_MS),
    },
  })
}

/** A tap under a reminder, or the officer's "send now". */
export async function actOnReminder(turn: Turn, _id: number, act: string): Promise<void> {
  switch (act) {
    case 'start':
      return runWord(turn, 'start', undefined)
    case 'assist':
      return runWord(turn, 'assist', undefined)
    case 'later':
      return say(turn, 'reminder.later_said')
    case 'stop':
      return runWord(turn, 'stop', undefined)
    case 'now':
      return sendByHand(turn)
    case 'rest':
    case 'rest_end':
      return rest(turn, act === 'rest_end')
    default:
      return switchRule(turn, act)
  }
}

async function sendByHand(turn: Turn): Promise<void> {
  if (rolesThatMay(turn.roles, 'reminders').length === 0) return unknownTap(turn)
  const counts = { written: 0, ceiling: 0, quiet: 0, other: 0 }
  const open = await openingTime(turn)
  for (const home of await byHand(turn)) {
    const outcome = await writeReminder(turn.deps, turn.tx, {
      communeId: turn.contact.communeId,
      home,
      rule: 'by_hand',
      due: turn.now,
      now: turn.now,
    })
    if (outcome === 'written' && home.contactId !== undefined) turn.wake.add(home.contactId)
    if (outcome === 'written' || outcome === 'ceiling' || outcome === 'quiet') counts[outcome] += 1
    else counts.other += 1
  }
  say(turn, 'remind.sent', { ...counts, ...open })
}

/** When messages we start may go out again. */
async function openingTime(turn: Turn): Promise<{ time: string; date: string }> {
  const at = nextAllowed(turn.now, await loadSettings(turn.tx, turn.contact.communeId)) ?? turn.now
  return { time: formatTime(at), date: formatDate(at) }
}

/** A tap in a leader's digest: on a household (`home_12`) or on a person without one (`solo_34`). */
export function actOnHousehold(turn: Turn, id: number, act: string): Promise<void> {
  return actOnSubject(turn, `h${id}`, act)
}
export function actOnSolo(turn: Turn, id: number, act: string): Promise<void> {
  return actOnSubject(turn, `p${id}`, act)
}

/** "h12" → "home_12" */
export const refOf = (subject: string): string => `${subject.startsWith('h') ? 'home' : 'solo'}_${subject.slice(1)}`

const UNDO = 'undo'
const STEPS = ['visited', 'again', 'assist', 'gone'] as const
type Step = (typeof STEPS)[number]
const isStep = (act: string): act is Step => (STEPS as readonly string[]).includes(act)

async function actOnSubject(turn: Turn, subject: string, act: string): Promise<void> {
  if (act === UNDO) return undo(turn, subject)
  const { tx, contact, now } = turn
  const { year } = vietnamTime(now)
  const [home] = await findBehind(tx, { communeId: contact.communeId, year, subject, limit: 1 })
  if (!home) return say(turn, 'ladder.settled')
  if (!mayDo(turn.roles, 'not_done', await unitPath(tx, home.villageId))) return unknownTap(turn)
  const days = Math.max(0, Math.floor((now.getTime() - home.silentSince.getTime()) / DAY_MS))
  if (act === 'show') {
    say(turn, 'ladder.home', {
      name: home.name,
      names: home.members.join(', '),
      count: home.members.length,
      days,
      chat: home.contactId === undefined ? 'no' : 'yes',
    })
    for (const step of STEPS) {
      if (step === 'again' && home.contactId === undefined) continue
      if (step === 'assist' && !hasWord('assist')) continue
      offer(turn, refOf(subject), step, `ladder.${step}`)
    }
    return
  }
  if (!isStep(act)) return unknownTap(turn)
  if (act === 'again') {
    const outcome = await writeReminder(turn.deps, tx, { communeId: contact.communeId, home, rule: 'leader', due: now, now })
    if (outcome === 'written' && home.contactId !== undefined) turn.wake.add(home.contactId)
    // Kept also where no message may go: the leader knows now, and has time to go there
    say(turn, 'ladder.again_said', { name: home.name, outcome, ...(await openingTime(turn)) })
  }
  await tx
    .insert(householdStep)
    .values({ communeId: contact.communeId, villageId: home.villageId, subject, year, act, byContactId: contact.id, at: now })
  if (act === 'assist') return assistHome(turn, home)
  if (act !== 'again') {
    say(turn, `ladder.${act}_said`, { name: home.name })
    offer(turn, refOf(subject), UNDO, 'ladder.undo', { name: home.name })
  }
  return offerOthers(turn, home.villageId)
}

/** Tapped by mistake: what this leader noted last of the household is taken back, and it is reminded as before. */
async function undo(turn: Turn, subject: string): Promise<void> {
  const { tx, contact, now } = turn
  const { year } = vietnamTime(now)
  const mine = and(
    eq(householdStep.communeId, contact.communeId),
    eq(householdStep.subject, subject),
    eq(householdStep.byContactId, contact.id),
  )
  const [last] = await tx
    .select({ id: householdStep.id, villageId: householdStep.villageId })
    .from(householdStep)
    .where(and(mine, eq(householdStep.year, year)))
    .orderBy(desc(householdStep.id))
    .limit(1)
  if (!last || !mayDo(turn.roles, 'not_done', await unitPath(tx, last.villageId))) return unknownTap(turn)
  await tx.delete(householdStep).where(eq(householdStep.id, last.id))
  say(turn, 'ladder.undone')
  return offerOthers(turn, last.villageId)
}

/** What is left to be visited in a village, to go on with. */
async function offerOthers(turn: Turn, villageId: number): Promise<void> {
  const { deps, tx, contact, now } = turn
  const { settings } = await deps.communes.get(contact.communeId)
  const { all, homes } = await findSilent(tx, { communeId: contact.communeId, villageId, settings, now })
  if (all.length === 0) return
  say(turn, 'ladder.left', { total: all.length, rest: all.length - homes.length })
  for (const { label, subject: other } of homes) offer(turn, refOf(other), 'show', label.key, label.params)
}

/** LÀM HỘ for the only one of a household who has not finished; of several it is asked for whom. */
async function assistHome(turn: Turn, { memberIds }: Behind): Promise<void> {
  const [only, second] = memberIds
  const person = only === undefined || second !== undefined || !turn.person ? undefined : await findToHelp(turn, only)
  return person ? startFlow(turn, 'assist', { _assist: 'nguoi_nay', who: person.id }) : runWord(turn, 'assist', undefined)
}

/** "Đã xem", "Vẫn nhận": the tap itself opened the window; nothing else is to be done. */
export async function keepWindow(turn: Turn): Promise<void> {
  say(turn, 'window.kept')
}

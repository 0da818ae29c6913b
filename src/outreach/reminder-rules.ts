import { z } from 'zod'
import remindersFile from '../../flows/reminders.json' with { type: 'json' }
import type { Settings } from '../registry/settings.ts'
import { nextAllowed } from './started-gate.ts'

const Time = z.string().regex(/^\d{2}:\d{2}$/)
export const ReminderRule = z
  .object({
    id: z.string().regex(/^[a-z_]+$/),
    to: z.enum(['household', 'leader']),
    /** After the last word of anybody of the household. */
    after_hours: z.number().positive(),
    between: z.tuple([Time, Time]),
    /** Whether it falls into the billed part of the window. */
    billed: z.boolean(),
    /** Where no officer has switched it: see isOn. */
    enabled: z.boolean(),
  })
  .strict()
export type ReminderRule = z.infer<typeof ReminderRule>

const Rules = z
  .object({
    rules: z.array(ReminderRule),
    leader_digest: z.object({ at: Time, again_after_days: z.number(), names: z.number() }).strict(),
    officer_summary: z.object({ weekday: z.number(), at: Time, villages: z.number(), leaders: z.number() }).strict(),
    window_nudge: z.object({ after_hours: z.number() }).strict(),
    by_hand: z.object({ least_hours: z.number() }).strict(),
    rest_days: z.number().int().positive(),
    note: z.string(),
  })
  .strict()
export const reminderRules = Rules.parse(remindersFile)

/** Whether a rule runs in a commune: as its officers switched it, else as the file has it. */
export function isOn({ id, enabled }: ReminderRule, settings: Pick<Settings, 'get'>): boolean {
  return (settings.get(`reminders.${id}`) ?? (enabled ? 'yes' : 'no')) === 'yes'
}

/** Whether what a rule sends may go out in the part of the window that costs money. */
export const isBilled = (ruleId: string): boolean => reminderRules.rules.some(({ id, billed }) => id === ruleId && billed)

const HOUR_MS = 3_600_000
const FREE_HOURS = 48
const WINDOW_HOURS = 7 * 24
// So much of the window is left when a reminder goes out at the latest
const SLACK_MS = 30 * 60_000
const STEP_MS = 15 * 60_000

/**
 * When a reminder to somebody whose last word was then is due: so many hours later, moved into the hours of the day it may go out, later
 * where the window still allows it, else earlier. Undefined when no such moment exists.
 */
export function dueAt(rule: ReminderRule, lastWord: Date, settings: Pick<Settings, 'get'>): Date | undefined {
  const within = narrowed(settings, rule.between)
  const wanted = new Date(lastWord.getTime() + rule.after_hours * HOUR_MS)
  const latest = lastWord.getTime() + (rule.billed ? WINDOW_HOURS : FREE_HOURS) * HOUR_MS - SLACK_MS
  const later = nextAllowed(wanted, within)
  if (later && later.getTime() <= latest) return later
  const earliest = lastWord.getTime() + reminderRules.by_hand.least_hours * HOUR_MS
  for (let at = wanted.getTime(); at >= earliest; at -= STEP_MS) {
    const moment = new Date(at)
    if (nextAllowed(moment, within)?.getTime() === at) return moment
  }
  return undefined
}

/** The settings with quiet hours widened so that only these hours are open. */
function narrowed(settings: Pick<Settings, 'get'>, [from, to]: readonly [string, string]): Pick<Settings, 'get'> {
  const quietFrom = settings.get('quiet.from')
  const quietTo = settings.get('quiet.to')
  // Quiet hours within one day are an officer's own idea: left as they are
  if (quietFrom <= quietTo) return settings
  return {
    get(key) {
      const value = settings.get(key)
      if (key === 'quiet.from') return (to < quietFrom ? to : quietFrom) as typeof value
      if (key === 'quiet.to') return (from > quietTo ? from : quietTo) as typeof value
      return value
    },
  }
}

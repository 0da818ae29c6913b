import type { DbOrTx } from '../db/connect.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import type { TextRef } from '../model/text.ts'
import type { Settings } from '../registry/settings.ts'
import { type Behind, findBehind } from './households.ts'
import { isOn, reminderRules } from './reminder-rules.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** `all`: longest silent first; `homes`: as many of them as a leader is told at once, with the words of their buttons. */
type Silent = { all: Behind[]; homes: { subject: string; label: TextRef }[]; afterHours: number }

/** Households of a village that are to be visited: behind, and silent for as long as the rule says. None where the rule is off. */
export async function findSilent(
  db: DbOrTx,
  { communeId, villageId, settings, now }: { communeId: number; villageId: number; settings: Settings; now: Date },
): Promise<Silent> {
  const rule = reminderRules.rules.find((item) => item.to === 'leader' && isOn(item, settings))
  if (!rule) return { all: [], homes: [], afterHours: 0 }
  const silentSince = new Date(now.getTime() - rule.after_hours * HOUR_MS)
  const all = await findBehind(db, { communeId, year: vietnamTime(now).year, villageId, silentSince })
  const homes = all.slice(0, reminderRules.leader_digest.names).map((home) => ({
    subject: home.subject,
    label: {
      key: 'digest.home',
      params: {
        name: home.name,
        count: home.members.length,
        days: Math.floor((now.getTime() - home.silentSince.getTime()) / DAY_MS),
      },
    },
  }))
  return { all, homes, afterHours: rule.after_hours }
}

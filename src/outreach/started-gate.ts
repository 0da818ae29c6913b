import type { Abilities } from '../channels/channel.ts'
import type { Commune } from '../conversation/communes.ts'
import type { Cause } from '../conversation/deliver.ts'
import type { ContactRow } from '../conversation/turn.ts'
import { defaultSettings } from '../registry/settings.ts'
import { mayStart, type Quiet, quietUntil } from './gate.ts'

export type Gate = { kind: 'go' } | { kind: 'later'; at: Date } | { kind: 'no'; reason: string }

type Asked = {
  contact: Pick<ContactRow, 'stoppedAt' | 'unreachableClass' | 'erasedAt' | 'lastInboundAt'>
  commune: Pick<Commune, 'settings'> | undefined
  abilities: Pick<Abilities, 'sendWindowMs'>
  cause: Cause
  /** A reminder whose rule may use the part of the window that costs money. */
  isBilled?: boolean
  now: Date
}

// Of the platform's window the first part costs nothing; citizens are reminded within it, unless an officer switched on a rule that is billed
// (price list of Zalo OA)
const FREE_WINDOW_MS = 48 * 3_600_000
// A window that ends within this time may be over when the request arrives
const WINDOW_SLACK_MS = 5 * 60_000
// Nothing that waits so long is still news
const LONGEST_SILENCE_MS = 20 * 24 * 3_600_000

/** Guarantee 7 for one message of ours that is no campaign's: the rules of `gate.ts`, and days on which nothing goes out. */
export function mayStartNow({ contact, commune, abilities, cause, isBilled = false, now }: Asked): Gate {
  const settings = commune?.settings ?? defaultSettings()
  const at = nextAllowed(now, settings)
  if (!at) return { kind: 'no', reason: 'quiet_days' }
  const answer = mayStart({ now: at, contact, windowMs: windowFor(abilities, cause === 'reminder' && !isBilled), quiet: quietOf(settings) })
  if (!answer.may) return { kind: 'no', reason: answer.reason }
  return at > now ? { kind: 'later', at } : { kind: 'go' }
}

/** How long after their last word somebody is written to, ms. Digests of officers and leaders may use the billed part: they are few. */
function windowFor({ sendWindowMs }: Pick<Abilities, 'sendWindowMs'>, isFree: boolean): number | null {
  if (sendWindowMs === null) return null
  return (isFree ? Math.min(FREE_WINDOW_MS, sendWindowMs) : sendWindowMs) - WINDOW_SLACK_MS
}

/** This moment, or the next one outside quiet hours and quiet days; undefined when there is none for weeks. */
export function nextAllowed(at: Date, settings: Pick<Commune['settings'], 'get'>): Date | undefined {
  const next = quietUntil(at, quietOf(settings)) ?? at
  return next.getTime() - at.getTime() > LONGEST_SILENCE_MS ? undefined : next
}

const quietOf = (settings: Pick<Commune['settings'], 'get'>): Quiet => ({
  from: settings.get('quiet.from'),
  to: settings.get('quiet.to'),
  days: settings.get('quiet.days'),
})

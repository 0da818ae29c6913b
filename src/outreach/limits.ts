import type { AccountTraits } from '../db/schema.ts'
import type { Settings } from '../registry/settings.ts'
import type { PaceLimit } from './pace.ts'

export type PacedAccount = { id: number; channel: 'zalo' | 'telegram'; appId: string | null; traits: AccountTraits }

const MINUTE_MS = 60_000
const SECOND_MS = 1_000

/** The limits an account's requests count against: its own first, then its app's. */
export function paceLimits(account: PacedAccount, settings: Settings): PaceLimit[] {
  const reservePercent = settings.get('account.reply_reserve')
  const key = `account:${account.id}`
  if (account.channel === 'telegram') {
    // Telegram's figure is for writing to many; whoever has written is answered without one, and a 429 says when to wait
    return [{ key, limit: settings.get('account.per_second.telegram'), windowMs: SECOND_MS, reservePercent, freesReplies: true }]
  }
  const { limit, assumed } = settings.perMinute()
  return [
    account.traits.perMinute === undefined
      ? { key, limit, windowMs: MINUTE_MS, reservePercent, ...(assumed ? { freesReplies: true } : {}) }
      : { key, limit: account.traits.perMinute, windowMs: MINUTE_MS, reservePercent },
    ...(account.appId
      ? [{ key: `app:${account.appId}`, limit: settings.get('account.per_minute.app'), windowMs: MINUTE_MS, reservePercent: 0 }]
      : []),
  ]
}

/** A refusal that concerns the account, or its app, and not one message: everybody pauses. */
const ASKS_FOR_PAUSE: ReadonlySet<string> = new Set(['rate_limit_account', 'rate_limit_app', 'rate_limited', 'quota_used_up'])

/** Which limit a platform's refusal is about; undefined where it is about the message alone. */
export function limitRefused(limits: readonly PaceLimit[], reason: string): PaceLimit | undefined {
  if (!ASKS_FOR_PAUSE.has(reason)) return undefined
  return reason === 'rate_limit_app' ? limits.at(-1) : limits[0]
}

/** Campaign messages a minute: the account's limit less what is kept for replies. */
export function campaignPerMinute(limits: readonly PaceLimit[]): number {
  return Math.min(...limits.map(({ limit, windowMs, reservePercent }) => (limit * (100 - reservePercent) * MINUTE_MS) / (100 * windowMs)))
}

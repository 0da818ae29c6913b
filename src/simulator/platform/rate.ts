import { type AccountSettings, perMinute } from '../account.ts'
import { APP_RATE_TEXT, OA_RATE_TEXT, Refusal } from '../refusal.ts'

const MINUTE_MS = 60_000
/** requests a minute of one app over all its accounts (zalo.md 4.6) */
export const APP_PER_MINUTE = 4_000

/** Counts calls in minutes of the platform's clock. */
export interface RateLimiter {
  /** Counts one call and answers the headers that tell how much is left; refuses with -32. */
  take(account: AccountSettings, at: number): { limit: number; remain: number; refusal?: Refusal }
}

export function createRateLimiter(options: { appPerMinute: number }): RateLimiter {
  const counts = new Map<string, { minute: number; count: number }>()

  function countOf(key: string, minute: number) {
    let window = counts.get(key)
    if (!window || window.minute !== minute) {
      window = { minute, count: 0 }
      counts.set(key, window)
    }
    return window
  }

  return {
    take(account, at) {
      const minute = Math.floor(at / MINUTE_MS)
      const limit = perMinute(account)
      const app = countOf(`app ${account.appId}`, minute)
      const oa = countOf(`oa ${account.oaId}`, minute)
      if (app.count >= options.appPerMinute)
        return { limit, remain: Math.max(limit - oa.count, 0), refusal: new Refusal(-32, APP_RATE_TEXT) }
      if (oa.count >= limit) return { limit, remain: 0, refusal: new Refusal(-32, OA_RATE_TEXT) }
      app.count++
      oa.count++
      return { limit, remain: limit - oa.count }
    },
  }
}

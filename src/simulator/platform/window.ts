import { localDate, localMonth } from '../local-time.ts'
import { Refusal } from '../refusal.ts'
import type { Account, Person, Thread } from '../world.ts'

const HOUR_MS = 3_600_000
/** consultation messages are free so long after the person's last interaction (zalo.md 4.6) */
export const FREE_WINDOW_MS = 48 * HOUR_MS
/** and possible at all so long */
const WINDOW_MS = 7 * 24 * HOUR_MS
// fixed since 2026-01-01, when replies within 48 hours became unlimited
export const REPLY_QUOTA = '8'

export interface Quota {
  quota_type: 'reply' | 'sub_quota'
  remain: string
  total: string
  expired_date: string
  owner_type: 'OA'
  owner_id: string
}

/** Refuses when nothing at all may go to this person. */
export function checkReachable(person: Person, thread: Thread): void {
  if (person.banned) throw new Refusal(-227)
  // the platform has no code of its own for a blocked account; blocking ends the following
  if (thread.blocked || thread.left) throw new Refusal(-213)
}

/** Refuses a consultation message outside its window; says which quota pays for it, nothing when it is billed to the cloud account. */
export function checkWindow(account: Account, thread: Thread, at: number): Quota | undefined {
  if (thread.muted) throw new Refusal(-244)
  if (thread.lastInteraction === undefined) throw new Refusal(-232)
  const silence = at - thread.lastInteraction
  if (silence > WINDOW_MS) throw new Refusal(-230)
  const owner = { owner_type: 'OA', owner_id: account.settings.oaId } as const
  if (silence <= FREE_WINDOW_MS) {
    const expired_date = localDate(thread.lastInteraction + FREE_WINDOW_MS)
    return { quota_type: 'reply', remain: REPLY_QUOTA, total: REPLY_QUOTA, expired_date, ...owner }
  }
  const quota = subQuota(account, at)
  if (quota.remain !== '0') return { ...quota, remain: String(Number(quota.remain) - 1) }
  if (account.settings.zaloCloud === 'none') throw new Refusal(-320)
  if (account.settings.zaloCloud === 'empty') throw new Refusal(-321)
  return undefined
}

/** Whether the message just allowed is one of the paid kind. */
export function isBilled(quota: Quota | undefined): boolean {
  return quota?.quota_type !== 'reply'
}

/** Billed consultation messages that the package still pays for this month. */
export function subQuota(account: Account, at: number): Quota {
  const total = account.settings.monthlyQuota
  const remain = Math.max(total - (account.billed.get(localMonth(at)) ?? 0), 0)
  return {
    quota_type: 'sub_quota',
    remain: String(remain),
    total: String(total),
    expired_date: monthEnd(at),
    owner_type: 'OA',
    owner_id: account.settings.oaId,
  }
}

function monthEnd(at: number): string {
  const [year, month] = localMonth(at).split('-').map(Number)
  return localDate(Date.UTC(year!, month!, 1) - 12 * HOUR_MS)
}

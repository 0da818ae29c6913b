import { eq } from 'drizzle-orm'
import type { Deps } from '../conversation/deps.ts'
import { account as accountTable, digest, NO_COMMUNE } from '../db/schema.ts'
import { dayOf } from './calendar.ts'
import { paceLimits } from './limits.ts'
import { slowPaces } from './pace.ts'
import { findReader, note, post, tap } from './post.ts'
import { staffFor } from './staff.ts'
import { nextAllowed } from './started-gate.ts'

// Whoever writes now waits so long: less is over before anybody could act
const LONG_MS = 30_000

/**
 * When people's replies alone are more than an account may send, its officers are told, and technicians, once a day: what it means, and
 * what helps. Officers not at night; the word queues with the replies it is about. Safe to repeat.
 */
export async function warnOfSlowPaces(deps: Deps, now: Date): Promise<void> {
  for (const key of await slowPaces(deps.database, LONG_MS)) {
    const accountId = Number(/^account:(\d+)$/.exec(key)?.[1])
    const [account] = accountId ? await deps.database.db.select().from(accountTable).where(eq(accountTable.id, accountId)) : []
    if (!account || account.communeId === NO_COMMUNE) continue
    const { settings } = await deps.communes.get(account.communeId)
    const [limit] = paceLimits(account, settings)
    const isNight = nextAllowed(now, settings)?.getTime() !== now.getTime()
    const technicians = await staffFor(deps.database.db, 'alarms', [account.communeId])
    const officers = isNight ? [] : await staffFor(deps.database.db, 'campaigns', [account.communeId])
    for (const contactId of new Set([...technicians, ...officers].map((one) => one.contactId))) {
      const written = await deps.database.db.transaction(async (tx) => {
        const to = await findReader(tx, contactId)
        const [first] = await tx
          .insert(digest)
          .values({ communeId: account.communeId, contactId, kind: `pace:${account.id}`, day: dayOf(now), createdAt: now })
          .onConflictDoNothing()
          .returning({ day: digest.day })
        if (!to || !first) return false
        const said = [
          note('pace.slow', { limit: limit?.limit ?? 0, seconds: Math.round((limit?.windowMs ?? 0) / 1_000) }),
          tap('window_0', 'keep', 'digest.seen'),
        ]
        return (await post(deps, tx, { to, cause: 'staff', said, now })) !== undefined
      })
      if (written) deps.wake(contactId)
    }
  }
}

import { eq } from 'drizzle-orm'
import type { Channel } from '../channels/channel.ts'
import type { Tx } from '../db/connect.ts'
import { NO_COMMUNE, outboundMessage } from '../db/schema.ts'
import { lookAtReminder } from '../outreach/reminders.ts'
import { type Gate, mayStartNow } from '../outreach/started-gate.ts'
import type { Cause } from './deliver.ts'
import type { Deps } from './deps.ts'
import type { ContactRow, PersonRow } from './turn.ts'

/** What goes out contact by contact; campaigns have a ledger and a sender of their own. */
export const TALK_CAUSES = ['reply', 'staff', 'reminder', 'digest'] as const satisfies readonly Cause[]

/** Messages we start: not caused by what that person wrote in the last 24 hours (contract, section 4). */
export const isStarted = (cause: Cause): boolean => cause === 'reminder' || cause === 'digest' || cause === 'campaign'

type Leaving = { deps: Deps; tx: Tx; now: Date; contact: ContactRow; channel: Channel; person: PersonRow | undefined }

/**
 * Whether a message we start may leave at this moment. It was allowed when it was written; the hour, a DỪNG, or a form finished
 * meanwhile may forbid it now. One that only has to wait gets its new time, one that may not go at all says why in its status.
 */
export async function mayLeave(leaving: Leaving, row: { id: number; cause: Cause }): Promise<boolean> {
  const { deps, tx, now, contact, channel } = leaving
  const reminder = row.cause === 'reminder' ? await lookAtReminder(tx, row.id) : undefined
  if (reminder && !reminder.isNeeded) {
    await tx.update(outboundMessage).set({ status: 'cancelled', class: 'done' }).where(eq(outboundMessage.id, row.id))
    return false
  }
  const commune = contact.communeId === NO_COMMUNE ? undefined : await deps.communes.get(contact.communeId)
  const gate: Gate = mayStartNow({
    contact,
    commune,
    abilities: channel.abilities,
    cause: row.cause,
    isBilled: reminder?.isBilled ?? false,
    now,
  })
  switch (gate.kind) {
    case 'go':
      return true
    case 'later':
      await tx.update(outboundMessage).set({ notBefore: gate.at }).where(eq(outboundMessage.id, row.id))
      return false
    case 'no':
      await tx.update(outboundMessage).set({ status: 'skipped', class: gate.reason }).where(eq(outboundMessage.id, row.id))
      return false
    default:
      return gate satisfies never
  }
}

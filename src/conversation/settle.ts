import { and, asc, eq, inArray, isNotNull } from 'drizzle-orm'
import { livingInstances } from '../db/instance.ts'
import { account as accountTable, contact as contactTable, outboundMessage } from '../db/schema.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import { CLOCK_SLACK_MS, MAX_REPLY_TRIES } from './deliver.ts'
import type { Deps } from './deps.ts'
import { isStarted, TALK_CAUSES } from './started.ts'

/**
 * Finds out what became of messages that were in flight when their process died: the chat itself is asked. What arrived is `sent`, what
 * did not is free to be sent again; where the platform cannot say, a reply is said once more and then left `uncertain`.
 * `busy`: another living process is sending.
 */
export async function settleStranded(deps: Deps, contactId: number): Promise<'settled' | 'busy'> {
  const { db } = deps.database
  const rows = await db
    .select({ message: outboundMessage, contact: contactTable, account: accountTable })
    .from(outboundMessage)
    .innerJoin(contactTable, eq(contactTable.id, outboundMessage.contactId))
    .innerJoin(accountTable, eq(accountTable.id, outboundMessage.accountId))
    .where(
      and(
        eq(outboundMessage.contactId, contactId),
        eq(outboundMessage.status, 'waiting'),
        isNotNull(outboundMessage.claimedBy),
        inArray(outboundMessage.cause, TALK_CAUSES),
      ),
    )
    .orderBy(asc(outboundMessage.id))
  const living = new Set(await livingInstances(deps.database))
  for (const { message, contact, account } of rows) {
    // This process handles one contact at a time: a claim of its own that is met here was left by a failure
    if (message.claimedBy !== null && message.claimedBy !== deps.instance.id && living.has(message.claimedBy)) return 'busy'
    const channel = await deps.channelOf(account.id)
    // Without the account nothing can be asked; without words (erased meanwhile) nothing is left to say
    if (!channel) return 'busy'
    if (!message.bodyEnc) {
      await db.update(outboundMessage).set({ status: 'cancelled', claimedBy: null }).where(eq(outboundMessage.id, message.id))
      continue
    }
    const body = deps.sealer.openJson<OutboundMessage>(message.bodyEnc)
    const claimedMs = message.claimedAt?.getTime() ?? message.createdAt.getTime()
    const found = await channel.findDelivered(contact.channelUserId, body, claimedMs - CLOCK_SLACK_MS)
    const mine = and(
      eq(outboundMessage.id, message.id),
      eq(outboundMessage.status, 'waiting'),
      eq(outboundMessage.claimedBy, message.claimedBy ?? 0),
    )
    if (found.kind === 'delivered' && !(await isRecorded(deps, account.id, found.platformMessageId))) {
      await db
        .update(outboundMessage)
        .set({
          status: 'sent',
          claimedBy: null,
          platformMessageId: found.platformMessageId,
          order: found.order,
          sentAt: new Date(found.atMs),
        })
        .where(mine)
    } else if (isStarted(message.cause) || (found.kind === 'unknown' && message.attempts >= MAX_REPLY_TRIES)) {
      await db.update(outboundMessage).set({ status: 'uncertain', claimedBy: null, class: 'process_died' }).where(mine)
    } else {
      await db.update(outboundMessage).set({ claimedBy: null }).where(mine)
    }
  }
  return 'settled'
}

/** The same words may have been said before: a message found in the chat settles one row only. */
async function isRecorded({ database }: Deps, accountId: number, platformMessageId: string): Promise<boolean> {
  const rows = await database.db
    .select({ id: outboundMessage.id })
    .from(outboundMessage)
    .where(and(eq(outboundMessage.accountId, accountId), eq(outboundMessage.platformMessageId, platformMessageId)))
    .limit(1)
  return rows.length > 0
}

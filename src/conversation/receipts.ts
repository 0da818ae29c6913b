import { and, eq, inArray, sql } from 'drizzle-orm'
import { contact as contactTable, outboundMessage } from '../db/schema.ts'
import type { InboundContent } from '../model/inbound.ts'
import { markCampaignReceipts, settleCampaignEcho } from '../outreach/meet.ts'
import { answeredElsewhere } from '../outreach/tickets.ts'
import type { Turn } from './turn.ts'

// A human of the office is answering: the bot keeps quiet for this contact so long after their last word
const STAFF_QUIET_MS = 2 * 3_600_000

/** The platform says that messages of ours arrived or were read. Kept once, the first time. */
export async function markReceipts(
  { tx, account, contact }: Turn,
  content: Extract<InboundContent, { kind: 'received' | 'seen' }>,
  at: Date,
): Promise<void> {
  if (content.messageIds.length === 0) return
  const ours = and(eq(outboundMessage.accountId, account.id), inArray(outboundMessage.platformMessageId, content.messageIds))
  const [column, set] =
    content.kind === 'received'
      ? [outboundMessage.receivedAt, { receivedAt: sql`coalesce(received_at, ${at.toISOString()}::timestamptz)` }]
      : [outboundMessage.seenAt, { seenAt: sql`coalesce(seen_at, ${at.toISOString()}::timestamptz)` }]
  const found = await tx.update(outboundMessage).set(set).where(ours).returning({ at: column })
  // Not all are of the talk: the others belong to campaigns
  if (found.length < content.messageIds.length) await markCampaignReceipts(tx, contact, content, at)
}

/** The platform's own report of a message from our side. One typed by a human in the platform's tool quiets the bot for this contact. */
export async function settleEcho(turn: Turn, content: Extract<InboundContent, { kind: 'echo' }>, at: Date): Promise<void> {
  const { tx, contact } = turn
  if (content.staffId === undefined) return settleCampaignEcho(tx, contact, content, at)
  const staffUntil = new Date(at.getTime() + STAFF_QUIET_MS)
  contact.staffUntil = staffUntil
  await tx.update(contactTable).set({ staffUntil }).where(eq(contactTable.id, contact.id))
  await answeredElsewhere(tx, contact.id, at)
}

import { and, eq, inArray, sql } from 'drizzle-orm'
import { contact as contactTable, outboundMessage } from '../db/schema.ts'
import type { InboundContent } from '../model/inbound.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import { isBeingSent, markCampaignReceipts, settleCampaignEcho } from '../outreach/meet.ts'
import { answeredElsewhere } from '../outreach/tickets.ts'
import type { Turn } from './turn.ts'

// A human of the office is answering: the bot keeps quiet for this contact so long after their last word
const STAFF_QUIET_MS = 2 * 3_600_000

/**
 * The platform says that messages of ours arrived or were read. Kept once, the first time. `later`: a campaign is sending to this person,
 * and this may be about the very message whose result is not recorded yet; to be asked again.
 */
export async function markReceipts(
  { tx, account, contact }: Turn,
  content: Extract<InboundContent, { kind: 'received' | 'seen' }>,
  at: Date,
): Promise<'kept' | 'later'> {
  if (content.messageIds.length === 0) return 'kept'
  const ours = and(eq(outboundMessage.accountId, account.id), inArray(outboundMessage.platformMessageId, content.messageIds))
  const [column, set] =
    content.kind === 'received'
      ? [outboundMessage.receivedAt, { receivedAt: sql`coalesce(received_at, ${at.toISOString()}::timestamptz)` }]
      : [outboundMessage.seenAt, { seenAt: sql`coalesce(seen_at, ${at.toISOString()}::timestamptz)` }]
  const found = await tx.update(outboundMessage).set(set).where(ours).returning({ at: column })
  // Not all are of the talk: the others belong to campaigns
  const others = content.messageIds.length - found.length
  if (others === 0 || (await markCampaignReceipts(tx, contact, content, at)) === others) return 'kept'
  if (await isBeingSent(tx, contact)) return 'later'
  // Its result may have been recorded between the two looks: whatever is not in flight now is in the ledger
  await markCampaignReceipts(tx, contact, content, at)
  return 'kept'
}

/** The platform's own report of a message from our side. One typed by a human in the platform's tool quiets the bot for this contact. */
export async function settleEcho(turn: Turn, content: Extract<InboundContent, { kind: 'echo' }>, at: Date): Promise<void> {
  const { tx, contact } = turn
  if (content.staffId === undefined) {
    if (await settledByEcho(turn, content, at)) return
    return settleCampaignEcho(tx, contact, content, at)
  }
  // Echoes may come late and out of order: the last word counts
  const staffUntil = new Date(Math.max(at.getTime() + STAFF_QUIET_MS, contact.staffUntil?.getTime() ?? 0))
  contact.staffUntil = staffUntil
  await tx.update(contactTable).set({ staffUntil }).where(eq(contactTable.id, contact.id))
  await answeredElsewhere(tx, contact.id, at)
}

// An echo is of a message that was claimed at most so long before (architecture, guarantee 4)
const ECHO_AFTER_MS = 10 * 60_000
// Clocks of the platform and ours may differ by so much
const CLOCK_SLACK_MS = 30_000

/** A reminder, digest or reply nobody knew the end of has arrived after all: the same words to the same contact, after the claim. */
async function settledByEcho(
  { tx, contact, deps }: Turn,
  { text, messageId }: Extract<InboundContent, { kind: 'echo' }>,
  at: Date,
): Promise<boolean> {
  if (text === undefined) return false
  const rows = await tx
    .select({ id: outboundMessage.id, bodyEnc: outboundMessage.bodyEnc, claimedAt: outboundMessage.claimedAt })
    .from(outboundMessage)
    .where(and(eq(outboundMessage.contactId, contact.id), eq(outboundMessage.status, 'uncertain')))
    .orderBy(outboundMessage.id)
  const said = text.normalize('NFC').trim()
  const found = rows.find(({ bodyEnc, claimedAt }) => {
    const sinceMs = at.getTime() - (claimedAt?.getTime() ?? 0)
    if (!bodyEnc || sinceMs < -CLOCK_SLACK_MS || sinceMs > ECHO_AFTER_MS) return false
    const words = deps.sealer.openJson<OutboundMessage>(bodyEnc).text.normalize('NFC').trim()
    // Without buttons, links follow as lines
    return said === words || said.startsWith(`${words}\n`)
  })
  if (!found) return false
  await tx
    .update(outboundMessage)
    .set({ status: 'sent', class: null, platformMessageId: messageId, order: at.getTime(), sentAt: at })
    .where(eq(outboundMessage.id, found.id))
  return true
}

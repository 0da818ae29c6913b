import { and, desc, eq, isNotNull } from 'drizzle-orm'
import type { Abilities } from '../channels/channel.ts'
import type { Tx } from '../db/connect.ts'
import { outboundMessage } from '../db/schema.ts'

/** A prompt that reached the chat, and its place there. */
export type Seen = { messageId: number; sessionId: number; ref: string; order: number; atMs: number }

// A person answers what is on the screen; further back nobody scrolls with words
const PROMPTS_KEPT = 12

/** The prompts of a chat, newest first; those not out yet are left out: nobody can have seen them. */
export async function loadPrompts(tx: Tx, contactId: number, orders: Abilities['orders']): Promise<Seen[]> {
  const rows = await tx
    .select({
      id: outboundMessage.id,
      sessionId: outboundMessage.sessionId,
      prompt: outboundMessage.prompt,
      status: outboundMessage.status,
      order: outboundMessage.order,
      claimedAt: outboundMessage.claimedAt,
      sentAt: outboundMessage.sentAt,
    })
    .from(outboundMessage)
    .where(and(eq(outboundMessage.contactId, contactId), isNotNull(outboundMessage.prompt)))
    .orderBy(desc(outboundMessage.id))
    .limit(PROMPTS_KEPT)
  return rows.flatMap((row): Seen[] => {
    if (row.sessionId === null || row.prompt === null) return []
    const base = { messageId: row.id, sessionId: row.sessionId, ref: row.prompt }
    if (row.status === 'sent' && row.order !== null) return [{ ...base, order: row.order, atMs: row.sentAt?.getTime() ?? row.order }]
    // May have arrived: counted as seen from the moment it was tried
    if (row.status === 'uncertain' && row.claimedAt) {
      const atMs = row.claimedAt.getTime()
      return [{ ...base, order: orders === 'clock' ? atMs : 0, atMs }]
    }
    return []
  })
}

/** What stood open on the screen when something was sent at `order`. */
export const seenAt = (prompts: readonly Seen[], order: number): Seen | undefined => prompts.find((prompt) => prompt.order <= order)

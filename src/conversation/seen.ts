import { desc, eq } from 'drizzle-orm'
import type { Abilities } from '../channels/channel.ts'
import type { Tx } from '../db/connect.ts'
import { outboundMessage } from '../db/schema.ts'

/** A prompt that reached the chat, and its place there. */
export type Seen = { messageId: number; sessionId: number; ref: string; order: number; atMs: number }

// A person answers what is on the screen; further back nobody scrolls with words
const MESSAGES_KEPT = 20

/** What of ours stands in a chat. */
export type Shown = {
  /** The prompts, newest first; those not out yet are left out: nobody can have seen them. */
  prompts: Seen[]
  /** Place of our newest message, a prompt or not; undefined when there is none yet. */
  lastOrder: number | undefined
  /** The newest prompt never arrived and will not be tried again. */
  isLost: boolean
  /** Of one of our messages nobody knows whether it arrived: an echo may have said so meanwhile. */
  isUncertain: boolean
}

const NEVER_ARRIVED: ReadonlySet<string> = new Set(['failed', 'skipped', 'expired', 'cancelled'])

export async function loadShown(tx: Tx, contactId: number, orders: Abilities['orders']): Promise<Shown> {
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
    .where(eq(outboundMessage.contactId, contactId))
    .orderBy(desc(outboundMessage.id))
    .limit(MESSAGES_KEPT)
  const lastOrder = rows.find((row) => row.order !== null)?.order ?? undefined
  const prompts = rows.flatMap((row): Seen[] => {
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
  const isLost = NEVER_ARRIVED.has(rows.find((row) => row.prompt !== null)?.status ?? '')
  return { prompts, lastOrder, isLost, isUncertain: rows.some((row) => row.status === 'uncertain') }
}

/** What stood open on the screen when something was sent at `order`. */
export const seenAt = (prompts: readonly Seen[], order: number): Seen | undefined => prompts.find((prompt) => prompt.order <= order)

import { inArray, sql } from 'drizzle-orm'
import { outboundMessage } from '../db/schema.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import type { Claimed } from './deliver.ts'
import type { LoadedContact, WaitingMessage } from './load-contact.ts'
import { isStarted, mayLeave } from './started.ts'

/** What of the messages that wait for a contact may leave now. */
export type Leaving = {
  replies: Claimed[]
  /** What we start: it goes behind the replies. */
  started: Claimed[]
  /** Replies wait for their time: new ones wait behind them. */
  areRepliesHeld: boolean
}

/** Finds what may leave; claims nothing yet. What we start is held against the rules once more, and may be ended by them. */
export async function findLeaving(loaded: LoadedContact): Promise<Leaving> {
  const { messages, now } = loaded
  const isDue = ({ notBefore }: WaitingMessage) => notBefore === null || notBefore <= now
  const waiting = messages.filter((row) => !isStarted(row.cause))
  // Order is kept: while an older reply must wait, none behind it goes
  const replies = waiting.every(isDue) ? waiting.flatMap((row) => claimOf(loaded, row)) : []
  const started: Claimed[] = []
  for (const row of messages) {
    if (isDue(row) && isStarted(row.cause) && (await mayLeave(loaded, row))) started.push(...claimOf(loaded, row))
  }
  return { replies, started, areRepliesHeld: waiting.length > 0 && replies.length === 0 }
}

/** Nothing of what lost its words meanwhile. */
function claimOf({ deps, contact, account, channel }: LoadedContact, row: WaitingMessage): Claimed[] {
  if (!row.bodyEnc) return []
  const message = deps.sealer.openJson<OutboundMessage>(row.bodyEnc)
  return [{ id: row.id, cause: row.cause, createdAt: row.createdAt, attempts: row.attempts + 1, message, contact, account, channel }]
}

/** Claims what leaves, with the replies a turn has just made. Returns all that is to be sent once this is committed, in its order. */
export async function claimLeaving({ tx, deps, now }: LoadedContact, leaving: Leaving, made: readonly Claimed[]): Promise<Claimed[]> {
  const { replies, started, areRepliesHeld } = leaving
  const idsOf = (some: readonly Claimed[]) => some.map((row) => row.id)
  const old = [...replies, ...started]
  if (old.length > 0)
    await tx
      .update(outboundMessage)
      .set({ claimedBy: deps.instance.id, claimedAt: now, attempts: sql`${outboundMessage.attempts} + 1` })
      .where(inArray(outboundMessage.id, idsOf(old)))
  if (areRepliesHeld && made.length > 0)
    await tx
      .update(outboundMessage)
      .set({ claimedBy: null, claimedAt: null, attempts: 0 })
      .where(inArray(outboundMessage.id, idsOf(made)))
  return [...(areRepliesHeld ? [] : [...replies, ...made]), ...started]
}

import { eq, inArray } from 'drizzle-orm'
import { partsOf } from '../channels/parts.ts'
import { contact as contactTable, inboundEvent, outboundMessage } from '../db/schema.ts'
import { meetNotices } from '../outreach/meet.ts'
import { saveNomination } from '../recognition/nominations.ts'
import { applyTallies } from '../reports/tally.ts'
import { compose } from './compose.ts'
import type { Claimed } from './deliver.ts'
import type { EventRow } from './load-contact.ts'
import { saveSessions } from './sessions.ts'
import { activeSession, type Turn, voiceOf } from './turn.ts'

// What the platform says of the office's messages or of somebody who goes, and what was pressed on a page of ours: nobody wrote in the chat
const NOT_WRITTEN: ReadonlySet<string> = new Set(['staff_echo', 'unfollow', 'press'])

/** Writes what the turn decided: the forms, the counts, where the conversation stands, and the message that says so. */
export async function writeTurn(turn: Turn): Promise<Claimed[]> {
  const { tx, deps, contact, account, channel } = turn
  for (const nomination of turn.nominations.values()) turn.tallies.push(...(await saveNomination(tx, nomination, turn.now)))
  await saveSessions(turn)
  // A question of a conversation that ended later in the same turn is not asked any more
  const open = activeSession(turn)?.id
  const said = turn.said.filter((item) => item.type !== 'prompt' || item.sessionId === open)
  const composed = compose(said, voiceOf(turn), channel.abilities)
  const own = said.flatMap((item) => {
    if (item.type !== 'message') return []
    const { otherwise, ...message } = item.message
    return partsOf(channel, message).map((part) => ({ ...part, ...(otherwise === undefined ? {} : { otherwise }) }))
  })
  const claimed: Claimed[] = []
  if (composed || own.length > 0) {
    const { opens, ...message } = composed ?? {}
    const messages = [...own, ...('text' in message ? partsOf(channel, message) : [])]
    const rows = await tx
      .insert(outboundMessage)
      .values(
        messages.map((part, index) => ({
          communeId: contact.communeId,
          accountId: account.id,
          contactId: contact.id,
          cause: 'reply' as const,
          sessionId: index === messages.length - 1 ? (opens?.sessionId ?? null) : null,
          prompt: index === messages.length - 1 ? (opens?.ref ?? null) : null,
          bodyEnc: deps.sealer.sealJson(part),
          claimedBy: deps.instance.id,
          claimedAt: turn.now,
          attempts: 1,
          createdAt: turn.now,
        })),
      )
      .returning({ id: outboundMessage.id })
    rows.forEach((row, index) => {
      const message = messages[index]
      if (message) claimed.push({ id: row.id, cause: 'reply', createdAt: turn.now, attempts: 1, message, contact, account, channel })
    })
  }
  // Last of all: everybody of a village waits for these counters until the commit
  await applyTallies(tx, turn.tallies)
  return claimed
}

/** The events are answered; whoever wrote is here, and what waited for that leaves. */
export async function closeEvents(turn: Turn, events: readonly EventRow[]): Promise<void> {
  if (events.length === 0) return
  const { tx, contact, now } = turn
  const ids = events.map((event) => event.id)
  const words = events.filter((event) => !NOT_WRITTEN.has(event.kind))
  await Promise.all([
    tx
      .update(inboundEvent)
      .set({ handledAt: now, ...(contact.erasedAt ? { bodyEnc: null } : {}) })
      .where(inArray(inboundEvent.id, ids)),
    touchContact(turn, words),
    ...(words.length > 0 && !contact.stoppedAt && !contact.erasedAt ? [meetNotices(tx, contact, now)] : []),
  ])
}

async function touchContact(turn: Turn, words: readonly EventRow[]): Promise<void> {
  if (words.length === 0 && turn.contact.follows === null) return
  await turn.tx
    .update(contactTable)
    .set({
      follows: turn.contact.follows,
      // Writing again shows that messages arrive
      ...(words.length > 0
        ? {
            lastInboundAt: new Date(Math.max(turn.contact.lastInboundAt.getTime(), ...words.map((event) => event.at.getTime()))),
            unreachableClass: null,
          }
        : {}),
    })
    .where(eq(contactTable.id, turn.contact.id))
}

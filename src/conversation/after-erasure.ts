import { and, eq, inArray } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { contact as contactTable, inboundEvent, outboundMessage } from '../db/schema.ts'
import { newSession } from '../engine/session.ts'
import type { InboundContent } from '../model/inbound.ts'
import type { Deps } from './deps.ts'
import { promptAt } from './read-text.ts'
import { type ContactRow, say, type Turn } from './turn.ts'
import { hasWord } from './words.ts'

// For some minutes after an erasure the chat is still known (`finishErasures` in sweep.ts), so that a second tap greets nobody anew

/** Whether somebody erased comes back by this: a word that works, or a link. */
export function beginsAnew({ understand }: Pick<Deps, 'understand'>, content: InboundContent): boolean {
  if (content.kind === 'start' || content.kind === 'follow') return true
  const word = content.kind === 'text' ? understand.word(content.text) : undefined
  return word?.kind === 'word' && word.word !== 'erase' && hasWord(word.word)
}

/** Gives the chat to somebody new, with the events that wait; what was erased stays without a way to it. Returns the new contact's id. */
export async function partFrom(tx: Tx, contact: ContactRow, { eventIds, now }: { eventIds: number[]; now: Date }): Promise<number> {
  await tx
    .update(contactTable)
    .set({ channelUserId: `erased-${contact.id}` })
    .where(eq(contactTable.id, contact.id))
  await tx
    .update(outboundMessage)
    .set({ status: 'cancelled' })
    .where(and(eq(outboundMessage.contactId, contact.id), eq(outboundMessage.status, 'waiting')))
  await tx.update(outboundMessage).set({ bodyEnc: null }).where(eq(outboundMessage.contactId, contact.id))
  const { communeId, accountId, channelUserId } = contact
  const [fresh] = await tx
    .insert(contactTable)
    .values({ communeId, accountId, channelUserId, firstSeenAt: now, lastInboundAt: now })
    .returning({ id: contactTable.id })
  if (!fresh) throw new Error('a contact was not made')
  await tx.update(inboundEvent).set({ contactId: fresh.id }).where(inArray(inboundEvent.id, eventIds))
  return fresh.id
}

/** Nothing is said to the yes once more; to other words, that all is gone and how one begins again. */
export function afterErasure(turn: Turn, content: InboundContent): void {
  if (content.kind !== 'media' && (content.kind !== 'text' || isYesAgain(turn, content.text))) return
  say(turn, 'erase.over')
}

function isYesAgain({ deps, contact }: Turn, text: string): boolean {
  const loaded = deps.flows.latest('erase')
  const { id, version, start } = loaded.flow
  const prompt = promptAt({ loaded, state: newSession(id, version, start, {}) }, 'sure')
  const understood = prompt && deps.understand.understand(text, deps.offers.prepare(loaded, prompt, contact.language))
  return understood?.kind === 'option' && understood.key === 'xoa'
}

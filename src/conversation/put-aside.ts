import { and, eq, isNull, sql } from 'drizzle-orm'
import { commonParams } from '../content/texts.ts'
import { contact as contactTable, inboundEvent, outboundMessage } from '../db/schema.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import type { Deps } from './deps.ts'

// An event that fails this often is put aside so that those behind it are not held up
const MAX_ATTEMPTS = 5

/**
 * Counts a failed try at an event. One that fails again and again is put aside so that those behind it are not held up: the log names it,
 * and the person is told kindly what to do.
 */
export async function markAttempt({ database, log, now, content, sealer }: Deps, contactId: number, eventId: number): Promise<void> {
  await database.db.transaction(async (tx) => {
    const [row] = await tx
      .update(inboundEvent)
      .set({ attempts: sql`${inboundEvent.attempts} + 1` })
      .where(and(eq(inboundEvent.id, eventId), isNull(inboundEvent.handledAt)))
      .returning({
        id: inboundEvent.id,
        attempts: inboundEvent.attempts,
        communeId: inboundEvent.communeId,
        accountId: inboundEvent.accountId,
      })
    if (!row || row.attempts < MAX_ATTEMPTS) return
    await tx.update(inboundEvent).set({ handledAt: now(), failedClass: 'cannot_be_answered' }).where(eq(inboundEvent.id, row.id))
    const [contact] = await tx.select({ language: contactTable.language }).from(contactTable).where(eq(contactTable.id, contactId))
    const texts = content.texts[contact?.language ?? 'vi']
    const words = { goi: texts.format({ key: 'address.bac' }, {}), xung: texts.format({ key: 'address.bac.self' }, {}) }
    const apology: OutboundMessage = { text: texts.format({ key: 'engine.fault' }, commonParams(words)) }
    await tx.insert(outboundMessage).values({
      communeId: row.communeId,
      accountId: row.accountId,
      contactId,
      cause: 'reply',
      bodyEnc: sealer.sealJson(apology),
      createdAt: now(),
    })
    log.error({ event: row.id, contact: contactId }, 'an event was put aside after failing again and again')
  })
}

import { and, eq } from 'drizzle-orm'
import { partsOf } from '../channels/parts.ts'
import { compose } from '../conversation/compose.ts'
import type { Cause } from '../conversation/deliver.ts'
import type { Deps } from '../conversation/deps.ts'
import type { Said } from '../conversation/said.ts'
import { type ContactRow, voiceFor } from '../conversation/turn.ts'
import type { DbOrTx, Tx } from '../db/connect.ts'
import { contact as contactTable, NO_COMMUNE, outboundMessage, person as personTable } from '../db/schema.ts'

/** Somebody to write to, as far as writing needs it. */
export type Reader = { contact: ContactRow; name: string | undefined; address: string | undefined }

export async function findReader(db: DbOrTx, contactId: number): Promise<Reader | undefined> {
  const [row] = await db
    .select({ contact: contactTable, name: personTable.name, address: personTable.address })
    .from(contactTable)
    .leftJoin(personTable, and(eq(personTable.communeId, contactTable.communeId), eq(personTable.id, contactTable.personId)))
    .where(eq(contactTable.id, contactId))
  return row && { contact: row.contact, name: row.name ?? undefined, address: row.address ?? undefined }
}

export type PostDeps = Pick<Deps, 'sealer' | 'content' | 'channelOf' | 'communes'>

/**
 * Leaves a message for somebody in the ledger; it goes out once the transaction is committed and its contact is looked at. Returns the
 * id of its last row, undefined where the account cannot be used.
 */
export async function post(
  deps: PostDeps,
  tx: Tx,
  {
    to,
    cause,
    said,
    now,
    notBefore,
  }: { to: Reader; cause: Exclude<Cause, 'reply' | 'campaign'>; said: Said[]; now: Date; notBefore?: Date },
): Promise<number | undefined> {
  const { contact } = to
  const channel = await deps.channelOf(contact.accountId)
  if (!channel) return undefined
  const commune = contact.communeId === NO_COMMUNE ? undefined : await deps.communes.get(contact.communeId)
  const voice = voiceFor(deps.content, { language: contact.language, address: to.address, commune })
  const composed = compose(said, voice, channel.abilities)
  if (!composed) return undefined
  const { opens, ...message } = composed
  const parts = partsOf(channel, message)
  const rows = await tx
    .insert(outboundMessage)
    .values(
      parts.map((body, index) => {
        const last = index === parts.length - 1
        return {
          communeId: contact.communeId,
          accountId: contact.accountId,
          contactId: contact.id,
          cause,
          sessionId: last ? (opens?.sessionId ?? null) : null,
          prompt: last ? (opens?.ref ?? null) : null,
          bodyEnc: deps.sealer.sealJson(body),
          notBefore: notBefore ?? null,
          createdAt: now,
        }
      }),
    )
    .returning({ id: outboundMessage.id })
  return rows.at(-1)?.id
}

/** The parts a posted message is made of, for those who write without a turn. */
export const note = (key: string, params?: Extract<Said, { type: 'note' }>['text']['params']): Said => ({
  type: 'note',
  text: params ? { key, params } : { key },
})
export const tap = (ref: string, act: string, key: string, params?: Extract<Said, { type: 'note' }>['text']['params']): Said => ({
  type: 'tap',
  ref,
  act,
  label: params ? { key, params } : { key },
})

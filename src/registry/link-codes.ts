import { and, eq } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { contact, linkCode } from '../db/schema.ts'
import type { Sealer } from '../lib/crypto.ts'
import { createInvitationCode, parseInvitationCode, type RandomInt } from './codes.ts'

const MINUTE_MS = 60_000
const LIFE_MS = 30 * MINUTE_MS

export type LinkCodeRow = typeof linkCode.$inferSelect

type CreateArgs = { contact: { id: number; communeId: number }; personId: number; now: Date }

/** A single-use code, valid 30 minutes, by which a person brings a further chat to their registration. Only its keyed hash is stored. */
export async function createLinkCode(
  { tx, sealer, randomInt }: { tx: Tx; sealer: Sealer; randomInt: RandomInt },
  { contact: { id, communeId }, personId, now }: CreateArgs,
): Promise<string> {
  const code = createInvitationCode(randomInt)
  const expiresAt = new Date(now.getTime() + LIFE_MS)
  await tx.insert(linkCode).values({ communeId, personId, contactId: id, codeHash: hashOf(sealer, code), createdAt: now, expiresAt })
  return code
}

/** The code somebody typed, locked until the end of the transaction; undefined where it is none of this commune's. */
export async function findLinkCode(
  tx: Tx,
  sealer: Sealer,
  { communeId, code }: { communeId: number; code: string },
): Promise<LinkCodeRow | undefined> {
  if (parseInvitationCode(code) === undefined) return undefined
  const [row] = await tx
    .select()
    .from(linkCode)
    .where(and(eq(linkCode.communeId, communeId), eq(linkCode.codeHash, hashOf(sealer, code))))
    .for('update')
  return row
}

/** Spends a code; the guard against guessing begins anew, as after an invitation. */
export async function useLinkCode(tx: Tx, row: LinkCodeRow, { contactId, now }: { contactId: number; now: Date }): Promise<void> {
  await tx.update(linkCode).set({ usedAt: now, usedByContactId: contactId }).where(eq(linkCode.id, row.id))
  await tx.update(contact).set({ wrongCodes: 0, wrongCodeAt: null }).where(eq(contact.id, contactId))
}

const hashOf = (sealer: Sealer, code: string) => sealer.hash('link', parseInvitationCode(code) ?? '')

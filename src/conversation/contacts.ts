import { eq } from 'drizzle-orm'
import { contact as contactTable } from '../db/schema.ts'
import type { ContactRow, Turn } from './turn.ts'

type Changes = Partial<Pick<ContactRow, 'cameByUnitId' | 'stoppedAt' | 'follows' | 'language'>>

/** Changes what is known of the chat itself. */
export async function changeContact(turn: Turn, changes: Changes): Promise<void> {
  Object.assign(turn.contact, changes)
  await turn.tx.update(contactTable).set(changes).where(eq(contactTable.id, turn.contact.id))
}

/** Remembers by which village's code somebody came. */
export const setCameBy = (turn: Turn, unitId: number): Promise<void> => changeContact(turn, { cameByUnitId: unitId })

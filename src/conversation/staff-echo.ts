import { eq } from 'drizzle-orm'
import { contact as contactTable } from '../db/schema.ts'
import { answeredElsewhere } from '../outreach/tickets.ts'
import type { Turn } from './turn.ts'

// A human of the office is answering: the bot keeps quiet for this contact so long after their last word
const STAFF_QUIET_MS = 2 * 3_600_000

/** A human of the office wrote to this contact in the platform's own tool: what was asked is answered, and the bot keeps quiet for a while. */
export async function quietForStaff({ tx, contact }: Turn, at: Date): Promise<void> {
  // Echoes may come late and out of order: the last word counts
  const staffUntil = new Date(Math.max(at.getTime() + STAFF_QUIET_MS, contact.staffUntil?.getTime() ?? 0))
  contact.staffUntil = staffUntil
  await tx.update(contactTable).set({ staffUntil }).where(eq(contactTable.id, contact.id))
  await answeredElsewhere(tx, contact.id, at)
}

import { and, eq } from 'drizzle-orm'
import { z } from 'zod'
import ticketsFile from '../../flows/tickets.json' with { type: 'json' }
import type { Said } from '../conversation/said.ts'
import type { Turn } from '../conversation/turn.ts'
import type { DbOrTx } from '../db/connect.ts'
import { person as personTable, type ticket, unit } from '../db/schema.ts'
import { formatDate } from '../lib/vietnam-time.ts'
import type { TextRef } from '../model/text.ts'
import { unitTitle } from '../registry/units.ts'
import { note } from './post.ts'

/** The clocks and ceilings of requests for a person; where they come from stands in the file. */
const Rules = z
  .object({
    first_answer_working_days: z.number(),
    done_days: z.record(z.enum(['help', 'access', 'correction', 'erasure', 'restriction']), z.number()),
    warn_hours_before: z.number(),
    taken_for_minutes: z.number(),
    quiet_minutes: z.number(),
    closed_after_quiet_hours: z.number(),
    notices_per_day: z.number(),
    source: z.string(),
  })
  .strict()
export const ticketRules = Rules.parse(ticketsFile)

export type TicketRow = typeof ticket.$inferSelect
export type Words = { asked: string; heard: string }

/** What an officer has to look into, whatever is said in the chat. */
export const LOOKED_INTO = ['twin', 'join']

/** What a text's `select` is told where there is nothing. */
export const orNone = (text: string | undefined): string => text || 'none'

/** Who asked, as officers are told: at the beginning of a sentence, and within one. */
type Facts = { Who: TextRef; who: TextRef }

export async function loadFacts(db: DbOrTx, row: TicketRow): Promise<Facts> {
  const [person] =
    row.personId === null
      ? []
      : await db
          .select({ name: personTable.name })
          .from(personTable)
          .where(and(eq(personTable.communeId, row.communeId), eq(personTable.id, row.personId)))
  const [village] = row.villageId === null ? [] : await db.select().from(unit).where(eq(unit.id, row.villageId))
  const params = { name: orNone(person?.name), village: village ? unitTitle(village) : 'none', number: row.contactId }
  return {
    Who: { key: 'ticket.who', params: { ...params, at: 'start' } },
    who: { key: 'ticket.who', params: { ...params, at: 'within' } },
  }
}

/** Name, bản, where they stand, what they wrote, until when an answer is due and, of a right over one's data, until when it is done. */
export function describe(turn: Pick<Turn, 'deps'>, row: TicketRow, { Who }: Facts): Said[] {
  const words = row.wordsEnc ? turn.deps.sealer.openJson<Words>(row.wordsEnc) : { asked: '', heard: '' }
  return [
    note('ticket.about', {
      Who,
      kind: row.question === 'twin' ? 'twin' : row.kind,
      asked: orNone(words.asked),
      heard: orNone(words.heard),
      due: row.status === 'open' ? formatDate(row.firstAnswerDueAt) : 'none',
      done: row.kind === 'help' ? 'none' : formatDate(row.doneDueAt),
    }),
  ]
}

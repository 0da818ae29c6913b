import { and, eq } from 'drizzle-orm'
import { outboundMessage } from '../db/schema.ts'
import { fold } from '../lib/fold.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import { actOnCampaign, actOnEvent, actOnNotice } from '../outreach/chat/campaigns.ts'
import { actOnHousehold, actOnReminder, actOnSolo, keepWindow } from '../outreach/chat/reminders.ts'
import { actOnTicket, unknownTap } from '../outreach/tickets.ts'
import { parseTap, STANDING, type Tap } from './tap.ts'
import type { Turn } from './turn.ts'

/** What a tap that belongs to no session does. Everybody can type one: each checks the role and the thing itself. */
type Standing = (turn: Turn, id: number, act: string) => Promise<void>

const standing: Record<string, Standing> = {
  ticket: actOnTicket,
  tickets: actOnTicket,
  home: actOnHousehold,
  solo: actOnSolo,
  reminder: actOnReminder,
  window: keepWindow,
  campaign: actOnCampaign,
  notice: actOnNotice,
  event: actOnEvent,
}

const REF = /^([a-z]+)_(\d{1,15})$/

export async function runStanding(turn: Turn, { ref, key }: Tap): Promise<void> {
  const [, kind = '', id = ''] = REF.exec(ref) ?? []
  const act = standing[kind]
  if (!act) return unknownTap(turn)
  await act(turn, Number(id), key)
}

// "2", "số 2", "2 ạ"
const NUMBER = /^(?:dạ |vâng )?(?:số |chọn )?(\d{1,2})(?: ạ| nhé)?[.!]?$/iu

/** Whether a text is the number or the words of a tap under the message the person has before their eyes; does what it does. */
export async function tookStanding(turn: Turn, messageId: number, text: string): Promise<boolean> {
  const number = NUMBER.exec(text.trim())?.[1]
  const words = fold(text)
  if (number === undefined && words.length > 60) return false
  const [row] = await turn.tx
    .select({ bodyEnc: outboundMessage.bodyEnc })
    .from(outboundMessage)
    .where(and(eq(outboundMessage.id, messageId), eq(outboundMessage.contactId, turn.contact.id)))
  if (!row?.bodyEnc) return false
  const { choices = [] } = turn.deps.sealer.openJson<OutboundMessage>(row.bodyEnc)
  const chosen = choices.find((choice) => (number === undefined ? fold(choice.label) === words : choice.number === String(Number(number))))
  const tap = chosen && parseTap(chosen.payload)
  if (!tap || tap.sessionId !== STANDING) return false
  await runStanding(turn, tap)
  return true
}

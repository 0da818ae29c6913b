import { and, eq, ne } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { contact as contactTable } from '../db/schema.ts'
import type { InboundContent, Report } from '../model/inbound.ts'
import { heardByStaff } from '../outreach/tickets.ts'
import { afterErasure } from './after-erasure.ts'
import { pressed, returning } from './from-page.ts'
import { keepInStep } from './keep-in-step.ts'
import type { EventRow } from './load-contact.ts'
import { type Moment, routeInput } from './route-input.ts'
import { feed } from './run-session.ts'
import { type Shown, seenAt } from './seen.ts'
import { quietForStaff } from './staff-echo.ts'
import { STANDING } from './tap.ts'
import { activeSession, type ContactRow, say, type Turn } from './turn.ts'

// The others owe nobody an answer
const SAYS_SOMETHING: ReadonlySet<string> = new Set<InboundContent['kind']>(['text', 'tap', 'media', 'start'])
/** A second tap or a second press of "send" comes within this time of what it answers. */
const ONE_BREATH_MS = 3_000

type Content = Exclude<InboundContent, Report>

/** Answers events of one contact in their order; what is decided and said is collected in the turn. `shown`: what stands in the chat. */
export async function answerEvents(turn: Turn, events: readonly EventRow[], shown: Shown): Promise<void> {
  const { tx, deps, contact } = turn
  const isAnsweredElsewhere =
    events.some((event) => SAYS_SOMETHING.has(event.kind)) && (await hasOtherChat(tx, contact)) && (await keepInStep(turn))
  for (const event of events) {
    if (!event.bodyEnc) continue
    turn.saidAtMs = event.at.getTime()
    const content = deps.sealer.openJson<Content>(event.bodyEnc)
    turn.heard = content.kind === 'text' ? content.text : ''
    await answer(turn, content, event, shown)
  }
  // The question these words were about was answered in the other chat: they were held against that answer, and the next one is asked
  if (isAnsweredElsewhere && !turn.said.some((item) => item.type === 'prompt')) await feed(turn, { type: 'again' })
}

/** Whether the person behind a contact has another chat, where the same form may be answered. */
async function hasOtherChat(tx: Tx, contact: ContactRow): Promise<boolean> {
  if (contact.personId === null) return false
  const rows = await tx
    .select({ id: contactTable.id })
    .from(contactTable)
    .where(and(eq(contactTable.communeId, contact.communeId), eq(contactTable.personId, contact.personId), ne(contactTable.id, contact.id)))
    .limit(1)
  return rows.length > 0
}

async function answer(turn: Turn, content: Content, event: EventRow, shown: Shown): Promise<void> {
  switch (content.kind) {
    case 'staff_echo':
      return quietForStaff(turn, event.at)
    case 'unfollow':
      turn.contact.follows = false
      return
    case 'follow':
      turn.contact.follows = true
      // Where there are places in the chat, unblocking us is none: pressing START comes as a message of its own
      if (turn.channel.abilities.orders === 'sequence') return
      break
    case 'press':
      return pressed(turn, content)
    default:
      break
  }
  if (turn.contact.erasedAt) return afterErasure(turn, content)
  if (turn.contact.staffUntil && turn.contact.staffUntil > turn.now && (await heardByStaff(turn, content))) return
  if (!turn.commune || turn.commune.villages.length === 0) {
    turn.deps.log.warn({ account: turn.account.id }, 'somebody wrote, but there are no villages yet: run `unit import`')
    say(turn, 'service.preparing')
    return
  }
  await returning(turn, () => routeInput(turn, content, momentOf(turn, content, event, shown)))
  // What they wrote answered nothing, and the question that stands open never reached them
  if (shown.isLost && turn.said.length === 0 && activeSession(turn)) await feed(turn, { type: 'again' })
}

function momentOf(turn: Turn, content: Content, event: EventRow, { prompts, lastOrder }: Shown): Moment {
  const asked = prompts.filter((prompt) => prompt.sessionId !== STANDING)
  const newest = asked[0]
  const last = seenAt(prompts, event.order)
  const live = activeSession(turn)
  const pauseMs = (turn.commune?.settings.get('conversation.resume_after_hours') ?? 0) * 3_600_000
  return {
    seen: seenAt(asked, event.order),
    ...(last?.sessionId === STANDING ? { standing: last.messageId } : {}),
    // Something was said in this very turn, or crossed the event on its way
    crossed: turn.said.length > 0 || (lastOrder !== undefined && event.order < lastOrder),
    // A tap on an old message has that message's place, so for taps the time alone counts
    inOneBreath:
      newest === undefined || (content.kind !== 'tap' && event.order < newest.order) || event.at.getTime() - newest.atMs < ONE_BREATH_MS,
    afterPause: live !== undefined && event.at.getTime() - turn.contact.lastInboundAt.getTime() > pauseMs,
  }
}

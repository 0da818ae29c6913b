import { mainPrompt } from '../engine/prompt.ts'
import type { InboundContent } from '../model/inbound.ts'
import { openFor } from './presented.ts'
import { feed } from './run-session.ts'
import { setStatus } from './sessions.ts'
import { activeSession, say, type Turn } from './turn.ts'

/** Set while answers come from the voice page: the chat shows an older question. */
const ON_PAGE = '_on_page'

/**
 * An answer pressed on the voice page. The page itself shows what comes next, so the chat is told nothing until the form is through: then
 * one message says how it went. A press on a page that is no longer at the open question changes nothing.
 */
export async function pressed(turn: Turn, { sessionId, ref, press }: Extract<InboundContent, { kind: 'press' }>): Promise<void> {
  const live = turn.sessions.find((session) => session.id === sessionId)
  if (!live) return
  if (live.status === 'paused') {
    const above = activeSession(turn)
    if (above) await setStatus(turn, above, 'paused')
    await setStatus(turn, live, 'active')
  }
  const prompt = await openFor(turn, live)
  if (prompt?.ref !== ref) return
  const before = turn.said
  turn.said = []
  switch (press.type) {
    case 'option':
      await feed(turn, { type: 'option', key: press.key })
      break
    case 'person':
      await feed(turn, { type: 'person' })
      break
    case 'edit':
      await feed(turn, { type: 'edit', number: press.number })
      break
    case 'back':
      await feed(turn, { type: 'back' })
      break
    default:
      press satisfies never
  }
  // setStatus has changed it meanwhile
  const over = (live.status as string) === 'ended'
  turn.said = over ? [...before, ...turn.said] : before
  if (!over) live.state.vars[ON_PAGE] = true
}

/** Somebody comes back to the chat from the voice page: how far they are is said once, and the open question is asked there again. */
export async function returning(turn: Turn, route: () => Promise<void>): Promise<void> {
  const live = activeSession(turn)
  if (live?.state.vars[ON_PAGE] !== true) return route()
  delete live.state.vars[ON_PAGE]
  live.changed = true
  const progress = mainPrompt(live.loaded, live.state)?.progress
  if (progress) say(turn, 'voice.returned', progress)
  else say(turn, 'voice.returned_review')
  await route()
  if (!turn.said.some((item) => item.type === 'prompt') && activeSession(turn)) await feed(turn, { type: 'again' })
}

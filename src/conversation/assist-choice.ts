import type { Prompt } from '../engine/effect.ts'
import { feed, startFlow } from './run-session.ts'
import { setStatus } from './sessions.ts'
import { helps } from './subject.ts'
import { type LiveSession, say, type Turn } from './turn.ts'

/** Answers to "go on with this neighbour's form?" that are not the form's own: somebody else, or later. False for any other answer. */
export async function tookAssistChoice(turn: Turn, live: LiveSession, prompt: Prompt, key: string): Promise<boolean> {
  if (!helps(live) || prompt.ref !== 'side_resume' || (key !== 'nguoi_khac' && key !== 'de_sau')) return false
  const { pending: _, ...state } = live.state
  live.state = state
  live.changed = true
  if (key === 'nguoi_khac') {
    await startFlow(turn, 'assist')
    return true
  }
  await setStatus(turn, live, 'paused')
  say(turn, 'assist.set_aside')
  const own = turn.sessions.filter((item) => item.status === 'paused' && !helps(item)).sort((a, b) => b.id - a.id)[0]
  if (own) {
    await setStatus(turn, own, 'active')
    await feed(turn, { type: 'resume' })
  }
  return true
}

import type { Effect, Prompt } from '../engine/effect.ts'
import type { Var } from '../engine/flow.ts'
import type { Input } from '../engine/input.ts'
import { newSession } from '../engine/session.ts'
import { step } from '../engine/step.ts'
import { Word } from '../lib/understand.ts'
import { runAction, storeAnswer } from './actions.ts'
import { moveIfMust } from './move-session.ts'
import { presented } from './presented.ts'
import { openSession, setStatus } from './sessions.ts'
import { helps, isFormForAnother, subjectOf, titleOf } from './subject.ts'
import { activeSession, type LiveSession, say, type Turn } from './turn.ts'
import { addVoice } from './voice.ts'
import { runWord } from './words.ts'

/** Starts a flow for this contact; whatever was open waits beneath it. */
export async function startFlow(turn: Turn, id: string, vars: Record<string, Var> = {}): Promise<void> {
  const loaded = turn.deps.flows.latest(id)
  await openSession(turn, loaded, newSession(loaded.flow.id, loaded.flow.version, loaded.flow.start, vars))
  await feed(turn, { type: 'start' })
}

/**
 * Gives the active session an input and does what follows from it, until somebody must answer. A flow that ends hands over to the one
 * it names, else to the one that waited beneath it.
 */
export async function feed(turn: Turn, input: Input): Promise<void> {
  let next: Input | undefined = input
  while (next) {
    const live = activeSession(turn)
    if (!live) return
    if (helps(live) && !(await subjectOf(turn, live))) {
      // Erased meanwhile, at their own word
      say(turn, 'assist.subject_gone')
      await setStatus(turn, live, 'ended')
      const beneath = turn.sessions.filter((item) => item.status === 'paused').sort((a, b) => b.id - a.id)[0]
      if (!beneath) return
      await setStatus(turn, beneath, 'active')
      next = { type: 'again' }
      continue
    }
    const at = await moveIfMust(turn, live, next)
    const { session, effects } = step(at.live.loaded, at.live.state, at.input)
    at.live.state = session
    at.live.changed = true
    next = await apply(turn, at.live, effects)
  }
}

const ASSIST_FLOWS = new Set(['assist', 'assist-next'])

/** What a flow hands to the one it starts. */
const CARRIED = ['year', '_assist', '_skip']

/** Puts a prompt before the person; in a form filled in for another it says whose it is. */
async function ask(turn: Turn, live: LiveSession, prompt: Prompt): Promise<void> {
  const shown = await presented(turn, live, prompt)
  const subject = helps(live) ? await subjectOf(turn, live) : undefined
  if (subject && (prompt.kind === 'question' || prompt.kind === 'review')) {
    const heading = { type: 'note' as const, text: { key: 'assist.heading', params: { their: titleOf(turn, subject) } } }
    turn.said = [...turn.said.filter((item) => item.type !== 'note' || item.text.key !== 'assist.heading'), heading]
  }
  turn.said.push({ type: 'prompt', prompt: shown, sessionId: live.id })
  await addVoice(turn, live, prompt)
}

/** Does what the engine decided; returns what the session waits for, if it is ours to give. */
async function apply(turn: Turn, live: LiveSession, effects: Effect[]): Promise<Input | undefined> {
  let next: Input | undefined
  for (const effect of effects) {
    switch (effect.type) {
      case 'note':
        turn.said.push({ type: 'note', text: effect.text })
        break
      case 'prompt':
        await ask(turn, live, effect.prompt)
        break
      case 'answer':
        await storeAnswer(turn, live, effect.question, effect.option)
        break
      case 'do': {
        const vars = await runAction(turn, live, effect.action, effect.args)
        if (effect.wait) next = { type: 'done', vars }
        break
      }
      case 'end':
        next = await end(turn, live, effect)
        break
      case 'fault':
        turn.deps.log.error(
          { flow: live.loaded.flow.id, version: live.loaded.flow.version, node: effect.node, reason: effect.reason },
          'a flow cannot go on',
        )
        say(turn, 'engine.fault')
        break
      default:
        effect satisfies never
    }
  }
  return next
}

async function end(turn: Turn, live: LiveSession, effect: Extract<Effect, { type: 'end' }>): Promise<Input | undefined> {
  await setStatus(turn, live, 'ended')
  if (effect.nextFlow) {
    const loaded = turn.deps.flows.latest(effect.nextFlow)
    const vars = Object.fromEntries(CARRIED.flatMap((name) => (live.state.vars[name] === undefined ? [] : [[name, live.state.vars[name]]])))
    await openSession(turn, loaded, newSession(loaded.flow.id, loaded.flow.version, loaded.flow.start, vars))
    return { type: 'start' }
  }
  const beneath = turn.sessions.filter((item) => item.status === 'paused').sort((a, b) => b.id - a.id)[0]
  if (!beneath || effect.outcome === 'erased') return undefined
  await setStatus(turn, beneath, 'active')
  // After somebody else's matter, and into one: where it stood is said first
  if (isFormForAnother(beneath) || ASSIST_FLOWS.has(live.loaded.flow.id)) return { type: 'resume' }
  if (effect.outcome === 'word') {
    await runWord(turn, Word.parse(live.state.vars._word), undefined)
    return undefined
  }
  const meant = live.state.vars._key
  if (effect.outcome === 'answer' && meant !== undefined) return { type: 'option', key: String(meant) }
  return { type: 'again' }
}

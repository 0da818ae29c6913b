import type { Effect } from '../engine/effect.ts'
import type { Var } from '../engine/flow.ts'
import type { Input } from '../engine/input.ts'
import { newSession } from '../engine/session.ts'
import { step } from '../engine/step.ts'
import { Word } from '../lib/understand.ts'
import { runAction, storeAnswer } from './actions.ts'
import { openSession, setStatus } from './sessions.ts'
import { activeSession, type LiveSession, say, type Turn } from './turn.ts'
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
    const { session, effects } = step(live.loaded, live.state, next)
    live.state = session
    live.changed = true
    next = await apply(turn, live, effects)
  }
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
        turn.said.push({ type: 'prompt', prompt: effect.prompt, sessionId: live.id })
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
    const { year } = live.state.vars
    await openSession(turn, loaded, newSession(loaded.flow.id, loaded.flow.version, loaded.flow.start, year === undefined ? {} : { year }))
    return { type: 'start' }
  }
  const beneath = turn.sessions.filter((item) => item.status === 'paused').sort((a, b) => b.id - a.id)[0]
  if (!beneath || effect.outcome === 'erased') return undefined
  await setStatus(turn, beneath, 'active')
  if (effect.outcome === 'word') {
    await runWord(turn, Word.parse(live.state.vars._word), undefined)
    return undefined
  }
  const meant = live.state.vars._key
  if (effect.outcome === 'answer' && meant !== undefined) return { type: 'option', key: String(meant) }
  return { type: 'again' }
}

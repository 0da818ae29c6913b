import type { Prompt } from '../engine/effect.ts'
import { openPrompt } from '../engine/prompt.ts'
import { resumeFor } from './assist.ts'
import { listedItems, listedTaps } from './listed.ts'
import { addressedPrompt, helps, subjectOf } from './subject.ts'
import type { LiveSession, Turn } from './turn.ts'

/** A prompt as this person sees it: lists filled in, and in a form for another the words turned to whom they are about. */
export async function presented(turn: Turn, live: LiveSession, prompt: Prompt): Promise<Prompt> {
  if (prompt.input === 'listed') {
    const items = await listedItems(turn, live, prompt.ref)
    const how = { key: `${live.loaded.flow.id}.${prompt.ref}.how` }
    return { ...prompt, lines: [...items.map(({ text }) => text), how], taps: listedTaps(turn, live, prompt.ref, items) }
  }
  if (!helps(live)) return prompt
  const shown = await resumeFor(turn, live, prompt)
  const subject = await subjectOf(turn, live)
  return subject ? addressedPrompt(turn, subject, shown) : shown
}

/** What stands open in a session, as it is shown. */
export async function openFor(turn: Turn, live: LiveSession): Promise<Prompt | undefined> {
  const prompt = openPrompt(live.loaded, live.state)
  return prompt && presented(turn, live, prompt)
}

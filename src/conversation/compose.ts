import type { Abilities } from '../channels/channel.ts'
import type { Prompt } from '../engine/effect.ts'
import { OTHER_ANSWER } from '../engine/prompt.ts'
import type { Choice, OutboundMessage } from '../model/outbound.ts'
import type { TextRef } from '../model/text.ts'
import type { Said } from './said.ts'
import { payloadOf, STANDING, STANDING_PROMPT } from './tap.ts'

/** How words are made for one reader. */
export type Voice = (text: TextRef) => string

export type Composed = OutboundMessage & {
  /** The prompt this message opens. */
  opens?: { sessionId: number; ref: string }
}

/**
 * One message for all that was said in a turn: the remarks, then the open question with its answers numbered. Choices become buttons
 * where all of them fit; the numbers always stand in the text, so that a phone without buttons can answer.
 */
export function compose(
  said: readonly Said[],
  voice: Voice,
  abilities: Pick<Abilities, 'maxChoices' | 'maxChoiceChars'>,
): Composed | undefined {
  if (said.every((item) => item.type === 'message')) return undefined
  const prompts = said.filter((item) => item.type === 'prompt')
  const last = prompts.at(-1)
  const remarks = said.flatMap((item) => {
    if (item.type === 'note') return [voice(item.text)]
    if (item.type === 'plain') return [item.text]
    if (item.type === 'attachment') return [voice(item.caption)]
    return []
  })
  const paragraphs = [...dropRepeats(remarks), ...(last ? promptLines(last.prompt, voice) : [])]
  const links = said.flatMap((item) => (item.type === 'link' ? [{ label: voice(item.label), url: item.url }] : []))
  const attachment = said.find((item) => item.type === 'attachment')?.attachment
  const taps = said.flatMap((item) => (item.type === 'tap' ? [item] : []))
  if (!last && taps.length > 0) paragraphs.push(taps.map((tap, index) => `${index + 1}. ${voice(tap.label)}`).join('\n'))
  const answers = last
    ? choicesOf(last.prompt, last.sessionId, voice, { ...abilities, maxChoices: abilities.maxChoices - links.length })
    : []
  const standing = taps.map((tap, index) => ({
    number: String(index + 1),
    label: cut(voice(tap.label), abilities.maxChoiceChars),
    payload: payloadOf({ sessionId: STANDING, ref: tap.ref, key: tap.act }),
  }))
  // Beside a question only what fits; alone, all of them: those without a button are typed by their number
  const choices = last ? [...answers, ...standing].slice(0, Math.max(answers.length, abilities.maxChoices)) : standing
  const shown = last ? choices.length > 0 && choices.length + links.length <= abilities.maxChoices : choices.length > 0
  return {
    text: paragraphs.join('\n\n'),
    ...(shown ? { choices } : {}),
    ...(links.length > 0 ? { links } : {}),
    ...(attachment ? { attachment } : {}),
    ...(last
      ? { opens: { sessionId: last.sessionId, ref: last.prompt.ref } }
      : taps.length > 0
        ? { opens: { sessionId: STANDING, ref: STANDING_PROMPT } }
        : {}),
  }
}

function promptLines(prompt: Prompt, voice: Voice): string[] {
  const progress = prompt.progress ? `${voice({ key: 'engine.progress', params: prompt.progress })} ` : ''
  const numbered = prompt.options.map((option, index) => `${index + 1}. ${voice(option.text)}`)
  if (prompt.help && prompt.options.length > 0) numbered.push(`0. ${voice({ key: 'engine.help_option' })}`)
  const body = [progress + voice(prompt.text), ...(prompt.lines ?? []).map(voice), ...numbered].join('\n')
  return [
    ...(prompt.lead ? [voice(prompt.lead)] : []),
    body,
    ...(prompt.options.length > 0
      ? [voice({ key: 'engine.how_to_answer', params: { numbers: numbers(prompt.options.length, voice) } })]
      : []),
  ]
}

/** "1, 2, 3 hoặc 4" */
function numbers(count: number, voice: Voice): string {
  const all = Array.from({ length: count }, (_, index) => String(index + 1))
  const last = all.pop() ?? ''
  return all.length === 0 ? last : `${all.join(', ')} ${voice({ key: 'engine.or' })} ${last}`
}

function choicesOf(prompt: Prompt, sessionId: number, voice: Voice, abilities: Pick<Abilities, 'maxChoices' | 'maxChoiceChars'>): Choice[] {
  const offered = prompt.taps ?? prompt.options.map((option, index) => ({ ...option, number: String(index + 1) }))
  const choices = offered.map((option) => ({
    number: option.number,
    label: cut(voice(option.text), abilities.maxChoiceChars),
    // An answer offered again is the question's own: its button says the same long after the offer
    payload: payloadOf({ sessionId, ref: option.key === OTHER_ANSWER ? prompt.ref : (prompt.about ?? prompt.ref), key: option.key }),
  }))
  if (prompt.help && choices.length > 0 && choices.length < abilities.maxChoices) {
    choices.push({ number: '0', label: voice({ key: 'engine.help_option' }), payload: payloadOf({ sessionId, ref: prompt.ref, key: '0' }) })
  }
  return choices
}

const cut = (text: string, max: number) => (text.length <= max ? text : `${text.slice(0, max - 1)}…`)

const dropRepeats = (texts: string[]) => texts.filter((text, index) => text !== texts[index - 1])

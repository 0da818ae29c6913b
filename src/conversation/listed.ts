import type { Prompt } from '../engine/effect.ts'
import { holds } from '../engine/walk.ts'
import type { TextRef } from '../model/text.ts'
import { findToHelp, listedPeople } from './assist.ts'
import type { ValueRead } from './read-value.ts'
import type { LiveSession, Turn } from './turn.ts'
import { listedLanguages } from './voice.ts'

/** One of a list that is made anew for each who sees it: people, languages. `tap`: what its button says. */
export type Listed = { key: string; label: string; text: TextRef; tap: TextRef }

const inputOf = (live: LiveSession, ref: string) => {
  const node = live.loaded.nodes.get(ref)
  return node?.kind === 'ask' && node.input.type === 'listed' ? node.input : undefined
}

export async function listedItems(turn: Turn, live: LiveSession, ref: string): Promise<Listed[]> {
  const input = inputOf(live, ref)
  switch (input?.from) {
    case 'people_to_help':
      return listedPeople(turn, live)
    case 'voice_languages':
      return listedLanguages(turn)
    default:
      return []
  }
}

// A key in a button begins with a letter; those of people are numbers
const TAP = /^p(.+)$/

/** The buttons of a list: its items, then of the other things to be said there as many as the platform shows. */
export function listedTaps(turn: Turn, live: LiveSession, ref: string, items: readonly Listed[]): NonNullable<Prompt['taps']> {
  const others = (inputOf(live, ref)?.also ?? []).filter(({ tap }) => tap === true || (tap !== undefined && holds(live.state, tap)))
  const text = (key: string) => ({ key: `${live.loaded.flow.id}.${ref}.${key}` })
  return [
    ...items.map(({ key, tap }, index) => ({ key: `p${key}`, number: String(index + 1), text: tap })),
    ...others.map(({ key, phrases }) => ({ key, number: phrases[0] ?? key, text: text(key) })),
  ].slice(0, Math.max(items.length, turn.channel.abilities.maxChoices))
}

/** What a button of a list stands for; a button is a claim like any text, so it counts only for what may be chosen there. */
export async function readListedTap(turn: Turn, live: LiveSession, ref: string, key: string): Promise<ValueRead> {
  const input = inputOf(live, ref)
  if (input?.also.some((other) => other.key === key)) return { kind: 'value', value: key }
  const chosen = TAP.exec(key)?.[1]
  if (chosen === undefined) return { kind: 'none' }
  const item = (await listedItems(turn, live, ref)).find((listed) => listed.key === chosen)
  if (item) return { kind: 'value', value: asValue(item.key), label: item.label }
  // Of a part of the list that was shown before
  const person = input?.from === 'people_to_help' ? await findToHelp(turn, Number(chosen)) : undefined
  return person ? { kind: 'value', value: person.id, label: person.name } : { kind: 'none' }
}

/** Which of the list a text names: by number, by name, or one of the other things that may be said there. */
export async function readListed(turn: Turn, live: LiveSession, ref: string, text: string): Promise<ValueRead> {
  const items = await listedItems(turn, live, ref)
  const input = inputOf(live, ref)
  const others = (input?.also ?? []).map(({ key, phrases }) => ({ key, text: phrases[0] ?? key, phrases }))
  const digits = /^\D{0,10}(\d{1,3})\D{0,4}$/.exec(text.trim())?.[1]
  const numbered = digits === undefined ? undefined : items[Number(digits) - 1]
  if (numbered) return { kind: 'value', value: asValue(numbered.key), label: numbered.label }
  if (digits !== undefined) return { kind: 'none' }
  const { understand } = turn.deps
  const other = understand.understand(text, understand.prepare({ options: others }))
  if (other.kind === 'option' && other.key !== '0') return { kind: 'value', value: other.key }
  const named = understand.understand(
    text,
    understand.prepare({ kind: 'village', options: items.map(({ key, label }) => ({ key: `p${key}`, text: label })) }),
  )
  const found = named.kind === 'option' ? items.find(({ key }) => `p${key}` === named.key) : undefined
  if (found) return { kind: 'value', value: asValue(found.key), label: found.label }
  if (named.kind !== 'which') return { kind: 'none' }
  const lines = items.flatMap(({ key, label }, index) => (named.keys.includes(`p${key}`) ? [`${index + 1}. ${label}`] : []))
  return { kind: 'which', list: lines.join('\n') }
}

const asValue = (key: string) => (/^\d+$/.test(key) ? Number(key) : key)

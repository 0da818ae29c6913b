import type { TextRef } from '../model/text.ts'
import { listedPeople } from './assist.ts'
import type { ValueRead } from './read-value.ts'
import type { LiveSession, Turn } from './turn.ts'
import { listedLanguages } from './voice.ts'

/** One of a list that is made anew for each who sees it: people, languages. */
export type Listed = { key: string; label: string; text: TextRef }

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

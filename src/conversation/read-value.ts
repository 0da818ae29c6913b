import type { Prompt } from '../engine/effect.ts'
import { fold } from '../lib/fold.ts'
import { parseBirthYear } from '../lib/understand.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import { unitTitle } from '../registry/units.ts'
import type { Commune } from './communes.ts'
import type { Deps } from './deps.ts'
import type { Place } from './read-text.ts'

export type ValueRead =
  | { kind: 'value'; value: string | number; label?: string }
  /** A name that reads rather like something else. */
  | { kind: 'doubtful'; value: string }
  | { kind: 'which'; list: string }
  | { kind: 'none' }

/** What is known where a value is read: the year it is, and the villages there are. */
export type ValueWorld = {
  now: Date
  commune: Pick<Commune, 'villages' | 'preparedVillages'> | undefined
  deps: Pick<Deps, 'understand'>
}

const ONE_FIGURE = /^\D*\d\D*$/

/** Reads a name, year, village or count out of a text, as the open prompt asks for it. */
export function readValue(turn: ValueWorld, live: Pick<Place, 'loaded'>, prompt: Prompt, text: string): ValueRead {
  switch (prompt.input) {
    case 'name': {
      const read = turn.deps.understand.personName(text)
      if (read.kind === 'none') return { kind: 'none' }
      return { kind: read.kind === 'doubtful' ? 'doubtful' : 'value', value: read.name }
    }
    case 'birth_year': {
      // One figure is the number of an answer said too early, never a year
      if (ONE_FIGURE.test(text)) return { kind: 'none' }
      const birth = parseBirthYear(text, vietnamTime(turn.now).year)
      return birth.kind === 'year' ? { kind: 'value', value: birth.year } : { kind: 'none' }
    }
    case 'count': {
      const read = turn.deps.understand.count(text)
      const node = live.loaded.nodes.get(prompt.ref)
      const bounds = node?.kind === 'ask' && node.input.type === 'count' ? node.input : { min: 1, max: 100 }
      return read.kind === 'count' && read.count >= bounds.min && read.count <= bounds.max
        ? { kind: 'value', value: read.count }
        : { kind: 'none' }
    }
    case 'village':
      return readVillage(turn, text)
    case 'text': {
      const node = live.loaded.nodes.get(prompt.ref)
      const max = node?.kind === 'ask' && node.input.type === 'text' ? node.input.max : 0
      const words = text.normalize('NFC').trim()
      return words === '' || words.length > max ? { kind: 'none' } : { kind: 'value', value: words }
    }
    // Read where its list is at hand: listed.ts
    case 'listed':
    case 'choice':
      return { kind: 'none' }
    default:
      return prompt.input satisfies never
  }
}

function readVillage({ commune, deps }: ValueWorld, text: string): ValueRead {
  if (!commune) return { kind: 'none' }
  const whole = deps.understand.understand(text, commune.preparedVillages)
  const named = whole.kind === 'none' ? afterPlaceWord(text, commune.villages) : undefined
  const understood = named === undefined ? whole : deps.understand.understand(named, commune.preparedVillages)
  if (understood.kind === 'option') {
    const village = commune.villages.find((item) => String(item.id) === understood.key)
    if (village) return { kind: 'value', value: village.id, label: unitTitle(village) }
  }
  if (understood.kind === 'which') {
    const list = commune.villages.flatMap((village, index) =>
      understood.keys.includes(String(village.id)) ? [`${index + 1}. ${village.name}`] : [],
    )
    return { kind: 'which', list: list.join('\n') }
  }
  return { kind: 'none' }
}

/** What stands behind the last "bản" or "thôn": people who are asked for their village say who they are beside it. */
function afterPlaceWord(text: string, villages: readonly { label: string }[]): string | undefined {
  const placeWords = new Set(villages.map(({ label }) => fold(label.split(' ').at(-1) ?? '')))
  const words = text.trim().split(/[\s,.;:]+/)
  const at = words.findLastIndex((word) => placeWords.has(fold(word)))
  return at > 0 && at < words.length - 1 ? words.slice(at + 1).join(' ') : undefined
}

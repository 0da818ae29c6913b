import { z } from 'zod'
import intentsFile from '../../flows/intents.json' with { type: 'json' }
import { fold } from '../lib/fold.ts'
import { type Understand, Word } from '../lib/understand.ts'

/** Sentences that ask for what a word does: `flows/intents.json`. Phrases as the lexicon writes them; `<part>` stands for a part. */
const IntentsFile = z
  .object({
    /** Spellings without marks that mean nothing else where no question is open. */
    alone: z.record(z.string(), Word),
    parts: z.record(z.string(), z.string()),
    intents: z.array(z.object({ word: Word, sure: z.array(z.string()), perhaps: z.array(z.string()) }).strict()),
  })
  .strict()

/** The word somebody asks for in a sentence of their own; not `sure`: to be asked. */
export type Intent = { word: Word; sure: boolean }
export type FindIntent = (text: string) => Intent | undefined

/** Finds out whether a text that is no answer and no word asks for what a word does. */
export function createIntents({ prepare, understand }: Pick<Understand, 'prepare' | 'understand'>): FindIntent {
  const { alone, parts, intents } = IntentsFile.parse(intentsFile)
  const filled = (phrase: string) => phrase.replace(/<(\w+)>/g, (whole, name: string) => parts[name] ?? whole)
  const meanings = intents.flatMap(({ word, sure, perhaps }) => [
    { word, sure: true, phrases: sure.map(filled) },
    { word, sure: false, phrases: perhaps.map(filled) },
  ])
  // Nobody sees these as answers to choose from: their own texts are none
  const options = meanings.map((_, index) => ({ key: `m${index}`, text: '' }))
  const offered = prepare({ options: options.map((option, index) => ({ ...option, phrases: meanings[index]?.phrases ?? [] })) })
  const byPlace = prepare({ options })
  return (text) => {
    const word = alone[fold(text)]
    if (word) return { word, sure: true }
    const found = understand(text, offered)
    // "2", "ý đầu": a place in a list, and there is none
    if ((found.kind !== 'option' && found.kind !== 'which') || understand(text, byPlace).kind !== 'none') return undefined
    const keys = found.kind === 'option' ? [found.key] : found.keys
    const meant = keys.flatMap((key) => meanings[options.findIndex((option) => option.key === key)] ?? [])
    const [first] = meant
    if (!first || meant.length < keys.length || meant.some(({ word }) => word !== first.word)) return undefined
    return { word: first.word, sure: found.kind === 'option' && first.sure }
  }
}

import type { Lexicon } from './understand/lexicon.ts'
import { type Count, parseCount } from './understand/parse-count.ts'
import { createNameReader, type PersonName } from './understand/parse-person-name.ts'
import type { Prepared } from './understand/prepare-question.ts'
import { createReader } from './understand/read.ts'
import type { Offered, Understanding } from './understand/types.ts'
import type { WordUser } from './understand/words.ts'

export { Lexicon, parseLexicon } from './understand/lexicon.ts'
export { offeredFrom } from './understand/offered.ts'
export { parseBirthYear } from './understand/parse-birth-year.ts'
export type { Count } from './understand/parse-count.ts'
export type { PersonName } from './understand/parse-person-name.ts'
export type { Prepared } from './understand/prepare-question.ts'
export type { Offered, Understanding } from './understand/types.ts'
export { Word, type WordTable, WordUser } from './understand/words.ts'

/** What a text means among the answers offered. Pure; made once from the lexicon. */
export type Understand = {
  /** Makes the answers of one question ready (some milliseconds): keep the result as long as the question stands. */
  prepare(offered: Offered): Prepared
  /** `users`: what the writer is, so that words of others stay unknown texts. */
  understand(text: string, prepared: Prepared, users?: readonly WordUser[]): Understanding
  /** The word this whole message is, when no question is open. */
  word(text: string, users?: readonly WordUser[]): Understanding
  personName(text: string): PersonName
  count(text: string): Count
}

export function createUnderstanding(lexicon: Lexicon): Understand {
  const reader = createReader(lexicon)
  const nothing = reader.prepare({ options: [] })
  return {
    prepare: reader.prepare,
    understand: (text, prepared, users = []) => reader.understand(text, prepared, users),
    word: (text, users = []) => reader.understand(text, nothing, users),
    personName: createNameReader(lexicon),
    count: (text) => parseCount(text, lexicon),
  }
}

import type { Word } from '../lib/understand.ts'
import { broadcast } from '../outreach/chat/broadcast.ts'
import { campaigns } from '../outreach/chat/campaigns.ts'
import { remind } from '../outreach/chat/reminders.ts'
import type { Turn } from './turn.ts'
import { assist, edit, erase, family, language, menu, person, result, resume, start, stop, takeCode, view } from './words/anyone.ts'
import { listen } from './words/listen.ts'
import { invite, missing, statistics } from './words/officers.ts'

/** What a word does. `argument` is what followed it, as written. */
export type WordHandler = (turn: Turn, argument: string | undefined) => Promise<void>

// A word without a handler does not exist yet: it is an unknown text, and no help shows it
const handlers: Partial<Record<Word, WordHandler>> = {
  menu,
  start,
  family,
  assist,
  view,
  edit,
  result,
  language,
  stop,
  resume,
  erase,
  person,
  code: takeCode,
  tally: statistics,
  missing,
  invite,
  remind,
  broadcast,
  campaign: campaigns,
  listen,
}

export const hasWord = (word: Word): boolean => handlers[word] !== undefined

export async function runWord(turn: Turn, word: Word, argument: string | undefined): Promise<void> {
  await handlers[word]?.(turn, argument)
}

export const WORDS_THAT_ACT: readonly Word[] = Object.keys(handlers) as Word[]

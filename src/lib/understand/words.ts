import { z } from 'zod'

/** Words that work in every chat. The forms people write, roles and arguments are data: `flows/lexicon/words.json`. */
export const Word = z.enum([
  'menu',
  'start',
  'family',
  'assist',
  'view',
  'edit',
  'result',
  'listen',
  'language',
  'stop',
  'resume',
  'erase',
  'person',
  'code',
  'tally',
  'missing',
  'broadcast',
  'campaign',
  'remind',
  'invite',
])
export type Word = z.infer<typeof Word>

/** Who may use a word. `invited`: anyone who holds an invitation's code. */
export const WordUser = z.enum(['anyone', 'invited', 'village_lead', 'officer'])
export type WordUser = z.infer<typeof WordUser>

export const WordEntry = z
  .object({
    word: Word,
    /** As the help prints it: "DỪNG". */
    title: z.string(),
    /** Whole messages that mean it, with diacritics; without them they are found too. */
    forms: z.array(z.string()).min(1),
    /** Telegram commands, the first is the one listed. */
    commands: z.array(z.string().regex(/^[a-z_]+$/)).min(1),
    users: z.array(WordUser).min(1),
    /** What may follow: the number of a question, an invitation's code, a village's name. */
    argument: z.enum(['none', 'number', 'code', 'village']).default('none'),
    argument_required: z.boolean().default(false),
  })
  .strict()
export type WordEntry = z.infer<typeof WordEntry>

/** Bare spellings that are also something else. `asks`: too dangerous to act on: the person is asked which was meant. */
const Collision = z
  .object({
    text: z.string(),
    word: Word,
    others: z.array(z.string()).min(1),
    outcome: z.enum(['ask', 'answer_first', 'never']),
  })
  .strict()

export const WordTable = z.object({ words: z.array(WordEntry).min(1), collisions: z.array(Collision) }).strict()
export type WordTable = z.infer<typeof WordTable>

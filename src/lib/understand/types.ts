import type { Word } from './words.ts'

/** What a person may answer just now. */
export type Offered = {
  options: readonly {
    key: string
    text: string
    /** Other ways to say it, see `patterns.ts`. The same phrase in two options means: ask which. */
    phrases?: readonly string[]
    /** Which amounts this option covers, where the question counts something. */
    amount?: { min?: number | undefined; max?: number | undefined } | undefined
  }[]
  /** What is counted, e.g. "buổi": a bare figure is then an amount as well as the number of an answer. */
  counts?: string | undefined
  /** The question as asked: its words may stand in an answer without changing it. Without it fewer texts are understood. */
  ask?: string | undefined
  /** Asks what the person does: what others do is no answer. Otherwise it asks of a household. */
  asksPerson?: boolean
  /** `confirm`: the first option is yes, the second no. `village`: options are names. */
  kind?: 'choice' | 'confirm' | 'village'
  /** "0" asks for help. */
  helpKey?: '0' | undefined
}

/** What a text means among the answers offered. Never a guess: in doubt `which` or `none`. */
export type Understanding =
  | { kind: 'option'; key: string }
  /** One of these (or help, as `helpKey`): ask which. */
  | { kind: 'which'; keys: string[] }
  /** A question to us: explain ours with its example. */
  | { kind: 'question' }
  /** A word that works in every chat. */
  | { kind: 'word'; word: Word; arg?: string }
  /** May be this word, or the answer `key`, or something else: ask. */
  | { kind: 'which_word'; word: Word; key?: string }
  /** Wants a person, or does not know the answer. */
  | { kind: 'person' }
  /** Wants to change the answer to question `number`; `rest` is the new answer as written, to be understood against that question. */
  | { kind: 'edit'; number: number; rest?: string }
  /** Greets and says no more: ask again. */
  | { kind: 'greeting' }
  | { kind: 'none' }

import type { TextRef } from '../model/text.ts'
import type { AskInput, Var } from './flow.ts'

/** What stands open after a turn: its words, and what may be answered. */
export type Prompt = {
  ref: string
  kind: 'ask' | 'question' | 'review' | 'side'
  /** The prompt the options are of, where a side question asks for one of them. */
  about?: string
  text: TextRef
  /** Said before the text: "Cháu chưa hiểu ý bác." */
  lead?: TextRef
  options: { key: string; text: TextRef }[]
  input: AskInput['type']
  progress?: { n: number; total: number }
  /** Lines between text and options: the answers read back. */
  lines?: TextRef[]
  /** Buttons for what `lines` offer by number, and for other words that may be said there. */
  taps?: { key: string; number: string; text: TextRef }[]
  /** "0. cần cán bộ giúp" is offered. */
  help: boolean
}

/** What the conversation must do, store or say. The engine itself does nothing. */
export type Effect =
  | { type: 'note'; text: TextRef }
  | { type: 'prompt'; prompt: Prompt }
  /** An answer is in force from now on; null: it is withdrawn (started over, or mapped away). */
  | { type: 'answer'; question: string; option: string | null }
  /** To be done; with `wait` the flow goes on by a `done` input. */
  | { type: 'do'; action: string; args: Record<string, Var>; wait: boolean }
  | { type: 'end'; outcome: string; nextFlow?: string }
  /** An author's mistake met at run time; the person is told kindly, the log names the node. */
  | { type: 'fault'; node: string; reason: string }

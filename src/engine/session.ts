import type { Var } from './flow.ts'

/**
 * Where somebody is in a flow: all that must be kept between two messages. Plain JSON, under 2 KB: `flow check` refuses a set whose keys,
 * with its number of questions, would need more.
 */
export type Session = {
  flow: string
  version: number
  node: string
  vars: Record<string, Var>
  /** While in a form node, and after it for late corrections. */
  form?: FormState
  /** A side question that stands before the open one. */
  pending?: Pending
  /** Texts in a row that were not understood. */
  misses: number
  /** After an edit of an ask node: the node to come back to. */
  comeBack?: string
  /** Came here from an older version: what is new on the way is still to be asked. */
  moved?: true
  waiting: 'input' | 'done' | 'ended'
}

export type FormState = {
  set: string
  answers: Record<string, string>
  /** The open question; null while the answers are read back. */
  at: string | null
  /** Where to go on after an edit: a question, or null for the read-back. */
  back?: string | null
  /** Put aside for an officer's help; asked once more at the end. */
  skipped: string[]
  /** Questions asked that second time. */
  revisited: string[]
  confirmed: boolean
}

export type Pending =
  /** An earlier answer should become another one: yes or no? */
  | { type: 'correct'; ref: string; option: Var; label?: string }
  | { type: 'resume' }
  /** Several answers fit what was said: which? `0` among them is the wish for help. */
  | { type: 'which'; options: string[] }
  /** Which question is to be changed? */
  | { type: 'edit' }

export function newSession(flow: string, version: number, start: string, vars: Record<string, Var> = {}): Session {
  return { flow, version, node: start, vars, misses: 0, waiting: 'input' }
}

import type { MediaKind } from '../model/inbound.ts'
import type { Var } from './flow.ts'

/** What came in, already understood. `ref` names what is answered: an ask node, a question, or a pending side question by its type. */
export type Input =
  | { type: 'start' }
  /** An option of the open prompt. */
  | { type: 'option'; key: string }
  /** A value of an open free input (name, year, village, count); `label` is how it is read back. */
  | { type: 'value'; value: Var; label?: string }
  /**
   * Says something about an earlier prompt: a tap on an old button, or words sent before the open question was.
   * `repeat`: sent in the same breath as the answer in force, so a second tap on the same answer is no news.
   */
  | { type: 'earlier'; ref: string; key: Var; label?: string; repeat: boolean }
  | { type: 'which'; keys: string[] }
  /** The person asks what the question means. */
  | { type: 'explain' }
  | { type: 'not_understood'; media?: MediaKind; reason?: string }
  /** Wants a person for the open question. */
  | { type: 'person' }
  /** Change answer number `number` (1-based), maybe to `key` at once. */
  | { type: 'edit'; number?: number; key?: string }
  /** Came back: continue or start over? */
  | { type: 'resume' }
  /** Ask the open thing again, e.g. after another matter was dealt with. */
  | { type: 'again' }
  /** Out of the flow, by the way its author drew. */
  | { type: 'leave' }
  /** Go back to the thing asked before. */
  | { type: 'back' }
  /** What a `do` node waited for. */
  | { type: 'done'; vars: Record<string, Var> }

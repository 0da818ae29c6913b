import type { Prompt } from '../engine/effect.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import type { TextRef } from '../model/text.ts'

/** Something to say, in the order it came up. All of a turn becomes one message; only the last prompt stands. */
export type Said =
  | { type: 'note'; text: TextRef }
  /** Words made elsewhere: lists, figures. */
  | { type: 'plain'; text: string }
  | { type: 'prompt'; prompt: Prompt; sessionId: number }
  /** Things that may be done from here, at any time: they belong to no session (standing.ts). */
  | { type: 'tap'; label: TextRef; ref: string; act: string }
  | { type: 'link'; label: TextRef; url: string }
  /** A message of its own, before the words of the turn. */
  | { type: 'message'; message: OutboundMessage }
  | { type: 'attachment'; attachment: NonNullable<OutboundMessage['attachment']>; caption: TextRef }

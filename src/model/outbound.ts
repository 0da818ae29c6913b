/** A choice under a message. `payload` comes back when it is tapped; `number` is what a person may type instead. */
export type Choice = { number: string; label: string; payload: string }

/** A message to one person in words that know no platform. One message is one turn of ours. */
export type OutboundMessage = {
  text: string
  choices?: Choice[]
  /** A link offered beside the choices (a file, a voice prompt, a page). */
  links?: { label: string; url: string }[]
  /** A file, image or recorded prompt by content: uploaded by the channel when it is sent. */
  attachment?: { kind: 'image' | 'file' | 'voice'; name: string; contentType: string; path: string }
  /** Key of the text that is said in its place where the platform refuses it for good; the text is given the `class`. */
  otherwise?: string
}

/** Final words about a send. Everything a ledger needs to decide, nothing it would have to guess. */
export type SendOutcome =
  | { kind: 'sent'; platformMessageId: string; atMs: number; order: number }
  /** Certainly not delivered; may be tried again, not before `notBeforeMs`. */
  | { kind: 'retry'; class: string; notBeforeMs: number }
  /** Certainly not delivered and no use in trying again; `everybody`: nor with anybody else on this way, until a human acts. */
  | { kind: 'failed'; class: string; everybody?: true }
  /** May have been delivered: time-out, reset, 5xx, -200. */
  | { kind: 'uncertain'; class: string }
  /** Nothing can be sent through this account until a human acts (dead token, disabled account); the message keeps waiting. */
  | { kind: 'account_paused'; class: string }

/** A row of the ledger of sends has exactly one of these. */
export type OutboundStatus = 'waiting' | 'sent' | 'failed' | 'skipped' | 'expired' | 'cancelled' | 'uncertain'

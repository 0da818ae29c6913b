/** What a person sent without words, told apart so that each gets a useful answer. */
export type MediaKind = 'image' | 'voice' | 'video' | 'sticker' | 'location' | 'file' | 'link' | 'card'

/** A file as its platform names it: an address, an id. */
export type FileRef = { ref: string; name?: string }
/** A file as it lies on this machine, or why it does not. */
export type FetchedFile =
  | { kind: 'image' | 'file'; name: string; contentType: string; path: string }
  | { kind: 'refused'; problem: 'too_large' | 'not_fetched' | 'wrong_type' }

/** What happened on a channel, in words that know no platform. Coordinates and phone cards never get this far. */
export type InboundContent =
  | { kind: 'text'; text: string }
  /** A button of one of our messages; the payload is a claim like any typed text, not a proof. */
  | { kind: 'tap'; payload: string }
  /** An answer pressed on the voice page, at the prompt the page showed. */
  | { kind: 'press'; sessionId: number; ref: string; press: Press }
  /**
   * `file`: where the platform keeps it for a while. Kept only of officers who are composing (conversation/receive.ts), and taken from there
   * before the event is answered: then `fetched` says what it was.
   */
  | { kind: 'media'; media: MediaKind; text?: string; file?: FileRef; fetched?: FetchedFile }
  | { kind: 'follow' }
  | { kind: 'unfollow' }
  /** Opened through a link that carries a code (Telegram's /start payload). */
  | { kind: 'start'; code?: string }
  /** `tracked`: of a message that went to a phone number, by the id it was sent with; there is no chat and no contact then. */
  | { kind: 'received'; messageIds: string[]; tracked?: { id: string; atMs: number } }
  | { kind: 'seen'; messageIds: string[] }
  /** The platform's own report of a message we sent. `isList`: of a list, the form in which an article comes. */
  | { kind: 'echo'; messageId: string; text?: string; isList?: true }
  /** A human of the office typed in the platform's own tool. What they wrote stays there. */
  | { kind: 'staff_echo'; staffId: string }
  /** The person withdrew at the platform: erase. */
  | { kind: 'withdraw' }

/** What a platform says of messages of ours: they arrived, were read, left. Of a broadcast it says so three times for each. */
export type Report = Extract<InboundContent, { kind: 'received' | 'seen' | 'echo' }>
export const REPORT_KINDS = ['received', 'seen', 'echo'] as const satisfies readonly Report['kind'][]

const REPORTS: ReadonlySet<InboundContent['kind']> = new Set(REPORT_KINDS)
export const isReport = (content: InboundContent): content is Report => REPORTS.has(content.kind)

/** What may be pressed on the voice page: an answer, the wish for help, another question to be answered again, or one step back. */
export type Press = { type: 'option'; key: string } | { type: 'person' } | { type: 'edit'; number: number } | { type: 'back' }

/** One event of one contact, as parsed by a channel. */
export type InboundEvent = {
  channelUserId: string
  /** Unique within the account; a repeat of the same event has the same key. */
  dedupeKey: string
  /** When it happened by the platform's clock, ms. */
  atMs: number
  /** Position in the chat, comparable with `order` of what we sent: Zalo ms timestamps, Telegram message ids. */
  order: number
  content: InboundContent
}

import type { InboundEvent } from '../model/inbound.ts'
import type { OutboundMessage, SendOutcome } from '../model/outbound.ts'

/** What a platform can show and how long our words may be. Data, so that nobody outside `channels/` asks which platform it is. */
export type Abilities = {
  kind: 'zalo' | 'telegram'
  maxTextChars: number
  maxChoices: number
  maxChoiceChars: number
  maxPayloadBytes: number
  /** How long after a person's last word we may write first, ms; null where there is no such window. */
  sendWindowMs: number | null
  /** Between two messages we start in one chat, ms; null where the platform asks for nothing. */
  chatIntervalMs: number | null
  /** What `order` counts: the platform's clock in ms, or places in the chat. */
  orders: 'clock' | 'sequence'
  /** How a recorded prompt reaches the person: as a link to the page that plays it, or as a sound in the chat. */
  clips: 'link' | 'attached'
  /** How long the words under an attachment may be; 0: they go in a message of their own. */
  maxCaptionChars: Readonly<Record<NonNullable<OutboundMessage['attachment']>['kind'], number>>
  /** Content types that may be attached. */
  fileTypes: readonly string[]
  imageTypes: readonly string[]
  maxFileBytes: number
  maxImageBytes: number
}

/** One account on one platform: the only thing that knows how to talk to it. */
export type Channel = {
  abilities: Abilities
  /** A text in parts the platform takes, cut at natural breaks; mostly one. */
  split(text: string): string[]
  /**
   * Sends one message in one request where the platform allows. Resolves always; never throws for what a platform can do.
   * Whatever the platform does not take in one request must have been divided before: see `partsOf`.
   */
  send(channelUserId: string, message: OutboundMessage): Promise<SendOutcome>
  /**
   * Whether a message with this text reached the chat after `afterMs`: asked after a crash, before anything is sent again.
   * `unknown` where the platform cannot say.
   */
  findDelivered(channelUserId: string, message: OutboundMessage, afterMs: number): Promise<DeliveredAnswer>
  /**
   * Where the platform lists words beside the chat: the list of this chat from now on; none: the one everybody has. Absent where there
   * is no such list. Throws what the client throws; safe to repeat.
   */
  showCommands?(channelUserId: string, commands: readonly Command[]): Promise<void>
  /**
   * What somebody sent, by the reference of the webhook: its bytes, or `too_large` beyond `maxBytes`. Throws when it cannot be had any more;
   * the error names no secret.
   */
  loadFile(ref: string, maxBytes: number): Promise<Buffer | 'too_large'>
  /** Sends a registered template to a phone number; absent where the platform has no such thing. */
  sendTemplate?(message: TemplateMessage): Promise<SendOutcome>
  /** Published articles of the account, the newest first. Throws what the client throws. */
  listArticles?(): Promise<{ id: string; title: string }[]>
  /** Sends a published article to all followers; it reaches them once the platform has reviewed it. */
  broadcastArticle?(articleId: string): Promise<SendOutcome>
  close(): Promise<void>
}

export type TemplateMessage = {
  /** With country code and without plus: `84900000000`. */
  phone: string
  templateId: string
  data: Record<string, string>
  /** Comes back in the receipt. */
  trackingId: string
  /** True: only administrators of the account receive it, and nothing is billed. */
  development: boolean
}

/** A word as a platform lists it. `name`: a-z, 0-9 and _, at most 32; `says`: at most 256 characters. */
export type Command = { name: string; says: string }

export type DeliveredAnswer =
  | { kind: 'delivered'; platformMessageId: string; atMs: number; order: number }
  | { kind: 'absent' }
  | { kind: 'unknown' }

/** What a webhook body turned out to be; the door maps it to a status code. */
export type ParsedWebhook =
  | { kind: 'events'; accountExternalId: string; events: InboundEvent[] }
  | { kind: 'ignored'; reason: 'probe' | 'unknown_event' | 'too_old' | 'unknown_account' }
  | { kind: 'refused'; status: 400 | 401; reason: string }

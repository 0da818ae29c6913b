import type { WebhookAttachment } from './webhook-attachment.ts'

/** What every event has. */
export type EventFacts = {
  /** The platform's name of the event. */
  eventName: string
  appId?: string
  /** The account it happened at; ids of senders and recipients are told apart by it. */
  oaId?: string
  /** The person's id at this account. */
  userId?: string
  /** The person's id at the app; not always sent. */
  userIdByApp?: string
  /** ms since 1970, the platform's clock. */
  timestampMs: number
  /**
   * Equal for repeats of one event at one account and for nothing else: event name and message id, else event name, timestamp and subject.
   * Delivery is at least once and in any order.
   */
  key: string
}

/** Who wrote: the person, or the account (our own sends come back as events). */
export type Direction = 'inbound' | 'outbound'

export type MessageEvent = EventFacts & {
  kind: 'message'
  direction: Direction
  messageId: string
  /** Also the payload of a tapped query button; a person can type it just as well. */
  text?: string
  attachments: WebhookAttachment[]
  quotedMessageId?: string
  /** Only outbound: the human who wrote it in the platform's own tool. Absent for what a program sent. */
  adminId?: string
  /** Set for visitors who are not logged in: `userId` is then an anonymous id. */
  conversationId?: string
  /** Set for messages in a group (GMF). */
  groupId?: string
}

/** The data a person shared in the platform's form, in one shape for both generations of the event. */
export type SharedInfo = {
  name?: string
  phone?: string
  address?: string
  /** Old generation only: districts ended in 2025. */
  district?: string
  /** New generation only. */
  ward?: string
  city?: string
  birthDate?: string
  gender?: string
}

export type WebhookEvent =
  | MessageEvent
  | (EventFacts & { kind: 'seen'; messageIds: string[] })
  /** A message arrived on the person's phone; for templates sent by phone `userId` is the number or its hash. */
  | (EventFacts & { kind: 'received'; messageId: string; trackingId?: string; deliveryTimeMs?: number })
  | (EventFacts & { kind: 'reaction'; direction: Direction; messageId: string; icon: string })
  /** Opened the chat for the first time: the account may write first. */
  | (EventFacts & { kind: 'chat_opened' })
  | (EventFacts & { kind: 'follow' | 'unfollow'; source?: string })
  | (EventFacts & { kind: 'info_shared'; info: SharedInfo })
  | (EventFacts & { kind: 'tag'; change: 'added' | 'removed' | 'deleted'; tagName: string; userIds: string[] })
  /** Staff changed a profile or notes. */
  | (EventFacts & { kind: 'user_updated' })
  /** The person withdrew consent: erase what is stored. */
  | (EventFacts & { kind: 'withdraw' })
  | (EventFacts & { kind: 'widget'; isAccepted: boolean; externalId?: string; url?: string })
  | (EventFacts & { kind: 'extension_purchased' })
  /** A request for permission to call was sent or has expired. */
  | (EventFacts & { kind: 'call_consent_asked'; phone?: string; requestType?: string; createdMs?: number; expiresMs?: number })
  | (EventFacts & { kind: 'call_consent_answered'; isAllowed: boolean })
  | (EventFacts & { kind: 'call'; direction: Direction })
  | (EventFacts & { kind: 'group'; groupId?: string })
  /** Templates (ZBS): their state, quality, quota, and what people answered. `body` is the event as it came. */
  | (EventFacts & { kind: 'template'; body: Record<string, unknown> })
  /** A name or shape this client does not know, or an account that is not ours: answer 200, count, ignore. */
  | (EventFacts & { kind: 'unknown'; reason: 'name' | 'shape' | 'account' })

export type ParsedWebhook =
  | { kind: 'event'; event: WebhookEvent }
  /** A JSON object without an event, e.g. the unsigned `{}` the platform sends when the address is saved: answer 200, do nothing. */
  | { kind: 'probe' }
  /** Not a JSON object. */
  | { kind: 'invalid' }

import type { AccountSettings } from './account.ts'

// Everything the platform remembers. It changes only through `apply`, whether a record is new or read from the journal.

/** An Official Account with its tokens and chats. */
export interface Account {
  settings: AccountSettings
  threadsByUser: Map<string, Thread>
  threadsByPerson: Map<string, Thread>
  /** billed consultation messages by month, `2026-11` → 12 */
  billed: Map<string, number>
  articles: Map<string, Article>
  groups: Map<string, Group>
}

/** A person with a phone. */
export interface Person {
  id: string
  name: string
  label?: string
  phone?: string
  online: boolean
  /** inactive for 45 days or banned by the platform: -227 */
  banned: boolean
  /** highest `seq` among this person's messages */
  seq: number
  threads: Thread[]
}

export interface ContactInfo {
  name: string
  phone: string
  address?: string | undefined
  district?: string | undefined
  city?: string | undefined
}

/** What one person and one account are to each other. `userId` is the person's id for this account only. */
export interface Thread {
  oaId: string
  personId: string
  userId: string
  userIdByApp: string
  follows: boolean
  /** unfollowed and silent since: nothing may be sent */
  left: boolean
  blocked: boolean
  muted: boolean
  lastInteraction?: number
  /** order in which people came to the account */
  since: number
  tags: Set<string>
  /** contact data the person shared with the account */
  shared?: ContactInfo
  messages: Message[]
}

export interface Button {
  title: string
  type: string
  payload?: unknown
}

export interface ListElement {
  title: string
  subtitle?: string
  image_url?: string
  default_action?: { type: string; url?: string; payload?: string }
}

/** A picture, file, voice, sticker or card: bytes kept here (`fileId`) or an address elsewhere (`url`). */
interface Media {
  fileId?: string
  url?: string
  name?: string
  size?: number
  checksum?: string
  /** sticker id */
  sticker?: string
  latitude?: string
  longitude?: string
  phone?: string
}

type MessageKind = 'text' | 'image' | 'gif' | 'file' | 'location' | 'sticker' | 'voice' | 'card' | 'list' | 'event'

export interface Message {
  id: string
  oaId: string
  personId: string
  seq: number
  from: 'person' | 'oa' | 'staff'
  at: number
  kind: MessageKind
  /** `waiting`: written on a phone that is offline */
  status: 'waiting' | 'sent' | 'received' | 'seen'
  text?: string
  buttons?: Button[]
  elements?: ListElement[]
  media?: Media
  hidden?: true
  quote?: string
  adminId?: string
  /** the message asks for contact data (`request_user_info`) */
  asksInfo?: true
  /** sent through a message template (ZBS) */
  template?: { id: string; trackingId?: string }
  /** app that sent it; only that app hears of received and seen */
  byApi?: true
  icons?: string[]
}

export interface Tokens {
  oaId: string
  access: string
  refresh: string
  at: number
}

export interface Upload {
  id: string
  oaId: string
  kind: 'image' | 'gif' | 'file'
  fileId: string
  at: number
}

export interface StoredFile {
  id: string
  name: string
  type: string
  size: number
  checksum: string
}

export interface Article {
  id: string
  token: string
  at: number
  body: Record<string, unknown>
}

export interface Group {
  id: string
  name: string
  members: string[]
  disabled: boolean
  messages: { id: string; at: number; text?: string }[]
}

export interface WaitingEvent {
  id: string
  oaId: string
  event: string
  server: string
  body: string
  timestamp: string
}

/** One line of the journal. */
export type WorldRecord =
  | { t: 'account'; settings: AccountSettings }
  | { t: 'tokens'; tokens: Tokens }
  | { t: 'spent'; refresh: string }
  | { t: 'revoked'; oaId: string; what: 'access' | 'refresh' | 'both' }
  | { t: 'person'; person: { id: string; name: string; label?: string; phone?: string } }
  | { t: 'phone'; personId: string; online?: boolean; banned?: boolean }
  | { t: 'thread'; oaId: string; personId: string; userId: string; userIdByApp: string; at: number }
  | {
      t: 'relation'
      oaId: string
      personId: string
      follows?: boolean
      left?: boolean
      blocked?: boolean
      muted?: boolean
      shared?: ContactInfo
      interaction?: number
    }
  | { t: 'message'; message: Message; interaction?: true; billed?: true }
  | { t: 'status'; ids: string[]; status: Message['status']; at?: number }
  | { t: 'icon'; id: string; icon: string }
  | { t: 'tag'; oaId: string; userId: string; tag: string; on: boolean }
  | { t: 'file'; file: StoredFile }
  | { t: 'upload'; upload: Upload }
  | { t: 'article'; oaId: string; article: Article }
  | { t: 'article-gone'; oaId: string; id: string }
  | { t: 'group'; oaId: string; group: Omit<Group, 'messages'> }
  | { t: 'group-message'; oaId: string; groupId: string; message: Group['messages'][number] }
  | { t: 'event'; event: WaitingEvent }
  | { t: 'settled'; id: string }

export interface World {
  accounts: Map<string, Account>
  people: Map<string, Person>
  messages: Map<string, Message>
  /** access token → pair; the pair of a spent refresh token stays valid until it expires */
  access: Map<string, Tokens>
  /** refresh token → pair; `spent` once used */
  refresh: Map<string, { tokens: Tokens; spent: boolean }>
  files: Map<string, StoredFile>
  uploads: Map<string, Upload>
  waitingEvents: Map<string, WaitingEvent>
}

export function createWorld(): World {
  return {
    accounts: new Map(),
    people: new Map(),
    messages: new Map(),
    access: new Map(),
    refresh: new Map(),
    files: new Map(),
    uploads: new Map(),
    waitingEvents: new Map(),
  }
}

export function getAccount(world: World, oaId: string): Account {
  const account = world.accounts.get(oaId)
  if (!account) throw new Error(`There is no Official Account ${oaId} on this platform.`)
  return account
}

export function getPerson(world: World, id: string): Person {
  const person = world.people.get(id)
  if (!person) throw new Error(`There is no person ${id}.`)
  return person
}

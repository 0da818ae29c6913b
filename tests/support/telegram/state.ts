import { EventEmitter } from 'node:events'
import type { UploadedFile } from './multipart.ts'

export type Button = { text: string; callback_data?: string; url?: string }

/** One message of a chat, whoever sent it. */
export type ChatMessage = {
  message_id: number
  from: 'bot' | 'person'
  date: number
  text?: string
  caption?: string
  keyboard?: Button[][]
  file?: { kind: 'photo' | 'document' | 'voice'; name: string; size: number; bytes?: Buffer }
}

export type Person = {
  id: number
  first_name: string
  language_code: string
  started: boolean
  blocked: boolean
  deactivated: boolean
  transcript: ChatMessage[]
}

export type Update = { update_id: number; chatId: number; kind: string; body: Record<string, unknown> }

export type Webhook = { url: string; secret_token?: string; max_connections: number }

/**
 * Deliveries that are not as they should be, as shares of all updates: twice (at once, or later than what follows), or late, so that
 * what the person wrote afterwards is delivered before.
 */
export type Shake = { duplicates: number; late: number; copyDelayMs: number; lateMs: number; random: () => number }

/** Everything the platform knows of one bot. Message ids count through all private chats of a bot, as Telegram's do. */
export type BotState = {
  id: number
  username: string
  people: Map<number, Person>
  /** Updates nobody has confirmed, oldest first. */
  pending: Map<number, Update>
  nextUpdateId: number
  nextMessageId: number
  openTaps: Set<string>
  allowedUpdates: string[] | undefined
  webhook: Webhook | undefined
  lastError: { date: number; message: string } | undefined
  shake: Shake | undefined
  shaken: { duplicates: number; late: number }
  /** Updates that are delivered once more although they were confirmed. */
  copies: Update[]
  commands: Map<string, { command: string; description: string }[]>
  sentCount: number
  /** `update` (Update): something is pending, or there is a copy. `webhook`: it was set or deleted. `bot_message` (ChatMessage, chatId): something appeared on a person's screen. */
  events: EventEmitter
}

export function createBotState(token: string): BotState {
  const events = new EventEmitter()
  events.setMaxListeners(0)
  return {
    id: Number(token.split(':')[0]),
    username: 'hoctap_test_bot',
    people: new Map(),
    pending: new Map(),
    nextUpdateId: 700_000_001,
    nextMessageId: 1,
    openTaps: new Set(),
    allowedUpdates: undefined,
    webhook: undefined,
    lastError: undefined,
    shake: undefined,
    shaken: { duplicates: 0, late: 0 },
    copies: [],
    commands: new Map(),
    sentCount: 0,
    events,
  }
}

// Enough to look at; load runs would otherwise fill the memory
const TRANSCRIPT_LIMIT = 1_000

export function addMessage(bot: BotState, person: Person, message: Omit<ChatMessage, 'message_id'>): ChatMessage {
  const added = { message_id: bot.nextMessageId++, ...message }
  person.transcript.push(added)
  if (person.transcript.length > TRANSCRIPT_LIMIT) person.transcript.splice(0, TRANSCRIPT_LIMIT / 2)
  if (added.from === 'bot') {
    bot.sentCount++
    bot.events.emit('bot_message', added, person.id)
  }
  return added
}

// core.telegram.org/bots/api#getupdates: without a list, all but these
const NOT_BY_DEFAULT = new Set(['chat_member', 'message_reaction', 'message_reaction_count'])

export function addUpdate(bot: BotState, chatId: number, kind: string, content: unknown): Update | undefined {
  const wanted = bot.allowedUpdates?.length ? bot.allowedUpdates.includes(kind) : !NOT_BY_DEFAULT.has(kind)
  if (!wanted) return undefined
  const { shake } = bot
  if (shake && shake.random() < shake.late) {
    bot.shaken.late++
    setTimeout(() => enqueue(bot, chatId, kind, content), shake.lateMs)
    return undefined
  }
  return enqueue(bot, chatId, kind, content)
}

/** An update gets its number when it is made, which for a late one is after those of later messages. */
function enqueue(bot: BotState, chatId: number, kind: string, content: unknown): Update {
  const update_id = bot.nextUpdateId++
  const update = { update_id, chatId, kind, body: { update_id, [kind]: content } }
  bot.pending.set(update_id, update)
  bot.events.emit('update', update)
  const { shake } = bot
  if (shake && shake.random() < shake.duplicates) {
    bot.shaken.duplicates++
    const copy = () => {
      bot.copies.push(update)
      bot.events.emit('update', update)
    }
    if (shake.random() < 0.5) copy()
    else setTimeout(copy, shake.copyDelayMs)
  }
  return update
}

export function toUser(person: Person) {
  return { id: person.id, is_bot: false, first_name: person.first_name, language_code: person.language_code }
}

export function toChat(person: Person) {
  return { id: person.id, type: 'private', first_name: person.first_name }
}

/** A message as the Bot API writes it. */
export function toApiMessage(bot: BotState, person: Person, message: ChatMessage): Record<string, unknown> {
  const { message_id, date, text, caption, keyboard, file } = message
  return {
    message_id,
    from: message.from === 'bot' ? toBotUser(bot) : toUser(person),
    chat: toChat(person),
    date,
    ...(text !== undefined && { text }),
    ...(caption !== undefined && { caption }),
    ...(keyboard && { reply_markup: { inline_keyboard: keyboard } }),
    ...(file && describeFile(file, message_id)),
  }
}

export function toBotUser(bot: BotState) {
  return { id: bot.id, is_bot: true, first_name: 'Học Tập Bot', username: bot.username }
}

function describeFile(file: NonNullable<ChatMessage['file']>, messageId: number): Record<string, unknown> {
  const facts = { file_id: `file-${messageId}`, file_unique_id: `u${messageId}`, file_size: file.size }
  if (file.kind === 'photo') return { photo: [{ ...facts, width: 90, height: 90 }] }
  if (file.kind === 'voice') return { voice: { ...facts, duration: 1 } }
  return { document: { ...facts, file_name: file.name } }
}

export function toStoredFile(kind: 'photo' | 'document' | 'voice', file: UploadedFile): NonNullable<ChatMessage['file']> {
  return { kind, name: file.name, size: file.bytes.length, bytes: file.bytes }
}

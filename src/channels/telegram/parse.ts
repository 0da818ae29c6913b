import { z } from 'zod'
import type { FileRef, InboundContent, InboundEvent, MediaKind } from '../../model/inbound.ts'
import type { ParsedWebhook } from '../channel.ts'

/** Slash commands and the words they stand for, e.g. `thongke` → `THỐNG KÊ`. */
type SlashWords = Readonly<Record<string, string>>

export type ParseContext = {
  botId: string
  slashWords: SlashWords
  /** When the update reached us: a tap carries no time of its own. */
  nowMs: number
}

/** What an update turned out to be, and the taps that wait for `answerTap` whatever came of it. */
export type ParsedUpdate = { parsed: ParsedWebhook; callbackIds: string[] }

// Tolerant throughout: of what is not listed nothing is kept, so coordinates and phone numbers end here
const Chat = z.object({ id: z.number(), type: z.string() })
const Message = z.object({
  message_id: z.number().int(),
  date: z.number(),
  chat: Chat,
  text: z.string().optional(),
  caption: z.string().optional(),
})
const CallbackQuery = z.object({
  id: z.string(),
  from: z.object({ id: z.number() }),
  message: z.object({ message_id: z.number().int(), chat: Chat }).optional(),
  data: z.string().optional(),
})
const MyChatMember = z.object({ chat: Chat, date: z.number(), new_chat_member: z.object({ status: z.string() }) })
const Update = z.object({
  update_id: z.number().int(),
  message: z.unknown().optional(),
  callback_query: z.unknown().optional(),
  my_chat_member: z.unknown().optional(),
})
// core.telegram.org/bots/api#photosize, the largest last; #document
const Document = z.object({ file_id: z.string(), file_name: z.string().optional() })
const Fields = z.record(z.string(), z.unknown())

// The first field present decides: an animation also comes as a document, a venue also as a location (core.telegram.org/bots/api#message)
const MEDIA: readonly (readonly [field: string, media: MediaKind])[] = [
  ['photo', 'image'],
  ['voice', 'voice'],
  ['audio', 'voice'],
  ['video', 'video'],
  ['video_note', 'video'],
  ['animation', 'video'],
  ['sticker', 'sticker'],
  ['dice', 'sticker'],
  ['document', 'file'],
  ['contact', 'card'],
  ['venue', 'location'],
  ['location', 'location'],
  ['story', 'link'],
  ['poll', 'link'],
]

const SLASH = /^\/([a-zA-Z0-9_]{1,32})(?:@\w+)?(?:\s+([\s\S]*))?$/
// core.telegram.org/bots/features#deep-linking: "A-Z, a-z, 0-9, _ and -", up to 64 characters
const START_CODE = /^[A-Za-z0-9_-]{1,64}$/
// Blocking and unblocking have no place among the messages of the chat
const NO_PLACE = 0

/**
 * Reads one update. What we do not know is ignored, never refused: Telegram repeats a refused update and holds back all that follows it
 * in the chat. Only something that is no update at all is refused.
 */
export function parseUpdate(body: unknown, context: ParseContext): ParsedUpdate {
  const update = Update.safeParse(body)
  if (!update.success) return { parsed: { kind: 'refused', status: 400, reason: 'not a Telegram update' }, callbackIds: [] }
  const { update_id, message, callback_query, my_chat_member } = update.data

  const query = CallbackQuery.safeParse(callback_query)
  const callbackIds = query.success ? [query.data.id] : []
  const found =
    (query.success && parseTap(query.data, context.nowMs)) ||
    parseMessage(message, context.slashWords) ||
    parseMember(my_chat_member) ||
    undefined
  if (!found) return { parsed: { kind: 'ignored', reason: 'unknown_event' }, callbackIds }
  const event: InboundEvent = { ...found, dedupeKey: `update:${update_id}` }
  return { parsed: { kind: 'events', accountExternalId: context.botId, events: [event] }, callbackIds }
}

/** Reads a batch from long polling: everything in it that concerns us, in Telegram's order. */
export function parseUpdates(bodies: readonly unknown[], context: ParseContext): { events: InboundEvent[]; callbackIds: string[] } {
  const updates = bodies.map((body) => parseUpdate(body, context))
  return {
    events: updates.flatMap(({ parsed }) => (parsed.kind === 'events' ? parsed.events : [])),
    callbackIds: updates.flatMap(({ callbackIds }) => callbackIds),
  }
}

type Found = Omit<InboundEvent, 'dedupeKey'>

function parseTap({ from, message, data }: z.infer<typeof CallbackQuery>, nowMs: number): Found | undefined {
  if (data === undefined || !message || message.chat.type !== 'private') return undefined
  // Its place is that of the message tapped, so it is never taken for older than the question it answers
  return { channelUserId: String(from.id), atMs: nowMs, order: message.message_id, content: { kind: 'tap', payload: data } }
}

function parseMessage(raw: unknown, slashWords: SlashWords): Found | undefined {
  const parsed = Message.safeParse(raw)
  if (!parsed.success || parsed.data.chat.type !== 'private') return undefined
  const { message_id, date, chat, text, caption } = parsed.data
  const content = text === undefined ? parseMedia(Fields.parse(raw), caption) : parseText(text, slashWords)
  return content && { channelUserId: String(chat.id), atMs: date * 1_000, order: message_id, content }
}

function parseText(text: string, slashWords: SlashWords): InboundContent {
  const [, command, rest = ''] = SLASH.exec(text) ?? []
  if (command === undefined) return { kind: 'text', text }
  const name = command.toLowerCase()
  if (name === 'start') return START_CODE.test(rest) ? { kind: 'start', code: rest } : { kind: 'start' }
  const word = Object.hasOwn(slashWords, name) ? slashWords[name] : command
  return { kind: 'text', text: `${word} ${rest}`.trim() }
}

function parseMedia(fields: z.infer<typeof Fields>, caption: string | undefined): InboundContent | undefined {
  const media = MEDIA.find(([field]) => fields[field] !== undefined)?.[1]
  return media && { kind: 'media', media, ...(caption !== undefined && { text: caption }), ...fileOf(media, fields) }
}

/** A picture in its largest size, or a document; of nothing else the id is kept. */
function fileOf(media: MediaKind, { photo, document }: z.infer<typeof Fields>): { file?: FileRef } {
  if (media === 'image') {
    const sizes = z.array(z.object({ file_id: z.string() })).safeParse(photo).data ?? []
    const largest = sizes.at(-1)
    return largest ? { file: { ref: largest.file_id } } : {}
  }
  const found = media === 'file' ? Document.safeParse(document).data : undefined
  return found ? { file: { ref: found.file_id, ...(found.file_name !== undefined && { name: found.file_name }) } } : {}
}

function parseMember(raw: unknown): Found | undefined {
  const parsed = MyChatMember.safeParse(raw)
  if (!parsed.success || parsed.data.chat.type !== 'private') return undefined
  const { chat, date, new_chat_member } = parsed.data
  const kind = new_chat_member.status === 'kicked' ? 'unfollow' : new_chat_member.status === 'member' ? 'follow' : undefined
  return kind && { channelUserId: String(chat.id), atMs: date * 1_000, order: NO_PLACE, content: { kind } }
}

import { stat } from 'node:fs/promises'
import type { InputFile, Opts } from 'telegraf/types'
import { z } from 'zod'
import type { OutboundMessage, SendOutcome } from '../../model/outbound.ts'
import type { Channel } from '../channel.ts'
import { MAX_CAPTION_CHARS, telegramAbilities } from './abilities.ts'
import { createTelegramClient, type TelegramClient } from './client.ts'
import { registerCommands } from './commands.ts'
import { TelegramCallError, type TelegramFailure } from './failure.ts'
import { layKeyboard, writeOutButtons } from './keyboard.ts'
import { splitText } from './split-text.ts'

export type TelegramChannel = Channel & {
  /**
   * Stops the waiting sign on a tapped button; to be called as soon as the tap is stored, whatever it will lead to. Never throws: false
   * means the person sees the sign a few seconds longer.
   */
  answerTap(callbackId: string): Promise<boolean>
  /** Who this bot is. Throws `TelegramCallError`. */
  loadBot(): Promise<{ id: string; username: string }>
}

// core.telegram.org/bots/api#sending-files
const MAX_PHOTO_BYTES = 10_000_000
const MAX_FILE_BYTES = 50_000_000
// core.telegram.org/bots/api#sendvoice: ".OGG file encoded with OPUS, or in .MP3 format, or in .M4A format"; others go as files
const VOICE_TYPES: ReadonlySet<string> = new Set(['audio/ogg', 'audio/mpeg', 'audio/mp4'])
// A file may take longer than words, and a person waits for the answer
const FILE_TIMEOUT_MS = 8_000
// "can't send messages to the user" was a fault of an hour or two; what it says after this is believed
const DOUBT_MS = 4 * 3_600_000
const MAX_DOUBTS = 10_000

type Attachment = NonNullable<OutboundMessage['attachment']>
type SendMethod = 'sendMessage' | 'sendPhoto' | 'sendDocument' | 'sendVoice'
type SendRequest = { [M in SendMethod]: { method: M; payload: Opts<M> } }[SendMethod]
type UploadTarget = Pick<Opts<'sendDocument'>, 'chat_id' | 'caption' | 'reply_markup'>

const UPLOADS: Record<Attachment['kind'], (target: UploadTarget, file: InputFile) => SendRequest> = {
  image: (target, photo) => ({ method: 'sendPhoto', payload: { ...target, photo } }),
  voice: (target, voice) => ({ method: 'sendVoice', payload: { ...target, voice } }),
  file: (target, document) => ({ method: 'sendDocument', payload: { ...target, document } }),
}

/** What the platform made us change about a message on its way. */
type Form = { chatId: string; plain: boolean; asFile: boolean }

const Sent = z.object({ message_id: z.number().int(), date: z.number(), chat: z.object({ id: z.number() }) })
const Me = z.object({ id: z.number(), username: z.string() })

/** One Telegram bot as a channel. Of `telegram` and `token`, the first is used where both are given: the poller shares the line then. */
export function createTelegramChannel(options: {
  token: string
  apiUrl: string
  timeoutMs: number
  now: () => number
  telegram?: TelegramClient
}): TelegramChannel {
  const { now } = options
  const telegram = options.telegram ?? createTelegramClient(options)
  /** When the odd 403 was first met, by chat; in memory only, so a restart asks once more. */
  const doubts = new Map<string, number>()

  return {
    abilities: telegramAbilities,
    split: (text) => splitText(text, telegramAbilities.maxTextChars),
    async send(channelUserId, message) {
      const file = message.attachment && (await checkFile(message.attachment))
      const { attachment, ...words } = message
      const form: Form = { chatId: channelUserId, plain: false, asFile: file?.mustBeFile ?? false }
      // The words of a question say what its recording says: they are not held back for a sound that cannot go
      if (file?.refused) return attachment?.kind === 'voice' && words.text ? sendOne(form, words) : { kind: 'failed', class: file.refused }
      return sendOne(form, message)
    },
    findDelivered: () => Promise.resolve({ kind: 'unknown' }),
    loadFile: (ref, maxBytes) => telegram.loadFile(ref, { maxBytes, timeoutMs: FILE_TIMEOUT_MS }),
    async answerTap(callbackId) {
      try {
        await telegram.call('answerCallbackQuery', { callback_query_id: callbackId })
        return true
      } catch (error) {
        return failureOf(error).remedy === 'settled'
      }
    },
    showCommands: (channelUserId, commands) => registerCommands(telegram, [{ channelUserId, commands }]),
    async loadBot() {
      const me = Me.parse(await telegram.call('getMe', {}))
      return { id: String(me.id), username: me.username }
    },
    async close() {
      if (!options.telegram) telegram.close()
    },
  }

  /** Sends one request, and again in another form as long as the platform refuses the form and not the message. */
  async function sendOne(form: Form, message: OutboundMessage): Promise<SendOutcome> {
    for (;;) {
      const { method, payload } = shapeRequest(form, message)
      try {
        const sent = Sent.safeParse(await telegram.call(method, payload))
        if (!sent.success) return { kind: 'uncertain', class: 'malformed_answer' }
        const { message_id, date, chat } = sent.data
        doubts.delete(form.chatId)
        // Message ids count within a chat; the ledger looks them up within the account
        return { kind: 'sent', platformMessageId: `${chat.id}:${message_id}`, atMs: date * 1_000, order: message_id }
      } catch (error) {
        const failure = failureOf(error)
        const changed = changeForm(form, message, failure)
        if (!changed) return toOutcome(form.chatId, failure)
        Object.assign(form, changed)
      }
    }
  }

  function toOutcome(chatId: string, failure: TelegramFailure): SendOutcome {
    switch (failure.remedy) {
      case 'wait':
        return { kind: 'retry', class: failure.class, notBeforeMs: now() + (failure.retryAfterMs ?? 0) }
      case 'doubt':
        return doubt(chatId, failure)
      case 'pause_account':
        return { kind: 'account_paused', class: failure.class }
      case 'unknown':
        return { kind: 'uncertain', class: failure.class }
      case 'give_up':
      case 'send_plain':
      case 'send_as_file':
      case 'send_to_new_chat':
      case 'settled':
        return { kind: 'failed', class: failure.class }
      default:
        throw new Error(`a failure nobody decides about: ${failure.remedy satisfies never}`)
    }
  }

  function doubt(chatId: string, failure: TelegramFailure): SendOutcome {
    const since = doubts.get(chatId)
    if (since !== undefined && now() - since >= DOUBT_MS) return { kind: 'failed', class: failure.class }
    if (since === undefined) {
      const oldest = doubts.size >= MAX_DOUBTS ? doubts.keys().next().value : undefined
      if (oldest !== undefined) doubts.delete(oldest)
      doubts.set(chatId, now())
    }
    return { kind: 'retry', class: failure.class, notBeforeMs: (since ?? now()) + DOUBT_MS }
  }
}

function shapeRequest(form: Form, message: OutboundMessage): SendRequest {
  const keyboard = form.plain ? undefined : layKeyboard(message)
  const markup = keyboard && { reply_markup: keyboard }
  const { attachment } = message
  if (!attachment) {
    const text = form.plain ? writeOutButtons(message, telegramAbilities.maxTextChars) : message.text
    // No previews: Telegram's servers would open the link, and ours may be signed for one officer
    return { method: 'sendMessage', payload: { chat_id: form.chatId, text, link_preview_options: { is_disabled: true }, ...markup } }
  }
  const caption = form.plain ? writeOutButtons(message, MAX_CAPTION_CHARS) : message.text
  const target = { chat_id: form.chatId, ...(caption && { caption }), ...markup }
  return UPLOADS[form.asFile ? 'file' : attachment.kind](target, { source: attachment.path, filename: attachment.name })
}

/** The form to try next; undefined where the failure is not about the form, or this was tried. */
function changeForm(form: Form, message: OutboundMessage, failure: TelegramFailure): Partial<Form> | undefined {
  if (failure.remedy === 'send_plain' && !form.plain) return { plain: true }
  if (failure.remedy === 'send_as_file' && !form.asFile && message.attachment) return { asFile: true }
  if (failure.remedy === 'send_to_new_chat' && failure.migrateTo && failure.migrateTo !== form.chatId) return { chatId: failure.migrateTo }
  return undefined
}

async function checkFile({ kind, path, contentType }: Attachment): Promise<{ refused?: string; mustBeFile?: boolean }> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) return { refused: 'file_missing' }
  if (found.size > MAX_FILE_BYTES) return { refused: 'file_too_large' }
  if (kind === 'voice') return { mustBeFile: !VOICE_TYPES.has(contentType) }
  return { mustBeFile: kind === 'image' && found.size > MAX_PHOTO_BYTES }
}

function failureOf(error: unknown): TelegramFailure {
  if (error instanceof TelegramCallError) return error.failure
  throw error
}

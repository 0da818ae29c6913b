import { TelegramError } from 'telegraf'
import { z } from 'zod'

/** What is left to do about a failed request. */
type Remedy =
  /** Certainly not done, and trying again is of no use. */
  | 'give_up'
  /** Certainly not done, and the same request may succeed after `retryAfterMs`. */
  | 'wait'
  /** Certainly not done; final only when it is said again hours later. */
  | 'doubt'
  /** Certainly not done; the words go through without their buttons. */
  | 'send_plain'
  /** Certainly not done; the picture or recording goes through as a file. */
  | 'send_as_file'
  /** Certainly not done; the chat has the address `migrateTo` now. */
  | 'send_to_new_chat'
  /** Certainly not done; nothing goes through this account until a human acts. */
  | 'pause_account'
  /** It already is as it was asked to be, or it no longer matters. */
  | 'settled'
  /** May have been done. */
  | 'unknown'

/** Why a request failed. Holds nothing of the request: no token, no text, no address. */
export type TelegramFailure = { remedy: Remedy; class: string; retryAfterMs?: number; migrateTo?: string }

/** A request to Telegram that did not succeed. Safe to log: neither the token nor a person's words are in it, and it has no `cause`. */
export class TelegramCallError extends Error {
  override name = 'TelegramCallError'
  readonly method: string
  readonly failure: TelegramFailure

  constructor(method: string, failure: TelegramFailure, sentence?: string) {
    super(`Telegram ${method}: ${failure.class}${sentence ? ` (${sentence})` : ''}`)
    this.method = method
    this.failure = failure
  }
}

// Codes equal the HTTP status. "Its contents are subject to change in the future" (core.telegram.org/bots/api#making-requests), so a code
// that is not here counts as not understood, and what is not understood may have been delivered.
const BY_CODE: Readonly<Record<number, TelegramFailure>> = {
  400: { remedy: 'give_up', class: 'refused' },
  401: { remedy: 'pause_account', class: 'dead_token' },
  403: { remedy: 'give_up', class: 'forbidden' },
  // A token that was never one: the path /bot<token>/ does not exist
  404: { remedy: 'pause_account', class: 'dead_token' },
  // Somebody else polls with this token, or polls while a webhook is set
  409: { remedy: 'pause_account', class: 'conflict' },
  413: { remedy: 'give_up', class: 'file_too_large' },
  429: { remedy: 'wait', class: 'rate_limited' },
}

/**
 * Where only Telegram's sentence tells failures of one code apart. The server writes some with a capital and some with a small letter, so
 * they are compared in lower case. Sources: [list] TelegramBotAPI/errors, github.com/TelegramBotAPI/errors; [tdlib] tdlib/telegram-bot-api,
 * Client.cpp; [mtproto] corefork.telegram.org/api/errors, passed through in capitals; [seen] met by operators of other bots.
 */
const BY_SENTENCE: readonly { code: number; part: string; failure: TelegramFailure; source: 'list' | 'tdlib' | 'mtproto' | 'seen' }[] = [
  { code: 403, part: 'bot was blocked by the user', failure: { remedy: 'give_up', class: 'blocked' }, source: 'list' },
  { code: 403, part: 'user is deactivated', failure: { remedy: 'give_up', class: 'account_deleted' }, source: 'list' },
  { code: 403, part: "bot can't initiate conversation", failure: { remedy: 'give_up', class: 'not_started' }, source: 'list' },
  { code: 403, part: "bot can't send messages to bots", failure: { remedy: 'give_up', class: 'is_a_bot' }, source: 'list' },
  { code: 403, part: 'bot was kicked', failure: { remedy: 'give_up', class: 'removed_from_chat' }, source: 'list' },
  { code: 403, part: 'bot is not a member', failure: { remedy: 'give_up', class: 'removed_from_chat' }, source: 'list' },
  // A short fault of the platform looked like this for people who had blocked nothing (rss2tg.duck.consulting)
  { code: 403, part: "bot can't send messages to the user", failure: { remedy: 'doubt', class: 'unreachable' }, source: 'seen' },
  { code: 400, part: 'chat not found', failure: { remedy: 'give_up', class: 'chat_not_found' }, source: 'list' },
  { code: 400, part: 'peer_id_invalid', failure: { remedy: 'give_up', class: 'chat_not_found' }, source: 'mtproto' },
  { code: 400, part: 'user not found', failure: { remedy: 'give_up', class: 'chat_not_found' }, source: 'list' },
  { code: 400, part: 'message is too long', failure: { remedy: 'give_up', class: 'too_long' }, source: 'list' },
  { code: 400, part: 'caption is too long', failure: { remedy: 'give_up', class: 'too_long' }, source: 'tdlib' },
  { code: 400, part: 'text is empty', failure: { remedy: 'give_up', class: 'empty' }, source: 'list' },
  { code: 400, part: 'text must be non-empty', failure: { remedy: 'give_up', class: 'empty' }, source: 'tdlib' },
  { code: 400, part: 'message is not modified', failure: { remedy: 'settled', class: 'not_modified' }, source: 'list' },
  { code: 400, part: 'query is too old', failure: { remedy: 'settled', class: 'tap_too_old' }, source: 'list' },
  { code: 400, part: 'query_id_invalid', failure: { remedy: 'settled', class: 'tap_too_old' }, source: 'mtproto' },
  { code: 400, part: "can't parse entities", failure: { remedy: 'send_plain', class: 'markup_refused' }, source: 'list' },
  { code: 400, part: 'button_data_invalid', failure: { remedy: 'send_plain', class: 'buttons_refused' }, source: 'mtproto' },
  { code: 400, part: 'button_url_invalid', failure: { remedy: 'send_plain', class: 'buttons_refused' }, source: 'mtproto' },
  // `inline keyboard button URL 'http://localhost/' is invalid: Wrong HTTP URL`
  { code: 400, part: 'inline keyboard', failure: { remedy: 'send_plain', class: 'buttons_refused' }, source: 'tdlib' },
  { code: 400, part: 'reply_markup_', failure: { remedy: 'send_plain', class: 'buttons_refused' }, source: 'mtproto' },
  { code: 400, part: 'reply markup is too long', failure: { remedy: 'send_plain', class: 'buttons_refused' }, source: 'tdlib' },
  { code: 400, part: 'photo_', failure: { remedy: 'send_as_file', class: 'picture_refused' }, source: 'mtproto' },
  { code: 400, part: 'image_process_failed', failure: { remedy: 'send_as_file', class: 'picture_refused' }, source: 'mtproto' },
  // Somebody who takes no voice messages; as a file the recording still plays in the chat
  { code: 400, part: 'voice_messages_forbidden', failure: { remedy: 'send_as_file', class: 'voice_refused' }, source: 'mtproto' },
  { code: 400, part: 'restricted receiving of voice', failure: { remedy: 'send_as_file', class: 'voice_refused' }, source: 'tdlib' },
  { code: 400, part: 'file must be non-empty', failure: { remedy: 'give_up', class: 'file_empty' }, source: 'tdlib' },
]

/** Code that `client.ts` gives every error of a connection that never came about: nothing can have been written. */
export const NOT_CONNECTED = 'NOT_CONNECTED'

const MIN_RETRY_AFTER_MS = 1_000
// The first pause after a refused connection; whoever repeats it lets it grow
const NO_CONNECTION_RETRY_MS = 5_000

const Refusal = z.object({
  code: z.number().int(),
  description: z.string().catch(''),
  parameters: z
    .object({ retry_after: z.number().optional().catch(undefined), migrate_to_chat_id: z.number().optional().catch(undefined) })
    .optional()
    .catch(undefined),
})
const Connection = z.object({ name: z.string(), code: z.string().optional(), type: z.string().optional() })

/** What Telegram or the line to it said, by code and parameters first and by sentence only where they do not tell. */
export function parseFailure(error: unknown): TelegramFailure {
  if (error instanceof TelegramError) {
    const refusal = Refusal.safeParse({ code: error.code, description: error.description, parameters: error.parameters })
    return refusal.success ? parseRefusal(refusal.data) : { remedy: 'unknown', class: 'malformed_answer' }
  }
  const connection = Connection.safeParse(error)
  if (!connection.success) return { remedy: 'unknown', class: 'unexpected' }
  const { name, code, type } = connection.data
  if (name === 'AbortError') return { remedy: 'unknown', class: 'time_out' }
  if (type === 'invalid-json') return { remedy: 'unknown', class: 'malformed_answer' }
  if (code === NOT_CONNECTED) return { remedy: 'wait', class: 'no_connection', retryAfterMs: NO_CONNECTION_RETRY_MS }
  return { remedy: 'unknown', class: code ? 'connection_lost' : 'unexpected' }
}

function parseRefusal({ code, description, parameters }: z.infer<typeof Refusal>): TelegramFailure {
  if (parameters?.migrate_to_chat_id !== undefined) {
    return { remedy: 'send_to_new_chat', class: 'chat_moved', migrateTo: String(parameters.migrate_to_chat_id) }
  }
  if (code >= 500) return { remedy: 'unknown', class: 'server_error' }
  const sentence = description.toLowerCase()
  const failure = BY_SENTENCE.find((row) => row.code === code && sentence.includes(row.part))?.failure ?? BY_CODE[code]
  if (!failure) return { remedy: 'unknown', class: 'unexpected_answer' }
  if (failure.remedy !== 'wait') return failure
  return { ...failure, retryAfterMs: Math.max(MIN_RETRY_AFTER_MS, (parameters?.retry_after ?? 0) * 1_000) }
}

import { z } from 'zod'
import { equalSecret } from '../../lib/crypto.ts'
import type { TelegramClient } from './client.ts'
import { type ParseContext, type ParsedUpdate, parseUpdate } from './parse.ts'

/** The header that proves a webhook comes from Telegram, as Node writes it. */
export const SECRET_HEADER = 'x-telegram-bot-api-secret-token'

/** What `edited_message`, groups' events and the rest would only cost bandwidth for is not asked for. */
export const ALLOWED_UPDATES = ['message', 'callback_query', 'my_chat_member'] as const

// core.telegram.org/bots/api#setwebhook
const SECRET = /^[A-Za-z0-9_-]{1,256}$/

/** Checks the secret, then reads the body. 401 and 400 are decided here and nowhere else. */
export function readTelegramWebhook(
  request: { secretHeader: string | undefined; rawBody: string },
  context: ParseContext & { secret: string },
): ParsedUpdate {
  if (!equalSecret(request.secretHeader ?? '', context.secret)) {
    return { parsed: { kind: 'refused', status: 401, reason: 'wrong or missing secret header' }, callbackIds: [] }
  }
  return parseUpdate(parseJson(request.rawBody), context)
}

function parseJson(rawBody: string): unknown {
  try {
    return JSON.parse(rawBody)
  } catch {
    return undefined
  }
}

/** Tells Telegram where to deliver. Safe to repeat, also by several processes. Throws `TelegramCallError`. */
export async function registerWebhook(telegram: TelegramClient, { url, secret }: { url: string; secret: string }): Promise<void> {
  if (!SECRET.test(secret)) throw new Error('a Telegram webhook secret has 1 to 256 characters of A-Z, a-z, 0-9, _ and -')
  await telegram.call('setWebhook', { url, secret_token: secret, allowed_updates: ALLOWED_UPDATES })
}

export type WebhookHealth = { url: string; pending: number; lastError?: { atMs: number; sentence: string } }

const WebhookInfo = z.object({
  url: z.string(),
  pending_update_count: z.number(),
  last_error_date: z.number().optional(),
  last_error_message: z.string().optional(),
})

/** How delivery goes as Telegram sees it: a growing `pending` or a fresh error means people wait. Throws `TelegramCallError`. */
export async function loadWebhookHealth(telegram: TelegramClient): Promise<WebhookHealth> {
  const info = WebhookInfo.parse(await telegram.call('getWebhookInfo', {}))
  const { url, pending_update_count: pending, last_error_date: date, last_error_message: sentence = '' } = info
  return { url, pending, ...(date !== undefined && { lastError: { atMs: date * 1_000, sentence } }) }
}

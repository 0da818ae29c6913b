/** What Telegram says besides the number. */
export type RefusalParameters = { retry_after?: number; migrate_to_chat_id?: number }

/** Telegram says no: becomes `{"ok":false,…}` with the same number as HTTP status. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: number
  readonly description: string
  readonly parameters: RefusalParameters | undefined

  constructor(code: number, description: string, parameters?: RefusalParameters) {
    super(`${code}: ${description}`)
    this.code = code
    this.description = description
    this.parameters = parameters
  }
}

export const badRequest = (what: string) => new Refusal(400, `Bad Request: ${what}`)

/** Refusals a test may call for by name, in Telegram's own words. */
export const NAMED_REFUSALS = {
  blocked: () => new Refusal(403, 'Forbidden: bot was blocked by the user'),
  deactivated: () => new Refusal(403, 'Forbidden: user is deactivated'),
  not_started: () => new Refusal(403, "Forbidden: bot can't initiate conversation with a user"),
  odd_forbidden: () => new Refusal(403, "Forbidden: bot can't send messages to the user"),
  kicked: () => new Refusal(403, 'Forbidden: bot was kicked from the group chat'),
  chat_not_found: () => badRequest('chat not found'),
  too_long: () => badRequest('message is too long'),
  not_modified: () =>
    badRequest(
      'message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
    ),
  button_data: () => badRequest('BUTTON_DATA_INVALID'),
  entities: () => badRequest('can\'t parse entities: Unsupported start tag "x" at byte offset 0'),
  photo_dimensions: () => badRequest('PHOTO_INVALID_DIMENSIONS'),
  voice_forbidden: () => badRequest('VOICE_MESSAGES_FORBIDDEN'),
  voice_restricted: () => badRequest('user restricted receiving of voice note messages'),
  migrate: (chatId: number) =>
    new Refusal(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: chatId }),
  flood: (retryAfter: number) => new Refusal(429, `Too Many Requests: retry after ${retryAfter}`, { retry_after: retryAfter }),
  unauthorized: () => new Refusal(401, 'Unauthorized'),
  not_found: () => new Refusal(404, 'Not Found'),
  conflict: () => new Refusal(409, 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running'),
  conflict_webhook: () =>
    new Refusal(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"),
  server_error: () => new Refusal(500, 'Internal Server Error'),
}

import type { UploadedFile } from './multipart.ts'
import { badRequest, NAMED_REFUSALS, Refusal } from './refusal.ts'
import { addMessage, type BotState, type Button, type ChatMessage, type Person, toApiMessage, toBotUser, toStoredFile } from './state.ts'

export type Fields = Record<string, unknown>
/** `signal` fires when the caller has gone. */
type MethodContext = { bot: BotState; fields: Fields; nowMs: () => number; signal: AbortSignal }
type Method = (context: MethodContext) => unknown

const MAX_TEXT = 4096
const MAX_CAPTION = 1024
const MAX_CALLBACK_BYTES = 64
const MAX_BUTTONS = 100
const MAX_PHOTO_BYTES = 10_000_000
const MAX_FILE_BYTES = 50_000_000

/** The Bot API's methods, keyed in lower case since Telegram does not mind the case. */
export const METHODS: Readonly<Record<string, Method>> = {
  getme: ({ bot }) => ({ ...toBotUser(bot), can_join_groups: false, can_read_all_group_messages: false, supports_inline_queries: false }),
  sendmessage: (context) => {
    const person = findPerson(context)
    const text = readText(context.fields.text, MAX_TEXT, 'message is too long')
    if (!text) throw badRequest('message text is empty')
    return post(context, person, { text })
  },
  sendphoto: (context) => postFile(context, 'photo'),
  senddocument: (context) => postFile(context, 'document'),
  sendvoice: (context) => postFile(context, 'voice'),
  getfile: ({ bot, fields }) => {
    const file = findFile(bot, String(fields.file_id ?? ''))
    if (!file) throw badRequest('wrong file_id or the file is temporarily unavailable')
    return { file_id: fields.file_id, file_unique_id: 'u', file_size: file.size, file_path: `documents/${String(fields.file_id)}` }
  },
  sendchataction: (context) => Boolean(findPerson(context)),
  editmessagetext: (context) => {
    const text = readText(context.fields.text, MAX_TEXT, 'message is too long')
    if (!text) throw badRequest('message text is empty')
    return edit(context, { text })
  },
  editmessagereplymarkup: (context) => edit(context, {}),
  deletemessage: (context) => {
    const person = findPerson(context)
    const index = person.transcript.findIndex(({ message_id }) => message_id === Number(context.fields.message_id))
    if (index < 0) throw badRequest('message to delete not found')
    person.transcript.splice(index, 1)
    return true
  },
  answercallbackquery: ({ bot, fields }) => {
    if (!bot.openTaps.delete(String(fields.callback_query_id))) {
      throw badRequest('query is too old and response timeout expired or query ID is invalid')
    }
    return true
  },
  setmycommands: ({ bot, fields }) => {
    bot.commands.set(commandsKey(fields), readCommands(readJson(fields.commands)))
    return true
  },
  getmycommands: ({ bot, fields }) => bot.commands.get(commandsKey(fields)) ?? [],
  deletemycommands: ({ bot, fields }) => bot.commands.delete(commandsKey(fields)) || true,
  setwebhook: ({ bot, fields }) => {
    const url = String(fields.url ?? '')
    if (fields.allowed_updates !== undefined) bot.allowedUpdates = readStrings(fields.allowed_updates)
    if (isTrue(fields.drop_pending_updates)) bot.pending.clear()
    bot.lastError = undefined
    if (!url) bot.webhook = undefined
    else bot.webhook = readWebhook(url, fields)
    bot.events.emit('webhook')
    return true
  },
  deletewebhook: ({ bot, fields }) => {
    if (isTrue(fields.drop_pending_updates)) bot.pending.clear()
    bot.webhook = undefined
    bot.events.emit('webhook')
    return true
  },
  getwebhookinfo: ({ bot }) => ({
    url: bot.webhook?.url ?? '',
    has_custom_certificate: false,
    pending_update_count: bot.pending.size,
    ...(bot.webhook && { max_connections: bot.webhook.max_connections }),
    ...(bot.allowedUpdates && { allowed_updates: bot.allowedUpdates }),
    ...(bot.lastError && { last_error_date: bot.lastError.date, last_error_message: bot.lastError.message }),
  }),
  getupdates: getUpdates,
}

async function getUpdates({ bot, fields, signal }: MethodContext): Promise<unknown> {
  if (bot.webhook) throw NAMED_REFUSALS.conflict_webhook()
  if (fields.allowed_updates !== undefined) bot.allowedUpdates = readStrings(fields.allowed_updates)
  const offset = Number(fields.offset ?? 0)
  const limit = Math.min(100, Math.max(1, Number(fields.limit ?? 100)))
  for (const updateId of bot.pending.keys()) {
    if (updateId >= offset) break
    bot.pending.delete(updateId)
  }
  // Whoever polls last wins
  bot.events.emit('other_poll')
  if (bot.pending.size + bot.copies.length === 0) await waitForUpdate(bot, Number(fields.timeout ?? 0) * 1_000, signal)
  return [...bot.pending.values().take(limit), ...bot.copies.splice(0)].map(({ body }) => body)
}

function waitForUpdate(bot: BotState, timeoutMs: number, signal: AbortSignal): Promise<void> {
  if (timeoutMs <= 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(resolve), timeoutMs)
    const onUpdate = () => end(resolve)
    const onOther = () => end(() => reject(NAMED_REFUSALS.conflict()))
    const onWebhook = () => bot.webhook && end(() => reject(new Refusal(409, 'Conflict: terminated by setWebhook request')))
    const end = (settle: () => void) => {
      clearTimeout(timer)
      bot.events.off('update', onUpdate).off('other_poll', onOther).off('webhook', onWebhook)
      signal.removeEventListener('abort', onUpdate)
      settle()
    }
    bot.events.on('update', onUpdate).on('other_poll', onOther).on('webhook', onWebhook)
    signal.addEventListener('abort', onUpdate)
  })
}

/** The person a message is for, if Telegram would let the bot write there. */
function findPerson({ bot, fields }: MethodContext): Person {
  if (fields.chat_id === undefined || fields.chat_id === '') throw badRequest('chat_id is empty')
  const person = bot.people.get(Number(fields.chat_id))
  if (!person) throw NAMED_REFUSALS.chat_not_found()
  if (person.deactivated) throw NAMED_REFUSALS.deactivated()
  if (person.blocked) throw NAMED_REFUSALS.blocked()
  if (!person.started) throw NAMED_REFUSALS.not_started()
  return person
}

function readText(value: unknown, max: number, tooLong: string): string {
  const text = typeof value === 'string' ? value.trim() : ''
  if (text.length > max) throw badRequest(tooLong)
  return text
}

/** A file somebody sent, by the id its message had. */
export function findFile(bot: BotState, fileId: string): ChatMessage['file'] {
  const messageId = Number(/^file-(\d+)$/.exec(fileId)?.[1])
  for (const person of bot.people.values()) {
    const message = person.transcript.find(({ message_id, from }) => message_id === messageId && from === 'person')
    if (message?.file) return message.file
  }
  return undefined
}

function post(context: MethodContext, person: Person, content: Partial<ChatMessage>): unknown {
  const keyboard = readKeyboard(context.fields.reply_markup)
  const date = Math.floor(context.nowMs() / 1_000)
  const message = addMessage(context.bot, person, { from: 'bot', date, ...content, ...(keyboard && { keyboard }) })
  return toApiMessage(context.bot, person, message)
}

function postFile(context: MethodContext, kind: 'photo' | 'document' | 'voice'): unknown {
  const person = findPerson(context)
  const value = context.fields[kind]
  if (value === undefined || value === '') throw badRequest(`there is no ${kind} in the request`)
  const caption = readText(context.fields.caption, MAX_CAPTION, 'message caption is too long')
  const file = isFile(value) ? toStoredFile(kind, value) : { kind, name: String(value), size: 0 }
  if (isFile(value) && value.bytes.length === 0) throw badRequest('file must be non-empty')
  if (file.size > MAX_FILE_BYTES) throw new Refusal(413, 'Request Entity Too Large')
  if (kind === 'photo' && file.size > MAX_PHOTO_BYTES) throw badRequest('file is too big')
  return post(context, person, { file, ...(caption && { caption }) })
}

function edit(context: MethodContext, change: { text?: string }): unknown {
  const person = findPerson(context)
  const message = person.transcript.find(({ message_id }) => message_id === Number(context.fields.message_id))
  if (!message) throw badRequest('message to edit not found')
  if (message.from !== 'bot') throw badRequest("message can't be edited")
  const keyboard = readKeyboard(context.fields.reply_markup)
  const text = change.text ?? message.text
  const same = text === message.text && JSON.stringify(keyboard) === JSON.stringify(message.keyboard)
  if (same) throw NAMED_REFUSALS.not_modified()
  if (text !== undefined) message.text = text
  if (keyboard) message.keyboard = keyboard
  else delete message.keyboard
  return toApiMessage(context.bot, person, message)
}

function readKeyboard(value: unknown): Button[][] | undefined {
  const markup = readJson(value)
  if (!isObject(markup) || markup.inline_keyboard === undefined) return undefined
  if (!Array.isArray(markup.inline_keyboard)) throw badRequest('field "inline_keyboard" must be of type Array')
  const rows = markup.inline_keyboard.map((row) => {
    if (!Array.isArray(row)) throw badRequest('inline keyboard row must be of type Array')
    return row.map(readButton)
  })
  if (rows.flat().length > MAX_BUTTONS) throw badRequest('REPLY_MARKUP_TOO_LONG')
  return rows.length > 0 ? rows : undefined
}

function readButton(value: unknown): Button {
  if (!isObject(value) || typeof value.text !== 'string' || !value.text.trim()) {
    throw badRequest('inline keyboard button text must be non-empty')
  }
  const { text, callback_data, url } = value
  if (url !== undefined) {
    if (!isLinkable(String(url))) throw badRequest(`inline keyboard button URL '${url}' is invalid: Wrong HTTP URL`)
    return { text, url: String(url) }
  }
  if (callback_data === undefined) throw badRequest('text buttons are not allowed in the inline keyboard')
  const bytes = Buffer.byteLength(String(callback_data))
  if (bytes < 1 || bytes > MAX_CALLBACK_BYTES) throw NAMED_REFUSALS.button_data()
  return { text, callback_data: String(callback_data) }
}

function isLinkable(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  return protocol === 'tg:' || (/^https?:$/.test(protocol) && hostname.includes('.'))
}

function readWebhook(url: string, fields: Fields) {
  // The true platform takes https only, on 443, 80, 88 and 8443; plain http on this machine is for tests
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' }
  const local = protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname)
  if (protocol !== 'https:' && !local) throw badRequest('bad webhook: An HTTPS URL must be provided for webhook')
  const secret = fields.secret_token === undefined ? undefined : String(fields.secret_token)
  if (secret !== undefined && !/^[A-Za-z0-9_-]{1,256}$/.test(secret)) throw badRequest('secret token contains unallowed characters')
  const max_connections = Math.min(100, Math.max(1, Number(fields.max_connections ?? 40)))
  return { url, max_connections, ...(secret !== undefined && { secret_token: secret }) }
}

function commandsKey(fields: Fields): string {
  const scope = readJson(fields.scope)
  const place = isObject(scope) ? `${scope.type}:${scope.chat_id ?? ''}` : 'default:'
  return `${place}|${fields.language_code ?? ''}`
}

function readCommands(value: unknown): { command: string; description: string }[] {
  if (!Array.isArray(value)) throw badRequest("can't parse list of bot commands")
  if (value.length > 100) throw badRequest('too many bot commands specified')
  return value.map((item) => {
    const command = isObject(item) ? String(item.command) : ''
    const description = isObject(item) ? String(item.description ?? '') : ''
    if (!/^[a-z0-9_]{1,32}$/.test(command)) throw badRequest('BOT_COMMAND_INVALID')
    if (description.length < 1 || description.length > 256) throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID')
    return { command, description }
  })
}

function readStrings(value: unknown): string[] {
  const list = readJson(value)
  return Array.isArray(list) ? list.map(String) : []
}

/** Fields of a form arrive as JSON text, those of a JSON body as they are. */
function readJson(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    throw badRequest("object expected as reply markup or list: can't parse JSON")
  }
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isFile(value: unknown): value is UploadedFile {
  return isObject(value) && Buffer.isBuffer(value.bytes)
}

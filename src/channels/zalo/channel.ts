import { readFile } from 'node:fs/promises'
import { download } from '../../lib/download.ts'
import type { OutboundMessage, SendOutcome } from '../../model/outbound.ts'
import {
  articleMessage,
  type Button,
  buttonsMessage,
  fileMessage,
  InvalidMessageError,
  InvalidUploadError,
  imageMessage,
  type OaMessage,
  splitText,
  textMessage,
  type ZaloClient,
  ZaloError,
} from '../../zalo-oa-api-client/index.ts'
import type { Channel, DeliveredAnswer, TemplateMessage } from '../channel.ts'
import { zaloAbilities } from './abilities.ts'
import { toTap } from './payload.ts'

type Options = {
  client: ZaloClient
  now: () => number
  /** Whether this account shows buttons under a text; without them the numbered list in the text stands alone. */
  buttons: boolean
  /** Called once when the account refused a message for its buttons. */
  onButtonsRefused: () => void
}

// From most to fewest. A platform may take answers as buttons and still refuse an address: one without https, or of this machine alone
const BUTTONS = ['all', 'answers', 'none'] as const
type Buttons = (typeof BUTTONS)[number]

// The platform's file host, over a slow line
const FILE_TIMEOUT_MS = 8_000
// Of the newest messages of a chat, how many pages of ten are searched for one of ours
const PAGES_SEARCHED = 3

/** One Zalo Official Account as a channel. */
export function createZaloChannel({ client, now, buttons: buttonsAtStart, onButtonsRefused }: Options): Channel {
  let buttons: Buttons = buttonsAtStart ? 'all' : 'none'

  function shape(message: OutboundMessage, withButtons: Buttons): OaMessage {
    const taps: Button[] = (message.choices ?? []).map((choice) => ({
      title: choice.label,
      type: 'oa.query.hide',
      payload: toTap(choice.payload),
    }))
    const links: Button[] = (message.links ?? []).map((link) => ({ title: link.label, type: 'oa.open.url', payload: { url: link.url } }))
    const all = withButtons === 'all' ? [...taps, ...links] : taps
    if (withButtons === 'none' || all.length === 0 || all.length > zaloAbilities.maxChoices) return textMessage(withLinks(message))
    return buttonsMessage(withButtons === 'all' ? message.text : withLinks(message), all)
  }

  async function send(channelUserId: string, message: OutboundMessage): Promise<SendOutcome> {
    const claimedAt = now()
    try {
      const result = await trySend(channelUserId, message)
      // Without the platform's own time, the moment before the request: nothing the person wrote after reading it is older
      const atMs = result.sentTimeMs ?? claimedAt
      return { kind: 'sent', platformMessageId: result.messageId, atMs, order: atMs }
    } catch (error) {
      return outcomeOf(error, now())
    }
  }

  async function trySend(channelUserId: string, message: OutboundMessage) {
    // A sound is behind the link of the message: the platform takes none
    if (message.attachment && message.attachment.kind !== 'voice') {
      const { kind, name, path } = message.attachment
      const upload = { kind, name, bytes: new Uint8Array(await readFile(path)) }
      return client.withUpload(upload, (id) =>
        client.sendMessage(
          channelUserId,
          kind === 'image' ? imageMessage({ attachmentId: id }, message.text || undefined) : fileMessage(id),
        ),
      )
    }
    // As it was for this message: others on their way at the same time may find out meanwhile that buttons are refused
    for (let shown = buttons; ; ) {
      try {
        const result = await client.sendMessage(channelUserId, shape(message, shown))
        keepRefusal(shown)
        return result
      } catch (error) {
        // -233 and -201: nothing was delivered; the same words with fewer buttons
        const fewer = error instanceof ZaloError ? fewerButtons(message, shown, error) : undefined
        if (!fewer) throw error
        shown = fewer
      }
    }
  }

  function keepRefusal(shown: Buttons): void {
    if (BUTTONS.indexOf(shown) <= BUTTONS.indexOf(buttons)) return
    buttons = shown
    if (shown === 'none') onButtonsRefused()
  }

  async function findDelivered(channelUserId: string, message: OutboundMessage, afterMs: number): Promise<DeliveredAnswer> {
    const wanted = new Set([comparable(message.text), comparable(withLinks(message))])
    try {
      for (let page = 0; page < PAGES_SEARCHED; page++) {
        const found = await client.getConversation(channelUserId, { offset: page * 10, count: 10 })
        for (const item of found) {
          if (item.timeMs < afterMs) return { kind: 'absent' }
          if (item.direction === 'outbound' && wanted.has(comparable(item.text ?? ''))) {
            return { kind: 'delivered', platformMessageId: item.messageId, atMs: item.timeMs, order: item.timeMs }
          }
        }
        if (found.length < 10) return { kind: 'absent' }
      }
      return { kind: 'unknown' }
    } catch {
      return { kind: 'unknown' }
    }
  }

  async function loadFile(ref: string, maxBytes: number): Promise<Buffer | 'too_large'> {
    if (!/^https?:\/\//.test(ref)) throw new Error('not an address of a file')
    return download(ref, { maxBytes, timeoutMs: FILE_TIMEOUT_MS })
  }

  async function sendTemplate({ phone, templateId, data, trackingId, development }: TemplateMessage): Promise<SendOutcome> {
    const claimedAt = now()
    try {
      const result = await client.sendTemplateByPhone({ phone, templateId, templateData: data, trackingId, isDevelopment: development })
      const atMs = result.sentTimeMs ?? claimedAt
      return { kind: 'sent', platformMessageId: result.messageId, atMs, order: atMs }
    } catch (error) {
      const outcome = outcomeOf(error, now())
      // Templates are contracted and paid for apart: that they cannot go says nothing about the account's other messages
      const isOwn = error instanceof ZaloError && error.action !== 'refresh'
      return outcome.kind === 'account_paused' && isOwn ? { kind: 'failed', class: outcome.class, everybody: true } : outcome
    }
  }

  async function broadcastArticle(articleId: string): Promise<SendOutcome> {
    const claimedAt = now()
    try {
      const result = await client.broadcast({}, articleMessage([articleId]))
      const atMs = result.sentTimeMs ?? claimedAt
      return { kind: 'sent', platformMessageId: result.messageId, atMs, order: atMs }
    } catch (error) {
      return outcomeOf(error, now())
    }
  }

  return {
    abilities: zaloAbilities,
    split: (text) => splitText(text, { maxChars: zaloAbilities.maxTextChars }),
    send,
    findDelivered,
    loadFile,
    sendTemplate,
    listArticles: async () => (await client.listArticles()).filter((article) => article.isShown).map(({ id, title }) => ({ id, title })),
    broadcastArticle,
    close: async () => {},
  }
}

/** With what a refused message may be said again; undefined when its buttons are not what was refused. */
function fewerButtons({ choices = [], links = [] }: OutboundMessage, shown: Buttons, error: ZaloError): Buttons | undefined {
  if (error.action !== 'change_shape' && error.code !== -201) return undefined
  if (shown === 'all' && links.length > 0 && error.code === -201) return 'answers'
  return shown !== 'none' && choices.length + (shown === 'all' ? links.length : 0) > 0 ? 'none' : undefined
}

const comparable = (text: string) => text.normalize('NFC').trim()

/** Links as plain lines, for accounts without buttons. */
function withLinks(message: OutboundMessage): string {
  return [message.text, ...(message.links ?? []).map((link) => `${link.label}: ${link.url}`)].join('\n')
}

/** What a failure means for the ledger. The client has already refreshed, switched and uploaded again where that helps. */
function outcomeOf(error: unknown, nowMs: number): SendOutcome {
  if (error instanceof InvalidMessageError || error instanceof InvalidUploadError) return { kind: 'failed', class: 'invalid_message' }
  if (!(error instanceof ZaloError)) throw error
  switch (error.action) {
    case 'retry':
      return { kind: 'retry', class: error.reason, notBeforeMs: nowMs }
    case 'wait_until':
      return { kind: 'retry', class: error.reason, notBeforeMs: error.until ?? nowMs }
    case 'ambiguous':
      return { kind: 'uncertain', class: error.reason }
    case 'refresh':
    case 'pause_account':
    case 'pause_paid':
    case 'switch_endpoint':
      return { kind: 'account_paused', class: error.reason }
    case 'reupload':
    case 'split':
    case 'change_shape':
    case 'unreachable':
    case 'outside_window':
    case 'muted':
    case 'drop':
      return { kind: 'failed', class: error.reason }
    default:
      return error.action satisfies never
  }
}

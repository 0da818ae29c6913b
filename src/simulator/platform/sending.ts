import type { Chats } from '../chats.ts'
import type { Clock, Schedule } from '../clock.ts'
import { isNight } from '../local-time.ts'
import type { Random } from '../random.ts'
import { invalid, Refusal, tooMuch } from '../refusal.ts'
import type { Store } from '../store.ts'
import { groupTextEvent, reactedEvent } from '../webhook/events.ts'
import type { WebhookSender } from '../webhook/sender.ts'
import { type Account, getPerson, type Thread, type Upload } from '../world.ts'
import type { OaCall, OaRoute } from './gateway.ts'
import { type MessageShape, readMessage, refuseArticles } from './message-shape.ts'
import { type Fields, readId, readObject } from './shape.ts'
import { UPLOAD_LIFE_MS } from './uploads.ts'
import { checkReachable, checkWindow, isBilled } from './window.ts'

export interface SendingDeps {
  store: Store
  clock: Clock
  schedule: Schedule
  random: Random
  chats: Chats
  webhook: WebhookSender
  broadcastReviewMs: number
  broadcastsAtNight: boolean
}

// zalo.md 4.8
const ICONS = [':>', '--b', ':-((', '/-strong', '/-heart', ':-h', ':o', '/-remove']
const MAX_ICONS = 50
// zalo.md 4.2: the older reply form
const MAX_REPLIES = 8
const REPLY_LIFE_MS = 48 * 3_600_000

/** Consultation messages, reactions, broadcasts, group messages. */
export function registerSending(route: OaRoute, deps: SendingDeps): void {
  const { store, random, chats, webhook } = deps
  const replies = new Map<string, number>()

  route('POST', '/v3.0/oa/message/cs', (call) => {
    if (call.account.settings.oaType === 4) throw new Refusal(-235)
    const body = readObject(call.body, 'body', ['recipient', 'message'])
    return consult(call, body)
  })

  route('POST', '/v2.0/oa/message', (call) => {
    const body = readObject(call.body, 'body', ['recipient', 'message', 'sender_action'])
    if (body.sender_action !== undefined) return react(call, body)
    const recipient = readObject(body.recipient, 'recipient', [
      'user_id',
      'message_id',
      'anonymous_id',
      'conversation_id',
      'target',
      'group_id',
    ])
    if (recipient.target !== undefined) return broadcast(call, body)
    if (recipient.anonymous_id !== undefined) throw invalid('recipient.anonymous_id')
    if (call.account.settings.oaType === 2) throw new Refusal(-240)
    if (recipient.group_id !== undefined) return sendToGroup(call)
    return consult(call, body)
  })

  route('POST', '/v3.0/oa/group/message', sendToGroup)

  // closed on 2026-03-01
  for (const path of ['/v3.0/oa/message/transaction', '/v3.0/oa/message/promotion'])
    route('POST', path, () => {
      throw new Refusal(-233)
    })

  function consult({ account, at }: OaCall, body: Fields) {
    if (!account.settings.verified) throw new Refusal(-221)
    const thread = findRecipient(account, body.recipient, at)
    const shape = readMessage(body.message)
    refuseArticles(shape)
    checkCapabilities(account, shape)
    const person = getPerson(store.world, thread.personId)
    checkReachable(person, thread)
    const quota = checkWindow(account, thread, at)
    const draft = draftOf({ account, thread, shape, at, store })
    const message = chats.fromOa(thread, draft, { billed: isBilled(quota) })
    return { message_id: message.id, user_id: thread.userId, sent_time: String(message.at), ...(quota && { quota }) }
  }

  function findRecipient(account: Account, value: unknown, at: number): Thread {
    const recipient = readObject(value, 'recipient', ['user_id', 'message_id'])
    if (recipient.message_id === undefined) {
      const thread = account.threadsByUser.get(readId(recipient.user_id, 'recipient.user_id'))
      if (!thread) throw invalid('recipient.user_id')
      return thread
    }
    const asked = typeof recipient.message_id === 'string' ? store.world.messages.get(recipient.message_id) : undefined
    if (recipient.user_id !== undefined || asked?.from !== 'person' || asked.oaId !== account.settings.oaId)
      throw invalid('recipient.message_id')
    if (at - asked.at > REPLY_LIFE_MS) throw new Refusal(-232)
    const count = replies.get(asked.id) ?? 0
    if (count >= MAX_REPLIES) throw new Refusal(-211)
    replies.set(asked.id, count + 1)
    return account.threadsByPerson.get(asked.personId)!
  }

  function react({ account, at }: OaCall, body: Fields) {
    if (body.message !== undefined) throw invalid('message')
    const recipient = readObject(body.recipient, 'recipient', ['user_id'])
    const thread = account.threadsByUser.get(readId(recipient.user_id, 'recipient.user_id'))
    if (!thread) throw invalid('recipient.user_id')
    const { react_icon: icon, react_message_id: id } = readObject(body.sender_action, 'sender_action', ['react_icon', 'react_message_id'])
    if (typeof icon !== 'string' || !ICONS.includes(icon)) throw invalid('sender_action.react_icon')
    const message = typeof id === 'string' ? store.world.messages.get(id) : undefined
    if (message?.personId !== thread.personId || message.oaId !== thread.oaId) throw invalid('sender_action.react_message_id')
    checkReachable(getPerson(store.world, thread.personId), thread)
    if ((message.icons?.length ?? 0) >= MAX_ICONS) throw tooMuch('sender_action.react_icon')
    store.commit({ t: 'icon', id: message.id, icon })
    webhook.send(account, reactedEvent({ account, thread, at, by: 'oa', messageId: message.id, icon }))
    return { message_id: message.id, user_id: thread.userId, sent_time: String(at) }
  }

  function broadcast({ account, at }: OaCall, body: Fields) {
    if (!account.settings.verified) throw new Refusal(-221)
    const { target } = readObject(body.recipient, 'recipient', ['target'])
    readObject(target, 'recipient.target', ['ages', 'gender', 'locations', 'cities', 'platform'])
    const shape = readMessage(body.message)
    if (shape.kind !== 'articles') throw new Refusal(-233)
    if (isNight(at) && !deps.broadcastsAtNight) throw new Refusal(-234)
    const elements = shape.ids.map((id) => {
      const article = account.articles.get(id)
      if (!article) throw invalid('attachment_id')
      return {
        title: String(article.body.title),
        ...(article.body.description !== undefined && { subtitle: String(article.body.description) }),
      }
    })
    deps.schedule.at(at + deps.broadcastReviewMs, () => {
      for (const thread of account.threadsByUser.values())
        if (thread.follows && !thread.blocked && !thread.muted) chats.fromOa(thread, { kind: 'list', elements })
    })
    return { message_id: random.hex(20) }
  }

  function sendToGroup({ account, body, at }: OaCall) {
    const fields = readObject(body, 'body', ['recipient', 'message'])
    const { group_id: id } = readObject(fields.recipient, 'recipient', ['group_id'])
    if (typeof id !== 'string' || id === '') throw invalid('recipient.group_id')
    const group = account.groups.get(id)
    if (!group) throw new Refusal(-403)
    if (group.disabled) throw new Refusal(-237)
    const shape = readMessage(fields.message)
    refuseArticles(shape)
    const message = { id: random.hex(20), at, ...('text' in shape && shape.text !== undefined && { text: shape.text }) }
    store.commit({ t: 'group-message', oaId: account.settings.oaId, groupId: id, message })
    webhook.send(account, groupTextEvent(account, at, { group, messageId: message.id, text: message.text }))
    return { message_id: message.id, group_id: id, sent_time: String(at) }
  }
}

function checkCapabilities({ settings }: Account, shape: MessageShape): void {
  const buttons = shape.kind === 'text' || shape.kind === 'list' ? (shape.buttons ?? []) : []
  if (buttons.length > 0 && settings.buttons === 'refused') throw new Refusal(settings.buttonsRefusal)
  if (shape.kind === 'list' && settings.lists === 'refused') throw new Refusal(-233)
}

interface DraftContext {
  account: Account
  thread: Thread
  shape: Exclude<MessageShape, { kind: 'articles' }>
  at: number
  store: Store
}

/** The message as it will stand in the chat; refuses attachments and quotes that do not exist. */
function draftOf({ account, thread, shape, at, store }: DraftContext): Parameters<Chats['fromOa']>[1] {
  const quoted = shape.quote === undefined ? undefined : store.world.messages.get(shape.quote)
  if (shape.quote !== undefined && (quoted?.personId !== thread.personId || quoted.oaId !== thread.oaId))
    throw invalid('message.quote_message_id')
  const quote = quoted && { quote: quoted.id }
  const media = (id: string, kind: Upload['kind']) => {
    const upload = store.world.uploads.get(id)
    if (!upload || upload.oaId !== account.settings.oaId || upload.kind !== kind) throw invalid(kind === 'file' ? 'token' : 'attachment_id')
    if (at - upload.at > UPLOAD_LIFE_MS) throw new Refusal(-100)
    const file = store.world.files.get(upload.fileId)
    return { fileId: upload.fileId, ...(file && { name: file.name, size: file.size, checksum: file.checksum }) }
  }
  switch (shape.kind) {
    case 'text':
      return { kind: 'text', text: shape.text, ...(shape.buttons && { buttons: shape.buttons }), ...quote }
    case 'image':
      return {
        kind: 'image',
        ...(shape.text !== undefined && { text: shape.text }),
        media: shape.attachmentId === undefined ? { url: shape.url! } : media(shape.attachmentId, 'image'),
        ...quote,
      }
    case 'gif':
      return { kind: 'gif', ...(shape.text !== undefined && { text: shape.text }), media: media(shape.attachmentId, 'gif'), ...quote }
    case 'sticker':
      return { kind: 'sticker', ...(shape.text !== undefined && { text: shape.text }), media: { sticker: shape.attachmentId }, ...quote }
    case 'file':
      return { kind: 'file', media: media(shape.token, 'file'), ...quote }
    case 'list':
      return {
        kind: 'list',
        ...(shape.text !== undefined && { text: shape.text }),
        elements: shape.elements,
        ...(shape.buttons.length > 0 && { buttons: shape.buttons }),
        ...quote,
      }
    case 'request':
      return { kind: 'list', elements: [shape.element], asksInfo: true, ...quote }
    default:
      return shape satisfies never
  }
}

import { z } from 'zod'
import { Id, NumberLike, parseJson } from './json.ts'
import { readAttachments } from './webhook-attachment.ts'
import type { Direction, EventFacts, ParsedWebhook, WebhookEvent } from './webhook-event.ts'
import { readSharedInfo } from './webhook-info.ts'

const optionalId = Id.optional().catch(undefined)
const optionalText = z.string().optional().catch(undefined)
const optionalTime = NumberLike.optional().catch(undefined)
const Party = z.object({ id: optionalId, admin_id: optionalId }).optional().catch(undefined)

const Message = z.object({
  msg_id: optionalId,
  msg_ids: z.array(Id).optional().catch(undefined),
  text: optionalText,
  attachments: z.unknown().optional(),
  quote_msg_id: optionalId,
  conversation_id: optionalId,
  react_icon: optionalText,
  tracking_id: optionalText,
  delivery_time: optionalTime,
})

// Unknown fields are allowed everywhere: the platform adds some without notice
const Body = z.object({
  event_name: z.string().min(1),
  timestamp: NumberLike.catch(0),
  app_id: optionalId,
  oa_id: optionalId,
  user_id: optionalId,
  user_id_by_app: optionalId,
  sender: Party,
  recipient: Party,
  follower: Party,
  group_id: optionalId,
  message: Message.optional().catch(undefined),
  info: z.unknown().optional(),
  source: optionalText,
  tag: z
    .object({ name: z.string(), user_ids: z.array(Id).catch([]).default([]) })
    .optional()
    .catch(undefined),
  data: z.object({ user_id: optionalId, user_external_id: optionalId, url: optionalText }).optional().catch(undefined),
  phone: optionalId,
  request_type: optionalText,
  create_time: optionalTime,
  expired_time: optionalTime,
  user_consent: optionalText,
})
type Body = z.output<typeof Body>

type Options = {
  /** Whether an id is one of our accounts: tells the direction of a message apart, which the event's name does not. */
  isOa: (id: string) => boolean
}

/**
 * The event in a webhook body; check the signature first. Never throws: a body of no use is `probe`, `invalid` or an event of kind `unknown`.
 */
export function parseWebhook(rawBody: Uint8Array | string, { isOa }: Options): ParsedWebhook {
  const raw = readObject(rawBody)
  if (!raw) return { kind: 'invalid' }
  const body = Body.safeParse(raw).data
  if (!body) return { kind: 'probe' }
  return { kind: 'event', event: readEvent(body, raw, isOa) }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readObject(body: Uint8Array | string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(typeof body === 'string' ? body : utf8.decode(body))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function readEvent(body: Body, raw: Record<string, unknown>, isOa: Options['isOa']): WebhookEvent {
  const { event_name: name, message } = body
  const senderId = body.sender?.id
  const recipientId = body.recipient?.id
  const oaId = [body.oa_id, senderId, recipientId].find((id) => id !== undefined && isOa(id))
  const direction: Direction = senderId !== undefined && senderId === oaId ? 'outbound' : 'inbound'
  const isGroup = /(^|_)group(_|$)/.test(name)
  const groupId = isGroup ? (body.group_id ?? (recipientId === oaId ? undefined : recipientId)) : undefined
  const other = direction === 'outbound' ? recipientId : senderId
  // Receipts name the account as sender, everything else names the person somewhere
  const personId = other ?? body.follower?.id ?? body.user_id ?? body.data?.user_id
  const userId = isGroup && direction === 'outbound' ? undefined : personId

  const facts: EventFacts = {
    eventName: name,
    timestampMs: body.timestamp,
    key: eventKey(body, groupId ?? personId),
    ...(body.app_id ? { appId: body.app_id } : {}),
    ...(oaId ? { oaId } : {}),
    ...(userId ? { userId } : {}),
    ...(body.user_id_by_app ? { userIdByApp: body.user_id_by_app } : {}),
  }
  const unknown = (reason: 'name' | 'shape' | 'account'): WebhookEvent => ({ ...facts, kind: 'unknown', reason })
  // App-store and template events may name no account at all
  const namesAccount = body.oa_id ?? senderId ?? recipientId
  if (namesAccount !== undefined && !oaId) return unknown('account')

  if (/^(user|oa|anonymous)_send_/.test(name) && name !== 'oa_send_consent') {
    if (!message?.msg_id || !oaId) return unknown('shape')
    return {
      ...facts,
      kind: 'message',
      direction,
      messageId: message.msg_id,
      attachments: readAttachments(message.attachments, name),
      ...(message.text === undefined ? {} : { text: message.text }),
      ...(message.quote_msg_id ? { quotedMessageId: message.quote_msg_id } : {}),
      ...(direction === 'outbound' && body.sender?.admin_id ? { adminId: body.sender.admin_id } : {}),
      ...(message.conversation_id ? { conversationId: message.conversation_id } : {}),
      ...(groupId ? { groupId } : {}),
    }
  }
  switch (name) {
    case 'user_seen_message':
      return message?.msg_ids ? { ...facts, kind: 'seen', messageIds: message.msg_ids } : unknown('shape')
    case 'user_received_message': {
      if (!message?.msg_id) return unknown('shape')
      const { msg_id: messageId, tracking_id: trackingId, delivery_time: deliveryTimeMs } = message
      return {
        ...facts,
        kind: 'received',
        messageId,
        ...(trackingId === undefined ? {} : { trackingId }),
        ...(deliveryTimeMs === undefined ? {} : { deliveryTimeMs }),
      }
    }
    case 'user_reacted_message':
    case 'oa_reacted_message':
      if (!message?.msg_id || !message.react_icon) return unknown('shape')
      return { ...facts, kind: 'reaction', direction, messageId: message.msg_id, icon: message.react_icon }
    case 'user_click_chatnow':
      return { ...facts, kind: 'chat_opened' }
    case 'follow':
    case 'unfollow':
      return { ...facts, kind: name, ...(body.source === undefined ? {} : { source: body.source }) }
    case 'user_submit_info':
      return { ...facts, kind: 'info_shared', info: readSharedInfo(body.info) }
    case 'add_user_to_tag':
    case 'remove_user_from_tag':
    case 'remove_tag': {
      if (!body.tag) return unknown('shape')
      const change = name === 'add_user_to_tag' ? 'added' : name === 'remove_user_from_tag' ? 'removed' : 'deleted'
      return { ...facts, kind: 'tag', change, tagName: body.tag.name, userIds: body.tag.user_ids }
    }
    case 'update_user_info':
      return { ...facts, kind: 'user_updated' }
    case 'user_withdraw':
      return { ...facts, kind: 'withdraw' }
    case 'widget_interaction_accepted':
    case 'widget_failed_to_sync_user_external_id':
      return {
        ...facts,
        kind: 'widget',
        isAccepted: name === 'widget_interaction_accepted',
        ...(body.data?.user_external_id ? { externalId: body.data.user_external_id } : {}),
        ...(body.data?.url ? { url: body.data.url } : {}),
      }
    case 'extension_purchased':
      return { ...facts, kind: 'extension_purchased' }
    case 'oa_send_consent':
      return {
        ...facts,
        kind: 'call_consent_asked',
        ...(body.phone ? { phone: body.phone } : {}),
        ...(body.request_type ? { requestType: body.request_type } : {}),
        ...(body.create_time === undefined ? {} : { createdMs: body.create_time }),
        ...(body.expired_time === undefined ? {} : { expiresMs: body.expired_time }),
      }
    case 'user_reply_consent':
      return body.user_consent ? { ...facts, kind: 'call_consent_answered', isAllowed: body.user_consent === 'ALLOW' } : unknown('shape')
    case 'user_call_oa':
      return { ...facts, kind: 'call', direction: 'inbound' }
    case 'oa_call_user':
      return { ...facts, kind: 'call', direction: 'outbound' }
    default:
      if (TEMPLATE_EVENTS.has(name) || name.includes('journey')) return { ...facts, kind: 'template', body: raw }
      return isGroup ? { ...facts, kind: 'group', ...(groupId ? { groupId } : {}) } : unknown('name')
  }
}

const TEMPLATE_EVENTS = new Set([
  'change_template_status',
  'change_template_quality',
  'change_oa_daily_quota',
  'user_feedback',
  'user_click_response_button',
])

// A reaction to one message may change, so its message id does not tell two events apart
function eventKey({ event_name, timestamp, message, tag }: Body, subject: string | undefined): string {
  if (message?.msg_id && !message.react_icon) return `${event_name}:${message.msg_id}`
  return `${event_name}:${timestamp}:${subject ?? tag?.name ?? ''}`
}

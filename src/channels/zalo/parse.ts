import type { FileRef, InboundContent, InboundEvent, MediaKind } from '../../model/inbound.ts'
import {
  type MessageEvent,
  parseWebhook,
  verifySignature,
  type WebhookAttachment,
  type WebhookEvent,
} from '../../zalo-oa-api-client/index.ts'
import type { ParsedWebhook } from '../channel.ts'
import { fromTap, isTap } from './payload.ts'

/** The accounts that may write to this address. One app may serve several. */
export type ZaloKeys = { externalId: string; appId: string; oaSecretKey: string }

// The platform's retry ladder spans two hours; a week leaves room for whatever it does beside that
const TOO_OLD_MS = 7 * 86_400_000
// Visitors without an account and groups are not contacts, whatever else such an event names
const NO_CONTACT = /(^|_)(anonymous|group)_/

/**
 * A webhook body, checked over its raw bytes, in our words. Decides alone what is 400, 401 or nothing to do; coordinates and
 * phone cards end here.
 */
export function parseZaloWebhook(
  rawBody: Buffer,
  signature: string | string[] | undefined,
  keys: readonly ZaloKeys[],
  nowMs: number,
): ParsedWebhook {
  const parsed = parseWebhook(rawBody, { isOa: (id) => keys.some((key) => key.externalId === id) })
  if (parsed.kind === 'invalid') return { kind: 'refused', status: 400, reason: 'the body is not a JSON object' }
  if (parsed.kind === 'probe' && signature === undefined) return { kind: 'ignored', reason: 'probe' }

  const signed = keys.some((key) => verifySignature(rawBody, signature, { appId: key.appId, oaSecretKey: key.oaSecretKey }))
  if (!signed) return { kind: 'refused', status: 401, reason: signature === undefined ? 'not signed' : 'wrong signature' }
  if (parsed.kind === 'probe') return { kind: 'ignored', reason: 'probe' }

  const { event } = parsed
  if (event.kind === 'unknown') return { kind: 'ignored', reason: event.reason === 'account' ? 'unknown_account' : 'unknown_event' }
  if (nowMs - event.timestampMs > TOO_OLD_MS) return { kind: 'ignored', reason: 'too_old' }
  const content = contentOf(event)
  if (!content || event.oaId === undefined || event.userId === undefined) return { kind: 'ignored', reason: 'unknown_event' }
  const inbound: InboundEvent = {
    channelUserId: event.userId,
    dedupeKey: event.key,
    atMs: event.timestampMs,
    order: event.timestampMs,
    content,
  }
  return { kind: 'events', accountExternalId: event.oaId, events: [inbound] }
}

function contentOf(event: WebhookEvent): InboundContent | undefined {
  switch (event.kind) {
    case 'message':
      return messageContent(event)
    case 'seen':
      return { kind: 'seen', messageIds: event.messageIds }
    case 'received':
      return {
        kind: 'received',
        messageIds: [event.messageId],
        ...(event.trackingId === undefined ? {} : { tracked: { id: event.trackingId, atMs: event.deliveryTimeMs ?? event.timestampMs } }),
      }
    case 'chat_opened':
      return { kind: 'start' }
    case 'follow':
      return { kind: 'follow' }
    case 'unfollow':
      return { kind: 'unfollow' }
    case 'withdraw':
      return { kind: 'withdraw' }
    default:
      // Reactions, tags, calls, groups, templates and shared profiles: nothing we asked for, nothing we keep
      return undefined
  }
}

function messageContent(event: MessageEvent): InboundContent | undefined {
  if (NO_CONTACT.test(event.eventName) || event.conversationId !== undefined || event.groupId !== undefined) return undefined
  if (event.direction === 'outbound') {
    if (event.adminId !== undefined) return { kind: 'staff_echo', staffId: event.adminId }
    return {
      kind: 'echo',
      messageId: event.messageId,
      ...(event.text === undefined ? {} : { text: event.text }),
      ...(event.eventName === 'oa_send_list' ? { isList: true } : {}),
    }
  }
  const [attachment] = event.attachments
  if (attachment) {
    const media = mediaOf(attachment)
    // A place's name is as private as its coordinates
    return {
      kind: 'media',
      media,
      ...(event.text && media !== 'location' && media !== 'card' ? { text: event.text } : {}),
      ...fileOf(attachment),
    }
  }
  const text = event.text ?? ''
  return isTap(text) ? { kind: 'tap', payload: fromTap(text) } : { kind: 'text', text }
}

function fileOf(attachment: WebhookAttachment): { file?: FileRef } {
  if ((attachment.type !== 'image' && attachment.type !== 'file') || attachment.url === undefined) return {}
  return { file: { ref: attachment.url, ...(attachment.type === 'file' && attachment.name ? { name: attachment.name } : {}) } }
}

function mediaOf(attachment: WebhookAttachment): MediaKind {
  switch (attachment.type) {
    case 'image':
    case 'gif':
      return 'image'
    case 'audio':
      return 'voice'
    case 'video':
      return 'video'
    case 'sticker':
      return 'sticker'
    case 'location':
      return 'location'
    case 'business_card':
      return 'card'
    case 'link':
      return 'link'
    case 'file':
    case 'unknown':
      return 'file'
    default:
      return attachment satisfies never
  }
}

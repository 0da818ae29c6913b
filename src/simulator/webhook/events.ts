import type { Account, ContactInfo, Group, Message, Thread } from '../world.ts'
import type { EventBody } from './sender.ts'

// Bodies of the events, keys in the order seen on the wire. Direction is told by the ids, not by the name alone:
// in user_received_message and user_seen_message the sender is the account.

/** Turns a kept file or an outer address into a link the receiver can fetch. */
export type LinkOf = (media: { fileId?: string; url?: string }) => string

const fromPersonNames = {
  text: 'user_send_text',
  image: 'user_send_image',
  gif: 'user_send_gif',
  file: 'user_send_file',
  location: 'user_send_location',
  sticker: 'user_send_sticker',
  voice: 'user_send_audio',
  card: 'user_send_business_card',
  list: 'user_send_link',
  event: 'user_send_text',
} as const satisfies Record<Message['kind'], string>

const fromOaNames = {
  text: 'oa_send_text',
  image: 'oa_send_image',
  gif: 'oa_send_gif',
  file: 'oa_send_file',
  location: 'oa_send_template',
  sticker: 'oa_send_sticker',
  voice: 'oa_send_file',
  card: 'oa_send_template',
  list: 'oa_send_list',
  event: 'oa_send_text',
} as const satisfies Record<Message['kind'], string>

interface About {
  account: Account
  thread: Thread
  at: number
}

function byApp({ account, thread }: Omit<About, 'at'>) {
  return account.settings.userIdByApp ? { user_id_by_app: thread.userIdByApp } : {}
}

/** A message of either side; API sends echo without `admin_id`, hand-written ones with it. */
export function messageEvent({ account, thread, at, message, linkOf }: About & { message: Message; linkOf: LinkOf }): EventBody {
  const byPerson = message.from === 'person'
  const attachments = attachmentsOf(message, linkOf)
  const oa = { id: thread.oaId, ...(message.adminId !== undefined && { admin_id: message.adminId }) }
  return {
    app_id: account.settings.appId,
    ...byApp({ account, thread }),
    event_name: byPerson
      ? fromPersonNames[message.kind]
      : message.template || message.asksInfo
        ? 'oa_send_template'
        : fromOaNames[message.kind],
    timestamp: String(at),
    sender: byPerson ? { id: thread.userId } : oa,
    recipient: byPerson ? { id: thread.oaId } : { id: thread.userId },
    message: {
      msg_id: message.id,
      ...(message.text !== undefined && { text: message.text }),
      ...(message.quote !== undefined && { quote_msg_id: message.quote }),
      ...(attachments && { attachments }),
    },
  }
}

function attachmentsOf(message: Message, linkOf: LinkOf) {
  const { kind, media = {} } = message
  switch (kind) {
    case 'image':
    case 'gif':
      return [{ type: kind, payload: { thumbnail: linkOf(media), url: linkOf(media) } }]
    case 'voice':
      return [{ type: 'audio', payload: { url: linkOf(media) } }]
    case 'sticker':
      return [{ type: 'sticker', payload: { url: linkOf(media), id: media.sticker ?? '' } }]
    case 'location':
      return [{ type: 'location', payload: { coordinates: { latitude: media.latitude, longitude: media.longitude } } }]
    case 'card':
      return [
        {
          type: 'link',
          payload: { description: JSON.stringify({ phone: media.phone, qrCodeUrl: '' }), thumbnail: '', url: linkOf(media) },
        },
      ]
    case 'file': {
      const { name = '', size = 0, checksum = '' } = media
      const type = name.slice(name.lastIndexOf('.') + 1).toLowerCase()
      return [{ type: 'file', payload: { url: linkOf(media), size: String(size), name, checksum, type } }]
    }
    case 'list':
      return message.elements?.map((element) => ({
        type: 'link',
        payload: {
          thumbnail: element.image_url ?? '',
          description: element.subtitle ?? '',
          url: element.default_action?.url ?? '',
          title: element.title,
        },
      }))
    case 'text':
    case 'event':
      return undefined
    default:
      return kind satisfies never
  }
}

export function receivedEvent({ account, thread, at }: About, messageId: string): EventBody {
  return { ...statusHead({ account, thread, at }, 'user_received_message'), message: { msg_id: messageId } }
}

export function seenEvent({ account, thread, at }: About, messageIds: string[]): EventBody {
  return { ...statusHead({ account, thread, at }, 'user_seen_message'), message: { msg_ids: messageIds } }
}

function statusHead({ account, thread, at }: About, name: string): EventBody {
  return {
    app_id: account.settings.appId,
    ...byApp({ account, thread }),
    event_name: name,
    timestamp: String(at),
    sender: { id: thread.oaId },
    recipient: { id: thread.userId },
  }
}

/** A message sent by phone number was received: the recipient is the phone. */
export function phoneReceivedEvent(about: About & { phone: string; messageId: string; trackingId: string }): EventBody {
  const { account, at, phone, messageId, trackingId } = about
  return {
    app_id: account.settings.appId,
    event_name: 'user_received_message',
    timestamp: String(at),
    sender: { id: account.settings.oaId },
    recipient: { id: phone },
    message: { delivery_time: String(at), msg_id: messageId, tracking_id: trackingId },
  }
}

export function followEvent({ account, thread, at }: About, name: 'follow' | 'unfollow'): EventBody {
  return {
    app_id: account.settings.appId,
    oa_id: thread.oaId,
    ...byApp({ account, thread }),
    event_name: name,
    source: 'oa_profile',
    timestamp: String(at),
    follower: { id: thread.userId },
  }
}

export function chatNowEvent({ account, thread, at }: About): EventBody {
  return {
    app_id: account.settings.appId,
    oa_id: thread.oaId,
    user_id: thread.userId,
    ...byApp({ account, thread }),
    event_name: 'user_click_chatnow',
    timestamp: String(at),
  }
}

export function submitInfoEvent({ account, thread, at }: About, info: ContactInfo): EventBody {
  const { name, phone, address = '', district = '', city = '' } = info
  const full_address = { user_city: city, user_ward: district, user_address: address }
  return {
    app_id: account.settings.appId,
    ...byApp({ account, thread }),
    event_name: 'user_submit_info',
    timestamp: String(at),
    sender: { id: thread.userId },
    recipient: { id: thread.oaId },
    info:
      account.settings.submitInfo === 'old'
        ? { name, phone, address, district, city }
        : { name, phone, user_dob: '', gender: '', full_address },
  }
}

export function reactedEvent(about: About & { by: 'user' | 'oa'; messageId: string; icon: string }): EventBody {
  const { account, thread, at, by, messageId, icon } = about
  return {
    app_id: account.settings.appId,
    ...byApp({ account, thread }),
    event_name: by === 'user' ? 'user_reacted_message' : 'oa_reacted_message',
    timestamp: String(at),
    sender: { id: by === 'user' ? thread.userId : thread.oaId },
    recipient: { id: by === 'user' ? thread.oaId : thread.userId },
    message: { msg_id: messageId, react_icon: icon },
  }
}

export function tagEvent(account: Account, at: number, change: { name: string; tag: string; userIds: string[] }): EventBody {
  return {
    app_id: account.settings.appId,
    oa_id: account.settings.oaId,
    event_name: change.name,
    timestamp: String(at),
    tag: { name: change.tag, user_ids: change.userIds },
  }
}

export function withdrawEvent({ account, thread, at }: About): EventBody {
  return {
    app_id: account.settings.appId,
    oa_id: thread.oaId,
    user_id: thread.userId,
    ...byApp({ account, thread }),
    event_name: 'user_withdraw',
    timestamp: String(at),
  }
}

export function groupTextEvent(
  account: Account,
  at: number,
  sent: { group: Group; messageId: string; text: string | undefined },
): EventBody {
  return {
    app_id: account.settings.appId,
    oa_id: account.settings.oaId,
    event_name: 'oa_send_group_text',
    timestamp: String(at),
    sender: { id: account.settings.oaId },
    recipient: { id: sent.group.id },
    message: { msg_id: sent.messageId, text: sent.text },
  }
}

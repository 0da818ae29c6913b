import type { Message } from './world.ts'

/** A message as the phone shows it, see the person API in the README. `files` is where kept files are served. */
export function messageView(message: Message, files: string): object {
  const { seq, id, from, at, kind, status, text, buttons, elements, media, hidden, quote, asksInfo, adminId, icons } = message
  const url = media?.fileId !== undefined ? `${files}/${media.fileId}` : media?.url
  return {
    seq,
    msg_id: id,
    from,
    at,
    kind: KINDS[kind],
    status,
    ...(text !== undefined && { text }),
    ...(buttons && { buttons }),
    ...(elements && { elements }),
    ...(url !== undefined && { url }),
    ...(media?.name !== undefined && { name: media.name }),
    ...(media?.latitude !== undefined && { latitude: media.latitude, longitude: media.longitude }),
    ...(media?.sticker !== undefined && { sticker: media.sticker }),
    ...(media?.phone !== undefined && { phone: media.phone }),
    ...(hidden && { hidden }),
    ...(quote !== undefined && { quote }),
    ...(asksInfo && { asks_info: true }),
    ...(adminId !== undefined && { admin_id: adminId }),
    ...(icons && { icons }),
  }
}

const KINDS = {
  text: 'text',
  image: 'image',
  gif: 'image',
  file: 'file',
  location: 'location',
  sticker: 'sticker',
  voice: 'voice',
  card: 'card',
  list: 'list',
  event: 'event',
} as const satisfies Record<Message['kind'], string>

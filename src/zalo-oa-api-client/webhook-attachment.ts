import { z } from 'zod'
import { Id, NumberLike } from './json.ts'

const text = z
  .string()
  .optional()
  .catch(undefined)
  .transform((value) => value || undefined)

const Payload = z.object({
  url: text,
  thumbnail: text,
  description: text,
  id: Id.optional().catch(undefined),
  name: text,
  // A string of digits
  size: NumberLike.optional().catch(undefined),
  checksum: text,
  type: text,
  // Strings in reality
  coordinates: z.object({ latitude: NumberLike, longitude: NumberLike }).optional().catch(undefined),
})

const RawAttachment = z.object({ type: z.string(), payload: Payload.optional().catch(undefined) })

/** What came with a message. Addresses are plain links that live for an unknown time: fetch at once, with a size limit and WITHOUT the access token. */
export type WebhookAttachment =
  | { type: 'image' | 'gif' | 'audio' | 'video' | 'sticker'; url?: string; thumbnailUrl?: string; description?: string; stickerId?: string }
  | { type: 'link'; url?: string; thumbnailUrl?: string; description?: string }
  /** Of `user_send_business_card`: the platform sends it as a link whose description is JSON with the phone number. */
  | { type: 'business_card'; url?: string; phone?: string }
  | { type: 'location'; latitude: number; longitude: number }
  | { type: 'file'; url?: string; name?: string; sizeBytes?: number; md5?: string; extension?: string }
  | { type: 'unknown'; platformType: string }

/** The attachments of a message in their types; what cannot be read becomes `unknown`, never an error. */
export function readAttachments(values: unknown, eventName: string): WebhookAttachment[] {
  if (!Array.isArray(values)) return []
  return values.map((value) => {
    const raw = RawAttachment.safeParse(value).data
    return raw ? readAttachment(raw, eventName) : { type: 'unknown', platformType: '' }
  })
}

function readAttachment({ type, payload }: z.output<typeof RawAttachment>, eventName: string): WebhookAttachment {
  const { url, thumbnail, description, id, name, size, checksum, coordinates } = payload ?? {}
  const place = { ...(url ? { url } : {}) }
  const shown = { ...place, ...(thumbnail ? { thumbnailUrl: thumbnail } : {}), ...(description ? { description } : {}) }
  switch (type) {
    case 'image':
    case 'gif':
    case 'audio':
    case 'video':
      return { type, ...shown }
    case 'sticker':
      return { type, ...shown, ...(id ? { stickerId: id } : {}) }
    case 'link':
      if (!eventName.endsWith('business_card')) return { type, ...shown }
      return { type: 'business_card', ...place, ...readPhone(description) }
    case 'location':
      return coordinates ? { type, ...coordinates } : { type: 'unknown', platformType: type }
    case 'file':
      return {
        type,
        ...place,
        ...(name ? { name } : {}),
        ...(size === undefined ? {} : { sizeBytes: size }),
        ...(checksum ? { md5: checksum } : {}),
        ...(payload?.type ? { extension: payload.type } : {}),
      }
    default:
      return { type: 'unknown', platformType: type }
  }
}

const Card = z.object({ phone: z.union([z.string(), z.number()]).transform(String) })

function readPhone(description: string | undefined): { phone?: string } {
  try {
    const card = Card.safeParse(JSON.parse(description ?? '')).data
    return card ? { phone: card.phone } : {}
  } catch {
    return {}
  }
}

import { invalid, Refusal, tooMuch } from '../refusal.ts'
import type { Button, ListElement } from '../world.ts'
import { type Fields, readArray, readId, readInteger, readObject, readOptionalText, readText, readUrl } from './shape.ts'

// limits: zalo.md 4.2, 4.3
const MAX_TEXT = 2_000
const MAX_TITLE = 100
const MAX_SUBTITLE = 500
const MAX_PAYLOAD = 1_000
const MAX_BUTTONS = 5
const MAX_ELEMENTS = 5
const MAX_SMS = 160

/** A message of the sending API, checked for shape only; whether its attachments exist is asked later. */
export type MessageShape = { quote?: string } & (
  | { kind: 'text'; text: string; buttons?: Button[] }
  | { kind: 'image'; text?: string; url?: string; attachmentId?: string }
  | { kind: 'gif'; text?: string; attachmentId: string }
  | { kind: 'sticker'; text?: string; attachmentId: string }
  | { kind: 'file'; token: string }
  | { kind: 'list'; text?: string; elements: ListElement[]; buttons: Button[] }
  | { kind: 'request'; element: ListElement }
  | { kind: 'articles'; ids: string[] }
)

export function readMessage(value: unknown): MessageShape {
  const message = readObject(value, 'message', ['text', 'attachment', 'quote_message_id'])
  const quote = message.quote_message_id === undefined ? undefined : readQuote(message.quote_message_id)
  const shape: MessageShape =
    message.attachment === undefined ? { kind: 'text', text: readText(message.text, 'message.text', MAX_TEXT) } : readAttachment(message)
  return quote === undefined ? shape : { ...shape, quote }
}

function readQuote(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid('message.quote_message_id')
  return value
}

function readAttachment(message: Fields): MessageShape {
  const attachment = readObject(message.attachment, 'message.attachment', ['type', 'payload'])
  if (attachment.type === 'file') return readFileAttachment(message, attachment.payload)
  // the obvious `{ "type": "image" }` is refused by the real platform as well
  if (attachment.type !== 'template') throw invalid('message.attachment.type')
  const payload = readObject(attachment.payload, 'message.attachment.payload', ['template_type', 'elements', 'buttons'])
  const text = readOptionalText(message.text, 'message.text', MAX_TEXT)
  const withText = text === undefined ? {} : { text }
  switch (payload.template_type) {
    case undefined:
      if (payload.elements !== undefined) throw invalid('message.attachment.payload.template_type')
      return { kind: 'text', text: readText(message.text, 'message.text', MAX_TEXT), buttons: readButtons(payload.buttons, 1) }
    case 'media':
      if (payload.buttons !== undefined) throw invalid('message.attachment.payload.buttons')
      return { ...withText, ...readMedia(payload.elements) }
    case 'list': {
      const elements = readArray(payload.elements, 'elements', { min: 1, max: MAX_ELEMENTS }).map(readElement)
      return { kind: 'list', ...withText, elements, buttons: payload.buttons === undefined ? [] : readButtons(payload.buttons, 0) }
    }
    case 'request_user_info':
      if (text !== undefined || payload.buttons !== undefined) throw invalid('message.attachment.payload')
      return { kind: 'request', element: readElement(readArray(payload.elements, 'elements', { min: 1, max: 1 })[0], 0) }
    default:
      throw invalid('message.attachment.payload.template_type')
  }
}

function readFileAttachment(message: Fields, value: unknown): MessageShape {
  if (message.text !== undefined) throw invalid('message.text')
  const payload = readObject(value, 'message.attachment.payload', ['token', 'attachment_id'])
  const token = payload.token ?? payload.attachment_id
  if (typeof token !== 'string' || token === '') throw invalid('message.attachment.payload.token')
  return { kind: 'file', token }
}

function readMedia(value: unknown): MessageShape {
  const elements = readArray(value, 'elements', { min: 1, max: MAX_ELEMENTS })
  const fields = readObject(elements[0], 'elements[0]', ['media_type', 'url', 'attachment_id', 'width', 'height'])
  if (fields.media_type === 'article') return { kind: 'articles', ids: elements.map(readArticle) }
  if (elements.length > 1) throw tooMuch('elements')
  const attachmentId = fields.attachment_id === undefined ? undefined : readAttachmentId(fields.attachment_id)
  switch (fields.media_type) {
    case 'image':
      if ((fields.url === undefined) === (attachmentId === undefined)) throw invalid('elements[0].attachment_id')
      return attachmentId === undefined ? { kind: 'image', url: readUrl(fields.url, 'elements[0].url') } : { kind: 'image', attachmentId }
    case 'gif':
      readInteger(fields.width, 'elements[0].width', { min: 1, max: 10_000 })
      readInteger(fields.height, 'elements[0].height', { min: 1, max: 10_000 })
      if (fields.url !== undefined) throw invalid('elements[0].url')
      return { kind: 'gif', attachmentId: readAttachmentId(attachmentId) }
    case 'sticker':
      if (fields.url !== undefined) throw invalid('elements[0].url')
      return { kind: 'sticker', attachmentId: readAttachmentId(attachmentId) }
    default:
      throw invalid('elements[0].media_type')
  }
}

function readArticle(value: unknown, index: number): string {
  const fields = readObject(value, `elements[${index}]`, ['media_type', 'attachment_id'])
  if (fields.media_type !== 'article') throw invalid(`elements[${index}].media_type`)
  return readAttachmentId(fields.attachment_id)
}

function readAttachmentId(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalid('attachment_id')
  return value
}

function readElement(value: unknown, index: number): ListElement {
  const name = `elements[${index}]`
  const fields = readObject(value, name, ['title', 'subtitle', 'image_url', 'default_action'])
  const subtitle = readOptionalText(fields.subtitle, `${name}.subtitle`, MAX_SUBTITLE)
  return {
    title: readText(fields.title, `${name}.title`, MAX_TITLE),
    ...(subtitle !== undefined && { subtitle }),
    ...(fields.image_url !== undefined && { image_url: readUrl(fields.image_url, `${name}.image_url`) }),
    ...(fields.default_action !== undefined && { default_action: readAction(fields.default_action, `${name}.default_action`) }),
  }
}

/** `url` for oa.open.url, `payload` for the rest. */
function readAction(value: unknown, name: string): NonNullable<ListElement['default_action']> {
  const fields = readObject(value, name, ['type', 'url', 'payload'])
  if (fields.type === 'oa.open.url') return { type: fields.type, url: readUrl(fields.url, `${name}.url`) }
  readPayload(fields.type, fields.payload, name)
  return { type: fields.type as string, payload: fields.payload as string }
}

function readButtons(value: unknown, min: number): Button[] {
  return readArray(value, 'buttons', { min, max: MAX_BUTTONS }).map((item, index) => {
    const name = `buttons[${index}]`
    const fields = readObject(item, name, ['title', 'type', 'payload', 'image_icon'])
    const title = readText(fields.title, `${name}.title`, MAX_TITLE)
    readPayload(fields.type, fields.payload, name)
    return { title, type: fields.type as string, payload: fields.payload }
  })
}

function readPayload(type: unknown, payload: unknown, name: string): void {
  switch (type) {
    case 'oa.query.show':
    case 'oa.query.hide':
      readText(payload, `${name}.payload`, MAX_PAYLOAD)
      return
    case 'oa.open.url':
      readUrl(readObject(payload, `${name}.payload`, ['url']).url, `${name}.payload.url`)
      return
    case 'oa.open.sms': {
      const fields = readObject(payload, `${name}.payload`, ['content', 'phone_code'])
      readText(fields.content, `${name}.payload.content`, MAX_SMS)
      readId(fields.phone_code, `${name}.payload.phone_code`)
      return
    }
    case 'oa.open.phone':
      readId(readObject(payload, `${name}.payload`, ['phone_code']).phone_code, `${name}.payload.phone_code`)
      return
    default:
      throw invalid(`${name}.type`)
  }
}

/** Articles go to audiences, everything else to one person. */
export function refuseArticles(shape: MessageShape): asserts shape is Exclude<MessageShape, { kind: 'articles' }> {
  if (shape.kind === 'articles') throw new Refusal(-233)
}

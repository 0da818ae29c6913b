/** A button under a message or list. A tapped query button comes back as an ordinary text event with the payload as its text. */
export type Button = { title: string; image_icon?: string } & (
  | { type: 'oa.open.url'; payload: { url: string } }
  /** The payload appears in the chat as the person's own message. */
  | { type: 'oa.query.show'; payload: string }
  /** The payload reaches the account without appearing in the chat. */
  | { type: 'oa.query.hide'; payload: string }
  | { type: 'oa.open.sms'; payload: { content: string; phone_code: string } }
  | { type: 'oa.open.phone'; payload: { phone_code: string } }
)

/** What happens when a list element is tapped: `url` for `oa.open.url`, `payload` for the rest. */
export type DefaultAction = { type: 'oa.open.url'; url: string } | { type: 'oa.query.show' | 'oa.query.hide'; payload: string }

export type ListElement = { title: string; subtitle?: string; image_url?: string; default_action?: DefaultAction }

export type MediaElement =
  | { media_type: 'image'; attachment_id: string }
  | { media_type: 'image'; url: string }
  | { media_type: 'gif'; attachment_id: string; width: number; height: number }
  | { media_type: 'sticker'; attachment_id: string }
  | { media_type: 'article'; attachment_id: string }

export type TemplatePayload =
  /** Buttons under a text: no `template_type`. */
  | { buttons: Button[] }
  | { template_type: 'list'; elements: ListElement[]; buttons: Button[] }
  | { template_type: 'media'; elements: MediaElement[] }
  | { template_type: 'request_user_info'; elements: { title: string; subtitle: string; image_url: string }[] }

export type Attachment = { type: 'template'; payload: TemplatePayload } | { type: 'file'; payload: { token: string } }

/** The `message` object as the platform takes it, the same for `v3.0/oa/message/cs` and `v2.0/oa/message`. */
export type OaMessage = { text?: string; attachment?: Attachment; quote_message_id?: string }

/** A text. At most 2,000 characters after NFC, else InvalidMessageError when sent; see `splitText`. */
export function textMessage(text: string): OaMessage {
  return { text }
}

/**
 * A text with up to 5 buttons. Undocumented for v3.0 but used there; ask `change_shape` (-233) or `drop` (-201) what this account says
 * and keep a numbered text as fallback.
 */
export function buttonsMessage(text: string, buttons: Button[]): OaMessage {
  return { text, attachment: { type: 'template', payload: { buttons } } }
}

/** Up to 5 elements; the first image is shown 500×320, the others 50×50. */
export function listMessage(elements: ListElement[], buttons: Button[] = []): OaMessage {
  return { attachment: { type: 'template', payload: { template_type: 'list', elements, buttons } } }
}

/** An image, by the id of an upload or by an address the platform can reach, with an optional text. */
export function imageMessage(image: { attachmentId: string } | { url: string }, text?: string | undefined): OaMessage {
  const element: MediaElement =
    'url' in image ? { media_type: 'image', url: image.url } : { media_type: 'image', attachment_id: image.attachmentId }
  return mediaMessage(element, text)
}

/** An animation by the id of a gif upload; width and height in pixels. */
export function gifMessage(gif: { attachmentId: string; width: number; height: number }, text?: string): OaMessage {
  return mediaMessage({ media_type: 'gif', attachment_id: gif.attachmentId, width: gif.width, height: gif.height }, text)
}

/** A file by the token of a file upload. */
export function fileMessage(token: string): OaMessage {
  return { attachment: { type: 'file', payload: { token } } }
}

/** Asks the person for name, phone and address in the platform's own form; the answer is the event `user_submit_info`. */
export function requestUserInfoMessage(element: { title: string; subtitle: string; imageUrl: string }): OaMessage {
  const { title, subtitle, imageUrl } = element
  const payload: TemplatePayload = { template_type: 'request_user_info', elements: [{ title, subtitle, image_url: imageUrl }] }
  return { attachment: { type: 'template', payload } }
}

/** Up to 5 published articles, for `broadcast` only. */
export function articleMessage(articleIds: string[]): OaMessage {
  const elements = articleIds.map((id): MediaElement => ({ media_type: 'article', attachment_id: id }))
  return { attachment: { type: 'template', payload: { template_type: 'media', elements } } }
}

/** The same message as a reply to one of the chat. When the platform no longer knows that one, `sendMessage` sends without the quote. */
export function withQuote(message: OaMessage, messageId: string): OaMessage {
  return { ...message, quote_message_id: messageId }
}

function mediaMessage(element: MediaElement, text?: string): OaMessage {
  const attachment: Attachment = { type: 'template', payload: { template_type: 'media', elements: [element] } }
  return text === undefined ? { attachment } : { text, attachment }
}

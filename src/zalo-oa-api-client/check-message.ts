import type { Attachment, Button, OaMessage, TemplatePayload } from './message.ts'

/** The platform's limits, in characters and pieces. */
export const messageLimits = {
  // Vendor's message pages: text ≤ 2000; title ≤ 100, subtitle ≤ 500, ≤ 5 list elements; query payload ≤ 1000; sms content ≤ 160
  textChars: 2000,
  titleChars: 100,
  subtitleChars: 500,
  payloadChars: 1000,
  smsChars: 160,
  elements: 5,
  // `MAX_ELEMENT` of the vendor's PHP SDK
  buttons: 5,
} as const

/** A message the platform would refuse, found before anything was sent. The fault is the caller's; `field` says where. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError'
  /** Path of the offending value, e.g. `attachment.payload.buttons[1].title`. */
  readonly field: string
  /** The limit that is exceeded, where there is one. */
  readonly limit: number | undefined
  constructor(field: string, problem: string, limit?: number) {
    super(`message.${field} ${problem}`)
    this.field = field
    this.limit = limit
  }
}

/**
 * The message as it will be sent: its text in NFC, the form the platform counts in. Throws InvalidMessageError above a limit.
 * Characters are counted as UTF-16 units, never fewer than what the platform counts.
 */
export function checkMessage(message: OaMessage): OaMessage {
  const { text, attachment } = message
  if (text === undefined && !attachment) throw new InvalidMessageError('text', 'is missing, and there is no attachment')
  if (attachment) checkAttachment(attachment)
  if (text === undefined) return message
  const composed = text.normalize('NFC')
  if (composed.trim() === '') throw new InvalidMessageError('text', 'is empty')
  checkLength('text', composed, messageLimits.textChars)
  return { ...message, text: composed }
}

function checkAttachment(attachment: Attachment): void {
  if (attachment.type === 'file') checkFilled('attachment.payload.token', attachment.payload.token)
  else if ('template_type' in attachment.payload) checkElements(attachment.payload)
  else checkButtons(attachment.payload.buttons)
}

function checkElements(payload: Extract<TemplatePayload, { template_type: string }>): void {
  const at = 'attachment.payload'
  checkCount(`${at}.elements`, payload.elements, payload.template_type === 'request_user_info' ? 1 : messageLimits.elements)
  for (const [i, element] of payload.elements.entries()) {
    if (!('title' in element)) continue
    const path = `${at}.elements[${i}]`
    checkFilled(`${path}.title`, element.title)
    checkLength(`${path}.title`, element.title, messageLimits.titleChars)
    checkLength(`${path}.subtitle`, element.subtitle ?? '', messageLimits.subtitleChars)
    if ('default_action' in element && element.default_action && 'payload' in element.default_action) {
      checkLength(`${path}.default_action.payload`, element.default_action.payload, messageLimits.payloadChars)
    }
  }
  // A list may go without buttons, a text with buttons may not
  if (payload.template_type === 'list' && payload.buttons.length > 0) checkButtons(payload.buttons)
}

function checkButtons(buttons: Button[]): void {
  checkCount('attachment.payload.buttons', buttons, messageLimits.buttons)
  for (const [i, button] of buttons.entries()) {
    const path = `attachment.payload.buttons[${i}]`
    checkFilled(`${path}.title`, button.title)
    checkLength(`${path}.title`, button.title, messageLimits.titleChars)
    if (button.type === 'oa.query.show' || button.type === 'oa.query.hide') {
      checkFilled(`${path}.payload`, button.payload)
      checkLength(`${path}.payload`, button.payload, messageLimits.payloadChars)
    }
    if (button.type === 'oa.open.sms') checkLength(`${path}.payload.content`, button.payload.content, messageLimits.smsChars)
  }
}

function checkFilled(field: string, value: string): void {
  if (value === '') throw new InvalidMessageError(field, 'is empty')
}

function checkLength(field: string, value: string, limit: number): void {
  const chars = value.normalize('NFC').length
  if (chars > limit) throw new InvalidMessageError(field, `has ${chars} characters, ${limit} are allowed`, limit)
}

function checkCount(field: string, values: readonly unknown[], limit: number): void {
  if (values.length === 0) throw new InvalidMessageError(field, 'is empty')
  if (values.length > limit) throw new InvalidMessageError(field, `has ${values.length} entries, ${limit} are allowed`, limit)
}

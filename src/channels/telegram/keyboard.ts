import type { InlineKeyboardButton, InlineKeyboardMarkup } from 'telegraf/types'
import type { OutboundMessage } from '../../model/outbound.ts'

// A row shares the width of the message evenly. On a narrow phone (360 dp) about 30 characters of the usual size fit; what does not is
// cut off with dots, which for an answer is worse than one more row.
const CHARS_PER_ROW = 30
const MAX_PER_ROW = 5

/** Choices as buttons that send their payload back, links as buttons that open them; undefined where there is neither. */
export function layKeyboard(message: OutboundMessage): InlineKeyboardMarkup | undefined {
  const choices = (message.choices ?? []).map((choice) => ({ text: choice.label, callback_data: choice.payload }))
  const links = (message.links ?? []).map((link) => [{ text: link.label, url: link.url }])
  const rows = [...cutRows(choices), ...links]
  return rows.length > 0 ? { inline_keyboard: rows } : undefined
}

/** All rows of one message have the same number of buttons, so that nobody reads an order into their sizes. */
function cutRows(buttons: InlineKeyboardButton[]): InlineKeyboardButton[][] {
  const longest = Math.max(1, ...buttons.map((button) => button.text.length))
  const perRow = Math.max(1, Math.min(MAX_PER_ROW, Math.floor(CHARS_PER_ROW / (longest + 2))))
  const rows: InlineKeyboardButton[][] = []
  for (let i = 0; i < buttons.length; i += perRow) rows.push(buttons.slice(i, i + perRow))
  return rows
}

/** The same message for a platform that refused its buttons: what the text does not say already is written under it. */
export function writeOutButtons(message: OutboundMessage, maxChars: number): string {
  const choices = (message.choices ?? []).filter((choice) => !message.text.includes(choice.label))
  const links = (message.links ?? []).filter((link) => !message.text.includes(link.url))
  const lines = [...choices.map((choice) => `${choice.number}. ${choice.label}`), ...links.map((link) => `${link.label}: ${link.url}`)]
  const text = [message.text, ...lines].join('\n')
  return text.length <= maxChars ? text : message.text
}

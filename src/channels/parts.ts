import type { OutboundMessage } from '../model/outbound.ts'
import type { Channel } from './channel.ts'

/**
 * A message in the pieces this channel takes, each one request: long words cut, and a file beside its words where they do not fit under it.
 * What can be tapped stands last on the screen; where nothing can be, the words go first, because they are the message.
 */
export function partsOf({ abilities, split }: Pick<Channel, 'abilities' | 'split'>, message: OutboundMessage): OutboundMessage[] {
  const { attachment, ...words } = message
  const texts = split(words.text)
  const fits = attachment !== undefined && texts.length === 1 && words.text.length <= abilities.maxCaptionChars[attachment.kind]
  const parts = texts.map(
    (text, index): OutboundMessage => (index < texts.length - 1 ? { text } : { ...words, text, ...(fits ? { attachment } : {}) }),
  )
  if (attachment === undefined || fits) return parts
  const file: OutboundMessage = { text: '', attachment }
  const hasTaps = (words.choices?.length ?? 0) + (words.links?.length ?? 0) > 0
  return hasTaps ? [file, ...parts] : [...parts, file]
}

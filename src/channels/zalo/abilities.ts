import type { Abilities } from '../channel.ts'

const DAY_MS = 86_400_000
// 2,000 at the platform after NFC; some of it is kept free, as others do in production
const MAX_TEXT_CHARS = 1_900

/** Zalo's consultation messages; sources in the client's own limits (`zalo-oa-api-client/check-message.ts`). */
export const zaloAbilities: Abilities = {
  kind: 'zalo',
  maxTextChars: MAX_TEXT_CHARS,
  maxChoices: 5,
  maxChoiceChars: 100,
  maxPayloadBytes: 1_000,
  // "CS allowed since last interaction": 7 days, the first 48 hours free
  sendWindowMs: 7 * DAY_MS,
  chatIntervalMs: null,
  orders: 'clock',
  clips: 'link',
  // A file takes no words along; a sound is behind a link of the message
  maxCaptionChars: { image: MAX_TEXT_CHARS, file: 0, voice: MAX_TEXT_CHARS },
  fileTypes: ['application/pdf', 'application/msword', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  imageTypes: ['image/jpeg', 'image/png'],
  maxFileBytes: 5 * 1_048_576,
  maxImageBytes: 1_048_576,
}

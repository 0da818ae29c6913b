import type { Abilities } from '../channel.ts'

// core.telegram.org/bots/api#sendphoto: "0-1024 characters after entities parsing"
export const MAX_CAPTION_CHARS = 1024

/** What a Telegram chat can show. */
export const telegramAbilities: Abilities = {
  kind: 'telegram',
  // core.telegram.org/bots/api#sendmessage: "1-4096 characters after entities parsing"; counted here in UTF-16 units, the stricter way
  maxTextChars: 4096,
  // More are refused with REPLY_MARKUP_TOO_LONG. Undocumented; 100 is what operators of other bots report.
  maxChoices: 100,
  // No limit is documented; what a phone shows of a button that has the row to itself
  maxChoiceChars: 40,
  // core.telegram.org/bots/api#inlinekeyboardbutton: callback_data is "1-64 bytes"
  maxPayloadBytes: 64,
  // A bot may write at any time to anyone who started it and has not blocked it
  sendWindowMs: null,
  // core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: "avoid sending more than one message per second" in one chat
  chatIntervalMs: 1_000,
  // Message ids grow by one with whatever either side writes
  orders: 'sequence',
  clips: 'attached',
  maxCaptionChars: { image: MAX_CAPTION_CHARS, file: MAX_CAPTION_CHARS, voice: MAX_CAPTION_CHARS },
  // core.telegram.org/bots/api#senddocument: "files of any type"; these are the ones we have
  fileTypes: [
    'application/pdf',
    'application/msword',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'text/csv',
    'image/png',
    'image/jpeg',
  ],
  imageTypes: ['image/jpeg', 'image/png'],
  // core.telegram.org/bots/api#sending-files: "10 MB max size for photos, 50 MB for other files"
  maxFileBytes: 50_000_000,
  maxImageBytes: 10_000_000,
}

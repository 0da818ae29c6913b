import { boolean, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { at, bytes } from './columns.ts'

/**
 * Recorded prompts by language and text key. Like flows they belong to the installation, not to a commune. The sound itself is kept here and
 * not in a folder: any process of several can serve it, and a backup of the database is whole. All of it is a few megabytes.
 */
export const voiceClip = pgTable(
  'voice_clip',
  {
    /** ISO 639-3, one of `flows/voice-languages.json`. */
    language: text('language').notNull(),
    textKey: text('text_key').notNull(),
    /** SHA-256 of the sound, hex: its name in addresses and caches. */
    digest: text('digest').notNull(),
    contentType: text('content_type').notNull(),
    fileName: text('file_name').notNull(),
    sound: bytes('sound').notNull(),
    /** Absent where the file does not say. */
    durationMs: integer('duration_ms'),
    /** Made by a machine to try things with; a real recording takes its place. */
    sample: boolean('sample').notNull().default(false),
    importedAt: at('imported_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.language, t.textKey] }), index('voice_clip_digest').on(t.digest)],
)

import { sql } from 'drizzle-orm'
import { boolean, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { at, id, ref } from './columns.ts'

/** Administrative units: tỉnh → xã/phường → thôn/bản/tổ dân phố. A commune's own row has `commune_id = id`; a province's has 0. */
export const unit = pgTable(
  'unit',
  {
    id: id().primaryKey(),
    communeId: ref('commune_id').notNull(),
    parentId: ref('parent_id'),
    code: text('code').notNull().unique(),
    level: text('level', { enum: ['tinh', 'xa', 'thon_ban'] }).notNull(),
    /** Local word for it: "bản", "thôn", "tổ dân phố". */
    label: text('label').notNull(),
    name: text('name').notNull(),
    /** Order in lists, and the number a person may type for a village. */
    position: integer('position').notNull(),
    /** What a village's QR code carries and a person may type. */
    joinCode: text('join_code').unique(),
    predecessorCodes: text('predecessor_codes').array().notNull().default(sql`'{}'`),
    validFrom: at('valid_from'),
    validTo: at('valid_to'),
    sample: boolean('sample').notNull().default(false),
  },
  (t) => [index('unit_commune').on(t.communeId, t.level, t.position)],
)

/** Settings by unit; unit 0 is the installation. The nearest one upwards counts (registry/settings.ts). */
export const setting = pgTable(
  'setting',
  {
    unitId: ref('unit_id').notNull(),
    key: text('key').notNull(),
    value: jsonb('value').notNull(),
    updatedAt: at('updated_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.unitId, t.key] })],
)

/** Facts about the installation itself: fingerprint of the secret key, whether the sample commune was made. */
export const installation = pgTable('installation', { key: text('key').primaryKey(), value: text('value').notNull() })

/** Who did what when; ids and figures, never words. Append only. */
export const audit = pgTable(
  'audit',
  {
    id: id(),
    communeId: ref('commune_id').notNull(),
    at: at('at').notNull(),
    /** `contact:12`, `cli`, `system`. */
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    subject: text('subject'),
    detail: jsonb('detail'),
  },
  (t) => [primaryKey({ columns: [t.communeId, t.id] })],
)

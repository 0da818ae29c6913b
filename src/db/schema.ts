/**
 * The tables. Every row belongs to a commune: large tables carry `commune_id` first in their key and no query of the hot path crosses
 * communes. The exceptions are named where they stand. A column ending in `_enc` is encrypted (lib/crypto.ts), one ending in `_hash` is a
 * keyed hash to look it up by. Foreign keys are kept where rows are few; the ledger and the events do without for speed.
 */
export * from './schema/accounts.ts'
export * from './schema/campaigns.ts'
export * from './schema/forms.ts'
export * from './schema/messages.ts'
export * from './schema/people.ts'
export * from './schema/reminders.ts'
export * from './schema/tickets.ts'
export * from './schema/units.ts'
export * from './schema/voice.ts'

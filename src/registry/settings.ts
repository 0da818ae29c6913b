import { eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import settingsFile from '../../flows/settings.json' with { type: 'json' }
import type { DbOrTx } from '../db/connect.ts'
import { audit, NO_COMMUNE, setting, unit } from '../db/schema.ts'
import type { PassRule } from '../engine/score.ts'
import type { CriteriaSet } from '../model/criteria.ts'

/** The unit that stands for the whole installation. */
export const INSTALLATION = 0

const ClockTime = z
  .string()
  .regex(/^([01]?\d|2[0-3]):[0-5]\d$/, 'write a time of day as 21:00')
  .transform((time) => time.padStart(5, '0'))
const DayMonth = z
  .string()
  .regex(/^\d{1,2}\/\d{1,2}$/, 'write day/month as 31/12')
  // 2024 has a 29/2
  .refine((text) => isDate(`2024-${monthDay(text)}`), 'there is no such day')
const QuietDays = z
  .string()
  .regex(/^(\d{4}-\d{2}-\d{2}(\.\.\d{4}-\d{2}-\d{2})?([,; ]+|$))*$/, 'write days as 2026-12-01, 2026-12-03..2026-12-05, or "" for none')
const count = (max: number) => z.number('write a whole number').int('write a whole number').min(0).max(max)
const Percent = z.number('write a percentage as 62.8').min(0).max(100)
const YesNo = z.enum(['yes', 'no'], 'write yes or no')
const Source = z.string('say where the figure comes from: --source "Kế hoạch số … ngày …"').min(1)
const IsoDate = z.string('say of which day the figure is: --as-of 2026-11-30').refine(isDate, 'write a date as 2026-11-30')

const Target = z.object({ percent: Percent, source: Source }).strict()
const Denominator = z.object({ value: count(100_000_000), as_of: IsoDate, source: Source }).strict()

export type Target = z.infer<typeof Target>

// What a value may be; what it is by default, and why, is data: flows/settings.json
const TYPES = {
  'quiet.from': ClockTime,
  'quiet.to': ClockTime,
  'quiet.days': QuietDays,
  'event.week_from': DayMonth,
  'reminder.per_week': count(7),
  'reminder.per_round': count(50),
  'cut.provisional': DayMonth,
  'cut.final': DayMonth,
  'cut.corrections': DayMonth,
  'rounding.rule': z.enum(['half_up', 'cut'], 'write half_up or cut'),
  'rounding.decimals': count(4),
  'account.package': z.enum(['growth', 'comprehensive'], 'write growth or comprehensive'),
  'account.per_minute.growth': count(1_000_000).min(1),
  'account.per_minute.comprehensive': count(1_000_000).min(1),
  'account.reply_reserve': count(90),
  'account.per_minute.app': count(10_000_000).min(1),
  'account.per_second.telegram': count(1_000).min(1),
  'account.free_window_hours': count(24 * 7),
  'account.price.window': count(100_000),
  'account.price.template': count(100_000),
  'campaign.per_week': count(50),
  'campaign.next_contact_days': count(365),
  'campaign.billed_window': YesNo,
  'campaign.village_notice': YesNo,
  'campaign.article': YesNo,
  'campaign.template_mode': z.enum(['off', 'development', 'live'], 'write off, development or live'),
  'campaign.same_words_hours': count(8760),
  'campaign.file_kept_days': count(3650).min(1),
  'campaign.pause_at_failures': Percent,
  'campaign.pause_after': count(100_000).min(1),
  'age.minimum': count(100),
  'conversation.resume_after_hours': count(24 * 365),
  'answers.kept_years': count(50),
  'words.kept_days': count(3650),
  'target.CDHT': Target,
  'target.GDHT': Target,
  'target.digital_basic': Target,
  'target.digital_proficient': Target,
}
// Those that may be absent
const OPTIONAL_TYPES = { 'denominator.CDHT': Denominator, 'denominator.GDHT': Denominator, 'campaign.template': z.string().min(1) }
// One for each criteria set: `pass.total.cdht-g1.1`
const FAMILY_TYPES = {
  'pass.total.': count(1000),
  'pass.min_each.': count(1000),
  'pass.min_citizens.': count(100),
  // One for each rule of flows/reminders.json
  'reminders.': YesNo,
}

type Required = { [K in keyof typeof TYPES]: z.infer<(typeof TYPES)[K]> }
type Optional = { [K in keyof typeof OPTIONAL_TYPES]: z.infer<(typeof OPTIONAL_TYPES)[K]> | undefined }
type Family = { [K in keyof typeof FAMILY_TYPES as `${K}${string}`]: z.infer<(typeof FAMILY_TYPES)[K]> | undefined }
export type SettingTypes = Required & Optional & Family
export type SettingKey = keyof SettingTypes

const Definition = z
  .object({
    key: z.string(),
    default: z.unknown().optional(),
    /** Unit of measure. */
    measure: z.string(),
    status: z.enum(['official', 'proposed', 'setting']),
    explanation: z.string(),
    source: z.string().optional(),
    /** `false`: counts for the very unit it is set for, not for those below. */
    inherits: z.boolean().default(true),
  })
  .strict()
export type SettingDefinition = z.infer<typeof Definition>

/** Settings as one unit sees them: its own, else those of the nearest unit above it, else the defaults. */
export type Settings = {
  get<K extends SettingKey>(key: K): SettingTypes[K]
  /** The set's own pass rule, with what was set in its place. */
  passRule(set: CriteriaSet): PassRule
  /** Requests a minute the account may make, by its package. `assumed`: nobody has said so, it is the smallest package's. */
  perMinute(): { limit: number; assumed: boolean }
}

export type SettingRow = SettingDefinition & {
  value: unknown
  /** Code of the unit it is set for; absent where the default counts. */
  setFor?: string
}

export const SETTING_DEFINITIONS: readonly SettingDefinition[] = z.array(Definition).parse(settingsFile.settings)

export async function getSetting<K extends SettingKey>(db: DbOrTx, unitId: number, key: K): Promise<SettingTypes[K]> {
  return (await loadSettings(db, unitId)).get(key)
}

/** All settings of a unit in one query. */
export async function loadSettings(db: DbOrTx, unitId: number): Promise<Settings> {
  return createSettings(await findStored(db, unitId))
}

/** Settings with nothing set: the defaults. */
export function defaultSettings(): Settings {
  return createSettings([])
}

function createSettings(stored: Stored[]): Settings {
  const values = new Map(stored.map((row) => [row.key, row]))
  function get<K extends SettingKey>(key: K): SettingTypes[K] {
    const row = values.get(key)
    const value = row ? row.value : getDefinition(key).default
    if (value === undefined) return undefined as SettingTypes[K]
    const parsed = typeOf(key).safeParse(value)
    if (!parsed.success) throw new Error(`setting ${key} of unit ${row?.unitId ?? 'default'} holds no valid value; set it anew`)
    return parsed.data as SettingTypes[K]
  }
  return {
    get,
    passRule: (set) => ({
      total: get(`pass.total.${set.id}`) ?? set.pass.total,
      min_each: get(`pass.min_each.${set.id}`) ?? set.pass.min_each,
      min_citizens: get(`pass.min_citizens.${set.id}`) ?? set.pass.min_citizens,
    }),
    perMinute: () => {
      const key = `account.per_minute.${get('account.package')}` as const
      return { limit: get(key), assumed: !values.has('account.package') && !values.has(key) }
    },
  }
}

/** Every setting as the unit sees it, families by the members that are set. */
export async function listSettings(db: DbOrTx, unitId: number): Promise<SettingRow[]> {
  const stored = await findStored(db, unitId)
  const rows = SETTING_DEFINITIONS.flatMap((definition): SettingRow[] => {
    const family = familyOf(definition.key)
    if (!family) {
      const found = stored.find((row) => row.key === definition.key)
      return [{ ...definition, value: found ? found.value : definition.default, ...(found && { setFor: found.unitCode }) }]
    }
    const members = stored.filter((row) => familyOf(row.key) === family)
    if (members.length === 0) return [{ ...definition, value: undefined }]
    return members.map((row) => ({ ...definition, key: row.key, value: row.value, setFor: row.unitCode }))
  })
  return rows
}

export type ValueOutcome = { type: 'value'; key: SettingKey; value: unknown } | { type: 'refused'; problem: string }

/** A value as typed on the command line; `source` and `asOf` are needed where a figure without them would be worth nothing. */
export function parseSetting(key: string, text: string, details: { source?: string; asOf?: string } = {}): ValueOutcome {
  if (!isSettingKey(key)) return { type: 'refused', problem: `there is no setting "${key}"; "setting list" names them all` }
  const plain = parseText(text)
  const value = key.startsWith('target.')
    ? { percent: plain, source: details.source }
    : key.startsWith('denominator.')
      ? { value: plain, as_of: details.asOf, source: details.source }
      : plain
  const parsed = typeOf(key).safeParse(value)
  if (parsed.success) return { type: 'value', key, value: parsed.data }
  return { type: 'refused', problem: `${key}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}` }
}

export type SetSettingArgs = { unitId: number; key: SettingKey; value: unknown; actor: string; now: Date }

/** Sets it for a unit and all below; `undefined` takes the unit's own value away. */
export async function setSetting(db: DbOrTx, { unitId, key, value, actor, now }: SetSettingArgs): Promise<void> {
  const parsed = value === undefined ? undefined : typeOf(key).parse(value)
  await db.transaction(async (tx) => {
    if (parsed === undefined) {
      await tx.delete(setting).where(sql`${setting.unitId} = ${unitId} AND ${setting.key} = ${key}`)
    } else {
      await tx
        .insert(setting)
        .values({ unitId, key, value: parsed, updatedAt: now })
        .onConflictDoUpdate({ target: [setting.unitId, setting.key], set: { value: parsed, updatedAt: now } })
    }
    const [found] = await tx.select({ communeId: unit.communeId }).from(unit).where(eq(unit.id, unitId))
    const detail = { key, value: parsed ?? null }
    await tx
      .insert(audit)
      .values({ communeId: found?.communeId ?? NO_COMMUNE, at: now, actor, action: 'setting.set', subject: `unit:${unitId}`, detail })
  })
}

export function isSettingKey(key: string): key is SettingKey {
  const family = familyOf(key)
  return Object.hasOwn(TYPES, key) || Object.hasOwn(OPTIONAL_TYPES, key) || (family !== undefined && key.length > family.length)
}

/** Month and day of a `day/month` setting, as in `12-31`. */
export function monthDay(dayMonth: string): string {
  const [day = '', month = ''] = dayMonth.split('/')
  return `${month.padStart(2, '0')}-${day.padStart(2, '0')}`
}

type Stored = { key: string; value: unknown; unitId: number; unitCode: string }

/** What is set for the unit or above it, the nearest first kept. */
async function findStored(db: DbOrTx, unitId: number): Promise<Stored[]> {
  const rows = await db.execute<{ key: string; value: unknown; unit_id: string; code: string | null }>(sql`
    WITH RECURSIVE up AS (
      SELECT id, parent_id, code, 0 AS depth FROM unit WHERE id = ${unitId}
      UNION ALL
      SELECT u.id, u.parent_id, u.code, up.depth + 1 FROM unit u JOIN up ON u.id = up.parent_id
    )
    SELECT DISTINCT ON (s.key) s.key, s.value, s.unit_id, up.code
    FROM setting s LEFT JOIN up ON up.id = s.unit_id
    WHERE up.id IS NOT NULL OR s.unit_id = ${INSTALLATION}
    ORDER BY s.key, up.depth NULLS LAST`)
  return rows
    .map((row) => ({ key: row.key, value: row.value, unitId: Number(row.unit_id), unitCode: row.code ?? 'installation' }))
    .filter((row) => isSettingKey(row.key) && (getDefinition(row.key).inherits || row.unitId === unitId))
}

function getDefinition(key: SettingKey): SettingDefinition {
  const family = familyOf(key)
  const found = SETTING_DEFINITIONS.find((definition) => (family ? familyOf(definition.key) === family : definition.key === key))
  if (!found) throw new Error(`flows/settings.json does not define ${key}`)
  return found
}

function typeOf(key: SettingKey): z.ZodType {
  const family = familyOf(key)
  if (family) return FAMILY_TYPES[family]
  return { ...TYPES, ...OPTIONAL_TYPES }[key as keyof typeof TYPES]
}

function familyOf(key: string): keyof typeof FAMILY_TYPES | undefined {
  const families: (keyof typeof FAMILY_TYPES)[] = ['pass.total.', 'pass.min_each.', 'pass.min_citizens.', 'reminders.']
  return families.find((family) => key.startsWith(family))
}

function parseText(text: string): unknown {
  return /^-?\d+([.,]\d+)?$/.test(text.trim()) ? Number(text.trim().replace(',', '.')) : text.trim()
}

function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

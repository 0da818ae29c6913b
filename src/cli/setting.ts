import { Command } from 'commander'
import { INSTALLATION, isSettingKey, listSettings, parseSetting, type SettingRow, setSetting } from '../registry/settings.ts'
import { printJson, printTable } from './print.ts'
import { type CommandDeps, getUnitByCode, UsageError, withDatabase } from './run-command.ts'

type UnitOption = { unit?: string; json?: boolean }

const UNIT = ['--unit <code>', 'the unit it is for; without it the whole installation'] as const
const JSON_OPTION = ['--json', 'one JSON document on the last line'] as const

export function settingCommand(): Command {
  const command = new Command('setting').description('hours, ceilings, dates, pass rules, pace, targets and denominators')
  command
    .command('list')
    .description('all settings as a unit sees them, with where each comes from')
    .option(...UNIT)
    .option(...JSON_OPTION)
    .action((options: UnitOption) => withDatabase((deps) => list(deps, options)))
  command
    .command('get')
    .description('one setting as a unit sees it')
    .argument('<key>')
    .option(...UNIT)
    .option(...JSON_OPTION)
    .action((key: string, options: UnitOption) => withDatabase((deps) => get(deps, key, options)))
  command
    .command('set')
    .description('sets it for a unit and all below that have none of their own')
    .argument('<key>')
    .argument('<value>', '"default" takes the unit\'s own value away')
    .option(...UNIT)
    .option('--source <text>', 'where a target or denominator comes from, e.g. "Kế hoạch số 12/KH-UBND ngày 3/3/2026"')
    .option('--as-of <date>', 'of which day a denominator is, e.g. 2026-06-30')
    .option(...JSON_OPTION)
    .action((key: string, value: string, options: SetOptions) => set(key, value, options))
  return command
}

async function unitIdOf(deps: CommandDeps, code: string | undefined): Promise<number> {
  return code === undefined ? INSTALLATION : (await getUnitByCode(deps, code)).id
}

async function list(deps: CommandDeps, { unit, json }: UnitOption): Promise<void> {
  const rows = await listSettings(deps.database.db, await unitIdOf(deps, unit))
  if (json) return printJson({ unit: unit ?? null, settings: rows.map(toJson) })
  printTable(rows.map((row) => [row.key, printValue(row.value), row.measure, row.setFor ? `set for ${row.setFor}` : row.status]))
}

async function get(deps: CommandDeps, key: string, { unit, json }: UnitOption): Promise<void> {
  if (!isSettingKey(key)) throw new UsageError(`there is no setting "${key}"; "setting list" names them all`)
  const rows = await listSettings(deps.database.db, await unitIdOf(deps, unit))
  const row = rows.find((found) => found.key === key)
  if (json) return printJson(row ? toJson(row) : { key, value: null })
  console.log(printValue(row?.value))
  if (row) console.error(`${row.explanation} (${row.measure}; ${row.setFor ? `set for ${row.setFor}` : row.status})`)
}

type SetOptions = UnitOption & { source?: string; asOf?: string }

async function set(key: string, text: string, { unit, source, asOf, json }: SetOptions): Promise<void> {
  if (!isSettingKey(key)) throw new UsageError(`there is no setting "${key}"; "setting list" names them all`)
  const parsed =
    text === 'default'
      ? { type: 'value' as const, key, value: undefined }
      : parseSetting(key, text, { ...(source && { source }), ...(asOf && { asOf }) })
  if (parsed.type === 'refused') throw new UsageError(parsed.problem)
  await withDatabase(async (deps) => {
    const unitId = await unitIdOf(deps, unit)
    await setSetting(deps.database.db, { unitId, key, value: parsed.value, actor: 'cli', now: deps.now })
    if (json) return printJson({ key, unit: unit ?? null, value: parsed.value ?? null })
    console.log(parsed.value === undefined ? `${key} is no longer set here` : `${key} is ${printValue(parsed.value)}`)
  })
}

function toJson({ key, value, setFor, measure, status, explanation, source }: SettingRow) {
  return { key, value: value ?? null, set_for: setFor ?? null, measure, status, explanation, source: source ?? null }
}

function printValue(value: unknown): string {
  if (value === undefined || value === null) return '-'
  if (typeof value !== 'object') return String(value)
  return Object.values(value).join(' · ')
}

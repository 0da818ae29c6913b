import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { loadContent } from '../content/load.ts'
import { createAnswerReader } from '../engine/mapping.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { formatDate, formatTime, vietnamTime } from '../lib/vietnam-time.ts'
import { loadSettings } from '../registry/settings.ts'
import { type Unit, unitTitle } from '../registry/units.ts'
import { recount } from '../reports/recount.ts'
import { printPercent, type Rounding, type Share } from '../reports/share.ts'
import { type AgainstTarget, loadStatistics, type StatisticsFigures } from '../reports/statistics.ts'
import { readTally, TALLY_VIEWS, type TallyTable, type TallyView } from '../reports/tally.ts'
import { printJson, printTable } from './print.ts'
import { type CommandDeps, getUnitByCode, withDatabase } from './run-command.ts'

const ROOT = join(import.meta.dirname, '../..')

type Options = { unit: string; year?: number; by?: TallyView; title: string; check?: boolean; json?: boolean }

export function tallyCommand(): Command {
  return new Command('tally')
    .description('the figures of THỐNG KÊ, or a table of counts')
    .requiredOption('--unit <code>', 'village, commune or province')
    .option('--year <year>', 'year of assessment; by default this one', parseYear)
    .addOption(new Option('--by <view>', 'a table instead').choices(TALLY_VIEWS))
    .addOption(new Option('--title <title>', 'of the table').choices(['CDHT', 'GDHT']).default('CDHT'))
    .option('--check', 'counts people, forms and answers of all years anew and compares; fails where a counter differs')
    .option('--json', 'one JSON document on the last line')
    .action((options: Options) => withDatabase((deps) => tally(deps, options)))
}

export function parseYear(text: string): number {
  if (!/^20\d\d$/.test(text)) throw new InvalidArgumentError('write a year such as 2026')
  return Number(text)
}

async function tally(deps: CommandDeps, { unit: code, year = vietnamTime(deps.now).year, by, title, check, json }: Options): Promise<void> {
  const unit = await getUnitByCode(deps, code)
  const { db } = deps.database
  if (check) return checkCounters(deps, unit, json ?? false)
  if (by) {
    const table = await readTally(db, unit, { year, title, by, readAnswer: createAnswerReader(loadContent(ROOT)) })
    return json ? printJson(table) : printTallyTable(table)
  }
  const figures = await loadStatistics(db, unit, { year, now: deps.now })
  if (json) return printJson(toJson(figures))
  const settings = await loadSettings(db, unit.id)
  printStatistics(figures, { rule: settings.get('rounding.rule'), decimals: settings.get('rounding.decimals') })
}

async function checkCounters({ database }: CommandDeps, unit: Unit, json: boolean): Promise<void> {
  const differences = await recount(database.db, unit)
  if (json) printJson({ unit: unit.code, differences })
  else {
    for (const { villageId, year, title, dimension, key, kept, counted } of differences) {
      console.log(`village ${villageId} ${year} ${title} ${dimension} ${key}: kept ${kept}, counted ${counted}`)
    }
  }
  if (differences.length > 0) throw new OperatorError(`${differences.length} counters differ from the rows`)
  if (!json) console.log('the counters equal the rows')
}

function printTallyTable({ rows, total }: TallyTable): void {
  // Questions have options of their own: no common columns
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.figures)))]
  const isWide = rows.every((row) => columns.every((column) => column in row.figures))
  if (!isWide) {
    return printTable(rows.map((row) => [row.key, ...Object.entries(row.figures).map(([key, n]) => `${key} ${n}`)]))
  }
  const hasNames = rows.some((row) => row.name !== undefined)
  const cells = (figures: Record<string, number>) => columns.map((column) => figures[column] ?? 0)
  printTable([
    ['', ...(hasNames ? [''] : []), ...columns],
    ...rows.map((row) => [row.key, ...(hasNames ? [row.name ?? ''] : []), ...cells(row.figures)]),
    ...(total ? [['total', ...(hasNames ? [''] : []), ...cells(total)]] : []),
  ])
}

function printStatistics({ unit, year, asOf, citizens, families, furthestBehind }: StatisticsFigures, rounding: Rounding): void {
  const share = ({ x, y }: Share) => {
    const percent = printPercent({ x, y }, rounding)
    return percent === undefined ? `${x}/${y}` : `${x}/${y} (${percent}%)`
  }
  const target = ({ percent, share: reached, denominator, source }: AgainstTarget) =>
    `${share(reached)} of ${denominator.kind === 'known' ? 'those known' : `${denominator.source}, ${denominator.asOf}`}; wanted ${percent}% (${source})`
  console.log(`${unitTitle(unit)}, ${year}, as of ${formatTime(asOf)} ${formatDate(asOf)}`)
  printTable([
    ['citizens known', String(citizens.known)],
    ['registered', share(citizens.registered)],
    ['finished', share(citizens.finished)],
    ['self-assessed as passing', share(citizens.selfPassed)],
    ['against the target', target(citizens.target)],
    ['households known', String(families.households)],
    ['families finished', share(families.finished)],
    ['families self-assessed as passing', share(families.selfPassed)],
    ['against the target', target(families.target)],
  ])
  if (furthestBehind.length === 0) return
  console.log('furthest behind (finished of those known):')
  printTable(furthestBehind.map(({ village, finished }) => [village.code, unitTitle(village), share(finished)]))
}

function toJson({ unit, year, asOf, citizens, families, furthestBehind }: StatisticsFigures) {
  const target = ({ percent, source, share, denominator }: AgainstTarget) => ({
    percent,
    source,
    share,
    denominator: denominator.kind === 'known' ? { kind: 'known' } : { kind: 'set', as_of: denominator.asOf, source: denominator.source },
  })
  return {
    unit,
    year,
    as_of: asOf.toISOString(),
    citizens: {
      known: citizens.known,
      registered: citizens.registered,
      finished: citizens.finished,
      self_passed: citizens.selfPassed,
      target: target(citizens.target),
    },
    families: {
      households: families.households,
      finished: families.finished,
      self_passed: families.selfPassed,
      target: target(families.target),
    },
    furthest_behind: furthestBehind.map(({ village, finished }) => ({ code: village.code, name: unitTitle(village), finished })),
  }
}

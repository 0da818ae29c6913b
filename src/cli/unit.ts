import { randomInt } from 'node:crypto'
import { Command } from 'commander'
import { OperatorError } from '../lib/operator-error.ts'
import { attachWaitingAccounts } from '../registry/accounts.ts'
import { describeProblem, type RowProblem } from '../registry/table-file.ts'
import { findUnitsByCodes, importUnits, loadUnitRows, type UnitRow, unitTitle } from '../registry/units.ts'
import { printJson, printTable } from './print.ts'
import { type CommandDeps, withDatabase } from './run-command.ts'

export function unitCommand(): Command {
  const command = new Command('unit').description('province, communes and villages')
  command
    .command('import')
    .description('brings in units from a file and prints the code of each village; a second import updates names and labels')
    .argument('<file>', 'CSV (UTF-8) or .xlsx with the columns code,level,label,name,parent_code,predecessor_codes')
    .option('--json', 'one JSON document on the last line')
    .action((file: string, options: { json?: boolean }) => importFile(file, options.json ?? false))
  return command
}

async function importFile(file: string, json: boolean): Promise<void> {
  // Before the database: most mistakes are found without it
  const read = await loadUnitRows(file)
  if (read.type === 'refused') throw refuse(read.problems)
  await withDatabase((deps) => importRows(deps, read.rows, json))
}

async function importRows({ database: { db }, config, now }: CommandDeps, rows: UnitRow[], json: boolean): Promise<void> {
  const outcome = await importUnits(db, { rows, actor: 'cli', now, randomInt: (below) => randomInt(below) })
  if (outcome.type === 'refused') throw refuse(outcome.problems)
  const waiting = await attachWaitingAccounts(db, { ...(config.commune && { commune: config.commune }), actor: 'cli', now })
  const found = await findUnitsByCodes(
    db,
    rows.map(({ code }) => code),
  )
  const villages = rows.flatMap(({ code }) => {
    const village = found.get(code)
    return village?.joinCode ? [{ code, name: unitTitle(village), join_code: village.joinCode }] : []
  })
  const { created, updated, unchanged } = outcome
  if (json) return printJson({ created, updated, unchanged, villages, accounts_waiting: waiting })
  printTable(villages.map(({ code, name, join_code }) => [code, name, join_code]))
  console.log(`${created} units created, ${updated} updated, ${unchanged} unchanged`)
  if (waiting > 0) console.log(`${waiting} accounts wait for their commune: set COMMUNE to its code and start the bot again`)
}

function refuse(problems: RowProblem[]): OperatorError {
  for (const problem of problems) console.error(describeProblem(problem))
  return new OperatorError(`nothing was imported: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`)
}

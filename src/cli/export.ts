import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { loadContent } from '../content/load.ts'
import { createAnswerReader } from '../engine/mapping.ts'
import { exportLedger } from '../outreach/export-ledger.ts'
import { exportAnswers } from '../reports/export-answers.ts'
import { printJson } from './print.ts'
import { type CommandDeps, getUnitByCode, withDatabase } from './run-command.ts'
import { parseYear } from './tally.ts'

const ROOT = join(import.meta.dirname, '../..')

type Options = { unit: string; year: number; out: string; json?: boolean }

export function exportCommand(): Command {
  const command = new Command('export').description('files with personal data; each is recorded in the audit trail')
  command
    .command('answers')
    .description('the answers in force, one row an answer, as CSV')
    .requiredOption('--unit <code>', 'village, commune or province')
    .requiredOption('--year <year>', 'year of assessment', parseYear)
    .requiredOption('--out <file>', 'where to write it')
    .option('--json', 'one JSON document on the last line')
    .action((options: Options) => withDatabase((deps) => answers(deps, options)))
  command
    .command('ledger')
    .description('what became of everybody a campaign was for, one row a recipient, as CSV')
    .requiredOption('--campaign <number>', 'number of the campaign', parseCampaign)
    .requiredOption('--out <file>', 'where to write it')
    .option('--receipts', 'a column more: received_at, when each message arrived, where the platform says so')
    .option('--json', 'one JSON document on the last line')
    .action((options: LedgerOptions) => withDatabase((deps) => ledger(deps, options)))
  return command
}

type LedgerOptions = { campaign: number; out: string; receipts?: boolean; json?: boolean }

async function ledger({ database, now }: CommandDeps, { campaign, out, receipts = false, json }: LedgerOptions): Promise<void> {
  const rows = await exportLedger(database, { campaignId: campaign, path: out, actor: 'cli', now, receipts })
  if (json) printJson({ file: out, rows })
  else console.log(`${rows} recipients in ${out}`)
}

function parseCampaign(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('write the number of a campaign, such as 3')
  return Number(text)
}

async function answers(deps: CommandDeps, { unit: code, year, out, json }: Options): Promise<void> {
  const unit = await getUnitByCode(deps, code)
  const rows = await exportAnswers(deps.database, {
    unit,
    year,
    path: out,
    actor: 'cli',
    now: deps.now,
    readAnswer: createAnswerReader(loadContent(ROOT)),
  })
  if (json) printJson({ file: out, rows })
  else console.log(`${rows} answers in ${out}`)
}

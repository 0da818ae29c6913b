import { join } from 'node:path'
import { Command } from 'commander'
import { checkContent } from '../content/check/content.ts'
import { printProblem } from '../content/check/problem.ts'
import { ACTION_NAMES } from '../conversation/actions.ts'
import { WORDS_THAT_ACT } from '../conversation/words.ts'
import { OperatorError } from '../lib/operator-error.ts'

const ROOT = join(import.meta.dirname, '../..')

export function flowCommand(): Command {
  const command = new Command('flow').description('flows and their texts')
  command.command('check').description('every flow valid, every node reachable, every text in every locale').action(check)
  return command
}

const check = (): void => {
  const { flows, sets, texts, problems } = checkContent(ROOT, {
    actions: ACTION_NAMES,
    keys: WORDS_THAT_ACT.map((word) => `word.${word}`),
    sourceDir: join(ROOT, 'src'),
    folders: ['engine', 'conversation', 'http', 'outreach'],
  })
  for (const problem of problems) console.error(printProblem(problem))
  if (problems.length > 0) throw new OperatorError(`${problems.length} problems`)
  console.log(`${flows.length} flows, ${sets.length} criteria sets, ${texts} texts: nothing wrong`)
}

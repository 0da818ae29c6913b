import { join } from 'node:path'
import { Command } from 'commander'
import { loadContent } from '../content/load.ts'

const ROOT = join(import.meta.dirname, '../..')

export function flowCommand(): Command {
  const command = new Command('flow').description('flows and their texts')
  command
    .command('check')
    .description('every flow and criteria set can be read')
    .action(() => {
      const { flows, sets } = loadContent(ROOT)
      console.log(`${flows.length} flows, ${sets.size} criteria sets`)
    })
  return command
}

import { Command } from 'commander'
import { exportCommand } from './export.ts'
import { inviteCommand } from './invite.ts'
import { settingCommand } from './setting.ts'
import { tallyCommand } from './tally.ts'
import { unitCommand } from './unit.ts'
import { voiceCommand } from './voice.ts'
import { zaloCommand } from './zalo.ts'

/** The command line as one tree. Running it throws; `main.ts` turns that into an exit code. */
export function createProgram(): Command {
  const program = new Command('cli').description('Học Tập Bot on the command line')
  for (const command of [
    settingCommand(),
    zaloCommand(),
    inviteCommand(),
    tallyCommand(),
    exportCommand(),
    unitCommand(),
    voiceCommand(),
  ]) {
    program.addCommand(command)
  }
  program
    .command('flow')
    .description('checks flows, and talks to one in the terminal')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      // Imported late, with the whole engine: no other command needs it
      const { flowCommand } = await import('./flow.ts')
      await throwing(flowCommand()).parseAsync(words, { from: 'user' })
    })
  return throwing(program)
}

/** Commander would end the process itself. */
function throwing(command: Command): Command {
  command.exitOverride()
  for (const child of command.commands) throwing(child)
  return command
}

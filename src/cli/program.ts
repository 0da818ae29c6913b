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

/** Commander would end the process itself; and what it says of wrong usage becomes one line with the way to the right one. */
function throwing(command: Command): Command {
  command.exitOverride()
  command.configureOutput({
    outputError: (said, write) =>
      write(
        `${said
          .trim()
          .replaceAll(/\s*\n\s*/g, ' ')
          .replace(/\.$/, '')}; see "${pathOf(command)} --help"\n`,
      ),
  })
  for (const child of command.commands) throwing(child)
  return command
}

/** "cli setting get" */
const pathOf = (command: Command): string => (command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name())

import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { Command } from 'commander'
import { loadContent } from '../content/load.ts'
import { OperatorError } from '../lib/operator-error.ts'
import { formatDate, formatTime } from '../lib/vietnam-time.ts'
import { createInvitation, ROLES, Role } from '../registry/roles.ts'
import { unitTitle } from '../registry/units.ts'
import { printJson } from './print.ts'
import { type CommandDeps, UsageError, withDatabase } from './run-command.ts'

const ROOT = join(import.meta.dirname, '../..')
const INVITED = Role.options.filter((role) => ROLES[role].invited)

type Options = { role: string; unit: string; json?: boolean }

export function inviteCommand(): Command {
  return new Command('invite')
    .description('prints a single-use code for a role, valid 7 days, and the text to send')
    .requiredOption('--role <role>', INVITED.join(', '))
    .requiredOption('--unit <code>', 'the village, commune or province it is for')
    .option('--json', 'one JSON document on the last line')
    .action((options: Options) => withDatabase((deps) => invite(deps, options)))
}

async function invite({ database, sealer, now }: CommandDeps, { role, unit, json }: Options): Promise<void> {
  const outcome = await createInvitation(
    { db: database.db, sealer, randomInt: (below) => randomInt(below) },
    { role, unitCode: unit, invitedBy: null, now },
  )
  switch (outcome.type) {
    case 'unknown_role':
      throw new UsageError(`there is no role "${role}"; choose one of ${INVITED.join(', ')}`)
    case 'not_by_invitation':
      throw new UsageError(`nobody is invited to be ${role}: everybody is, or becomes it in the chat; choose one of ${INVITED.join(', ')}`)
    case 'unknown_unit':
      throw new OperatorError(`there is no unit with the code "${unit}"; import it with "unit import"`)
    case 'wrong_level':
      throw new OperatorError(`${outcome.role} is a role for a unit of level ${outcome.levels.join(' or ')}; "${unit}" is none`)
    case 'created': {
      const { code, expiresAt } = outcome
      const text = loadContent(ROOT).texts.vi.format(
        {
          key: 'role.invitation',
          params: {
            role: { key: `role.${outcome.role}` },
            unit: unitTitle(outcome.unit),
            code,
            until: `${formatTime(expiresAt)} ngày ${formatDate(expiresAt)}`,
          },
        },
        {},
      )
      if (json) return printJson({ code, role: outcome.role, unit: outcome.unit.code, expires_at: expiresAt.toISOString(), text })
      console.log(`${code}\n\n${text}`)
      return
    }
    default:
      outcome satisfies never
  }
}

import { Command } from 'commander'
import { OperatorError } from '../lib/operator-error.ts'
import { addZaloAccount, importRefreshToken, listAccounts } from '../registry/accounts.ts'
import { readSecrets } from './read-secrets.ts'
import { type CommandDeps, getUnitByCode, UsageError, withDatabase } from './run-command.ts'

const CREDENTIALS = ['ZALO_OA_ID', 'ZALO_APP_ID', 'ZALO_APP_SECRET', 'ZALO_OA_SECRET_KEY'] as const

export function zaloCommand(): Command {
  const command = new Command('zalo').description('Zalo Official Accounts')
  command
    .command('account')
    .description('accounts')
    .command('add')
    .description("adds a commune's Official Account, or updates its secrets")
    .requiredOption('--unit <code>', 'the commune it belongs to')
    .option('--oa-id <id>', 'instead of a line ZALO_OA_ID=…')
    .option('--app-id <id>', 'instead of a line ZALO_APP_ID=…')
    .addHelpText(
      'after',
      `\nOn standard input, one a line: ${CREDENTIALS.map((name) => `${name}=…`).join(', ')} and, where there is one, ZALO_REFRESH_TOKEN=…`,
    )
    .action((options: AddOptions) => addAccount(options))
  command
    .command('token')
    .description('tokens')
    .command('set')
    .description('replaces the tokens of an account by a new refresh token')
    .option('--oa-id <id>', 'which account, where there are several')
    .addHelpText('after', '\nOn standard input: the refresh token.')
    .action((options: { oaId?: string }) => setToken(options))
  return command
}

type AddOptions = { unit: string; oaId?: string; appId?: string }

async function addAccount({ unit, oaId, appId }: AddOptions): Promise<void> {
  const wanted = CREDENTIALS.filter((name) => !(name === 'ZALO_OA_ID' && oaId) && !(name === 'ZALO_APP_ID' && appId))
  const given = await readSecrets([...wanted, 'ZALO_REFRESH_TOKEN' as const])
  const all = { ...given, ...(oaId && { ZALO_OA_ID: oaId }), ...(appId && { ZALO_APP_ID: appId }) }
  const missing = CREDENTIALS.filter((name) => !all[name])
  if (missing.length > 0) throw new UsageError(`${missing.join(', ')} missing on standard input; write one NAME=value a line`)
  const { ZALO_OA_ID = '', ZALO_APP_ID = '', ZALO_APP_SECRET = '', ZALO_OA_SECRET_KEY = '', ZALO_REFRESH_TOKEN: refreshToken } = all
  await withDatabase(async (deps) => {
    const commune = await getUnitByCode(deps, unit)
    const zalo = {
      oaId: ZALO_OA_ID,
      appId: ZALO_APP_ID,
      appSecret: ZALO_APP_SECRET,
      oaSecretKey: ZALO_OA_SECRET_KEY,
      ...(refreshToken && { refreshToken }),
    }
    const { db } = deps.database
    await addZaloAccount({ db, sealer: deps.sealer }, { unitCode: commune.code, zalo, actor: 'cli', now: deps.now })
    console.log(
      `the account ${ZALO_OA_ID} belongs to ${commune.label} ${commune.name}${refreshToken ? '' : '; it cannot send before "zalo token set"'}`,
    )
  })
}

async function setToken({ oaId }: { oaId?: string }): Promise<void> {
  const { ZALO_REFRESH_TOKEN: refreshToken } = await readSecrets(['ZALO_REFRESH_TOKEN'])
  if (!refreshToken) throw new UsageError('there is no refresh token on standard input')
  if (/\s/.test(refreshToken)) throw new UsageError('the refresh token contains a space; was it copied whole?')
  await withDatabase(async (deps) => {
    const found = await getZaloAccount(deps, oaId)
    const { db } = deps.database
    const outcome = await importRefreshToken(
      { db, sealer: deps.sealer },
      { accountId: found.id, refreshToken, actor: 'cli', now: deps.now },
    )
    if (outcome === 'known_before') {
      throw new OperatorError(
        'this refresh token was brought in before and is spent by now; consent anew in the Zalo console and take the new one',
      )
    }
    console.log(`the account ${found.externalId} has a new token`)
  })
}

async function getZaloAccount({ database, sealer }: CommandDeps, oaId: string | undefined) {
  const accounts = (await listAccounts(database.db, sealer)).filter(({ channel }) => channel === 'zalo')
  if (accounts.length === 0)
    throw new OperatorError('there is no Zalo account yet; set ZALO_* and start the bot, or use "zalo account add"')
  const fitting = oaId === undefined ? accounts : accounts.filter(({ externalId }) => externalId === oaId)
  const [only, ...others] = fitting
  if (only && others.length === 0) return only
  const ids = accounts.map(({ externalId }) => externalId).join(', ')
  throw new OperatorError(
    only ? `there are several accounts; choose with --oa-id one of ${ids}` : `there is no account ${oaId}; there are ${ids}`,
  )
}

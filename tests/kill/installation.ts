import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { joinOrStartEmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { type BotProcess, type BotSetup, botEnv, freePort, type SimulatorProcess, startBot } from '../run/processes.ts'
import { startTestRedis } from '../support/redis.ts'
import { startBalancer } from './balancer.ts'

/**
 * `one`: one process with its embedded server. `two`: two that do everything, on one PostgreSQL. `four`: two web and two worker processes on
 * a PostgreSQL and a Redis of their own.
 */
export type Arrangement = 'one' | 'two' | 'four'

const ROLES = { two: ['all', 'all'], four: ['web', 'web', 'worker', 'worker'] } as const

export type Installation = {
  arrangement: Arrangement
  databaseUrl: string
  webhookUrl: string
  /** For the command line. */
  env: Record<string, string>
  /** What may be killed at this moment. */
  victims(): Victim[]
  /** PostgreSQL as `pg_ctl stop -m immediate` leaves it; whoever watches it starts it again. */
  stopPostgres(): void
  flushRedis: (() => Promise<void>) | undefined
  close(): Promise<void>
}

export type Victim = {
  name: string
  /** SIGKILL. */
  kill(): Promise<void>
  /** Starts it again; seconds to the first 200 of /health/ready. */
  restart(): Promise<number>
}

type Args = { simulator: SimulatorProcess; dataDir: string; refreshToken: string; env: Record<string, string> }

export function install(arrangement: Arrangement, args: Args): Promise<Installation> {
  return arrangement === 'one' ? installOne(args) : installMany(arrangement, args)
}

async function installOne({ simulator, dataDir, refreshToken, env: more }: Args): Promise<Installation> {
  const setup: BotSetup = { dataDir, port: await freePort(), platformUrl: simulator.platformUrl, refreshToken, env: more }
  const program = createProgram('all', setup)
  await program.restart()
  // Its server's address stays the same over every restart
  const use = await joinOrStartEmbeddedPostgres({ dataDir })
  await use.stop()
  return {
    arrangement: 'one',
    databaseUrl: use.url,
    webhookUrl: `http://127.0.0.1:${setup.port}/webhooks/zalo`,
    env: botEnv(setup),
    victims: () =>
      program.isUp()
        ? [
            { ...program, name: 'the bot with its PostgreSQL', kill: program.killAll },
            // Its server lives on and is adopted
            { ...program, name: 'the bot alone', kill: program.killAlone },
          ]
        : [],
    stopPostgres: () => stopPostgres(dataDir),
    flushRedis: undefined,
    close: program.stop,
  }
}

async function installMany(arrangement: 'two' | 'four', { simulator, dataDir, refreshToken, env: more }: Args): Promise<Installation> {
  const server = join(dataDir, 'server')
  const postgres = await startEmbeddedPostgres({ dataDir: server })
  const redis = arrangement === 'four' ? await startTestRedis() : undefined
  const roles = ROLES[arrangement]
  const shared = {
    ...more,
    DATABASE_URL: postgres.url,
    ...(redis && { REDIS_URL: redis.url }),
  }
  const setups = await Promise.all(
    roles.map(
      async (role, index): Promise<BotSetup> => ({
        dataDir: join(dataDir, `bot-${index}`),
        port: await freePort(),
        platformUrl: simulator.platformUrl,
        refreshToken,
        env: { ...shared, ROLE: role },
      }),
    ),
  )
  const programs = setups.map((setup, index) => createProgram(`${roles[index]} ${index + 1}`, setup))
  // The first one makes the schema and the sample commune
  for (const some of [programs.slice(0, 1), programs.slice(1)]) await Promise.all(some.map((program) => program.restart()))
  const balancer = await startBalancer(setups.slice(0, 2).map((setup) => setup.port))
  return {
    arrangement,
    databaseUrl: postgres.url,
    webhookUrl: `http://127.0.0.1:${balancer.port}/webhooks/zalo`,
    env: botEnv(setups.at(-1)!),
    victims: () => programs.filter((program) => program.isUp()).map((program) => ({ ...program, kill: program.killAll })),
    stopPostgres: () => stopPostgres(server),
    flushRedis:
      redis &&
      (async () => {
        const client = new Redis(redis.url)
        await client.flushall()
        await client.quit()
      }),
    async close() {
      await Promise.all(programs.map((program) => program.stop()))
      balancer.close()
      await redis?.stop()
      await postgres.stop()
    },
  }
}

function createProgram(name: string, setup: BotSetup) {
  let bot: BotProcess | undefined
  return {
    name,
    isUp: () => bot !== undefined,
    async killAll() {
      const dying = bot
      bot = undefined
      await dying?.kill()
    },
    async killAlone() {
      const dying = bot
      bot = undefined
      await dying?.killAlone()
    },
    async restart() {
      bot = await startBot(setup)
      return bot.readyMs / 1_000
    },
    async stop() {
      await bot?.stop()
    },
  }
}

function stopPostgres(folder: string): void {
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('postmaster.pid')) continue
    process.kill(Number(readFileSync(join(folder, path), 'utf8').split('\n')[0]), 'SIGQUIT')
  }
}

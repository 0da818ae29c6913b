import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { explainFullDisk, openDataDir } from './db/embedded/home.ts'
import { OperatorError } from './lib/operator-error.ts'

/** What the environment says, checked and with its defaults. Secrets are in here: never log it whole. */
export type Config = {
  host: string
  /** 0 picks a free one. */
  port: number
  /** The https address people and platforms reach us at, without trailing slash. */
  publicUrl?: string
  dataDir: string
  /** Absent: the PostgreSQL that comes with the bot, in `dataDir`. */
  databaseUrl?: string
  /** Absent: BullMQ keeps its queues in PostgreSQL. */
  redisUrl?: string
  role: 'all' | 'web' | 'worker'
  secretKey: Buffer
  secretKeyPrevious?: Buffer
  /** Absent: Zalo is simulated. */
  zalo?: ZaloConfig
  telegram?: TelegramConfig
  /** Whether the first start creates the sample commune. */
  sampleData: boolean
  /** Code of the commune the account above belongs to. */
  commune?: string
  metricsToken?: string
  logLevel: (typeof LOG_LEVELS)[number]
}

export type ZaloConfig = {
  oaId: string
  appId: string
  /** For OAuth. */
  appSecret: string
  /** For webhook signatures. */
  oaSecretKey: string
  refreshToken?: string
  apiUrl: string
  oauthUrl: string
}

export type TelegramConfig = { botToken: string; webhookSecret?: string; apiUrl: string }

export type Environment = Record<string, string | undefined>

const SECRET_KEY_BYTES = 32
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/**
 * Reads the environment, and the secret key from DATA_DIR, where the first call makes one.
 * A command serves nobody, so the rules of the sample mode do not bind it.
 */
export function loadConfig(environment: Environment, purpose: 'serve' | 'command' = 'serve'): Config {
  const { secretKey, ...config } = parseConfig(environment, purpose)
  return { ...config, secretKey: secretKey ?? openSecretKey(config.dataDir) }
}

/** Checks the environment alone; `secretKey` is absent where DATA_DIR keeps it. */
export function parseConfig(
  environment: Environment,
  purpose: 'serve' | 'command' = 'serve',
): Omit<Config, 'secretKey'> & { secretKey?: Buffer } {
  const parsed = environmentSchema.safeParse(withoutEmpty(environment))
  // Our own sentences only: what was typed may be a secret
  if (!parsed.success) throw new OperatorError(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n'))
  const env = parsed.data

  requireAllOrNone(env, ZALO_ACCOUNT, ['ZALO_REFRESH_TOKEN', 'ZALO_API_URL', 'ZALO_OAUTH_URL'])
  requireAllOrNone(env, ['TELEGRAM_BOT_TOKEN'], ['TELEGRAM_WEBHOOK_SECRET', 'TELEGRAM_API_URL'])
  if (env.DATABASE_URL && !env.SECRET_KEY) {
    throw new OperatorError(
      'SECRET_KEY is missing: with DATABASE_URL it is required; make one with `openssl rand -base64 32` and keep it safe',
    )
  }
  if (env.SECRET_KEY && env.SECRET_KEY_PREVIOUS?.equals(env.SECRET_KEY)) {
    throw new OperatorError(
      'SECRET_KEY_PREVIOUS is the same as SECRET_KEY: set it to the key before, or remove it when the rotation is done',
    )
  }
  const zalo = readZalo(env)
  if (purpose === 'serve') {
    if (!zalo) requireSampleRules(env)
    if (env.ROLE !== 'all' && !env.DATABASE_URL) {
      throw new OperatorError(
        `ROLE=${env.ROLE} needs DATABASE_URL, for the database in DATA_DIR belongs to one process: set it, or remove ROLE`,
      )
    }
  }

  return {
    host: env.HOST,
    port: env.PORT,
    ...(env.PUBLIC_URL && { publicUrl: env.PUBLIC_URL }),
    dataDir: env.DATA_DIR,
    ...(env.DATABASE_URL && { databaseUrl: env.DATABASE_URL }),
    ...(env.REDIS_URL && { redisUrl: env.REDIS_URL }),
    role: env.ROLE,
    ...(env.SECRET_KEY && { secretKey: env.SECRET_KEY }),
    ...(env.SECRET_KEY_PREVIOUS && { secretKeyPrevious: env.SECRET_KEY_PREVIOUS }),
    ...(zalo && { zalo }),
    ...(env.TELEGRAM_BOT_TOKEN && {
      telegram: {
        botToken: env.TELEGRAM_BOT_TOKEN,
        ...(env.TELEGRAM_WEBHOOK_SECRET && { webhookSecret: env.TELEGRAM_WEBHOOK_SECRET }),
        apiUrl: env.TELEGRAM_API_URL ?? 'https://api.telegram.org',
      },
    }),
    sampleData: env.SAMPLE_DATA ? env.SAMPLE_DATA === 'yes' : !zalo,
    ...(env.COMMUNE && { commune: env.COMMUNE }),
    ...(env.METRICS_TOKEN && { metricsToken: env.METRICS_TOKEN }),
    logLevel: env.LOG_LEVEL,
  }
}

const ZALO_ACCOUNT = ['ZALO_OA_ID', 'ZALO_APP_ID', 'ZALO_APP_SECRET', 'ZALO_OA_SECRET_KEY'] as const

const address = (protocols: string[], message: string) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? '') && URL.parse(text)?.hostname !== '', { error: message })
const baseAddress = (protocols: string[], message: string) =>
  address(protocols, message)
    .refine((text) => !/[?#]/.test(text), { error: message })
    .transform((text) => text.replace(/\/+$/, ''))
const word = z.string().regex(/^\S+$/, { error: 'contains a space or a line break: was it copied whole and without quotes?' })
const secretKey = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=?$/, { error: `is not ${SECRET_KEY_BYTES} bytes in base64: make one with \`openssl rand -base64 32\`` })
  .transform((text) => Buffer.from(text, 'base64'))
const platformUrl = baseAddress(['https:', 'http:'], 'is not an address: set it to one such as https://example.org')

const environmentSchema = z.object({
  HOST: word.default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, { error: 'is not a port number: set it to one from 0 to 65535' })
    .transform(Number)
    .refine((port) => port <= 65535, { error: 'is not a port number: set it to one from 0 to 65535' })
    .default(3000),
  PUBLIC_URL: baseAddress(['https:'], 'is not an https address: set it to one such as https://hoctap.example.org').optional(),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: address(
    ['postgres:', 'postgresql:'],
    'is not a PostgreSQL address: set it to one such as postgres://name:password@host:5432/database',
  ).optional(),
  REDIS_URL: address(['redis:', 'rediss:'], 'is not a Redis address: set it to one such as redis://host:6379').optional(),
  ROLE: z.enum(['all', 'web', 'worker'], { error: 'is none of all, web, worker: set it to one of them, or remove it' }).default('all'),
  SECRET_KEY: secretKey.optional(),
  SECRET_KEY_PREVIOUS: secretKey.optional(),
  ZALO_OA_ID: word.optional(),
  ZALO_APP_ID: word.optional(),
  ZALO_APP_SECRET: word.optional(),
  ZALO_OA_SECRET_KEY: word.optional(),
  ZALO_REFRESH_TOKEN: word.optional(),
  ZALO_API_URL: platformUrl.optional(),
  ZALO_OAUTH_URL: platformUrl.optional(),
  TELEGRAM_BOT_TOKEN: word.optional(),
  // see https://core.telegram.org/bots/api#setwebhook
  TELEGRAM_WEBHOOK_SECRET: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,256}$/, { error: 'may hold only A-Z, a-z, 0-9, _ and -, at most 256 of them: set it to such a word' })
    .optional(),
  TELEGRAM_API_URL: platformUrl.optional(),
  SAMPLE_DATA: z.enum(['yes', 'no'], { error: 'is neither yes nor no: set it to one of them, or remove it' }).optional(),
  COMMUNE: word.optional(),
  METRICS_TOKEN: word.optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `is none of ${LOG_LEVELS.join(', ')}: set it to one of them, or remove it` }).default('info'),
})
type Parsed = z.infer<typeof environmentSchema>

/** `FOO=` in a file of variables means that nobody has filled it in. */
const withoutEmpty = (environment: Environment) =>
  Object.fromEntries(Object.entries(environment).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])))

function readZalo(env: Parsed): ZaloConfig | undefined {
  if (!env.ZALO_OA_ID || !env.ZALO_APP_ID || !env.ZALO_APP_SECRET || !env.ZALO_OA_SECRET_KEY) return undefined
  return {
    oaId: env.ZALO_OA_ID,
    appId: env.ZALO_APP_ID,
    appSecret: env.ZALO_APP_SECRET,
    oaSecretKey: env.ZALO_OA_SECRET_KEY,
    ...(env.ZALO_REFRESH_TOKEN && { refreshToken: env.ZALO_REFRESH_TOKEN }),
    apiUrl: env.ZALO_API_URL ?? 'https://openapi.zalo.me',
    oauthUrl: env.ZALO_OAUTH_URL ?? 'https://oauth.zaloapp.com',
  }
}

function requireAllOrNone(env: Parsed, required: readonly (keyof Parsed)[], extra: readonly (keyof Parsed)[]): void {
  const given = [...required, ...extra].find((name) => env[name] !== undefined)
  const missing = required.filter((name) => env[name] === undefined)
  if (given && missing.length > 0) {
    throw new OperatorError(
      `${missing.join(', ')} missing while ${given} is set: set the whole set (${required.join(', ')}), or none of it`,
    )
  }
}

/** The phone page hands out every role to whoever opens it. */
function requireSampleRules(env: Parsed): void {
  const remedy = `set ${ZALO_ACCOUNT.join(', ')} to use a real account`
  if (env.PUBLIC_URL)
    throw new OperatorError(`PUBLIC_URL is set while Zalo is simulated, and the simulator must not be public: remove it, or ${remedy}`)
  if (env.ROLE !== 'all')
    throw new OperatorError(`ROLE=${env.ROLE} is set while Zalo is simulated, which only ROLE=all does: remove it, or ${remedy}`)
  if (!isLoopback(env.HOST)) {
    throw new OperatorError(`HOST=${env.HOST} is open to others while Zalo is simulated: remove it to listen on 127.0.0.1, or ${remedy}`)
  }
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

function openSecretKey(dataDir: string): Buffer {
  const path = join(openDataDir(dataDir), 'secret.key')
  if (!existsSync(path)) {
    const half = `${path}.${process.pid}.new`
    try {
      writeFileSync(half, `${randomBytes(SECRET_KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true })
      // Not renamed: of two first starts the second must take the key of the first
      linkSync(half, path)
    } catch (error) {
      if (!existsSync(path)) throw explainFullDisk(dataDir, error)
    } finally {
      rmSync(half, { force: true })
    }
  }
  const parsed = secretKey.safeParse(readFileSync(path, 'utf8').trim())
  if (parsed.success) return parsed.data
  throw new OperatorError(`SECRET_KEY in ${path} is damaged: put the file back from a backup, or set SECRET_KEY`)
}

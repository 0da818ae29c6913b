import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Environment, loadConfig, parseConfig } from '../src/config.ts'
import { openDataDir } from '../src/db/embedded/home.ts'
import { OperatorError } from '../src/lib/operator-error.ts'

const KEY = Buffer.alloc(32, 7).toString('base64')
const OTHER_KEY = Buffer.alloc(32, 8).toString('base64')
const ZALO = { ZALO_OA_ID: '111', ZALO_APP_ID: '222', ZALO_APP_SECRET: 'app-secret', ZALO_OA_SECRET_KEY: 'oa-secret' }
const DATABASE = { DATABASE_URL: 'postgres://u:hidden@db/hoc', SECRET_KEY: KEY }

describe('accepted', () => {
  const cases: [string, Environment, object][] = [
    ['nothing at all', {}, { host: '127.0.0.1', port: 3000, dataDir: '.data', role: 'all', sampleData: true, logLevel: 'info' }],
    ['an empty variable is an absent one', { ZALO_OA_ID: '', PORT: ' ', DATABASE_URL: '' }, { port: 3000, sampleData: true }],
    ['a free port', { PORT: '0' }, { port: 0 }],
    ['other loopback addresses with the simulator', { HOST: '127.0.0.53' }, { host: '127.0.0.53' }],
    ['IPv6 loopback with the simulator', { HOST: '::1' }, { host: '::1' }],
    ['the simulator on a database of its own', DATABASE, { databaseUrl: DATABASE.DATABASE_URL, sampleData: true }],
    ['no sample commune', { SAMPLE_DATA: 'no' }, { sampleData: false }],
    [
      'a real account',
      { ...ZALO, PUBLIC_URL: 'https://hoc.example.org/', HOST: '0.0.0.0' },
      {
        publicUrl: 'https://hoc.example.org',
        sampleData: false,
        zalo: {
          oaId: '111',
          appId: '222',
          appSecret: 'app-secret',
          oaSecretKey: 'oa-secret',
          apiUrl: 'https://openapi.zalo.me',
          oauthUrl: 'https://oauth.zaloapp.com',
        },
      },
    ],
    [
      'other addresses of Zalo, with or without a slash at the end',
      { ...ZALO, ZALO_API_URL: 'http://127.0.0.1:9/', ZALO_OAUTH_URL: 'http://127.0.0.1:8', ZALO_REFRESH_TOKEN: 'first' },
      { zalo: expect.objectContaining({ apiUrl: 'http://127.0.0.1:9', oauthUrl: 'http://127.0.0.1:8', refreshToken: 'first' }) },
    ],
    ['the sample commune beside a real account', { ...ZALO, SAMPLE_DATA: 'yes' }, { sampleData: true }],
    ['a web process', { ...ZALO, ...DATABASE, ROLE: 'web' }, { role: 'web' }],
    ['Telegram', { TELEGRAM_BOT_TOKEN: '1:x' }, { telegram: { botToken: '1:x', apiUrl: 'https://api.telegram.org' } }],
    [
      'Telegram by webhook',
      { TELEGRAM_BOT_TOKEN: '1:x', TELEGRAM_WEBHOOK_SECRET: 'a-b_9', TELEGRAM_API_URL: 'http://localhost:1' },
      { telegram: { botToken: '1:x', webhookSecret: 'a-b_9', apiUrl: 'http://localhost:1' } },
    ],
    [
      'a rotation of the key',
      { SECRET_KEY: KEY, SECRET_KEY_PREVIOUS: OTHER_KEY },
      { secretKey: Buffer.alloc(32, 7), secretKeyPrevious: Buffer.alloc(32, 8) },
    ],
    [
      'the rest',
      { REDIS_URL: 'rediss://r:1', COMMUNE: 'binh-lu', METRICS_TOKEN: 'm', LOG_LEVEL: 'silent', DATA_DIR: '/x' },
      { redisUrl: 'rediss://r:1', commune: 'binh-lu', metricsToken: 'm', logLevel: 'silent', dataDir: '/x' },
    ],
  ]
  test.each(cases)('%s', (_, environment, expected) => {
    expect(parseConfig(environment)).toMatchObject(expected)
  })
})

describe('refused, naming the variable', () => {
  const secret = 'NEVER-SHOWN'
  const cases: [string, Environment, RegExp][] = [
    ['a port that is none', { PORT: '80a' }, /^PORT is not a port number/],
    ['a port too high', { PORT: '65536' }, /^PORT is not a port number/],
    ['a public address without https', { ...ZALO, PUBLIC_URL: 'http://a.example' }, /^PUBLIC_URL is not an https address/],
    [
      'a database of another kind',
      { DATABASE_URL: `mysql://u:${secret}@db/x`, SECRET_KEY: KEY },
      /^DATABASE_URL is not a PostgreSQL address/,
    ],
    ['a Redis of another kind', { REDIS_URL: `http://:${secret}@r` }, /^REDIS_URL is not a Redis address/],
    ['an unknown role', { ROLE: 'cron' }, /^ROLE is none of all, web, worker/],
    ['a short key', { SECRET_KEY: secret }, /^SECRET_KEY is not 32 bytes/],
    ['a key in hex', { SECRET_KEY: '07'.repeat(32) }, /^SECRET_KEY is not 32 bytes/],
    ['a previous key that is none', { SECRET_KEY: KEY, SECRET_KEY_PREVIOUS: secret }, /^SECRET_KEY_PREVIOUS is not 32 bytes/],
    ['a rotation to the same key', { SECRET_KEY: KEY, SECRET_KEY_PREVIOUS: KEY }, /^SECRET_KEY_PREVIOUS is the same/],
    ['a database without a key', { DATABASE_URL: `postgres://u:${secret}@db/x` }, /^SECRET_KEY is missing/],
    ['an app id without its secret', { ...ZALO, ZALO_APP_SECRET: undefined }, /^ZALO_APP_SECRET missing while ZALO_OA_ID is set/],
    ['an account without its webhook key', { ...ZALO, ZALO_OA_SECRET_KEY: '' }, /^ZALO_OA_SECRET_KEY missing/],
    ['a refresh token without its account', { ZALO_REFRESH_TOKEN: secret }, /^ZALO_OA_ID, .* missing while ZALO_REFRESH_TOKEN is set/],
    ['an address without an account', { ZALO_API_URL: 'http://127.0.0.1:9' }, /missing while ZALO_API_URL is set/],
    ['an address that is none', { ...ZALO, ZALO_OAUTH_URL: 'oauth.zaloapp.com' }, /^ZALO_OAUTH_URL is not an address/],
    [
      'a secret with a line break',
      { ...ZALO, ZALO_APP_SECRET: `${secret}\n${secret}` },
      /^ZALO_APP_SECRET contains a space or a line break/,
    ],
    ['a Telegram secret without its bot', { TELEGRAM_WEBHOOK_SECRET: secret }, /^TELEGRAM_BOT_TOKEN missing while TELEGRAM_WEBHOOK_SECRET/],
    [
      'a Telegram secret Telegram would refuse',
      { TELEGRAM_BOT_TOKEN: '1:x', TELEGRAM_WEBHOOK_SECRET: `${secret}!` },
      /^TELEGRAM_WEBHOOK_SECRET may hold/,
    ],
    ['half a word about the sample', { SAMPLE_DATA: 'true' }, /^SAMPLE_DATA is neither yes nor no/],
    ['an unknown level', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL is none of/],
    ['the simulator in public', { PUBLIC_URL: 'https://a.example' }, /^PUBLIC_URL is set while Zalo is simulated/],
    ['the simulator on all addresses', { HOST: '0.0.0.0' }, /^HOST=0\.0\.0\.0 is open to others/],
    ['the simulator on a name that only looks local', { HOST: '127.0.0.1.example.org' }, /^HOST=/],
    ['the simulator in a web process', { ...DATABASE, ROLE: 'web' }, /^ROLE=web is set while Zalo is simulated/],
    ['a worker without a database to share', { ...ZALO, ROLE: 'worker' }, /^ROLE=worker needs DATABASE_URL/],
  ]
  test.each(cases)('%s', (_, environment, message) => {
    const attempt = () => parseConfig(environment)
    expect(attempt).toThrow(OperatorError)
    expect(attempt).toThrow(message)
    expect(attempt).not.toThrow(secret)
    // What to do
    expect(attempt).toThrow(/[:;] (set|remove|make|was it) /)
  })

  test('several at once, in one message', () => {
    expect(() => parseConfig({ PORT: 'x', ROLE: 'y' })).toThrow(/^PORT .*\nROLE /)
  })
})

test('a command is not bound by the rules of the sample mode', () => {
  expect(parseConfig({ PUBLIC_URL: 'https://a.example', ROLE: 'worker' }, 'command').role).toBe('worker')
})

describe('the secret key in DATA_DIR', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'config-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('is made once and readable by nobody else', () => {
    const dataDir = join(folder, 'data')
    const first = loadConfig({ DATA_DIR: dataDir })
    const path = join(dataDir, 'secret.key')
    expect(first.secretKey).toHaveLength(32)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(Buffer.from(readFileSync(path, 'utf8'), 'base64')).toEqual(first.secretKey)
    expect(loadConfig({ DATA_DIR: dataDir }).secretKey).toEqual(first.secretKey)
  })

  test('is not made where the environment brings one', () => {
    expect(loadConfig({ DATA_DIR: join(folder, 'none'), SECRET_KEY: KEY }).secretKey).toEqual(Buffer.alloc(32, 7))
    expect(() => statSync(join(folder, 'none'))).toThrow('ENOENT')
  })

  test('stops the start when it is damaged', () => {
    writeFileSync(join(folder, 'secret.key'), 'half')
    expect(() => loadConfig({ DATA_DIR: folder })).toThrow(/secret\.key is damaged/)
  })
})

describe('a DATA_DIR where nothing can be kept is refused in one line, at once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'data-dir-'))
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'file'), '')
  mkdirSync(join(folder, 'read-only'), { mode: 0o555 })
  symlinkSync(join(folder, 'gone', 'away'), join(folder, 'link'))
  afterAll(() => rmSync(folder, { recursive: true }))

  // A process of its own: what never ends would take the test's with it
  const start = (dataDir: string, environment: Environment = {}) =>
    spawnSync(process.execPath, [join(import.meta.dirname, '../src/main.ts')], {
      env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent', ...environment },
      encoding: 'utf8',
      timeout: 20_000,
    })

  test.each([
    ['in the folder of processes', '/proc/hoc-tap-bot/data', 'cannot be written (ENOENT)'],
    ['the folder of processes itself', '/proc', 'cannot be written ('],
    ['in the folder of devices', '/sys/hoc-tap-bot', 'cannot be written ('],
    ['a file', join(folder, 'file'), `cannot be made, ${join(folder, 'file')} is no folder`],
    ['below a file', join(folder, 'file', 'data'), `cannot be made, ${join(folder, 'file')} is no folder`],
    ['a link that leads nowhere', join(folder, 'link'), `cannot be made, ${join(folder, 'link')} is no folder`],
  ])('%s', (_, dataDir, problem) => {
    const { status, stderr } = start(dataDir)
    expect(stderr).toMatch(/^DATA_DIR .*: set it to a folder this user can write in\n$/)
    expect(stderr).toContain(`DATA_DIR ${dataDir} ${problem}`)
    expect(status).toBe(1)
  })

  test('also where database and key are elsewhere: exports are kept in it', () => {
    const { status, stderr } = start('/proc/hoc-tap-bot', { ...ZALO, ...DATABASE })
    expect(stderr).toMatch(/^DATA_DIR \/proc\/hoc-tap-bot cannot be written .*\n$/)
    expect(status).toBe(1)
  })

  test('a folder this user may only read', () => {
    const asOrdinaryUser = (run: () => void) => {
      if (process.getuid?.() !== 0) return run()
      process.seteuid?.(65_534)
      try {
        run()
      } finally {
        process.seteuid?.(0)
      }
    }
    asOrdinaryUser(() => {
      expect(() => openDataDir(join(folder, 'read-only'))).toThrow(/^DATA_DIR .*read-only cannot be written \(EACCES\): set it/)
      expect(() => openDataDir(join(folder, 'read-only', 'data'))).toThrow(/^DATA_DIR .*data cannot be written \(EACCES\): set it/)
    })
  })
})

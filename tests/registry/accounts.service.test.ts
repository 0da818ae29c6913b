import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { account, contact } from '../../src/db/schema.ts'
import { createSealer } from '../../src/lib/crypto.ts'
import { createAccountTokenStore } from '../../src/registry/account-token-store.ts'
import {
  addZaloAccount,
  attachWaitingAccounts,
  findAccount,
  findAccountsByAppId,
  type ImportAccountArgs,
  importAccountFromEnvironment,
  importRefreshToken,
  importTelegramAccount,
  listAccounts,
} from '../../src/registry/accounts.ts'
import { importUnits } from '../../src/registry/units.ts'
import { createTokenSource } from '../../src/zalo-oa-api-client/token-source.ts'
import type { TokenStore } from '../../src/zalo-oa-api-client/token-store.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { seeded } from './seeded.ts'

const sealer = createSealer(randomBytes(32))
const now = new Date('2026-11-21T02:00:00Z')
const ZALO = { oaId: '4318657068771012646', appId: '2543', appSecret: 'app-secret-made-up', oaSecretKey: 'oa-secret-made-up' }

let url: string
let database: Database
beforeEach(async () => {
  url = await createTestDatabase()
  database = createDb(url)
})
afterEach(() => database.close())

const bringIn = (args: Partial<ImportAccountArgs> = {}) =>
  importAccountFromEnvironment({ db: database.db, sealer }, { zalo: ZALO, now, ...args })

async function addCommune(code: string): Promise<number> {
  const row = { row: 2, code, level: 'xa' as const, label: 'xã', name: code, predecessorCodes: [] }
  await importUnits(database.db, { rows: [row], actor: 'test', now, randomInt: seeded(1) })
  const [found] = await database.sql`SELECT id::int FROM unit WHERE code = ${code}`
  return found!.id
}

describe('the account of the environment', () => {
  test('waits while there is no commune, with what reaches it, and belongs to the first that comes', async () => {
    const { account: waiting } = await bringIn({ commune: 'binh-lu' })
    expect(waiting).toMatchObject({ communeId: 0, channel: 'zalo', externalId: ZALO.oaId, secrets: { appSecret: ZALO.appSecret } })
    const chat = { communeId: 0, accountId: waiting.id, channelUserId: 'u1', firstSeenAt: now, lastInboundAt: now }
    await database.db.insert(contact).values(chat)
    expect(await attachWaitingAccounts(database.db, { actor: 'cli', now })).toBe(1)
    const communeId = await addCommune('binh-lu')
    expect(await attachWaitingAccounts(database.db, { actor: 'cli', now })).toBe(0)
    expect((await findAccount(database.db, sealer, waiting.id))?.communeId).toBe(communeId)
    expect((await database.db.select().from(contact))[0]?.communeId).toBe(communeId)
  })

  test('takes the only commune; of several one must be named, and none that does not exist', async () => {
    const first = await addCommune('mot')
    await addCommune('hai')
    await expect(bringIn()).rejects.toThrow('COMMUNE is not set and there are several communes: set it to one of mot, hai')
    await expect(bringIn({ commune: 'ba' })).rejects.toThrow('COMMUNE ba is the code of no commune: set it to one of mot, hai')
    expect((await bringIn({ commune: 'mot' })).account.communeId).toBe(first)
    // From then on it is known whose it is
    expect((await bringIn()).account.communeId).toBe(first)
    await expect(bringIn({ commune: 'hai' })).rejects.toThrow('belongs to the commune mot already')
  })

  test('is one account however many processes bring it in, and takes over new secrets', async () => {
    await addCommune('mot')
    const brought = await Promise.all(Array.from({ length: 5 }, () => bringIn()))
    expect(new Set(brought.map((one) => one.account.id)).size).toBe(1)
    await bringIn({ zalo: { ...ZALO, appSecret: 'a-newer-one' } })
    const found = await findAccountsByAppId(database.db, sealer, ZALO.appId)
    expect(found).toMatchObject([{ secrets: { appSecret: 'a-newer-one', oaSecretKey: ZALO.oaSecretKey } }])
    expect(await findAccountsByAppId(database.db, sealer, 'another')).toEqual([])
  })

  test('stands beside others, with no secret in the open', async () => {
    await addCommune('mot')
    await bringIn({ zalo: { ...ZALO, refreshToken: 'refresh-made-up' } })
    await addZaloAccount({ db: database.db, sealer }, { unitCode: 'mot', zalo: { ...ZALO, oaId: '77' }, actor: 'cli', now })
    await importTelegramAccount({ db: database.db, sealer }, { telegram: { botToken: '123:telegram-made-up' }, now })
    const accounts = await listAccounts(database.db, sealer)
    expect(accounts.map(({ channel, externalId }) => `${channel} ${externalId}`)).toEqual([`zalo ${ZALO.oaId}`, 'zalo 77', 'telegram 123'])
    expect(await findAccountsByAppId(database.db, sealer, ZALO.appId)).toHaveLength(2)
    const rows =
      await database.sql`SELECT row_to_json(a)::text AS text FROM account a UNION ALL SELECT row_to_json(t)::text FROM account_token t
      UNION ALL SELECT row_to_json(i)::text FROM imported_token i UNION ALL SELECT row_to_json(u)::text FROM audit u`
    expect(rows.map((row) => row.text).join('\n')).not.toMatch(/made-up/)
  })
})

describe('a refresh token from outside', () => {
  test('replaces the pair once, wakes a dead and paused account, and is not imported again', async () => {
    await addCommune('mot')
    const { account: brought, refreshToken } = await bringIn({ zalo: { ...ZALO, refreshToken: 'r1' } })
    expect(refreshToken).toBe('imported')
    const store = createAccountTokenStore({ database, sealer, accountId: brought.id, now: () => now })
    expect(await store.read()).toEqual({ accessToken: '', refreshToken: 'r1', obtainedAtMs: 0, expiresAtMs: 0 })
    await store.write({ accessToken: 'a2', refreshToken: 'r2', obtainedAtMs: 1, expiresAtMs: 2 })
    expect((await bringIn({ zalo: { ...ZALO, refreshToken: 'r1' } })).refreshToken).toBe('known_before')
    const rotated = createSealer(randomBytes(32))
    const again = importRefreshToken({ db: database.db, sealer: rotated }, { accountId: brought.id, refreshToken: 'r1', actor: 'cli', now })
    expect(await again).toBe('known_before')
    expect((await store.read())?.refreshToken).toBe('r2')

    await store.markDead('invalid_grant')
    expect(await store.read()).toMatchObject({ refreshToken: 'r2', deadReason: 'invalid_grant' })
    await database.db.update(account).set({ pausedClass: 'grant_dead', pausedAt: now })
    expect(await importRefreshToken({ db: database.db, sealer }, { accountId: brought.id, refreshToken: 'r3', actor: 'cli', now })).toBe(
      'imported',
    )
    expect(await store.read()).toEqual({ accessToken: '', refreshToken: 'r3', obtainedAtMs: 0, expiresAtMs: 0 })
    expect((await findAccount(database.db, sealer, brought.id))?.pausedClass).toBeNull()
    const [row] = await database.sql`SELECT generation, previous_pair_enc FROM account_token`
    expect(row!.generation).toBe(2)
    expect(sealer.openJson(row!.previous_pair_enc)).toMatchObject({ refreshToken: 'r2' })
    const audited = await database.sql`SELECT action FROM audit WHERE action LIKE 'account.token%' ORDER BY id`
    expect(audited.map((entry) => entry.action)).toEqual(['account.token_import', 'account.token_dead', 'account.token_import'])
  })
})

describe('the token store', () => {
  let others: Database[]
  let accountId: number
  beforeAll(() => {
    others = []
  })
  afterAll(() => Promise.all(others.map((other) => other.close())))

  beforeEach(async () => {
    accountId = (await bringIn({ zalo: { ...ZALO, refreshToken: 'r0' } })).account.id
  })

  /** As another process: a pool and a store of its own. */
  function openStore(max = 2): TokenStore {
    const other = createDb(url, { max })
    others.push(other)
    return createAccountTokenStore({ database: other, sealer, accountId, now: () => now })
  }

  async function waitForWaitingLock(): Promise<void> {
    for (;;) {
      const rows = await database.sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`
      if (rows.length > 0) return
    }
  }

  test('lets a refresh token be spent once, by many senders in many processes', async () => {
    let spent = 0
    let clock = 1_000_000
    const oauth = {
      async refresh(refreshToken: string) {
        expect(refreshToken).toBe(`r${spent}`)
        spent += 1
        await new Promise((resolve) => setImmediate(resolve))
        return { accessToken: `a${spent}`, refreshToken: `r${spent}`, expiresInMs: 90_000_000 }
      },
    }
    const sources = Array.from({ length: 4 }, () => createTokenSource({ store: openStore(), oauth, now: () => clock }))
    const tokens = await Promise.all(Array.from({ length: 40 }, (_, n) => sources[n % sources.length]!.get()))
    expect(new Set(tokens)).toEqual(new Set(['a1']))
    expect(spent).toBe(1)
    // All find the token refused at once
    expect(new Set(await Promise.all(Array.from({ length: 40 }, (_, n) => sources[n % sources.length]!.refresh('a1'))))).toEqual(
      new Set(['a2']),
    )
    expect(spent).toBe(2)
    clock += 89_000_000
    await Promise.all(sources.map((source) => source.get()))
    expect(spent).toBe(3)
  })

  test('needs no more than a single connection of the pool, even while that is asked for by many', async () => {
    const store = openStore(1)
    const pairs = Array.from({ length: 5 }, (_, n) => ({ accessToken: `a${n}`, refreshToken: `r${n}`, obtainedAtMs: 1, expiresAtMs: 2 }))
    const written = await Promise.all(
      pairs.map((pair) =>
        store.withLock(async () => {
          await store.write(pair)
          return (await store.read())?.refreshToken
        }),
      ),
    )
    expect(written).toEqual(pairs.map((pair) => pair.refreshToken))
  })

  test('gives the lock back when what ran inside failed, or its process died', async () => {
    const first = openStore()
    await expect(first.withLock(async () => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer')
    expect(await first.withLock(async () => 'again')).toBe('again')

    const dying = createDb(url, { max: 1 })
    const held = createAccountTokenStore({ database: dying, sealer, accountId, now: () => now })
    const died = held.withLock(async () => {
      await database.sql`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`
      return openStore().withLock(async () => 'taken over')
    })
    expect(await died).toBe('taken over')
    await dying.close()
  })

  test('waits for a token being imported', async () => {
    const order: string[] = []
    const store = openStore()
    let release = () => {}
    const inside = new Promise<void>((resolve) => {
      release = resolve
    })
    const refreshing = store.withLock(async () => {
      order.push('refreshing')
      await inside
      await store.write({ accessToken: 'a1', refreshToken: 'r1', obtainedAtMs: 1, expiresAtMs: 2 })
      order.push('refreshed')
    })
    while (order.length === 0) await database.sql`SELECT 1`
    const importing = importRefreshToken({ db: database.db, sealer }, { accountId, refreshToken: 'new', actor: 'cli', now }).then(() =>
      order.push('imported'),
    )
    await waitForWaitingLock()
    release()
    await Promise.all([refreshing, importing])
    expect(order.at(-1)).toBe('imported')
    expect((await store.read())?.refreshToken).toBe('new')
  })
})

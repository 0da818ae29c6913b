import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDb, type Database, migrateDb } from '../../src/db/connect.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { createSealer } from '../../src/lib/crypto.ts'
import { createCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { addZaloAccount, importTelegramAccount } from '../../src/registry/accounts.ts'
import { importUnits } from '../../src/registry/units.ts'
import { createFakePlatform, createTestOutreach } from '../outreach/commune.ts'
import { seeded } from '../registry/seeded.ts'
import { type BotProcess, freePort, makeDataDir, startBot } from '../run/processes.ts'
import type { PlatformOrder, PlatformReport } from './platform.ts'

export type FleetOptions = {
  workers: number
  communes: number
  /** Of each commune; everybody's window is open. */
  people: number
  /** Of each account. */
  perMinute: number
  /** Of it for replies, percent; by default what the settings say. */
  reserve?: number
  /** People of the first commune beside these, on Telegram. */
  onTelegram?: number
}

export type FleetCommune = { id: number; oaId: string; campaignId: number; committedAtMs: number }

/** Worker processes as `npm start` runs them, a PostgreSQL, and a platform that takes everything. */
export type Fleet = {
  database: Database
  bots: BotProcess[]
  /** Starts a campaign to everybody in each commune, as an officer's word would; in the order of the commits. */
  begin(): Promise<FleetCommune[]>
  /** Waits until every result is recorded, or so long; whether they are. */
  finish(withinMs: number): Promise<boolean>
  slowDown(oaId: string, ms: number): void
  report(): Promise<PlatformReport>
  close(): Promise<void>
}

const LOOK_MS = 50
const VILLAGES = 5
const APP = { appId: 'app-of-a-bench', appSecret: 'app-secret-of-a-bench', oaSecretKey: 'webhook-secret-of-a-bench' }

/** Its messages are reported under it. */
export const BOT_TOKEN = '1:token-of-a-bench'

export const oaIdOf = (place: number) => `oa-${place}`

export async function startFleet({ workers, ...options }: FleetOptions): Promise<Fleet> {
  const dataDir = makeDataDir()
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'server') })
  const platform = fork(join(import.meta.dirname, 'platform.ts'), { serialization: 'advanced' })
  const bots: BotProcess[] = []
  await migrateDb(server.url)
  const database = createDb(server.url)
  const deps = await createTestOutreach(server.url, () => createFakePlatform().channel, { now: new Date(), database })

  async function close(): Promise<void> {
    await Promise.all(bots.map((bot) => bot.stop()))
    platform.disconnect()
    await deps.close()
    await database.close()
    await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }

  try {
    const platformUrl = await hear<string>(platform)
    const secretKey = randomBytes(32)
    await seed(database, secretKey, options)
    for (let place = 0; place < workers; place++) {
      const env = {
        DATABASE_URL: server.url,
        SECRET_KEY: secretKey.toString('base64'),
        ROLE: 'worker',
        SAMPLE_DATA: 'no',
        COMMUNE: communeCode(0),
        ZALO_OA_ID: oaIdOf(0),
        ZALO_APP_ID: APP.appId,
        ZALO_APP_SECRET: APP.appSecret,
        ZALO_OA_SECRET_KEY: APP.oaSecretKey,
        ...(options.onTelegram !== undefined && { TELEGRAM_BOT_TOKEN: BOT_TOKEN, TELEGRAM_API_URL: platformUrl }),
      }
      bots.push(await startBot({ dataDir: join(dataDir, `bot-${place}`), port: await freePort(), platformUrl, env }))
    }
  } catch (error) {
    await close()
    throw error
  }

  return {
    database,
    bots,
    async begin() {
      const rows = await database.sql<{ id: number; oa_id: string }[]>`
        SELECT u.id::int AS id, a.external_id AS oa_id FROM unit u JOIN account a ON a.commune_id = u.id AND a.channel = 'zalo' WHERE u.level = 'xa' ORDER BY u.id`
      const drafts = await Promise.all(
        rows.map(async ({ id, oa_id: oaId }) => {
          const text = 'Kính gửi {xưng hô} {tên} ở {bản}: mời tham gia Tuần lễ học tập.'
          const made = await createCampaign(deps, { communeId: id, authorContactId: null, text, rule: {} })
          if (made.type !== 'created') throw new Error(JSON.stringify(made))
          const shown = await showCampaign(deps, made)
          if (shown.type !== 'shown') throw new Error(JSON.stringify(shown))
          return { id, oaId, campaignId: made.campaignId, confirmed: shown.preview.people }
        }),
      )
      const begun: FleetCommune[] = []
      for (const { confirmed, ...draft } of drafts) {
        const started = await startCampaign(deps, { campaignId: draft.campaignId, confirmed, actor: 'cli' })
        if (started.type !== 'started') throw new Error(JSON.stringify(started))
        begun.push({ ...draft, committedAtMs: Date.now() })
      }
      return begun
    },
    async finish(withinMs) {
      const until = Date.now() + withinMs
      while (Date.now() < until) {
        const [row] = await database.sql<{ through: boolean }[]>`
          SELECT NOT EXISTS (SELECT 1 FROM recipient_count WHERE status = 'waiting' AND n > 0) AND NOT EXISTS (SELECT 1 FROM recipient_batch) AS through`
        if (row?.through) return true
        await sleep(LOOK_MS)
      }
      return false
    },
    slowDown: (oaId, ms) => void platform.send({ slow: { [oaId]: ms } } satisfies PlatformOrder),
    async report() {
      platform.send('report' satisfies PlatformOrder)
      return hear<PlatformReport>(platform)
    },
    close,
  }
}

async function hear<T>(platform: ChildProcess): Promise<T> {
  const [said] = await once(platform, 'message')
  return said as T
}

const communeCode = (place: number) => `c-${place}`

async function seed(
  { sql, db }: Database,
  secretKey: Buffer,
  { communes, people, perMinute, reserve, onTelegram = 0 }: Omit<FleetOptions, 'workers'>,
): Promise<void> {
  const now = new Date()
  const places = Array.from({ length: communes }, (_, place) => place)
  const rows = places.flatMap((place) => [
    { code: communeCode(place), level: 'xa' as const, label: 'xã', name: `Xã ${place}` },
    ...Array.from({ length: VILLAGES }, (_, village) => ({
      code: `${communeCode(place)}-${village}`,
      level: 'thon_ban' as const,
      label: 'bản',
      name: `Bản ${village}`,
      parentCode: communeCode(place),
    })),
  ])
  const units = rows.map((row, index) => ({ ...row, row: index + 2, predecessorCodes: [] }))
  await importUnits(db, { rows: units, actor: 'bench', now, randomInt: seeded(7) })
  const settings = {
    'account.package': 'growth',
    'account.per_minute.growth': perMinute,
    'account.per_minute.app': 10_000_000,
    ...(reserve === undefined ? {} : { 'account.reply_reserve': reserve }),
    'quiet.from': '00:00',
    'quiet.to': '00:00',
  }
  for (const [key, value] of Object.entries(settings))
    await sql`INSERT INTO setting (unit_id, key, value) VALUES (0, ${key}, ${JSON.stringify(value)}::text::jsonb)`
  const sealer = createSealer(secretKey)
  for (const place of places) {
    const zalo = { ...APP, oaId: oaIdOf(place), refreshToken: oaIdOf(place) }
    await addZaloAccount({ db, sealer }, { unitCode: communeCode(place), zalo, actor: 'bench', now })
  }
  if (onTelegram > 0) await importTelegramAccount({ db, sealer }, { telegram: { botToken: BOT_TOKEN }, commune: communeCode(0), now })
  await sql`
    INSERT INTO person (commune_id, village_id, name, name_key, birth_year, address, group_no, source, created_at)
    SELECT commune.id, village.id, 'Người ' || n, 'nguoi ' || n, 1960 + n % 40, 'bac', 1 + n % 3, 'chat', now()
    FROM unit commune, generate_series(1, ${people + onTelegram}::int) n, LATERAL (
      SELECT id FROM unit WHERE parent_id = commune.id ORDER BY id OFFSET n % ${VILLAGES}::int LIMIT 1
    ) village
    WHERE commune.level = 'xa' AND (n <= ${people}::int OR commune.id = (SELECT commune_id FROM account WHERE channel = 'telegram'))`
  await sql`
    INSERT INTO contact (commune_id, account_id, channel_user_id, person_id, first_seen_at, last_inbound_at, follows)
    SELECT p.commune_id, a.id, CASE WHEN a.channel = 'zalo' THEN 'u' ELSE '' END || p.id, p.id, now(), now() - interval '3 hours', true
    FROM person p JOIN account a ON a.commune_id = p.commune_id AND a.channel = CASE WHEN split_part(p.name_key, ' ', 2)::int > ${people}::int THEN 'telegram' ELSE 'zalo' END`
}

/** Of a process, kB: what it holds in memory now, the most it ever held. */
export function residentKb(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0)
  return { now: read('VmRSS'), most: read('VmHWM') }
}

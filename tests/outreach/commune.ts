import { join } from 'node:path'
import { pino } from 'pino'
import type { Channel } from '../../src/channels/channel.ts'
import { zaloAbilities } from '../../src/channels/zalo/abilities.ts'
import { loadContent } from '../../src/content/load.ts'
import { createDb, type Database } from '../../src/db/connect.ts'
import { createInstance } from '../../src/db/instance.ts'
import { createSealer } from '../../src/lib/crypto.ts'
import type { OutboundMessage, SendOutcome } from '../../src/model/outbound.ts'
import { createCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import type { OutreachDeps } from '../../src/outreach/deps.ts'
import { createPace, type Pace } from '../../src/outreach/pace.ts'
import { createSender } from '../../src/outreach/sender.ts'
import { sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { importTestUnits } from '../registry/test-units.ts'

// A commune with people and chats, and a platform that answers as it is told

/** 08:00 in Việt Nam, on a Monday. */
export const MORNING = new Date('2026-10-05T01:00:00Z')

export type Arrived = { userId: string; text: string; atMs: number; messageId: string; account: number }

export type FakePlatform = {
  channel: Channel
  arrived: Arrived[]
  /** Asked before each send; undefined: it arrives. `arrives`: it did, whatever is answered. */
  answer: (userId: string, n: number) => { outcome: SendOutcome; arrives?: boolean } | undefined
  latencyMs: number
  inFlight: number
}

export function createFakePlatform(nowMs: () => number = Date.now, account = 0): FakePlatform {
  const platform: FakePlatform = {
    arrived: [],
    answer: () => undefined,
    latencyMs: 0,
    inFlight: 0,
    channel: undefined as unknown as Channel,
  }
  let n = 0
  platform.channel = {
    abilities: zaloAbilities,
    split: (text) => [text],
    async send(userId: string, message: OutboundMessage): Promise<SendOutcome> {
      const place = ++n
      platform.inFlight++
      if (platform.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, platform.latencyMs))
      platform.inFlight--
      const said = platform.answer(userId, place)
      const atMs = nowMs()
      const messageId = `m${account}-${place}`
      if (!said || said.arrives) platform.arrived.push({ userId, text: message.text, atMs, messageId, account })
      return said?.outcome ?? { kind: 'sent', platformMessageId: messageId, atMs, order: atMs }
    },
    async findDelivered(userId, message, afterMs) {
      const found = platform.arrived.find((one) => one.userId === userId && one.text === message.text && one.atMs >= afterMs)
      return found ? { kind: 'delivered', platformMessageId: found.messageId, atMs: found.atMs, order: found.atMs } : { kind: 'absent' }
    },
    loadFile: async () => {
      throw new Error('nobody sends files here')
    },
    close: async () => {},
  }
  return platform
}

const content = loadContent(join(import.meta.dirname, '..', '..'))
const testSealer = createSealer(Buffer.alloc(32, 7))

export type TestOutreach = OutreachDeps & { pace: Pace; close(): Promise<void>; clock: { now: Date } }

let instances = 1_000

/** What outreach needs, on one database; `clock.now` undefined follows the machine. */
export async function createTestOutreach(
  url: string,
  channelOf: (accountId: number) => Channel | undefined,
  options: { now?: Date | undefined; database?: Database } = {},
): Promise<TestOutreach> {
  const database = options.database ?? createDb(url)
  const clock = { now: options.now ?? MORNING }
  const started = Date.now()
  const now = () => (options.now === undefined ? new Date(clock.now.getTime() + (Date.now() - started)) : clock.now)
  const instance = await createInstance(url, instances++)
  return {
    database,
    instance,
    sealer: testSealer,
    content,
    channelOf: async (accountId) => channelOf(accountId),
    now,
    log: pino({ level: process.env.TEST_LOG ?? 'fatal' }),
    count: { outbound: () => {} },
    pace: createPace(database),
    clock,
    async close() {
      await instance.close()
      if (!options.database) await database.close()
    },
  }
}

export type Seeded = { communeId: number; accountId: number; villages: number[]; units: Record<string, number> }

/** A commune with an account. `perMinute` is the account's pace. */
export async function seedCommune({ sql, db }: Database, perMinute = 10_000_000): Promise<Seeded> {
  const units = await importTestUnits(db)
  const communeId = units.c!
  const [account] = await sql<{ id: number }[]>`
    INSERT INTO account (commune_id, channel, external_id, app_id, secrets_enc, traits)
    VALUES (${communeId}, 'zalo', 'oa-1', 'app-1', ${testSealer.sealJson({ appSecret: 'a', oaSecretKey: 'b' })}, ${JSON.stringify({ perMinute })}::text::jsonb)
    RETURNING id::int AS id`
  await sql`INSERT INTO setting (unit_id, key, value) VALUES (0, 'account.per_minute.app', '10000000'::jsonb) ON CONFLICT DO NOTHING`
  return { communeId, accountId: account!.id, villages: [units.v1!, units.v2!], units }
}

export type PeopleArgs = {
  n: number
  /** Share whose window is closed, percent. */
  closed?: number
  /** Of people without any chat, percent. */
  without?: number
  now?: Date
}

/** People of two villages, numbered; their chats are `u<number>`. */
export async function seedPeople({ sql }: Database, { communeId, accountId, villages }: Seeded, args: PeopleArgs): Promise<void> {
  const { n, closed = 0, without = 0, now = MORNING } = args
  const at = now.toISOString()
  await sql`
    INSERT INTO household (commune_id, village_id, head_name, head_name_key, created_at)
    SELECT ${communeId}, CASE WHEN g % 2 = 0 THEN ${villages[0]!}::bigint ELSE ${villages[1]!}::bigint END, 'Chủ hộ ' || g, 'chu ho ' || g, ${at}::timestamptz
    FROM generate_series(1, ${Math.ceil(n / 4)}::int) g`
  await sql`
    INSERT INTO person (commune_id, village_id, household_id, name, name_key, birth_year, address, group_no, source, created_at)
    SELECT ${communeId}, CASE WHEN g % 2 = 0 THEN ${villages[0]!}::bigint ELSE ${villages[1]!}::bigint END,
      (SELECT min(id) FROM household WHERE commune_id = ${communeId}) + g / 4, 'Người ' || g, 'nguoi ' || g, 1960 + g % 40, 'bac', 1 + g % 3, 'chat', ${at}::timestamptz
    FROM generate_series(1, ${n}::int) g`
  await sql`
    INSERT INTO contact (commune_id, account_id, channel_user_id, person_id, first_seen_at, last_inbound_at, follows)
    SELECT ${communeId}, ${accountId}, 'u' || split_part(name, ' ', 2), id, ${at}::timestamptz,
      ${at}::timestamptz - CASE WHEN (id * 37) % 100 < ${closed}::int THEN interval '60 days' ELSE interval '3 hours' END, true
    FROM person WHERE commune_id = ${communeId} AND (id * 53) % 100 >= ${without}::int`
  await sql`ANALYZE person`
  await sql`ANALYZE contact`
}

/** A campaign to everybody of the rule, with the number of people its author was shown. */
export async function showTestCampaign(
  deps: OutreachDeps,
  { communeId }: Pick<Seeded, 'communeId'>,
  text: string,
  rule = {},
): Promise<{ campaignId: number; confirmed: number }> {
  const made = await createCampaign(deps, { communeId, authorContactId: null, text, rule })
  if (made.type !== 'created') throw new Error(JSON.stringify(made))
  const shown = await showCampaign(deps, made)
  if (shown.type !== 'shown') throw new Error(JSON.stringify(shown))
  return { campaignId: made.campaignId, confirmed: shown.preview.people }
}

/** The same, confirmed and begun. */
export async function startTestCampaign(deps: OutreachDeps, seeded: Pick<Seeded, 'communeId'>, text: string, rule = {}): Promise<number> {
  const shown = await showTestCampaign(deps, seeded, text, rule)
  const begun = await startCampaign(deps, { ...shown, actor: 'cli' })
  if (begun.type !== 'started') throw new Error(JSON.stringify(begun))
  return shown.campaignId
}

/** Sends all that can be sent now, and looks after what is through. */
export async function runCampaigns(deps: OutreachDeps & { pace: Pace }): Promise<void> {
  const sender = createSender(deps)
  await sender.look()
  await sender.idle()
  await sweepCampaigns(deps)
  await sender.close()
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { pino } from 'pino'
import { createApp } from '../../src/app.ts'
import type { Channel } from '../../src/channels/channel.ts'
import { zaloAbilities } from '../../src/channels/zalo/abilities.ts'
import type { Config } from '../../src/config.ts'
import type { Content } from '../../src/content/load.ts'
import { handleContact } from '../../src/conversation/handle-contact.ts'
import { createReceiver } from '../../src/conversation/receive.ts'
import { account, contact } from '../../src/db/schema.ts'
import { createAnswerReader } from '../../src/engine/mapping.ts'
import type { InboundContent } from '../../src/model/inbound.ts'
import type { OutboundMessage } from '../../src/model/outbound.ts'
import { registerPerson } from '../../src/registry/people.ts'
import { findUnitByCode } from '../../src/registry/units.ts'
import { exportAnswers } from '../../src/reports/export-answers.ts'
import { recount } from '../../src/reports/recount.ts'
import { applyTallies } from '../../src/reports/tally.ts'
import { importTestUnits } from '../registry/test-units.ts'
import { createTestDatabase } from '../support/postgres.ts'

// Everything real but the platform: a channel that keeps what it is given. People are registered already; they begin with the form.

const START = Date.parse('2026-11-21T02:00:00Z')
const BREATH_MS = 5_000

export type Message = OutboundMessage & { at: number }

/** How far conversations have come: the database, which nobody uses any more, and what stands on the phones. */
export type Halt = { databaseUrl: string; clock: number; events: number; inbox: ReadonlyMap<string, readonly Message[]> }

/** A bot whose platform is a list; `from` goes on where conversations halted, with other content, as after a deploy. */
export async function createChat(content: Content, from?: Halt) {
  const databaseUrl = await createTestDatabase(from?.databaseUrl)
  let clock = from ? from.clock + BREATH_MS : START
  const inbox = new Map<string, readonly Message[]>(from?.inbox)
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
  const config: Config = {
    host: '127.0.0.1',
    port: 0,
    dataDir: '/nonexistent',
    databaseUrl,
    role: 'all',
    secretKey: Buffer.alloc(32, 7),
    sampleData: false,
    metricsToken: 'metrics',
    logLevel: 'silent',
  }
  const channel: Channel = {
    abilities: { ...zaloAbilities, maxChoices: 20 },
    split: (text) => [text],
    async send(to, message) {
      clock += 1
      inbox.set(to, [...(inbox.get(to) ?? []), { ...message, at: clock }])
      return { kind: 'sent', platformMessageId: `out-${clock}`, atMs: clock, order: clock }
    },
    findDelivered: async () => ({ kind: 'unknown' }),
    loadFile: async () => {
      throw new Error('nobody sends files here')
    },
    close: async () => {},
  }
  const app = await createApp({ config, databaseUrl, log, now: () => new Date(clock), content })
  app.deps.channelOf = async () => channel
  const { db } = app.deps.database
  if (!from) await createAccount()
  const communeId = (await findUnitByCode(db, 'c'))?.id ?? 0
  const villageId = (await findUnitByCode(db, 'v1'))?.id ?? 0
  const [own] = await db.select({ id: account.id }).from(account)
  const accountId = own?.id ?? 0
  let events = from?.events ?? 0

  async function createAccount(): Promise<void> {
    const units = await importTestUnits(db)
    await db.insert(account).values({
      communeId: units.c ?? 0,
      channel: 'zalo',
      externalId: 'oa',
      secretsEnc: app.deps.sealer.sealJson({}),
      traits: { perMinute: 10_000_000 },
    })
  }

  async function deliver(to: string, inbound: InboundContent): Promise<void> {
    clock += BREATH_MS
    events += 1
    const event = { channelUserId: to, dedupeKey: `in-${events}`, atMs: clock, order: clock, content: inbound }
    for (const contactId of await createReceiver(app.deps).receive([{ accountId, event }]))
      if (contactId !== undefined) await handleContact(app.deps, contactId)
  }

  return {
    /** The newest message to somebody. */
    last: (to: string): Message | undefined => inbox.get(to)?.at(-1),
    /** Everything said to somebody, for when something went wrong. */
    transcript: (to: string) => (inbox.get(to) ?? []).map((message) => message.text).join('\n———\n'),
    /** The buttons of all messages somebody has. */
    buttons: (to: string) => (inbox.get(to) ?? []).flatMap((message) => message.choices ?? []),
    async register(to: string): Promise<void> {
      const facts = {
        villageId,
        name: `Người ${to}`,
        birthYear: 1970,
        address: 'bac',
        group: 1 as const,
        household: { head: false as const, headName: `Chủ ${to}` },
      }
      await db.transaction(async (tx) => {
        const { person, tallies } = await registerPerson(tx, { communeId, facts, source: 'chat', registeredBy: null, now: new Date(clock) })
        await tx.insert(contact).values({
          communeId,
          accountId,
          channelUserId: to,
          personId: person.id,
          firstSeenAt: new Date(clock),
          lastInboundAt: new Date(clock),
        })
        await applyTallies(tx, tallies)
      })
    },
    say: (to: string, text: string) => deliver(to, { kind: 'text', text }),
    tap: (to: string, payload: string) => deliver(to, { kind: 'tap', payload }),
    /** The process ends; what it leaves behind others may go on from. */
    async halt(): Promise<Halt> {
      await app.stop()
      return { databaseUrl, clock, events, inbox }
    },
    /** The answers in force by person: what `export answers` prints. */
    async exported(): Promise<Map<string, Record<string, string>>> {
      const folder = mkdtempSync(join(tmpdir(), 'change-'))
      const path = join(folder, 'answers.csv')
      const unit = await findUnitByCode(db, 'c')
      if (!unit) throw new Error('there is no commune')
      await exportAnswers(app.deps.database, {
        unit,
        year: 2026,
        path,
        actor: 'test',
        now: new Date(clock),
        readAnswer: createAnswerReader(content),
      })
      const rows = parse(readFileSync(path), { columns: true }) as { channel_user_id: string; question: string; option: string }[]
      rmSync(folder, { recursive: true })
      const byPerson = new Map<string, Record<string, string>>()
      for (const row of rows) byPerson.set(row.channel_user_id, { ...byPerson.get(row.channel_user_id), [row.question]: row.option })
      return byPerson
    },
    /** Counters that are not what the rows say. */
    miscounted: async () => recount(db, { id: communeId, level: 'xa', communeId }),
    close: () => app.stop(),
  }
}

export type Chat = Awaited<ReturnType<typeof createChat>>

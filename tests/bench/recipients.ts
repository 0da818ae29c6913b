import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createDb, type Database, migrateDb } from '../../src/db/connect.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { createCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { createFakePlatform, createTestOutreach, MORNING, seedCommune, seedPeople } from '../outreach/commune.ts'
import { describeMachine } from './machine.ts'

// npm run bench -- recipients [--people 1000000] [--runs 3]
// How long until everybody a campaign is for is durable, beside a bare INSERT … SELECT of as many rows of two columns in the same run

export type RecipientsFigures = { people: number; bare: number; bareKeyed: number; ledger: number; start: number }

export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: { people: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '2' } },
    allowPositionals: true,
  })
  const folder = mkdtempSync(join(tmpdir(), 'hoc-tap-bench-'))
  const server = await startEmbeddedPostgres({ dataDir: folder })
  const figures: RecipientsFigures[] = []
  try {
    await migrateDb(server.url)
    const database = createDb(server.url)
    for (let run = 0; run < Number(values.runs); run++) {
      console.error(`run ${run + 1}`)
      figures.push(await measure(database, server.url, Number(values.people), run === 0))
    }
    await database.close()
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const s = (ms: number) => (ms / 1_000).toFixed(2)
  const rows = figures.map(
    (one) =>
      `| ${one.people} | ${s(one.bare)} | ${s(one.bareKeyed)} | ${s(one.ledger)} | ${s(one.start)} | **${(one.ledger / one.bareKeyed).toFixed(2)}** | ${(one.ledger / one.bare).toFixed(2)} | ${(one.start / one.bareKeyed).toFixed(2)} |`,
  )
  return `## Recipients made durable

${describeMachine()}

"ledger" is the same source written as rows of the ledger with its key and index; "start" is the whole of startCampaign: the audience counted and decided person by person, frozen, counted, committed.

| people | bare, no key, s | bare, with its key, s | ledger, s | start, s | ledger ÷ bare with key | ledger ÷ bare without key | start ÷ bare with key |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}`
}

export async function measure(database: Database, url: string, people: number, first: boolean): Promise<RecipientsFigures> {
  const { sql } = database
  const seeded = first ? await seedCommune(database) : undefined
  if (seeded) await seedPeople(database, seeded, { n: people, closed: 70 })
  const [commune] = await sql<{ id: number }[]>`SELECT id::int AS id FROM unit WHERE code = 'c'`
  const communeId = commune!.id
  const platform = createFakePlatform()
  const deps = await createTestOutreach(url, () => platform.channel, { now: MORNING, database })
  const timed = async (run: () => Promise<unknown>) => {
    await sql`CHECKPOINT`
    const from = performance.now()
    await run()
    return performance.now() - from
  }
  await sql`CREATE TABLE bare (campaign_id bigint, person_id bigint)`
  const bare = await timed(() => sql`INSERT INTO bare SELECT 1, id FROM person`)
  await sql`CREATE TABLE bare_keyed (campaign_id bigint, person_id bigint, PRIMARY KEY (campaign_id, person_id))`
  const bareKeyed = await timed(() => sql`INSERT INTO bare_keyed SELECT 1, id FROM person`)
  const ledger = await timed(
    () => sql`
      INSERT INTO recipient (commune_id, campaign_id, person_id, contact_id, account_id, status, route)
      SELECT ${communeId}::int, 1000000, p.id, p.id, 1, 'waiting', 'now' FROM person p`,
  )
  await sql`TRUNCATE recipient`
  await sql`DROP TABLE bare, bare_keyed`
  const made = await createCampaign(deps, { communeId, authorContactId: null, text: 'Kính gửi {tên}', rule: {} })
  if (made.type !== 'created') throw new Error('the campaign was refused')
  const shown = await showCampaign(deps, { campaignId: made.campaignId })
  if (shown.type !== 'shown') throw new Error('the audience was refused')
  const start = await timed(() => startCampaign(deps, { campaignId: made.campaignId, confirmed: shown.preview.people, actor: 'cli' }))
  await sql`TRUNCATE recipient, recipient_count, campaign_lane`
  await sql`UPDATE campaign SET state = 'cancelled'`
  await deps.close()
  return { people: shown.preview.people, bare, bareKeyed, ledger, start }
}

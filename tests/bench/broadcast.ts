import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createZaloChannel } from '../../src/channels/zalo/channel.ts'
import { createDb, migrateDb } from '../../src/db/connect.ts'
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts'
import { campaignProgress, createCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { createSender } from '../../src/outreach/sender.ts'
import { createMemoryTokenStore, createOAuth, createTokenSource, createZaloClient } from '../../src/zalo-oa-api-client/index.ts'
import { createTestOutreach, seedCommune, seedPeople } from '../outreach/commune.ts'
import { describeMachine } from './machine.ts'

// npm run bench -- broadcast [--people 18075]
// One worker, the true Zalo client over HTTP, a platform in this process that answers at once, every result recorded

export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({ args, options: { people: { type: 'string', default: '18075' } }, allowPositionals: true })
  const folder = mkdtempSync(join(tmpdir(), 'hoc-tap-bench-'))
  const server = await startEmbeddedPostgres({ dataDir: folder })
  try {
    await migrateDb(server.url)
    const figures = await measureBroadcast(server.url, Number(values.people))
    return `## Broadcast, unthrottled

${describeMachine()}

| recipients | seconds | messages a second, recorded | first message after the commit, ms | memory over idle, MB | exact |
|---|---|---|---|---|---|
| ${figures.sent} | ${(figures.ms / 1_000).toFixed(2)} | **${Math.round(figures.sent / (figures.ms / 1_000))}** | ${figures.firstMs.toFixed(0)} | ${figures.memoryMb.toFixed(0)} | ${figures.exact ? 'yes' : 'NO'} |`
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function measureBroadcast(url: string, people: number) {
  const database = createDb(url)
  const seeded = await seedCommune(database)
  await seedPeople(database, seeded, { n: people, now: new Date() })
  await database.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, 'quiet.from', '"00:00"'), (0, 'quiet.to', '"00:00"')`
  let arrived = 0
  let firstAt = 0
  const platform = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      firstAt ||= performance.now()
      arrived++
      response.setHeader('content-type', 'application/json')
      response.end(`{"error":0,"message":"Success","data":{"message_id":"m${arrived}","user_id":"u","sent_time":"${Date.now()}"}}`)
    })
  })
  await new Promise<void>((resolve) => platform.listen(0, '127.0.0.1', resolve))
  const address = platform.address()
  const apiUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  const store = createMemoryTokenStore({
    accessToken: 'a',
    refreshToken: 'r',
    obtainedAtMs: Date.now(),
    expiresAtMs: Date.now() + 3_600_000,
  })
  const tokens = createTokenSource({ store, oauth: createOAuth({ appId: '1', appSecret: 's', oauthUrl: apiUrl }) })
  const client = createZaloClient({ tokens, apiUrl })
  const channel = createZaloChannel({ client, now: Date.now, buttons: true, onButtonsRefused: () => {} })
  const deps = await createTestOutreach(url, () => channel, { now: new Date(), database })
  const made = await createCampaign(deps, {
    communeId: seeded.communeId,
    authorContactId: null,
    text: 'Kính gửi {xưng hô} {tên} ở {bản}: mời tham gia Tuần lễ học tập.',
    rule: {},
  })
  if (made.type !== 'created') throw new Error('the campaign was refused')
  const shown = await showCampaign(deps, made)
  if (shown.type !== 'shown') throw new Error('the audience was refused')
  const idleKb = rssKb()
  await startCampaign(deps, { ...made, confirmed: shown.preview.people, actor: 'cli' })
  const from = performance.now()
  let highestKb = idleKb
  const watch = setInterval(() => {
    highestKb = Math.max(highestKb, rssKb())
  }, 100)
  const sender = createSender(deps)
  await sender.look()
  await sender.idle()
  const ms = performance.now() - from
  clearInterval(watch)
  const progress = await campaignProgress(deps, made.campaignId)
  const sent = progress?.statuses.sent ?? 0
  await sender.close()
  await deps.close()
  await database.close()
  platform.close()
  platform.closeAllConnections()
  return { sent, ms, firstMs: firstAt - from, memoryMb: (highestKb - idleKb) / 1_024, exact: sent === people && arrived === people }
}

/** The process's own memory; the platform's is in it and does not grow. */
function rssKb(): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0)
}

import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { partsOf } from '../../src/channels/parts.ts'
import { telegramAbilities } from '../../src/channels/telegram/abilities.ts'
import { zaloAbilities } from '../../src/channels/zalo/abilities.ts'
import { createDb, type Database } from '../../src/db/connect.ts'
import type { OutboundMessage, SendOutcome } from '../../src/model/outbound.ts'
import { cancelCampaign, createCampaign, showCampaign, startCampaign } from '../../src/outreach/campaign.ts'
import { campaignProgress } from '../../src/outreach/progress.ts'
import { createSender } from '../../src/outreach/sender.ts'
import { sweepCampaigns } from '../../src/outreach/sweep-campaigns.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { createFakePlatform, createTestOutreach, MORNING, type Seeded, seedCommune, seedPeople, type TestOutreach } from './commune.ts'

/** A notice with a PDF takes two requests on Zalo: the words, then the file. Here the second goes wrong in every way. */
const PDF = join(tmpdir(), `hoc-tap-bot-notice-${process.pid}.pdf`)
const attachment = { kind: 'file' as const, name: 'giay-moi.pdf', contentType: 'application/pdf', path: PDF }

let database: Database
let seeded: Seeded
let deps: TestOutreach
/** Requests in their order: `words` or `file`, with the person. */
let asked: string[]
let answerFile: (times: number) => SendOutcome | undefined

beforeEach(async () => {
  writeFileSync(PDF, '%PDF-1.7')
  const url = await createTestDatabase()
  database = createDb(url)
  seeded = await seedCommune(database)
  const platform = createFakePlatform(() => deps.now().getTime())
  const { send } = platform.channel
  asked = []
  answerFile = () => undefined
  platform.channel.send = async (userId, message) => {
    const what = message.attachment ? 'file' : 'words'
    expect([what, message.text === '']).toEqual([what, what === 'file'])
    asked.push(what)
    const said = what === 'file' ? answerFile(asked.filter((one) => one === 'file').length) : undefined
    return said ?? send(userId, message)
  }
  deps = await createTestOutreach(url, () => platform.channel, { now: new Date(MORNING), database })
  await seedPeople(database, seeded, { n: 1 })
})
afterEach(async () => {
  await deps.close()
  await database.close()
  rmSync(PDF, { force: true })
})

async function started(): Promise<number> {
  const made = await createCampaign(deps, { communeId: seeded.communeId, authorContactId: null, text: 'Mời họp', rule: {}, attachment })
  if (made.type !== 'created') throw new Error(JSON.stringify(made))
  const shown = await showCampaign(deps, made)
  if (shown.type !== 'shown') throw new Error(JSON.stringify(shown))
  await startCampaign(deps, { ...made, confirmed: shown.preview.people, actor: 'cli' })
  return made.campaignId
}

async function run(): Promise<void> {
  const sender = createSender(deps)
  await sender.look()
  await sender.idle()
  await sender.close()
}

const row = async () => {
  const [found] = await database.sql<{ status: string; class: string | null; sent: boolean; message: boolean; waits: boolean }[]>`
    SELECT status, class, sent_at IS NOT NULL AS sent, platform_message_id IS NOT NULL AS message, not_before IS NOT NULL AS waits FROM recipient`
  return found && { ...found }
}
const there = { sent: true, message: true }
const tooFast: SendOutcome = { kind: 'retry', class: 'rate_limit_account', notBeforeMs: MORNING.getTime() + 60_000 }

test('both arrive: sent, once each', async () => {
  const id = await started()
  await run()
  expect(asked).toEqual(['words', 'file'])
  expect(await row()).toEqual({ ...there, status: 'sent', class: null, waits: false })
  await sweepCampaigns(deps)
  expect((await campaignProgress(deps, id))?.campaign.state).toBe('done')
})

test.each<[string, SendOutcome, string]>([
  ['refused', { kind: 'failed', class: 'file_too_large' }, 'words_only_file_too_large'],
  ['without an answer', { kind: 'uncertain', class: 'timeout' }, 'words_only_timeout'],
  ['after the window closed', { kind: 'failed', class: 'window_closed' }, 'words_only_window_closed'],
])(
  'a file %s: the message is sent, the ledger says what became of the file, nobody reads the words twice',
  async (_name, outcome, name) => {
    answerFile = () => outcome
    const id = await started()
    await run()
    deps.clock.now = new Date(MORNING.getTime() + 3_600_000)
    await run()
    await sweepCampaigns(deps)
    expect(asked).toEqual(['words', 'file'])
    expect(await row()).toEqual({ ...there, status: 'sent', class: name, waits: false })
    const progress = await campaignProgress(deps, id)
    expect([progress?.statuses.sent, progress?.campaign.state]).toEqual([1, 'done'])
  },
)

test('a file that certainly did not arrive is sent once more, and the words are not', async () => {
  answerFile = (times) => (times === 1 ? tooFast : undefined)
  const id = await started()
  await run()
  expect(await row()).toEqual({ ...there, status: 'waiting', class: 'words_only_rate_limit_account', waits: true })
  await sweepCampaigns(deps)
  expect((await campaignProgress(deps, id))?.campaign.state).toBe('running')
  deps.clock.now = new Date(MORNING.getTime() + 61_000)
  await database.sql`UPDATE pace_bucket SET hold_until_ms = 0`
  await run()
  expect(asked).toEqual(['words', 'file', 'file'])
  expect(await row()).toEqual({ ...there, status: 'sent', class: null, waits: false })
})

test('while only the file waits, a cancel, a DỪNG or a dead process leaves the message sent', async () => {
  answerFile = () => tooFast
  const id = await started()
  await run()
  await cancelCampaign(deps, { campaignId: id, actor: 'cli' })
  expect(await row()).toEqual({ ...there, status: 'sent', class: 'words_only_cancelled', waits: false })

  asked = []
  await started()
  await run()
  await database.sql`UPDATE contact SET stopped_at = ${MORNING.toISOString()}::timestamptz`
  await database.sql`UPDATE pace_bucket SET hold_until_ms = 0`
  deps.clock.now = new Date(MORNING.getTime() + 61_000)
  await run()
  const stopped = await database.sql`SELECT status, class FROM recipient ORDER BY campaign_id DESC LIMIT 1`
  expect({ ...stopped[0] }).toEqual({ status: 'sent', class: 'words_only_stopped' })
  expect(asked).toEqual(['words', 'file'])
  await database.sql`UPDATE contact SET stopped_at = NULL`

  const third = await started()
  await run()
  await database.sql`UPDATE recipient SET not_before = NULL WHERE campaign_id = ${third}`
  await database.sql`
    INSERT INTO recipient_batch (id, commune_id, campaign_id, account_id, claimed_by, claimed_at, person_ids, content_hashes)
    SELECT 'dead', commune_id, campaign_id, account_id, 999999, now(), ARRAY[person_id], ARRAY['x'] FROM recipient WHERE campaign_id = ${third}`
  await sweepCampaigns(deps)
  const dead = await database.sql`SELECT status, class FROM recipient WHERE campaign_id = ${third}`
  expect({ ...dead[0] }).toEqual({ status: 'sent', class: 'words_only_process_died' })
  expect((await campaignProgress(deps, third))?.statuses.sent).toBe(1)
})

test('parts: a picture keeps its words as long as they fit, a file on Zalo never, and what is tapped stands last', () => {
  const image = { ...attachment, kind: 'image' as const }
  const long = 'dài '.repeat(400).trim()
  const split = (text: string) => [text]
  const shape = (abilities: typeof zaloAbilities, message: OutboundMessage) =>
    partsOf({ abilities, split }, message).map((part) => [part.text.length, part.attachment?.kind ?? null, part.choices?.length ?? 0])
  const choices = [{ number: '1', label: 'Xong', payload: 'p' }]
  expect(shape(zaloAbilities, { text: long, attachment: image })).toEqual([[long.length, 'image', 0]])
  expect(shape(zaloAbilities, { text: 'a', attachment })).toEqual([
    [1, null, 0],
    [0, 'file', 0],
  ])
  expect(shape(telegramAbilities, { text: 'a', attachment })).toEqual([[1, 'file', 0]])
  expect(shape(telegramAbilities, { text: long, attachment: image })).toEqual([
    [long.length, null, 0],
    [0, 'image', 0],
  ])
  expect(shape(telegramAbilities, { text: long, attachment, choices })).toEqual([
    [0, 'file', 0],
    [long.length, null, 1],
  ])
  expect(partsOf({ abilities: zaloAbilities, split: () => ['a', 'b'] }, { text: 'ab', choices })).toEqual([
    { text: 'a' },
    { text: 'b', choices },
  ])
})

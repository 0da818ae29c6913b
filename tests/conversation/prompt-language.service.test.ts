import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { exportLedger } from '../../src/outreach/export-ledger.ts'
import { findUnitByCode } from '../../src/registry/units.ts'
import { importClips, loadClips } from '../../src/registry/voice-clips.ts'
import { exportAnswers } from '../../src/reports/export-answers.ts'
import { notDone } from '../../src/reports/not-done.ts'
import { loadStatistics } from '../../src/reports/statistics.ts'
import { readTally, TALLY_VIEWS } from '../../src/reports/tally.ts'
import { startTestCampaign } from '../outreach/commune.ts'
import { withoutPace, withRole } from '../outreach/staff.ts'
import { type Bot, REGISTRATION, startBot } from '../support/bot.ts'

// The language somebody hears the questions in hints at where they come from: it is kept sealed, and no figure, list or file tells it

const SAMPLE = join(import.meta.dirname, '../../flows/voice-sample')
const CODE = 'hmv'
const NAMES = /hmv|mông|mong d|hmong/iu
const NOW = new Date('2026-11-22T02:00:00Z')
const WAIT = { timeout: 15_000, interval: 20 }
const folder = mkdtempSync(join(tmpdir(), 'prompt-language-'))

let bot: Bot
let people: Awaited<ReturnType<Bot['person']>>[]
let officer: Awaited<ReturnType<Bot['person']>>
let campaignId: number
beforeAll(async () => {
  const clips = join(folder, 'clips')
  cpSync(join(SAMPLE, 'vie'), join(clips, 'vie'), { recursive: true })
  cpSync(join(SAMPLE, 'vie'), join(clips, CODE), { recursive: true })
  bot = await startBot({ clock: { now: () => NOW.getTime() } })
  await withoutPace(bot)
  await importClips(bot.app.deps.database.db, { clips: (await loadClips(clips, () => true)).clips, sample: true, actor: 'test', now: NOW })
  people = []
  for (const name of ['Giàng Thị Nghe', 'Lò Văn Pâng']) {
    const person = await bot.person(name)
    await person.talk(...REGISTRATION.map((text) => (text === 'Lò Văn Pâng' ? name : text)), '1', '2')
    people.push(person)
  }
  officer = await withRole(bot, 'Cán bộ', 'commune_reviewer', 'binh-lu')
  const communeId = (await findUnitByCode(bot.app.deps.database.db, 'binh-lu'))?.id ?? 0
  campaignId = await startTestCampaign(bot.app.deps, { communeId }, 'Kính gửi {tên}')
  const open = () => bot.sql`SELECT 1 FROM recipient WHERE status = 'waiting' OR (status = 'sent' AND received_at IS NULL)
    UNION ALL SELECT 1 FROM campaign WHERE state = 'running'`
  await vi.waitFor(async () => {
    await bot.app.sweep()
    for (const one of [...people, officer]) await one.settle()
    expect(await open()).toEqual([])
  }, WAIT)
})
afterAll(async () => {
  await bot.close()
  rmSync(folder, { recursive: true })
})

/** Everything anybody is given about the people of the commune. */
async function reports(): Promise<string> {
  const { database } = bot.app.deps
  const { db } = database
  const unit = await findUnitByCode(db, 'binh-lu')
  if (!unit) throw new Error('there is no commune')
  const told: string[] = []
  for (const text of ['THỐNG KÊ', 'THỐNG KÊ Nà Đa', 'CHƯA LÀM', 'CHƯA LÀM Nà Đa', 'CHIẾN DỊCH', 'NHẮC']) told.push(await officer.say(text))
  const answers = join(folder, 'answers.csv')
  await exportAnswers(database, { unit, year: 2026, path: answers, actor: 'test', now: NOW, readAnswer: (answer) => answer })
  const ledger = join(folder, 'ledger.csv')
  await exportLedger(database, { campaignId, path: ledger, actor: 'test', now: NOW })
  const views = await Promise.all(TALLY_VIEWS.map((by) => readTally(db, unit, { year: 2026, title: 'CDHT', by })))
  const figures = [views, await loadStatistics(db, unit, { year: 2026, now: NOW }), await notDone(db, { unitId: unit.id, year: 2026 })]
  return [...told, readFileSync(answers, 'utf8'), readFileSync(ledger, 'utf8'), JSON.stringify(figures)].join('\n')
}

/** Where a language of prompts stands in clear in the database, besides the recordings themselves. */
async function tablesThatTell(): Promise<string[]> {
  const tables = await bot.sql<{ name: string }[]>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`
  const telling: string[] = []
  for (const { name } of tables.filter((table) => table.name !== 'voice_clip')) {
    const rows = await bot.sql<{ row: string }[]>`SELECT t::text AS row FROM ${bot.sql(name)} t`
    if (rows.some(({ row }) => NAMES.test(row))) telling.push(name)
  }
  return telling
}

const sealed = () => bot.sql<{ kept: Buffer | null }[]>`
  SELECT c.voice_language_enc AS kept FROM contact c JOIN person p ON p.id = c.person_id AND p.commune_id = c.commune_id ORDER BY p.name`

test('no export, report or figure is another one for the language somebody chose, and nothing of it stands in clear', async () => {
  const before = await reports()
  expect(before).toContain('Giàng Thị Nghe')
  expect(await tablesThatTell()).toEqual([])

  for (const person of people) {
    expect(await person.say('NGHE')).toMatch(NAMES)
    await person.say('Tiếng Mông Dô')
  }
  const [first, second] = (await sealed()).map(({ kept }) => kept)
  for (const kept of [first, second]) expect(kept && bot.app.deps.sealer.open(kept)).toBe(CODE)
  // Nobody can be counted by it either: the same choice looks different each time
  expect(first?.equals(second ?? Buffer.alloc(0))).toBe(false)
  expect(await tablesThatTell()).toEqual([])
  const after = await reports()
  expect(after).toBe(before)
  expect(after).not.toMatch(NAMES)
  const metrics = await (await fetch(`${bot.url}/metrics`, { headers: { authorization: 'Bearer metrics' } })).text()
  expect(metrics).toContain('hoc_tap_inbound_total')
  expect(metrics).not.toMatch(NAMES)
})

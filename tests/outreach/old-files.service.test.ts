import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { ATTACHMENTS, dropOldFiles } from '../../src/outreach/files.ts'
import { INSTALLATION, setSetting } from '../../src/registry/settings.ts'
import { type Bot, startBot } from '../support/bot.ts'
import { createClock, registered, withoutPace, withRole } from './staff.ts'

// What officers sent for notices: kept while a notice needs it, and for some time after
const clock = createClock('2026-11-24T10:00:00+07:00')
const exportsDir = mkdtempSync(join(tmpdir(), 'old-files-'))
const folder = join(exportsDir, ATTACHMENTS)
const DAY_HOURS = 24
let bot: Bot
let officer: Awaited<ReturnType<Bot['person']>>

beforeAll(async () => {
  bot = await startBot({ clock, rounds: false })
  bot.app.deps.exportsDir = exportsDir
  await withoutPace(bot)
  officer = await withRole(bot, 'Nguyễn Thị Hoa', 'commune_reviewer', 'binh-lu')
  await registered(bot, 'Lò Văn Pâng')
})
afterAll(async () => {
  await bot?.close()
  rmSync(exportsDir, { recursive: true, force: true })
})
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
})

const drop = () => dropOldFiles(bot.app.deps)
const kept = () => readdirSync(folder).sort()

/** A file that came so many days ago, and the notice that names it, as it stood then. */
async function file(name: string, daysAgo: number, campaign?: { state: string; touchedDaysAgo: number }): Promise<void> {
  const path = join(folder, name)
  writeFileSync(path, '%PDF-1.7')
  const came = clock.now() / 1_000 - daysAgo * 86_400
  utimesSync(path, came, came)
  if (!campaign) return
  const touched = new Date(clock.now() - campaign.touchedDaysAgo * 86_400_000).toISOString()
  // Named as it was before the folder was moved
  const attachment = JSON.stringify({ kind: 'file', name: 'giay-moi.pdf', contentType: 'application/pdf', path: `/truoc/${name}` })
  await bot.sql`
    INSERT INTO campaign (commune_id, text, attachment, rule, routes, state, created_at, updated_at)
    SELECT id, 'Mời họp', ${attachment}::text::jsonb, '{}', '{"nextContactDays":0,"billedWindow":false,"villageNotice":false}', ${campaign.state},
      ${touched}::timestamptz, ${touched}::timestamptz FROM unit WHERE level = 'xa'`
}

it('keeps what a notice under way needs, however old, and the rest for thirty days', async () => {
  await file('scheduled.pdf', 200, { state: 'scheduled', touchedDaysAgo: 200 })
  await file('running.pdf', 200, { state: 'running', touchedDaysAgo: 200 })
  await file('paused.pdf', 200, { state: 'paused', touchedDaysAgo: 200 })
  await file('draft-touched.pdf', 40, { state: 'draft', touchedDaysAgo: 29 })
  await file('done-lately.pdf', 40, { state: 'done', touchedDaysAgo: 29 })
  await file('draft-left.pdf', 40, { state: 'draft', touchedDaysAgo: 31 })
  await file('done.pdf', 40, { state: 'done', touchedDaysAgo: 31 })
  await file('cancelled.pdf', 40, { state: 'cancelled', touchedDaysAgo: 31 })
  await file('nobodys.pdf', 31)
  await file('nobodys-new.pdf', 29)
  const left = ['done-lately.pdf', 'draft-touched.pdf', 'nobodys-new.pdf', 'paused.pdf', 'running.pdf', 'scheduled.pdf']
  // Two processes at once, then one that begins where another died
  await Promise.all([drop(), drop()])
  expect(kept()).toEqual(left)
  await drop()
  expect(kept()).toEqual(left)
})

it('for as long as the setting says', async () => {
  await file('week.pdf', 8)
  await drop()
  expect(kept()).toEqual(['week.pdf'])
  await setSetting(bot.app.deps.database.db, {
    unitId: INSTALLATION,
    key: 'campaign.file_kept_days',
    value: 7,
    actor: 'test',
    now: clock.date(),
  })
  await drop()
  expect(kept()).toEqual([])
})

it('an officer who comes back to a draft whose file is gone is told so, and sends it again', async () => {
  const send = async () => {
    await bot.simulator.people.say(officer.id, bot.oaId, { kind: 'file', name: 'giay-moi.pdf', bytes: Buffer.from('%PDF-1.7 giấy mời') })
    return officer.settle()
  }
  await officer.talk('THÔNG BÁO', 'Mời bà con họp.', '2')
  await send()
  expect(await officer.say('1')).toContain('NGƯỜI NHẬN')
  expect(kept()).toHaveLength(1)
  clock.add(10 * DAY_HOURS)
  await drop()
  expect(kept()).toEqual([])
  await officer.say('THÔNG BÁO')
  const said = await officer.talk('4', '3', '1')
  expect(said).toContain('Không đọc được tệp đính kèm')
  expect(await send()).toContain('NGƯỜI NHẬN')
  expect(kept()).toHaveLength(1)
})

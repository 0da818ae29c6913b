import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadContent } from '../../src/content/load.ts'
import { createDb, type Database } from '../../src/db/connect.ts'
import { createClips, importClips, loadClips } from '../../src/registry/voice-clips.ts'
import { createTestDatabase } from '../support/postgres.ts'

const ROOT = join(import.meta.dirname, '../..')
const SAMPLE = join(ROOT, 'flows/voice-sample')
const now = new Date('2026-11-21T02:00:00Z')
const { texts } = loadContent(ROOT)
const hasKey = (key: string) => texts.vi.has(key)
const folder = mkdtempSync(join(tmpdir(), 'voice-test-'))
let database: Database
beforeAll(async () => {
  database = createDb(await createTestDatabase())
})
afterAll(async () => {
  await database.close()
  rmSync(folder, { recursive: true })
})

test('the sample recordings are whole: every question and answer of the villagers’ form, small and short', async () => {
  const { clips, problems } = await loadClips(SAMPLE, hasKey)
  expect(problems).toEqual([])
  expect(clips.reduce((sum, { sound }) => sum + sound.length, 0)).toBeLessThan(1_500_000)
  expect(clips.every(({ contentType, durationMs = 0 }) => contentType === 'audio/mpeg' && durationMs > 500 && durationMs < 20_000)).toBe(
    true,
  )
})

test('the same files again change nothing; a real recording takes the place of a sample', async () => {
  const { clips } = await loadClips(SAMPLE, hasKey)
  const put = (sample: boolean) => importClips(database.db, { clips, sample, actor: 'test', now })
  expect(await put(true)).toEqual({ created: clips.length, updated: 0, unchanged: 0 })
  expect(await put(true)).toEqual({ created: 0, updated: 0, unchanged: clips.length })
  expect(await put(false)).toEqual({ created: 0, updated: clips.length, unchanged: 0 })
  const store = createClips({ db: database.db, dir: join(folder, 'cache'), nowMs: () => now.getTime() })
  expect(await store.languages()).toEqual(['vie'])
  const found = await store.find('vie', 'cdht-g1-1.cntt.ask')
  const path = found && (await store.file(found.digest))
  expect(path && readFileSync(path).equals(readFileSync(join(SAMPLE, 'vie/cdht-g1-1.cntt.ask.mp3')))).toBe(true)
})

test('every bad file is named with its remedy', async () => {
  const bad = join(folder, 'bad')
  const good = join(SAMPLE, 'vie/cdht-g1-1.cntt.ask.mp3')
  for (const language of ['hmv', 'klingon']) mkdirSync(join(bad, language), { recursive: true })
  const put = (name: string, bytes: Buffer | string) => writeFileSync(join(bad, 'hmv', name), bytes)
  put('cdht-g1-1.cntt.chua.mp3', 'not a sound at all, only words')
  put('cdht-g1-1.cntt.ask.ogg', readFileSync(good))
  put('cdht-g1-1.nothing.ask.mp3', readFileSync(good))
  put('cdht-g1-1.ke_hoach.ask.wav', readFileSync(good))
  put('cdht-g1-1.ke_hoach.chua.mp3', Buffer.alloc(1024 * 1024 + 1))
  put('cdht-g1-1.tham_gia.ask.mp3', Buffer.concat(Array.from({ length: 12 }, () => readFileSync(good))))
  cpSync(good, join(bad, 'hmv', 'cdht-g1-1.tham_gia.chua.mp3'))
  const { clips, problems } = await loadClips(bad, hasKey)
  expect(clips.map(({ textKey }) => textKey)).toEqual(['cdht-g1-1.tham_gia.chua'])
  expect(problems.map(({ file, problem }) => [file, problem.split(/[;,]/)[0]])).toEqual([
    ['hmv/cdht-g1-1.cntt.ask.ogg', 'is mp3 inside'],
    ['hmv/cdht-g1-1.cntt.chua.mp3', 'is no sound of these kinds'],
    ['hmv/cdht-g1-1.ke_hoach.ask.wav', 'ends in none of .mp3 .m4a .ogg .aac'],
    ['hmv/cdht-g1-1.ke_hoach.chua.mp3', 'has 1025 kB'],
    ['hmv/cdht-g1-1.nothing.ask.mp3', 'there is no text cdht-g1-1.nothing.ask'],
    ['hmv/cdht-g1-1.tham_gia.ask.mp3', expect.stringMatching(/^lasts \d+ s$/)],
    ['klingon/', 'is no language'],
  ])
})

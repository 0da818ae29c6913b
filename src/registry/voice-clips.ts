import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { eq, inArray, sql } from 'drizzle-orm'
import { z } from 'zod'
import languagesFile from '../../flows/voice-languages.json' with { type: 'json' }
import type { Db, DbOrTx } from '../db/connect.ts'
import { audit, NO_COMMUNE, voiceClip } from '../db/schema.ts'
import { probeSound } from '../lib/audio.ts'

const Languages = z.object({
  languages: z.array(z.object({ code: z.string().regex(/^[a-z]{3}$/), vi: z.string(), en: z.string() }).strict()).min(1),
})

/** Languages prompts may be recorded in, in the order they are offered. ISO 639-3. */
export const VOICE_LANGUAGES = Languages.parse(languagesFile).languages

// A minute of clear speech at 64 kbit/s is half of it; a phone on a weak network still loads it
const MAX_BYTES = 1024 * 1024
// One question and its answers, read calmly; longer ones are not listened to
const MAX_MS = 30_000
const EXTENSIONS = new Set(['.mp3', '.m4a', '.ogg', '.aac'])

/** A recording read from a folder, checked. */
export type ClipFile = {
  language: string
  textKey: string
  fileName: string
  contentType: string
  sound: Buffer
  digest: string
  durationMs: number | undefined
}

export type ClipProblem = { file: string; problem: string }

/**
 * Reads `<folder>/<language>/<text key>.<mp3|m4a|ogg|aac>`. Every file must be right: one that is not is named with its remedy, and nothing
 * is taken. `hasKey` says which texts there are.
 */
export async function loadClips(folder: string, hasKey: (key: string) => boolean): Promise<{ clips: ClipFile[]; problems: ClipProblem[] }> {
  const clips: ClipFile[] = []
  const problems: ClipProblem[] = []
  for (const language of (await readdir(folder)).sort()) {
    const dir = join(folder, language)
    if (language.startsWith('.') || !(await stat(dir)).isDirectory()) continue
    if (!VOICE_LANGUAGES.some(({ code }) => code === language)) {
      const codes = VOICE_LANGUAGES.map(({ code }) => code).join(', ')
      problems.push({ file: `${language}/`, problem: `is no language; name the folder after one of ${codes}` })
      continue
    }
    const seen = new Map<string, string>()
    for (const name of (await readdir(dir)).sort()) {
      if (name.startsWith('.') || name.endsWith('.md') || name.endsWith('.txt')) continue
      const file = `${language}/${name}`
      const read = await readClip(join(dir, name), hasKey)
      if ('problem' in read) problems.push({ file, problem: read.problem })
      else if (seen.has(read.textKey))
        problems.push({ file, problem: `is the same text as ${seen.get(read.textKey)}; keep one of the two` })
      else {
        seen.set(read.textKey, name)
        clips.push({ language, ...read })
      }
    }
  }
  if (clips.length === 0 && problems.length === 0) {
    problems.push({ file: folder, problem: 'holds no recordings; they stand in folders by language, e.g. hmv/cdht-g1-1.cntt.ask.mp3' })
  }
  return { clips, problems }
}

async function readClip(path: string, hasKey: (key: string) => boolean): Promise<Omit<ClipFile, 'language'> | { problem: string }> {
  const extension = extname(path).toLowerCase()
  const textKey = basename(path).slice(0, -extension.length || undefined)
  if (!EXTENSIONS.has(extension)) return { problem: 'ends in none of .mp3 .m4a .ogg .aac; record it as one of these' }
  if (!hasKey(textKey)) return { problem: `there is no text ${textKey}; "voice script" prints the names of all files` }
  const { size } = await stat(path)
  if (size > MAX_BYTES)
    return {
      problem: `has ${Math.ceil(size / 1024)} kB, at most ${MAX_BYTES / 1024} are taken; record it at a lower quality (64 kbit/s, one channel)`,
    }
  const sound = await readFile(path)
  const probed = probeSound(sound)
  if (!probed) return { problem: 'is no sound of these kinds, whatever its name says; save it again as mp3' }
  if (`.${probed.type}` !== extension) return { problem: `is ${probed.type} inside; call it ${textKey}.${probed.type}` }
  if (probed.durationMs !== undefined && probed.durationMs > MAX_MS)
    return { problem: `lasts ${Math.round(probed.durationMs / 1000)} s, at most ${MAX_MS / 1000} are taken; record only this text` }
  const digest = createHash('sha256').update(sound).digest('hex')
  return { textKey, fileName: basename(path), contentType: probed.contentType, sound, digest, durationMs: probed.durationMs }
}

export type ImportClipsArgs = { clips: readonly ClipFile[]; sample: boolean; actor: string; now: Date }

/** Puts recordings in force, all or none. The same files again change nothing; a real one takes the place of a sample. */
export async function importClips(
  db: DbOrTx,
  { clips, sample, actor, now }: ImportClipsArgs,
): Promise<{ created: number; updated: number; unchanged: number }> {
  const languages = [...new Set(clips.map(({ language }) => language))]
  if (languages.length === 0) return { created: 0, updated: 0, unchanged: 0 }
  return db.transaction(async (tx) => {
    const known = await tx
      .select({ language: voiceClip.language, textKey: voiceClip.textKey, digest: voiceClip.digest, sample: voiceClip.sample })
      .from(voiceClip)
      .where(inArray(voiceClip.language, languages))
    const before = new Map(known.map((row) => [`${row.language}/${row.textKey}`, row]))
    const counts = { created: 0, updated: 0, unchanged: 0 }
    for (const clip of clips) {
      const old = before.get(`${clip.language}/${clip.textKey}`)
      if (old?.digest === clip.digest && old.sample === sample) {
        counts.unchanged += 1
        continue
      }
      counts[old ? 'updated' : 'created'] += 1
      const row = { ...clip, durationMs: clip.durationMs ?? null, sample, importedAt: now }
      await tx
        .insert(voiceClip)
        .values(row)
        .onConflictDoUpdate({ target: [voiceClip.language, voiceClip.textKey], set: row })
    }
    if (counts.created + counts.updated > 0)
      await tx
        .insert(audit)
        .values({ communeId: NO_COMMUNE, at: now, actor, action: 'voice.import', subject: null, detail: { ...counts, sample } })
    return counts
  })
}

/** A recording as a page or message refers to it. */
export type ClipRef = { digest: string; contentType: string; fileName: string; sample: boolean }
export type ClipSound = { contentType: string; sound: Buffer }

export type Clips = {
  /** Languages with recordings, in the order of the table. */
  languages(): Promise<string[]>
  find(language: string, textKey: string): Promise<ClipRef | undefined>
  /** The sound of a digest; kept at hand, all of it is a few megabytes. */
  load(digest: string): Promise<ClipSound | undefined>
  /** Where the sound of a digest lies on this machine, for a platform that takes files; written when it is first wanted. */
  file(digest: string): Promise<string | undefined>
}

// A recording that was just imported is heard within this time
const KEPT_MS = 10_000
const MOST_SOUNDS = 400

/** Recordings for everybody who asks, read from the database once in a while. */
export function createClips({ db, dir, nowMs }: { db: Db; dir: string; nowMs: () => number }): Clips {
  let index: Promise<Map<string, ClipRef>> | undefined
  let until = 0
  const sounds = new Map<string, ClipSound>()

  function read(): Promise<Map<string, ClipRef>> {
    if (index && until > nowMs()) return index
    until = nowMs() + KEPT_MS
    const { language, textKey, digest, contentType, fileName, sample } = voiceClip
    const loading = db
      .select({ language, textKey, digest, contentType, fileName, sample })
      .from(voiceClip)
      .then((rows) => new Map(rows.map(({ language, textKey, ...clip }) => [`${language}/${textKey}`, clip])))
    loading.catch(() => {
      index = undefined
    })
    index = loading
    return loading
  }

  async function load(digest: string): Promise<ClipSound | undefined> {
    const known = sounds.get(digest)
    if (known) return known
    const [row] = await db
      .select({ contentType: voiceClip.contentType, sound: voiceClip.sound })
      .from(voiceClip)
      .where(eq(voiceClip.digest, digest))
      .limit(1)
    if (!row) return undefined
    const oldest = sounds.size >= MOST_SOUNDS ? sounds.keys().next().value : undefined
    if (oldest !== undefined) sounds.delete(oldest)
    sounds.set(digest, row)
    return row
  }

  return {
    load,
    async file(digest) {
      const path = join(dir, digest)
      if (existsSync(path)) return path
      const found = await load(digest)
      if (!found) return undefined
      await mkdir(dir, { recursive: true, mode: 0o700 })
      await writeFile(`${path}.${process.pid}`, found.sound, { mode: 0o600 })
      await rename(`${path}.${process.pid}`, path)
      return path
    },
    async languages() {
      const present = new Set([...(await read()).keys()].map((key) => key.slice(0, 3)))
      return VOICE_LANGUAGES.flatMap(({ code }) => (present.has(code) ? [code] : []))
    },
    find: async (language, textKey) => (await read()).get(`${language}/${textKey}`),
  }
}

/** How many recordings there are, by language. */
export async function countClips(db: DbOrTx): Promise<{ language: string; n: number; samples: number }[]> {
  return db
    .select({
      language: voiceClip.language,
      n: sql<number>`count(*)::int`,
      samples: sql<number>`count(*) FILTER (WHERE ${voiceClip.sample})::int`,
    })
    .from(voiceClip)
    .groupBy(voiceClip.language)
    .orderBy(voiceClip.language)
}

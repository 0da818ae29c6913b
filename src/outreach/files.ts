import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import type { Deps } from '../conversation/deps.ts'
import { Action, mayDo, rolesOf } from '../registry/roles.ts'
import { getSetting, INSTALLATION } from '../registry/settings.ts'
import { unitPath } from '../registry/units.ts'

/** A file for one officer, for a day: signed, and the role is asked again when it is opened (contract, section 3). */
const Token = z.tuple([z.string(), z.number(), Action, z.number(), z.number()])

const PURPOSE = 'file'
const DAY_MS = 24 * 3_600_000
const LIFE_MS = DAY_MS

export type FileFor = { name: string; bytes: Buffer | string; contactId: number; action: Action; unitId: number }

/** Keeps a file for a day, for this machine's processes; gives its place on disk. */
export async function keepFile(deps: Pick<Deps, 'exportsDir'>, file: Pick<FileFor, 'name' | 'bytes'>): Promise<string> {
  const folder = join(deps.exportsDir, 'files')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${randomBytes(12).toString('hex')}-${basename(file.name)}`)
  await writeFile(path, file.bytes, { mode: 0o600 })
  return path
}

/** Keeps a file and gives the address it can be fetched at. */
export async function offerFile(deps: Pick<Deps, 'exportsDir' | 'sealer' | 'publicUrl' | 'now'>, file: FileFor): Promise<string> {
  const stored = basename(await keepFile(deps, file))
  const expires = deps.now().getTime() + LIFE_MS
  const body = Buffer.from(JSON.stringify([stored, file.contactId, file.action, file.unitId, expires])).toString('base64url')
  return `${deps.publicUrl()}/f/${body}.${deps.sealer.sign(PURPOSE, body)}`
}

export type OpenedFile = { name: string; path: string; contentType: string }

/** The file of a token; undefined for a wrong or old one, and for an officer who is none any more. */
export async function openFile(
  deps: Pick<Deps, 'exportsDir' | 'sealer' | 'database' | 'now'>,
  token: string,
): Promise<OpenedFile | undefined> {
  const [body = '', signature = ''] = token.split('.')
  if (!deps.sealer.verify(PURPOSE, body, signature)) return undefined
  const { data } = Token.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString('utf8')))
  if (!data) return undefined
  const [stored, contactId, action, unitId, expires] = data
  const name = stored.slice(stored.indexOf('-') + 1)
  if (expires < deps.now().getTime()) return undefined
  const { db } = deps.database
  if (!mayDo(await rolesOf(db, contactId), action, await unitPath(db, unitId))) return undefined
  const path = join(deps.exportsDir, 'files', basename(stored))
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ? { name, path, contentType: typeOf(name) } : undefined
}

const TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  png: 'image/png',
  jpg: 'image/jpeg',
  pdf: 'application/pdf',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
}
const typeOf = (name: string) => TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream'

// Sheets for leaders: long enough for one whose window opens late in a campaign's life
const NOTICE_LIFE_MS = 60 * DAY_MS
/** The folder of those sheets. */
export const NOTICES = 'village-notices'

/** The folder of what officers sent for their notices. */
export const ATTACHMENTS = 'notices'

type DropDeps = Pick<Deps, 'exportsDir' | 'now' | 'database'>

/** Removes files whose links have run out, sheets nobody waits for any more, and attachments of notices that are over. Safe to repeat. */
export async function dropOldFiles(deps: DropDeps): Promise<void> {
  for (const path of await olderThan(deps, 'files', LIFE_MS)) await rm(path, { force: true })
  for (const path of await olderThan(deps, NOTICES, NOTICE_LIFE_MS)) await rm(path, { force: true })
  await dropAttachments(deps)
}

/**
 * A notice that is scheduled or under way needs its file, however old; a draft and one that ended keep theirs for a while. A file nobody names
 * was left by a process that died, or was sent and replaced. One that is asked for after all is missed with a sentence (check-draft.ts).
 */
async function dropAttachments(deps: DropDeps): Promise<void> {
  const { sql, db } = deps.database
  const keptMs = (await getSetting(db, INSTALLATION, 'campaign.file_kept_days')) * DAY_MS
  const old = await olderThan(deps, ATTACHMENTS, keptMs)
  if (old.length === 0) return
  const since = new Date(deps.now().getTime() - keptMs).toISOString()
  // By the name alone, which is random: the folder may have been moved
  const needed = await sql<{ name: string }[]>`
    SELECT name FROM campaign, LATERAL (SELECT regexp_replace(attachment->>'path', '^.*/', '') AS name) file
    WHERE name IN ${sql(old.map((path) => basename(path)))}
      AND (state IN ('scheduled', 'running', 'paused') OR greatest(updated_at, finished_at) > ${since}::timestamptz)`
  const keep = new Set(needed.map((row) => row.name))
  for (const path of old) if (!keep.has(basename(path))) await rm(path, { force: true })
}

async function olderThan({ exportsDir, now }: Pick<Deps, 'exportsDir' | 'now'>, name: string, lifeMs: number): Promise<string[]> {
  const folder = join(exportsDir, name)
  const old: string[] = []
  for (const file of await readdir(folder).catch(() => [])) {
    const path = join(folder, file)
    const found = await stat(path).catch(() => undefined)
    if (found && now().getTime() - found.mtimeMs > lifeMs) old.push(path)
  }
  return old
}

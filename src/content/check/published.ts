import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../files.ts'
import type { Problem } from './problem.ts'

type VersionFile = { file: string; value: unknown }

// Digests of version files people may be in, by file
const LOCK = 'flows/published.json'
const Lock = z.record(z.string(), z.string())

/** A published version never changes and never goes: somebody may be in the middle of it. */
export function checkPublished(root: string, files: readonly VersionFile[]): Problem[] {
  return Object.entries(readLock(root)).flatMap(([file, digest]): Problem[] => {
    const found = files.find((item) => item.file === file)
    if (!found) return [{ file, wrong: 'was published and is gone or cannot be read', remedy: 'put it back as it was' }]
    if (digestOf(found.value) === digest) return []
    return [{ file, wrong: 'was published and has changed', remedy: 'put it back as it was and make the change in a new version' }]
  })
}

/** Closes every version that is there now. Returns those that were not closed before. */
export function publish(root: string, files: readonly VersionFile[]): string[] {
  const lock = readLock(root)
  const fresh = files.filter(({ file }) => lock[file] === undefined)
  for (const { file, value } of fresh) lock[file] = digestOf(value)
  const sorted = Object.fromEntries(Object.entries(lock).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(join(root, LOCK), `${JSON.stringify(sorted, null, 2)}\n`)
  return fresh.map(({ file }) => file)
}

function readLock(root: string): Record<string, string> {
  return existsSync(join(root, LOCK)) ? Lock.parse(readJson(join(root, LOCK))) : {}
}

// How else people say an answer, and what officers note about a set, may grow: neither changes what was asked or what it counts
const FREE: ReadonlySet<string> = new Set(['phrases', 'note', 'status', 'legal_basis'])

function digestOf(value: unknown): string {
  const text = JSON.stringify(value, (key, item: unknown) => (FREE.has(key) ? undefined : item))
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

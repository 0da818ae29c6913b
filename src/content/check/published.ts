import { createHash } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../files.ts'
import type { Problem } from './problem.ts'

/** A version as it stands in its file. */
export type VersionFile = { file: string; json: unknown }

// Digests of version files people may be in, by file
const LOCK = 'flows/published.json'
const Lock = z.record(z.string(), z.string())

/** A published version never changes and never goes: somebody may be in the middle of it. */
export function checkPublished(root: string, files: readonly VersionFile[]): Problem[] {
  return Object.entries(readLock(root)).flatMap(([file, digest]): Problem[] => {
    const found = files.find((item) => item.file === file)
    if (!found) return [{ file, wrong: 'was published and is gone or cannot be read', remedy: 'put it back as it was' }]
    if (digestOf(found.json) === digest) return []
    return [{ file, wrong: 'was published and has changed', remedy: 'put it back as it was and make the change in a new version' }]
  })
}

/** Closes every version that is there now. Returns those that were not closed before. */
export function publish(root: string, files: readonly VersionFile[]): string[] {
  const lock = readLock(root)
  const fresh = files.filter(({ file }) => lock[file] === undefined)
  for (const { file, json } of fresh) lock[file] = digestOf(json)
  const sorted = Object.fromEntries(Object.entries(lock).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(join(root, LOCK), `${JSON.stringify(sorted, null, 2)}\n`)
  return fresh.map(({ file }) => file)
}

function readLock(root: string): Record<string, string> {
  return existsSync(join(root, LOCK)) ? Lock.parse(readJson(join(root, LOCK))) : {}
}

// How else people say an answer, and what officers note about a set, may grow: neither changes what was asked or what it counts
const FREE: ReadonlySet<string> = new Set(['phrases', 'note', 'status', 'legal_basis'])

/** The same for the same content, whatever its order and layout, and whatever the schema may come to fill in. */
function digestOf(json: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(inOrder(json)))
    .digest('hex')
    .slice(0, 16)
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => !FREE.has(key))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, inOrder(item)]))
}

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** A text key as it stands in the code; `*` where the code puts it together. */
export type KeyInCode = { pattern: string; file: string }

const KEY = /^[a-z][a-z0-9_-]*(?:\.[a-z0-9_*-]+)+$/
// What follows `action:` goes into the audit trail
const LITERAL = /(?<!action: )'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g

/**
 * The text keys that stand in our own source, so that nobody must keep a second list of them. `namespaces` are the first words of the
 * keys there are: other dotted strings are none of ours.
 */
export function findKeysInCode(sourceDir: string, folders: readonly string[], namespaces: ReadonlySet<string>): KeyInCode[] {
  const found: KeyInCode[] = []
  for (const folder of folders.filter((name) => existsSync(join(sourceDir, name)))) {
    for (const entry of readdirSync(join(sourceDir, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
      const path = join(entry.parentPath, entry.name)
      const source = readFileSync(path, 'utf8').replace(/^\s*(\/\/|\/?\*).*$/gm, '')
      for (const [, plain, template] of source.matchAll(LITERAL)) {
        const pattern = plain ?? template?.replace(/\$\{[^}]*\}/g, '*') ?? ''
        if (KEY.test(pattern) && namespaces.has(pattern.split('.')[0] ?? ''))
          found.push({ pattern, file: `src/${relative(sourceDir, path)}` })
      }
    }
  }
  return found
}

export const matchesKey = (pattern: string, key: string): boolean =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.+')}$`).test(key)

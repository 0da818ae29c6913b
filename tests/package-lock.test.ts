import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      optional: z.boolean().optional(),
      os: z.array(z.string()).optional(),
      cpu: z.array(z.string()).optional(),
      optionalDependencies: z.record(z.string(), z.string()).optional(),
    }),
  ),
})
const { packages } = lockSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', 'package-lock.json'), 'utf8')))

// `npm install` leaves out packages for other platforms that its registry does not carry, and then `npm ci` refuses the file.
// Remedy: add the entry by hand with version, os, cpu and "optional": true; npm keeps it from then on.
test('every optional dependency is locked, so that `npm ci` accepts the file everywhere', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name, range]) => sameMajor(find(path, name)?.version, range) === false)
      .map(([name, range]) => `${name}@${range} of ${path}`),
  )
  expect(missing).toEqual([])
})

test('what is installed on every platform has a checksum, and nothing names a registry', () => {
  const entries = Object.entries(packages).filter(([path]) => path !== '')
  expect(entries.filter(([, entry]) => !entry.integrity && !(entry.optional && entry.os && entry.cpu)).map(([path]) => path)).toEqual([])
  expect(entries.filter(([, entry]) => entry.resolved).map(([path]) => path)).toEqual([])
})

/** The entry Node would load for `name` from the package at `path`. */
function find(path: string, name: string) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const found = packages[`${folder && `${folder}/`}node_modules/${name}`]
    if (found || folder === '') return found
  }
}

function sameMajor(version: string | undefined, range: string): boolean {
  const major = /\d+/.exec(range)?.[0]
  return version !== undefined && (major === undefined || version.split('.')[0] === major)
}

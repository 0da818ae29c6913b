import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const ROOT = new URL('../../', import.meta.url)

it('finds the same modules as without it', () => {
  const parts = ['drizzle-orm', 'drizzle-orm/pg-core', 'drizzle-orm/postgres-js', 'drizzle-orm/postgres-js/migrator', 'fastify', 'zod']
  const list = `console.log(JSON.stringify(await Promise.all(${JSON.stringify(parts)}.map(async (part) => Object.keys(await import(part))))))`
  const run = (code: string) => execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8', cwd: ROOT })
  const quickly = run(`const { loadQuickly } = await import('${new URL('src/lib/load-quickly.ts', ROOT)}'); loadQuickly(); ${list}`)
  expect(JSON.parse(quickly).every((names: string[]) => names.length > 0)).toBe(true)
  expect(quickly).toBe(run(list))
})

it('may take the .js files of the large package for modules', () => {
  const { type } = JSON.parse(readFileSync(new URL('node_modules/drizzle-orm/package.json', ROOT), 'utf8')) as { type: string }
  expect(type).toBe('module')
})

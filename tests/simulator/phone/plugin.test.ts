import { readdirSync, readFileSync } from 'node:fs'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { phonePage } from '../../../src/simulator/phone/plugin.ts'

const folder = new URL('../../../src/simulator/phone/', import.meta.url)
const served = readdirSync(folder).filter((name) => /\.(js|css|html|svg)$/.test(name))

async function createApp() {
  const app = fastify()
  await app.register(phonePage)
  return app
}

test('every file of the page is served with its type and a policy that lets nothing else in', async () => {
  const app = await createApp()
  const types: Record<string, string> = { js: 'text/javascript', css: 'text/css', html: 'text/html', svg: 'image/svg+xml' }
  for (const name of served) {
    const answer = await app.inject(name === 'index.html' ? '/' : `/${name}`)
    expect(answer.statusCode, name).toBe(200)
    expect(answer.headers['content-type'], name).toContain(types[name.split('.').at(-1)!])
    expect(answer.headers['content-security-policy'], name).toContain("default-src 'none'; script-src 'self'")
    expect(answer.headers['x-content-type-options'], name).toBe('nosniff')
    expect(answer.body, name).toBe(readFileSync(new URL(name, folder), 'utf8'))
  }
})

test('nothing else in the folder can be asked for', async () => {
  const app = await createApp()
  for (const path of ['/plugin.ts', '/jsconfig.json', '/../account.ts', '/%2e%2e/account.ts']) {
    expect((await app.inject(path)).statusCode, path).toBe(404)
  }
})

test('what the page loads is on the page', () => {
  const imports = served.flatMap((name) => {
    const source = readFileSync(new URL(name, folder), 'utf8')
    return [...source.matchAll(/(?:from '\.\/|(?:src|href)=")([\w.-]+)['"]/g)].map(([, target]) => target!)
  })
  for (const target of imports) expect(served).toContain(target)
})

test("people's words never become markup, and no other host is named", () => {
  for (const name of served) {
    const source = readFileSync(new URL(name, folder), 'utf8')
    expect(source, name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function/)
    expect(source.replaceAll('http://www.w3.org/2000/svg', ''), name).not.toMatch(/(?:https?:)?\/\/[a-z0-9-]+\.[a-z]/i)
  }
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { accountInput, OA, startWebhook } from './start.ts'

const MAIN = fileURLToPath(new URL('../../src/simulator/main.ts', import.meta.url))

interface Running {
  child: ChildProcess
  platform: string
  person: string
}

async function run(args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  const [line] = await once(child.stdout, 'data')
  return { child, ...JSON.parse(String(line)) }
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
async function fetchJson(url: string, init?: RequestInit): Promise<any> {
  return (await fetch(url, init)).json()
}

function post(url: string, body: object) {
  return fetchJson(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

test('a process of its own: what it answered survives a kill -9, what the bot did not take is sent again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const webhook = await startWebhook()
  webhook.answer = 503
  const accounts = join(folder, 'accounts.json')
  writeFileSync(accounts, JSON.stringify([accountInput()]))
  const args = ['--accounts', accounts, '--webhook', webhook.url, '--journal', join(folder, 'journal.jsonl')]

  const first = await run(args)
  const { id } = await post(`${first.person}/phone/api/people`, { name: 'Giàng A Páo' })
  const said = await post(`${first.person}/phone/api/people/${id}/messages`, { oa_id: OA, kind: 'text', text: 'Xin chào' })
  const tokens = await post(`${first.person}/phone/control/tokens`, { oa_id: OA })
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')

  webhook.answer = 200
  const second = await run(args)
  await post(`${second.person}/phone/control/flush`, {})
  expect(webhook.received.at(-1)?.body.message.msg_id).toBe(said.msg_id)
  const messages = await fetchJson(`${second.person}/phone/api/people/${id}/messages?oa_id=${OA}`)
  expect(messages).toMatchObject([{ msg_id: said.msg_id, text: 'Xin chào' }])
  const oa = await fetchJson(`${second.platform}/v2.0/oa/getoa`, { headers: { access_token: tokens.access_token } })
  expect(oa.data.oa_id).toBe(OA)
  second.child.kill('SIGTERM')
  expect(await once(second.child, 'exit')).toEqual([0, null])
})

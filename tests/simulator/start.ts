import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { createSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'

export const OA = '1122334455667788990'
export const STATE_OA = '1122334455667788991'
// 2026-11-22 10:10:33 in Vietnam
export const START = 1_795_317_033_000
export const DAY_MS = 24 * 3_600_000

type AccountInput = SimulatorOptions['accounts'][number]

export function accountInput(changes: Partial<AccountInput> = {}): AccountInput {
  return {
    oaId: OA,
    name: 'UBND xã Bình Lư',
    appId: '1234567890123456789',
    appSecret: 'APP_SECRET_made_up',
    oaSecretKey: 'OA_SECRET_made_up_0001',
    oaType: 2,
    verified: true,
    package: 'growth',
    buttons: 'accepted',
    ...changes,
  }
}

/** A platform on a clock that stands still until it is advanced; closed with the test. */
export async function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const simulator = await createSimulator({ clock: { now: () => START }, seed: 1, accounts: [accountInput()], ...options })
  onTestFinished(() => simulator.close())
  return simulator
}

export interface Answer {
  status: number
  headers: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
  body: any
}

/** Calls the platform with a fresh token of the account. */
export async function call(
  simulator: Simulator,
  path: string,
  body?: unknown,
  options: { oaId?: string; token?: string } = {},
): Promise<Answer> {
  const token = options.token ?? simulator.account(options.oaId ?? OA).mintTokens().access_token
  const response = await simulator.platform.inject({
    method: body === undefined ? 'GET' : 'POST',
    url: path,
    headers: { access_token: token, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { payload: JSON.stringify(body) }),
  })
  return { status: response.statusCode, headers: response.headers, body: response.json() }
}

/** A person who just wrote to the account. */
export async function meet(simulator: Simulator, oaId = OA): Promise<{ id: string; userId: string }> {
  const person = simulator.people.create({ name: 'Giàng A Páo' })
  await simulator.people.say(person.id, oaId, { kind: 'text', text: 'Xin chào' })
  return { id: person.id, userId: simulator.people.thread(person.id, oaId).userId }
}

export function text(userId: string, message: unknown = { text: 'Chào bà con' }) {
  return { recipient: { user_id: userId }, message }
}

interface Received {
  headers: IncomingHttpHeaders
  raw: string
  // biome-ignore lint/suspicious/noExplicitAny: events are looked into field by field
  body: any
}

export interface Webhook {
  url: string
  received: Received[]
  /** what it answers from now on; `hang` never answers */
  answer: number | 'hang' | 'reset'
  names(): string[]
}

/** A receiver that remembers everything; closed with the test. */
export async function startWebhook(): Promise<Webhook> {
  const webhook: Webhook = { url: '', received: [], answer: 200, names: () => webhook.received.map(({ body }) => body.event_name ?? '{}') }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8')
      webhook.received.push({ headers: request.headers, raw, body: JSON.parse(raw) })
      if (webhook.answer === 'reset') request.socket.destroy()
      else if (webhook.answer !== 'hang') response.writeHead(webhook.answer).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  webhook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/zalo`
  return webhook
}

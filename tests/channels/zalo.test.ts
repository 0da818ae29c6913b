import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { createZaloChannel } from '../../src/channels/zalo/channel.ts'
import { parseZaloWebhook } from '../../src/channels/zalo/parse.ts'
import { createSimulator } from '../../src/simulator/simulator.ts'
import {
  createMemoryTokenStore,
  createOAuth,
  createTokenSource,
  createZaloClient,
  pairFromRefreshToken,
} from '../../src/zalo-oa-api-client/index.ts'
import { type ChannelHarness, describeChannel } from './describe-channel.ts'

const OA = '1122334455667788990'
const KEYS = { appId: '1234567890123456789', appSecret: 'APP_SECRET_made_up', oaSecretKey: 'OA_SECRET_made_up_0001' }
const START = Date.parse('2026-11-20T09:00:00+07:00')

async function createHarness(onButtonsRefused = () => {}): Promise<ChannelHarness & { refuse(times: number): void }> {
  // Never twice the same time, so that an order can be read from it
  let atMs = START
  const now = () => ++atMs
  const simulator = await createSimulator({
    clock: { now },
    seed: 1,
    accounts: [{ oaId: OA, name: 'UBND xã Bình Lư', ...KEYS, oaType: 2, verified: true, package: 'comprehensive', buttons: 'accepted' }],
  })
  const platformPort = Number(new URL(await simulator.platform.listen({ host: '127.0.0.1', port: 0 })).port)
  const line = await openLine(platformPort)
  const door = await openDoor()
  const account = simulator.account(OA)
  await account.saveWebhook(door.url)
  const tokens = account.mintTokens()
  const oauth = createOAuth({ appId: KEYS.appId, appSecret: KEYS.appSecret, oauthUrl: line.url })
  const client = createZaloClient({
    tokens: createTokenSource({ store: createMemoryTokenStore(pairFromRefreshToken(tokens.refresh_token)), oauth, now }),
    apiUrl: line.url,
    endpoint: 'v3.0',
    now,
  })
  const channel = createZaloChannel({ client, now, buttons: true, onButtonsRefused })
  const person = simulator.people.create({ name: 'Giàng A Páo' })
  // Whoever has never written cannot be written to
  await simulator.people.say(person.id, OA, { kind: 'text', text: 'chào' })
  await simulator.flush()
  const thread = () => simulator.people.thread(person.id, OA)
  const shown = () => thread().messages.filter((message) => message.from === 'oa')

  async function eventOf(act: () => unknown) {
    door.received.length = 0
    await act()
    await simulator.flush()
    for (const { raw, signature } of door.received) {
      const parsed = parseZaloWebhook(raw, signature, [{ externalId: OA, appId: KEYS.appId, oaSecretKey: KEYS.oaSecretKey }], atMs)
      const event = parsed.kind === 'events' ? parsed.events[0] : undefined
      if (event && (event.content.kind === 'text' || event.content.kind === 'tap')) return event
    }
    throw new Error('the platform reported nothing the person said')
  }

  return {
    channel,
    personId: thread().userId,
    shown: () => shown().map(({ text = '', buttons = [] }) => ({ text, choices: buttons.map((button) => button.title) })),
    say: (text) => eventOf(() => simulator.people.say(person.id, OA, { kind: 'text', text })),
    tap: (label) =>
      eventOf(() => {
        const message = shown().findLast((each) => each.buttons?.some((button) => button.title === label))
        const button = message?.buttons?.findIndex((each) => each.title === label)
        simulator.people.tap(person.id, { oaId: OA, messageId: message?.id ?? '', button })
      }),
    refuse: (times) => void simulator.faults.addCall({ endpoint: 'oa/message/cs', times, answer: { code: -201 } }),
    async fail(fault) {
      simulator.faults.clear()
      simulator.people.setBlocked(person.id, OA, false)
      const spoil = { endpoint: 'oa/message/cs', times: 1 }
      if (fault === 'blocked') return simulator.people.setBlocked(person.id, OA, true)
      if (fault === 'rate_limited') return void simulator.faults.addCall({ ...spoil, answer: { code: -32 } })
      if (fault === 'server_error') return void simulator.faults.addCall({ ...spoil, when: 'after', answer: { html: 502 } })
      if (fault === 'reset') return void simulator.faults.addCall({ ...spoil, when: 'after', answer: { reset: true } })
      if (fault === 'dead_token') return account.revokeTokens('both')
      if (fault === 'refused_connection') return line.cut()
      throw new Error(`unknown fault ${fault satisfies never}`)
    },
    nowMs: () => atMs,
    secrets: [KEYS.appSecret, KEYS.oaSecretKey, tokens.access_token, tokens.refresh_token],
    async close() {
      await channel.close()
      await line.cut()
      door.close()
      await simulator.close()
    },
  }
}

/** The way to the platform, which can be cut: then nobody listens there. */
async function openLine(port: number): Promise<{ url: string; cut(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async cut() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Takes what the platform reports, as it comes. */
async function openDoor() {
  const received: { raw: Buffer; signature: string | string[] | undefined }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    received.push({ raw: Buffer.concat(chunks), signature: request.headers['x-zevent-signature'] })
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/zalo`, received, close }
}

describeChannel('Zalo', () => createHarness())

describe('Buttons a Zalo account refuses', () => {
  const message = {
    text: 'Đúng chưa ạ?',
    choices: [{ number: '1', label: 'Đúng rồi', payload: '7.readback.dung' }],
    links: [{ label: 'Nghe', url: 'http://127.0.0.1:3000/nghe/abc' }],
  }
  const inText = `${message.text}\nNghe: ${message.links[0]?.url}`

  it('an address that is refused becomes a line of the text; answers stay buttons', async () => {
    const onRefused = vi.fn()
    const zalo = await createHarness(onRefused)
    try {
      zalo.refuse(1)
      expect(await zalo.channel.send(zalo.personId, message)).toMatchObject({ kind: 'sent' })
      expect(await zalo.channel.send(zalo.personId, message)).toMatchObject({ kind: 'sent' })
      const shown = { text: inText, choices: ['Đúng rồi'] }
      expect(await zalo.shown()).toEqual([shown, shown])
      expect(onRefused).not.toHaveBeenCalled()
    } finally {
      await zalo.close()
    }
  })

  it('where answers are refused as well, the text stands alone, and that is remembered', async () => {
    const onRefused = vi.fn()
    const zalo = await createHarness(onRefused)
    try {
      zalo.refuse(2)
      expect(await zalo.channel.send(zalo.personId, message)).toMatchObject({ kind: 'sent' })
      expect(await zalo.channel.send(zalo.personId, message)).toMatchObject({ kind: 'sent' })
      const shown = { text: inText, choices: [] }
      expect(await zalo.shown()).toEqual([shown, shown])
      expect(onRefused).toHaveBeenCalledOnce()
    } finally {
      await zalo.close()
    }
  })
})

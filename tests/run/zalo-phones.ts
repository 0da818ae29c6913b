import { Agent, type IncomingMessage, request } from 'node:http'
import type { Incoming, Phone, Phones } from './phone.ts'

type View = { msg_id: string; from: 'person' | 'oa' | 'staff'; at: number; kind: string; text?: string; buttons?: { title: string }[] }

/** Phones on the simulated Zalo platform, through its person door. */
export function createZaloPhones({ personUrl, oaId }: { personUrl: string; oaId: string }): Phones {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const call = (method: string, path: string, body?: object) => callJson(agent, method, `${personUrl}/phone${path}`, body)

  async function open(name: string): Promise<Phone> {
    const [person] = (await call('POST', '/control/people', { oa_id: oaId, count: 1, name, follow: false })) as {
      id: string
      user_id: string
    }[]
    if (!person) throw new Error('the platform made no person')
    const listeners: ((message: Incoming) => void)[] = []
    const stream = await openStream(`${personUrl}/phone/api/people/${person.id}/stream`, (event, view) => {
      if (event !== 'message' || view.from === 'person') return
      const message = { id: view.msg_id, at: view.at, text: view.text ?? '', buttons: (view.buttons ?? []).map((button) => button.title) }
      for (const listener of listeners) listener(message)
    })
    const act = async (path: string, body: object) => {
      const done = (await call('POST', `/api/people/${person.id}/${path}`, { oa_id: oaId, ...body })) as { at?: number }
      return done.at ?? Date.now()
    }
    return {
      channel: 'zalo',
      userId: person.user_id,
      say: (text) => act('messages', { kind: 'text', text }),
      sendMedia: (kind) => act('messages', { kind }),
      tap: (message, button) => act('tap', { msg_id: message.id, button }),
      arrive: () => act('follow', {}),
      onMessage: (listener) => listeners.push(listener),
      close: () => stream.destroy(),
    }
  }
  return { open }
}

/** JSON over loopback; any answer but 2xx is an error with the other side's sentence. */
export async function callJson(agent: Agent | undefined, method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body)
    const headers = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }
    const sent = request(url, { method, headers, ...(agent && { agent }) }, resolve)
    sent.once('error', reject)
    sent.end(payload)
  })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  const status = response.statusCode ?? 0
  if (status < 200 || status > 299) throw new Error(`${method} ${url} answered ${status}: ${text.slice(0, 300)}`)
  return text === '' ? undefined : JSON.parse(text)
}

/** Server-sent events; resolves when the stream is open. */
function openStream(url: string, onEvent: (event: string, view: View) => void): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { agent: false }, (response) => {
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        rest += chunk
        for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
          const block = rest.slice(0, end)
          rest = rest.slice(end + 2)
          const event = /^event: (.*)$/m.exec(block)?.[1]
          const data = /^data: (.*)$/m.exec(block)?.[1]
          if (event !== undefined && data !== undefined) onEvent(event, JSON.parse(data))
          else resolve(response)
        }
      })
      response.on('error', () => {})
    })
    sent.once('error', reject)
    sent.end()
  })
}

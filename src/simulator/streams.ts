import type { ServerResponse } from 'node:http'
import type { Message } from './world.ts'

/** Server-sent events to open phones. */
export interface Streams {
  open(personId: string, response: ServerResponse): void
  message(message: Message): void
  status(message: Message): void
  close(): void
}

export function createStreams(view: (message: Message) => object): Streams {
  const phones = new Map<string, Set<ServerResponse>>()

  function write(personId: string, event: string, body: () => object) {
    const responses = phones.get(personId)
    if (!responses) return
    const text = `event: ${event}\ndata: ${JSON.stringify(body())}\n\n`
    for (const response of responses) response.write(text)
  }

  return {
    open(personId, response) {
      const responses = phones.get(personId) ?? new Set()
      phones.set(personId, responses.add(response))
      response.on('close', () => {
        responses.delete(response)
        if (responses.size === 0 && phones.get(personId) === responses) phones.delete(personId)
      })
    },
    message: (message) => write(message.personId, 'message', () => ({ oa_id: message.oaId, ...view(message) })),
    status: (message) =>
      write(message.personId, 'status', () => ({ oa_id: message.oaId, msg_id: message.id, status: message.status, at: message.at })),
    close() {
      for (const responses of phones.values()) for (const response of responses) response.end()
      phones.clear()
    },
  }
}

import type { ServerResponse } from 'node:http'
import type { PersonApi } from './person.ts'
import type { Fault } from './server.ts'
import type { BotState } from './state.ts'

type Parts = { person: PersonApi; bot: BotState; addFault(fault: Fault): void; clearFaults(): void }

/**
 * The person's side over HTTP, for tests and load drivers in another process: `POST /control/<word>` with the arguments as a JSON array.
 * `person/text [555, "xin chào"]`, `person/start [555, "ap-huynh_01"]`, `person/tap [555, "Đúng"]`, `person/block [555]`, `person/outbox
 * [555]` and so on as in person.ts; `fault [{ "method": "sendMessage", "answer": { "html": 502 } }]`, `clear-faults []`, `counts []`.
 * Answers `{ "result": … }`, or 400 and `{ "error": … }`.
 */
export function createControl({ person, bot, addFault, clearFaults }: Parts) {
  const words: Record<string, (...args: never[]) => unknown> = {
    fault: addFault,
    'clear-faults': clearFaults,
    counts: () => ({ sent: bot.sentCount, pending: bot.pending.size, people: bot.people.size, openTaps: bot.openTaps.size }),
  }
  for (const [word, act] of Object.entries(person)) words[`person/${word}`] = act

  return async (word: string, body: Buffer, response: ServerResponse): Promise<void> => {
    const reply = (status: number, answer: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer, (key, value) => (key === 'bytes' ? undefined : value)))
    }
    try {
      const act = words[word]
      if (!act) throw new Error(`unknown word ${word}; known: ${Object.keys(words).join(', ')}`)
      const args = body.length > 0 ? JSON.parse(body.toString()) : []
      reply(200, { result: (await act(...(args as never[]))) ?? null })
    } catch (error) {
      reply(400, { error: error instanceof Error ? error.message : String(error) })
    }
  }
}

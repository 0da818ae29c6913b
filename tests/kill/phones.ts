import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { ACCOUNT } from '../run/processes.ts'
import type { ChatMessage } from '../support/telegram/state.ts'
import type { Platforms } from './roll.ts'

/** A message on a phone, whichever the platform. */
export type Delivery = {
  channel: 'zalo' | 'telegram'
  msg_id: string
  user_id: string
  from: string
  kind: string
  at: number
  text?: string
  buttons?: { title: string }[]
  elements?: { title: string }[]
}

/** What the phones of both platforms have received, kept in a file of one JSON line a message. */
export type PhoneRecord = { fetch(): Promise<void>; read(): Delivery[] }

/** Begins with what is received from now on. */
export function openRecord({ simulator, telegram }: Platforms, path: string): PhoneRecord {
  let lastAt = 0
  const seen = new Set<string>()
  const add = (deliveries: readonly Delivery[]) =>
    appendFileSync(path, deliveries.map((delivery) => `${JSON.stringify(delivery)}\n`).join(''))
  writeFileSync(path, '')
  telegram.bot.events.on('bot_message', ({ message_id, text = '' }: ChatMessage, chatId: number) => {
    const id = `${chatId}:${message_id}`
    add([{ channel: 'telegram', msg_id: id, user_id: String(chatId), from: 'oa', kind: 'text', at: Date.now(), text }])
  })
  return {
    /** Those of Zalo since the last time; the last millisecond comes again and is told by its ids. Telegram's are there already. */
    async fetch() {
      const response = await fetch(`${simulator.personUrl}/phone/control/transcript?oa_id=${ACCOUNT.oaId}&after=${lastAt - 1}`)
      if (!response.ok) throw new Error(`the transcript answered ${response.status}`)
      const fresh = parseDeliveries(await response.text()).filter(({ msg_id }) => !seen.has(msg_id))
      for (const { msg_id, at } of fresh) {
        seen.add(msg_id)
        lastAt = Math.max(lastAt, at)
      }
      add(fresh.map((delivery) => ({ ...delivery, channel: 'zalo' })))
    },
    read: () => parseDeliveries(readFileSync(path, 'utf8')),
  }
}

export const parseDeliveries = (lines: string): Delivery[] =>
  lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Delivery]))

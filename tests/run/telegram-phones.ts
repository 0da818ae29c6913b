import type { TelegramServer } from '../support/telegram/server.ts'
import type { ChatMessage } from '../support/telegram/state.ts'
import type { Incoming, Phone, Phones } from './phone.ts'

// Far from the ids of messages, so that nobody takes one for the other
const FIRST_PERSON = 500_000_001

/** Phones on our own Bot API server, which runs in this process. */
export function createTelegramPhones({ person, bot }: Pick<TelegramServer, 'person' | 'bot'>): Phones {
  let next = FIRST_PERSON
  const listeners = new Map<number, ((message: Incoming) => void)[]>()
  bot.events.on('bot_message', (message: ChatMessage, chatId: number) => {
    const shown = {
      id: String(message.message_id),
      at: Date.now(),
      text: message.text ?? message.caption ?? '',
      buttons: labelsOf(message),
    }
    for (const listener of listeners.get(chatId) ?? []) listener(shown)
  })

  function open(name: string): Promise<Phone> {
    const id = next++
    person.meet(id, { first_name: name, started: false })
    listeners.set(id, [])
    const done = (act: () => unknown): Promise<number> => {
      const at = Date.now()
      act()
      return Promise.resolve(at)
    }
    return Promise.resolve({
      channel: 'telegram',
      userId: String(id),
      say: (text) => done(() => person.text(id, text)),
      sendMedia: (kind) => done(() => person.media(id, MEDIA[kind])),
      tap: (message, button) => done(() => person.tap(id, message.buttons[button] ?? '', Number(message.id))),
      arrive: () => done(() => person.start(id)),
      onMessage: (listener) => listeners.get(id)?.push(listener),
      close: () => void listeners.delete(id),
    })
  }
  return { open }
}

const labelsOf = ({ keyboard = [] }: ChatMessage) => keyboard.flat().map((button) => button.text)

const file = { file_id: 'file-1', file_unique_id: 'u1' }
const MEDIA = {
  sticker: { sticker: { ...file, width: 1, height: 1, is_animated: false, is_video: false, type: 'regular' } },
  voice: { voice: { ...file, duration: 2 } },
  image: { photo: [{ ...file, width: 90, height: 90 }] },
}

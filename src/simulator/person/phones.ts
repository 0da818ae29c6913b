import type { Chats } from '../chats.ts'
import type { Clock } from '../clock.ts'
import type { FileStore } from '../file-store.ts'
import type { Random } from '../random.ts'
import type { Store } from '../store.ts'
import { chatNowEvent, followEvent, reactedEvent, submitInfoEvent, withdrawEvent } from '../webhook/events.ts'
import type { WebhookSender } from '../webhook/sender.ts'
import { type ContactInfo, getAccount, getPerson, type Message, type Person, type Thread } from '../world.ts'
import { sampleFile } from './samples.ts'

interface Said {
  kind: 'text' | 'image' | 'gif' | 'location' | 'sticker' | 'voice' | 'file' | 'card'
  text?: string | undefined
  name?: string | undefined
  /** own bytes instead of the sample ones */
  bytes?: Buffer | undefined
  latitude?: string | undefined
  longitude?: string | undefined
  phone?: string | undefined
  /** answers that message ("Trả lời") */
  quote?: string | undefined
}

/** What people do with their phones. */
export interface Phones {
  create(person: { name: string; label?: string | undefined; phone?: string | undefined }): Person
  thread(personId: string, oaId: string): Thread
  say(personId: string, oaId: string, said: Said): Promise<Message>
  /** `button` counts from 0 over the message's buttons; `element` over a list's elements. */
  tap(personId: string, tap: { oaId: string; messageId: string; button?: number | undefined; element?: number | undefined }): Tapped
  follow(personId: string, oaId: string, options?: { quiet?: boolean }): Thread
  unfollow(personId: string, oaId: string): void
  clickChatNow(personId: string, oaId: string): void
  submitInfo(personId: string, oaId: string, info: ContactInfo): void
  react(personId: string, messageId: string, icon: string): void
  withdraw(personId: string, oaId: string): void
  setBlocked(personId: string, oaId: string, blocked: boolean): void
  setMuted(personId: string, oaId: string, muted: boolean): void
  setBanned(personId: string, banned: boolean): void
  setOnline(personId: string, online: boolean): void
  see(personId: string, oaId: string): void
  /** An officer answers by hand in the platform's own tool. */
  staffSays(oaId: string, to: string, says: { text: string; adminId: string }): Message
}

/** What a tap does: a message, or something the phone opens by itself. */
interface Tapped {
  message?: Message
  opens?: { type: string; target: string }
}

/** A person's wish that cannot be met, as a sentence. */
export class PhoneError extends Error {}

export interface PhonesDeps {
  store: Store
  clock: Clock
  random: Random
  chats: Chats
  webhook: WebhookSender
  files: FileStore
}

export function createPhones({ store, clock, random, chats, webhook, files }: PhonesDeps): Phones {
  const { world } = store

  function thread(personId: string, oaId: string): Thread {
    if (!world.people.has(personId)) throw new PhoneError(`There is no person ${personId}.`)
    if (!world.accounts.has(oaId)) throw new PhoneError(`There is no Official Account ${oaId}.`)
    return chats.meet(oaId, personId)
  }

  function relate(
    of: Thread,
    change: { follows?: boolean; left?: boolean; blocked?: boolean; muted?: boolean; shared?: ContactInfo; interaction?: number },
  ) {
    store.commit({ t: 'relation', oaId: of.oaId, personId: of.personId, ...change })
  }

  function about(of: Thread) {
    return { account: getAccount(world, of.oaId), thread: of, at: clock.now() }
  }

  function note(of: Thread, text: string) {
    chats.note(of, text)
  }

  function query(of: Thread, type: string, payload: unknown): Tapped {
    if (of.blocked) throw new PhoneError('This person has blocked the account.')
    const hidden = type === 'oa.query.hide' ? ({ hidden: true } as const) : {}
    return { message: chats.fromPerson(of, { kind: 'text', text: String(payload), ...hidden }) }
  }

  return {
    thread,

    create({ name, label, phone }) {
      const id = random.digits()
      store.commit({ t: 'person', person: { id, name, ...(label !== undefined && { label }), ...(phone !== undefined && { phone }) } })
      return getPerson(world, id)
    },

    async say(personId, oaId, said) {
      const of = thread(personId, oaId)
      if (of.blocked) throw new PhoneError('This person has blocked the account.')
      const quote = said.quote === undefined ? {} : { quote: said.quote }
      switch (said.kind) {
        case 'text':
          if (!said.text) throw new PhoneError('A text message needs a text.')
          return chats.fromPerson(of, { kind: 'text', text: said.text, ...quote })
        case 'location': {
          const media = { latitude: said.latitude ?? '22.386500', longitude: said.longitude ?? '103.630200' }
          return chats.fromPerson(of, { kind: 'location', ...(said.text && { text: said.text }), media })
        }
        case 'sticker':
          return chats.fromPerson(of, {
            kind: 'sticker',
            media: { sticker: said.name ?? '46991', url: 'https://stickers.zaloapp.com/46991.png' },
          })
        case 'card': {
          const media = { phone: said.phone ?? '84900000000', url: 'https://zalo.me/84900000000', ...(said.name && { name: said.name }) }
          return chats.fromPerson(of, { kind: 'card', media })
        }
        case 'image':
        case 'gif':
        case 'voice':
        case 'file': {
          const sample = sampleFile(said.kind)
          const file = await files.save({ name: said.name ?? sample.name, type: sample.type, bytes: said.bytes ?? sample.bytes })
          const media = { fileId: file.id, name: file.name, size: file.size, checksum: file.checksum }
          return chats.fromPerson(of, { kind: said.kind, ...(said.text && { text: said.text }), media, ...quote })
        }
        default:
          return said.kind satisfies never
      }
    },

    tap(personId, { oaId, messageId, button, element }) {
      const of = thread(personId, oaId)
      const message = world.messages.get(messageId)
      if (message?.personId !== personId || message.oaId !== oaId)
        throw new PhoneError(`This person has no message ${messageId} from ${oaId}.`)
      const action = element === undefined ? message.buttons?.[button ?? -1] : message.elements?.[element]?.default_action
      if (!action) throw new PhoneError('There is nothing to tap there.')
      if (action.type === 'oa.query.show' || action.type === 'oa.query.hide') return query(of, action.type, action.payload)
      relate(of, { interaction: clock.now() })
      return { opens: { type: action.type, target: targetOf(action) } }
    },

    follow(personId, oaId, { quiet = false } = {}) {
      const of = thread(personId, oaId)
      if (of.follows) return of
      relate(of, { follows: true, blocked: false, interaction: clock.now() })
      if (quiet) return of
      note(of, 'Đã quan tâm')
      webhook.send(about(of).account, followEvent(about(of), 'follow'))
      return of
    },

    unfollow(personId, oaId) {
      const of = thread(personId, oaId)
      if (!of.follows) return
      relate(of, { follows: false, left: true })
      note(of, 'Đã bỏ quan tâm')
      webhook.send(about(of).account, followEvent(about(of), 'unfollow'))
    },

    clickChatNow(personId, oaId) {
      const of = thread(personId, oaId)
      const first = of.lastInteraction === undefined
      relate(of, { interaction: clock.now() })
      if (first) webhook.send(about(of).account, chatNowEvent(about(of)))
    },

    submitInfo(personId, oaId, info) {
      const of = thread(personId, oaId)
      relate(of, { shared: info, interaction: clock.now() })
      note(of, 'Đã chia sẻ thông tin')
      webhook.send(about(of).account, submitInfoEvent(about(of), info))
    },

    react(personId, messageId, icon) {
      const message = world.messages.get(messageId)
      if (message?.personId !== personId) throw new PhoneError(`This person has no message ${messageId}.`)
      const of = thread(personId, message.oaId)
      store.commit({ t: 'icon', id: messageId, icon })
      webhook.send(about(of).account, reactedEvent({ ...about(of), by: 'user', messageId, icon }))
    },

    withdraw(personId, oaId) {
      const of = thread(personId, oaId)
      webhook.send(about(of).account, withdrawEvent(about(of)))
    },

    setBlocked(personId, oaId, blocked) {
      const of = thread(personId, oaId)
      if (of.blocked === blocked) return
      relate(of, { blocked, ...(blocked && { follows: false }) })
      note(of, blocked ? 'Đã chặn' : 'Đã bỏ chặn')
    },

    setMuted: (personId, oaId, muted) => relate(thread(personId, oaId), { muted }),
    setBanned: (personId, banned) => store.commit({ t: 'phone', personId: getPerson(world, personId).id, banned }),
    setOnline: (personId, online) => chats.setOnline(personId, online),
    see: (personId, oaId) => chats.see(thread(personId, oaId)),

    staffSays(oaId, to, { text, adminId }) {
      const account = world.accounts.get(oaId)
      const of = account?.threadsByUser.get(to) ?? account?.threadsByPerson.get(to)
      if (!of) throw new PhoneError(`The account ${oaId} has never met ${to}.`)
      return chats.fromOa(of, { kind: 'text', text }, { adminId })
    },
  }
}

function targetOf(action: { type: string; url?: string; payload?: unknown }): string {
  if (action.url !== undefined) return action.url
  const payload = action.payload as { url?: string; phone_code?: string }
  return payload.url ?? payload.phone_code ?? ''
}

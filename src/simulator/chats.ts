import type { Clock } from './clock.ts'
import type { Random } from './random.ts'
import type { Store } from './store.ts'
import type { Streams } from './streams.ts'
import { type LinkOf, messageEvent, phoneReceivedEvent, receivedEvent, seenEvent } from './webhook/events.ts'
import type { WebhookSender } from './webhook/sender.ts'
import { getAccount, getPerson, type Message, type Thread } from './world.ts'

type Draft = Pick<Message, 'kind'> &
  Partial<Pick<Message, 'text' | 'buttons' | 'elements' | 'media' | 'quote' | 'asksInfo' | 'template' | 'hidden'>>

/** Moves messages between accounts and phones and tells everyone who must hear of it. */
export interface Chats {
  /** The thread of a person and an account; they get ids for each other the first time. */
  meet(oaId: string, personId: string): Thread
  /** Through the API, or by hand when `adminId` is given. `billed` counts against the month. */
  fromOa(thread: Thread, draft: Draft, options?: { adminId?: string; billed?: boolean; phone?: string }): Message
  /** From the phone; waits there when the phone is offline. */
  fromPerson(thread: Thread, draft: Draft): Message
  /** A line only the phone shows. */
  note(thread: Thread, text: string): void
  setOnline(personId: string, online: boolean): void
  /** Marks everything received as seen. */
  see(thread: Thread): void
}

export interface ChatsDeps {
  store: Store
  clock: Clock
  random: Random
  webhook: WebhookSender
  streams: Streams
  linkOf: LinkOf
}

export function createChats({ store, clock, random, webhook, streams, linkOf }: ChatsDeps): Chats {
  const { world } = store

  function create(thread: Thread, draft: Draft, rest: Pick<Message, 'from' | 'status'> & Partial<Message>): Message {
    const { seq } = getPerson(world, thread.personId)
    return { id: random.hex(20), oaId: thread.oaId, personId: thread.personId, seq: seq + 1, at: clock.now(), ...draft, ...rest }
  }

  function about(thread: Thread) {
    return { account: getAccount(world, thread.oaId), thread, at: clock.now() }
  }

  function tell(thread: Thread, message: Message) {
    const { account } = about(thread)
    webhook.send(account, messageEvent({ account, thread, at: message.at, message, linkOf }))
  }

  /** What went by phone number is told of by that number, also when the phone was off at first. */
  function tellReceived(thread: Thread, message: Message) {
    if (!message.byApi) return
    const trackingId = message.template?.trackingId
    const { phone } = getPerson(world, thread.personId)
    if (phone !== undefined && trackingId !== undefined)
      webhook.send(about(thread).account, phoneReceivedEvent({ ...about(thread), phone, messageId: message.id, trackingId }), 'ZNS')
    else webhook.send(about(thread).account, receivedEvent(about(thread), message.id))
  }

  function setStatus(messages: Message[], status: Message['status'], at?: number) {
    if (messages.length === 0) return
    store.commit({ t: 'status', ids: messages.map((message) => message.id), status, ...(at !== undefined && { at }) })
    for (const message of messages) streams.status(message)
  }

  return {
    meet(oaId, personId) {
      const known = getAccount(world, oaId).threadsByPerson.get(personId)
      if (known) return known
      getPerson(world, personId)
      store.commit({ t: 'thread', oaId, personId, userId: random.digits(), userIdByApp: random.digits(), at: clock.now() })
      return getAccount(world, oaId).threadsByPerson.get(personId)!
    },

    fromOa(thread, draft, { adminId, billed, phone } = {}) {
      const { online } = getPerson(world, thread.personId)
      const message = create(thread, draft, {
        from: adminId === undefined ? 'oa' : 'staff',
        status: online ? 'received' : 'sent',
        ...(adminId === undefined ? { byApi: true } : { adminId }),
      })
      store.commit({ t: 'message', message, ...(billed && { billed }) })
      streams.message(message)
      // what goes by phone number has no echo in the chat, only its receipt
      if (phone === undefined) tell(thread, message)
      if (online) tellReceived(thread, message)
      return message
    },

    fromPerson(thread, draft) {
      const { online } = getPerson(world, thread.personId)
      const message = create(thread, draft, { from: 'person', status: online ? 'sent' : 'waiting' })
      store.commit({ t: 'message', message, ...(online && { interaction: true }) })
      streams.message(message)
      if (online) tell(thread, message)
      return message
    },

    note(thread, text) {
      const message = create(thread, { kind: 'event', text }, { from: 'person', status: 'seen' })
      store.commit({ t: 'message', message })
      streams.message(message)
    },

    setOnline(personId, online) {
      const person = getPerson(world, personId)
      if (person.online === online) return
      store.commit({ t: 'phone', personId, online })
      if (!online) return
      for (const thread of person.threads) {
        const arrived = thread.messages.filter((message) => message.from !== 'person' && message.status === 'sent')
        setStatus(arrived, 'received')
        for (const message of arrived) tellReceived(thread, message)
        const written = thread.messages.filter((message) => message.status === 'waiting')
        setStatus(written, 'sent', clock.now())
        for (const message of written) tell(thread, message)
      }
    },

    see(thread) {
      const seen = thread.messages.filter((message) => message.from !== 'person' && message.status === 'received')
      setStatus(seen, 'seen')
      // of what goes by phone number the platform reports the delivery alone (zalo.md 6.4)
      const ids = seen.filter((message) => message.byApi && message.template?.trackingId === undefined).map((message) => message.id)
      if (ids.length > 0) webhook.send(about(thread).account, seenEvent(about(thread), ids))
    },
  }
}

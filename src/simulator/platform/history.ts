import { invalid } from '../refusal.ts'
import type { Store } from '../store.ts'
import type { LinkOf } from '../webhook/events.ts'
import { getPerson, type Message, type Thread } from '../world.ts'
import type { OaCall, OaRoute } from './gateway.ts'
import { readPage, readQuery } from './query.ts'
import { readId } from './shape.ts'

// zalo.md 7: more than ten is -210
const LIMITS = { maxOffset: 1_000_000, maxCount: 10 }

const TYPES = {
  text: 'text',
  image: 'photo',
  gif: 'gif',
  file: 'file',
  location: 'location',
  sticker: 'sticker',
  voice: 'voice',
  card: 'link',
  list: 'link',
  event: 'nosupport',
} as const satisfies Record<Message['kind'], string>

/** What was said, newest first: the way to catch up after the webhook was away. */
export function registerHistory(route: OaRoute, { store, linkOf }: { store: Store; linkOf: LinkOf }): void {
  function item(call: OaCall, thread: Thread, message: Message) {
    const byPerson = message.from === 'person'
    const { oaId, name } = call.account.settings
    const person = { id: thread.userId, name: getPerson(store.world, thread.personId).name }
    const oa = { id: oaId, name }
    const [from, to] = byPerson ? [person, oa] : [oa, person]
    const url = message.media && linkOf(message.media)
    return {
      src: byPerson ? 1 : 0,
      time: message.at,
      type: TYPES[message.kind],
      message: message.text ?? '',
      message_id: message.id,
      from_id: from.id,
      from_display_name: from.name,
      to_id: to.id,
      to_display_name: to.name,
      ...(url && { url }),
      ...(message.media?.latitude !== undefined && {
        location: JSON.stringify({ latitude: message.media.latitude, longitude: message.media.longitude }),
      }),
    }
  }

  route('GET', '/v2.0/oa/conversation', (call) => {
    const fields = readQuery(call, ['user_id', 'offset', 'count'])
    const { offset, count } = readPage(fields, LIMITS)
    const thread = call.account.threadsByUser.get(readId(fields.user_id, 'user_id'))
    if (!thread) throw invalid('user_id')
    return newestFirst(thread)
      .slice(offset, offset + count)
      .map((message) => item(call, thread, message))
  })

  route('GET', '/v2.0/oa/listrecentchat', (call) => {
    const { offset, count } = readPage(readQuery(call, ['offset', 'count']), LIMITS)
    return [...call.account.threadsByUser.values()]
      .flatMap((thread) =>
        newestFirst(thread)
          .slice(0, 1)
          .map((message) => ({ thread, message })),
      )
      .sort((a, b) => b.message.at - a.message.at)
      .slice(offset, offset + count)
      .map(({ thread, message }) => item(call, thread, message))
  })
}

/** Without what still waits on a phone; what waited stands where it arrived. */
function newestFirst(thread: Thread): Message[] {
  return thread.messages
    .filter((message) => message.kind !== 'event' && message.status !== 'waiting')
    .sort((a, b) => b.at - a.at || b.seq - a.seq)
}

import { z } from 'zod'
import type { Call } from './call.ts'
import { Id, NumberLike } from './json.ts'
import { readData } from './read-data.ts'

const ConversationMessage = z
  .object({
    message_id: Id,
    // 0 = the account wrote it, 1 = the person
    src: NumberLike,
    time: NumberLike,
    type: z.string().optional(),
    message: z.string().optional().catch(undefined),
    from_id: Id,
    to_id: Id,
    from_display_name: z.string().optional().catch(undefined),
    to_display_name: z.string().optional().catch(undefined),
    url: z.string().optional().catch(undefined),
    thumb: z.string().optional().catch(undefined),
  })
  .transform((item) => {
    const isOutbound = item.src === 0
    return {
      messageId: item.message_id,
      direction: isOutbound ? ('outbound' as const) : ('inbound' as const),
      /** The person's id, whoever wrote. */
      userId: isOutbound ? item.to_id : item.from_id,
      displayName: isOutbound ? item.to_display_name : item.from_display_name,
      /** ms since 1970, the platform's clock. */
      timeMs: item.time,
      type: item.type,
      text: item.message,
      url: item.url ?? item.thumb,
    }
  })

export type ConversationMessage = z.output<typeof ConversationMessage>

const ConversationMessages = z.array(ConversationMessage).default([])

export type Page = {
  /** Messages to pass over, counted from the newest; default 0. */
  offset?: number
  /** 1 to 10, default 10. */
  count?: number
}

export type Conversations = {
  /**
   * The latest messages with one person, newest first. Settles whether a message that was in flight at a crash arrived:
   * look for an outbound one with the same text after the time it was claimed.
   */
  getConversation(userId: string, page?: Page): Promise<ConversationMessage[]>
  /** The latest message of each recent chat, newest first: what a webhook that was down has missed. */
  listRecentChats(page?: Page): Promise<ConversationMessage[]>
}

// More is answered with -210, seen in production
const MAX_COUNT = 10

export function createConversations(call: Call): Conversations {
  async function list(
    path: string,
    { offset = 0, count = MAX_COUNT }: Page,
    more: Record<string, unknown>,
  ): Promise<ConversationMessage[]> {
    if (!(count >= 1 && count <= MAX_COUNT)) throw new RangeError(`count must be 1 to ${MAX_COUNT}`)
    const { data } = await call({ method: 'GET', host: 'oa', path, query: { ...more, offset, count }, repeatable: true })
    return readData(ConversationMessages, data, `GET ${path}`)
  }
  return {
    getConversation: (userId, page = {}) => list('/v2.0/oa/conversation', page, { user_id: userId }),
    listRecentChats: (page = {}) => list('/v2.0/oa/listrecentchat', page, {}),
  }
}

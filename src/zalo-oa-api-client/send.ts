import { z } from 'zod'
import type { Call, CallResult } from './call.ts'
import { checkMessage, InvalidMessageError } from './check-message.ts'
import { Id, NumberLike } from './json.ts'
import type { OaMessage } from './message.ts'
import { notify } from './notify.ts'
import type { RateLimit } from './rate-limit.ts'
import { withAction, ZaloError } from './zalo-error.ts'

/** Which endpoint sends consultation messages: `v3.0/oa/message/cs` (enterprises) or `v2.0/oa/message` (state agencies). */
export type Endpoint = 'v3.0' | 'v2.0'

/** What paid for a message, as far as the platform says. All optional: it has announced that these fields may vanish. */
export type SendQuota = {
  /** `reply` (48-hour window), `welcome_msg`, `sub_quota` (package), `purchase_quota`, `reward_quota` */
  type?: string | undefined
  remain?: number | undefined
  total?: number | undefined
  expiredDate?: string | undefined
}

export type SendResult = {
  /** The later `oa_send_*` webhook event carries the same id. */
  messageId: string
  userId: string | undefined
  /** ms since 1970, the platform's clock. */
  sentTimeMs?: number
  quota?: SendQuota
  /**
   * `true`: the answer names a quota that covered the message. `undefined`: it names none, which meant "billed" while the platform still sent the field,
   * so treat it as possibly billed.
   */
  free?: true
  rateLimit?: RateLimit
}

/** Who reads a broadcast. The sources disagree on the values' form; these are the vendor's comma-separated strings. */
export type BroadcastTarget = { ages?: string; gender?: string; locations?: string; cities?: string; platform?: string }

// The vendor's page on reactions
export type ReactionIcon = ':>' | '--b' | ':-((' | '/-strong' | '/-heart' | ':-h' | ':o' | '/-remove'

export type Sending = {
  /**
   * Sends one consultation message. At most once unless the platform certainly refused the first try: another endpoint (-235, -240),
   * a fresh token, or without a quote it no longer knows (-201) are tried once each. Throws InvalidMessageError before anything
   * is sent, ZaloError afterwards; `ambiguous` means the person may have it.
   */
  sendMessage(userId: string, message: OaMessage): Promise<SendResult>
  /** Adds, or with `/-remove` takes away, the account's reaction to a message. At most 50 per message. */
  sendReaction(userId: string, messageId: string, icon: ReactionIcon): Promise<void>
  /** Sends published articles (`articleMessage`) to followers. 06:00–21:59 only, else ZaloError `wait_until`. */
  broadcast(target: BroadcastTarget, message: OaMessage): Promise<SendResult>
  /** The endpoint the next message takes. */
  endpoint(): Endpoint
}

type SendingOptions = { call: Call; endpoint: Endpoint; onEndpoint: ((endpoint: Endpoint) => unknown) | undefined }

const paths: Record<Endpoint, string> = { 'v3.0': '/v3.0/oa/message/cs', 'v2.0': '/v2.0/oa/message' }

const Sent = z.object({
  message_id: Id,
  user_id: Id.optional(),
  recipient_id: Id.optional(),
  // Optional as documented; unreadable counts as absent, since the message itself is out
  sent_time: NumberLike.optional().catch(undefined),
  quota: z
    .object({
      quota_type: z.string().optional().catch(undefined),
      remain: NumberLike.optional().catch(undefined),
      total: NumberLike.optional().catch(undefined),
      expired_date: z.string().optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
})

// Covered by a window or package; `purchase_quota` was paid for beforehand
const FREE_QUOTA_TYPES = new Set(['reply', 'welcome_msg', 'sub_quota', 'reward_quota'])

export function createSending({ call, endpoint: initial, onEndpoint }: SendingOptions): Sending {
  let endpoint = initial

  async function post(path: string, body: unknown): Promise<CallResult> {
    return call({ method: 'POST', host: 'oa', path, json: body, repeatable: false })
  }

  async function postMessage(body: unknown): Promise<CallResult> {
    const first = endpoint
    const second: Endpoint = first === 'v3.0' ? 'v2.0' : 'v3.0'
    const refusedAs = first === 'v3.0' ? -235 : -240
    try {
      return await post(paths[first], body)
    } catch (error) {
      // Any other error must not reach the second endpoint: the message may be out already
      if (!(error instanceof ZaloError) || error.action !== 'switch_endpoint') throw error
      if (error.code !== refusedAs) throw withAction(error, 'pause_account')
    }
    try {
      const result = await post(paths[second], body)
      keep(second)
      return result
    } catch (error) {
      if (!(error instanceof ZaloError)) throw error
      // Refused by both: neither kind of account, e.g. a personal one
      if (error.action === 'switch_endpoint') throw withAction(error, 'pause_account')
      // It refused the recipient, not the account: this is the right endpoint
      if (['outside_window', 'unreachable', 'muted'].includes(error.action)) keep(second)
      throw error
    }
  }

  function keep(working: Endpoint): void {
    if (endpoint === working) return
    endpoint = working
    notify(onEndpoint, working)
  }

  return {
    endpoint: () => endpoint,
    async sendMessage(userId, message) {
      const checked = checkMessage(message)
      const recipient = { user_id: userId }
      try {
        return readSent(await postMessage({ recipient, message: checked }), paths[endpoint], userId)
      } catch (error) {
        const { quote_message_id, ...unquoted } = checked
        if (quote_message_id === undefined || !(error instanceof ZaloError) || error.code !== -201) throw error
        return readSent(await postMessage({ recipient, message: unquoted }), paths[endpoint], userId)
      }
    },
    async sendReaction(userId, messageId, icon) {
      await post(paths['v2.0'], { recipient: { user_id: userId }, sender_action: { react_icon: icon, react_message_id: messageId } })
    },
    async broadcast(target, message) {
      const { attachment } = checkMessage(message)
      const payload = attachment?.type === 'template' ? attachment.payload : undefined
      const isArticles =
        payload &&
        'template_type' in payload &&
        payload.template_type === 'media' &&
        payload.elements.every((e) => e.media_type === 'article')
      if (!isArticles) throw new InvalidMessageError('attachment', 'of a broadcast holds articles and nothing else')
      return readSent(await post(paths['v2.0'], { recipient: { target }, message: { attachment } }), paths['v2.0'], undefined)
    },
  }
}

function readSent({ data, rateLimit }: CallResult, path: string, userId: string | undefined): SendResult {
  const sent = Sent.safeParse(data).data
  if (!sent) {
    const meaning = 'accepted without a message id'
    throw new ZaloError({ action: 'ambiguous', reason: 'unreadable_answer', meaning, request: `POST ${path}`, code: 0, rateLimit })
  }
  const { message_id, user_id, recipient_id, sent_time, quota } = sent
  const isFree = quota?.quota_type !== undefined && FREE_QUOTA_TYPES.has(quota.quota_type)
  return {
    messageId: message_id,
    userId: user_id ?? recipient_id ?? userId,
    ...(sent_time === undefined ? {} : { sentTimeMs: sent_time }),
    ...(quota ? { quota: { type: quota.quota_type, remain: quota.remain, total: quota.total, expiredDate: quota.expired_date } } : {}),
    ...(isFree ? { free: true } : {}),
    ...(rateLimit ? { rateLimit } : {}),
  }
}

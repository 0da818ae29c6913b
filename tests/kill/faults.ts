import type { Fault as TelegramFault } from '../support/telegram/server.ts'

// What a platform may answer to one message of a campaign, and what has to become of that recipient then: the table of the vendor's codes
// and of what goes wrong on the way (platform documents, section 5), held against the ledger. Written from those documents, not from the code.

export type Answer = { code: number; message?: string; status?: number } | { html: number } | { reset: true } | { slow_ms: number }

/** What is spoilt: a message in a Zalo chat, a template by phone (ZBS), the one request that brings an article to all, a message on Telegram. */
type Spoilt = { by: 'chat' | 'phone' | 'article'; answer: Answer } | { by: 'telegram'; answer: TelegramFault['answer'] }

type Facts = {
  name: string
  /** As `export ledger` shows it: "status class"; the other ones where another campaign met the same chat first. */
  ends: readonly string[]
  /** The message arrived although the answer says otherwise. */
  after?: true
  /** The first request only; the next try finds a platform in good order. */
  once?: true
  /** The campaign stands still for this reason until an officer resumes it. */
  pauses?: string
  /** The whole account has to wait, a minute or a day: it comes when nothing else is to be sent any more. */
  holds?: true
  /** Takes longer than a short run has, or costs more: each new token is a moment in which a kill loses the grant. */
  long?: true
  /** Nobody can tell from the answer whether it arrived. */
  ambiguous?: true
}

export type Fault = Spoilt & Facts

/** Settled as it is sent, by the platform's echo, or by a look into the chat. */
export const ARRIVED = ['sent ', 'sent settled_by_echo', 'sent settled_by_search'] as const

type More = Partial<Facts> & { answer?: Answer }

const code = (value: number, ends: string, more: More = {}): Fault => ({
  by: 'chat',
  name: String(value),
  answer: { code: value },
  ends: [ends],
  ...more,
})
const once = (value: number, more: More = {}): Fault => code(value, 'sent ', { once: true, ...more })
const pause = (value: number, pauses: string): Fault => once(value, { pauses })

/** By phone the same number may mean something else. */
const phone = (value: number, ends: string, more: Partial<Facts> = {}): Fault => ({
  by: 'phone',
  name: `by phone ${value}`,
  answer: { code: value },
  ends: [ends],
  ...more,
})

const telegram = (name: string, answer: TelegramFault['answer'], ends: string, more: Partial<Facts> = {}): Fault => ({
  by: 'telegram',
  name: `Telegram ${name}`,
  answer,
  ends: [ends],
  ...more,
})
const refused = (refusal: number, description: string, ends: string, more: Partial<Facts> = {}): Fault =>
  telegram(
    String(refusal),
    { refuse: { code: refusal, description, ...(refusal === 429 && { parameters: { retry_after: 1 } }) } },
    ends,
    more,
  )
/** The first campaign that meets a dead chat marks it, and the other leaves it out for that reason. */
const dead = (refusal: number, description: string, reason: string): Fault =>
  refused(refusal, description, '', { name: `Telegram ${reason}`, ends: [`failed ${reason}`, `skipped ${reason}`] })

export const FAULTS: readonly Fault[] = [
  // Final refusals of one message
  code(-100, 'failed attachment_expired'),
  code(-201, 'failed invalid_parameter'),
  code(-210, 'failed too_large'),
  code(-217, 'failed invitations_blocked'),
  code(-233, 'failed kind_not_supported'),
  code(-237, 'failed group_disabled'),
  code(-238, 'failed group_asset_used'),
  code(-241, 'failed group_asset_used'),
  code(-248, 'failed content_policy'),
  code(-249, 'failed template_not_by_uid'),
  code(-403, 'failed not_in_group'),
  code(-1340, 'failed form_missing'),
  code(-1341, 'failed form_forbidden'),
  code(-9999, 'failed unknown_code'),
  // Of one person
  code(-213, 'failed not_a_follower'),
  code(-227, 'failed recipient_inactive'),
  code(-244, 'failed muted_by_recipient'),
  code(-230, 'waiting next_contact'),
  code(-232, 'waiting next_contact'),
  // Later
  once(-214),
  code(-218, 'waiting recipient_quota'),
  code(-234, 'waiting night'),
  code(-223, 'waiting article_quota', { name: '-223 quota', answer: { code: -223, message: 'You reach the limit quota create article' } }),
  { by: 'chat', name: 'HTTP 404', answer: { html: 404 }, once: true, ends: ['sent '] },
  // A token that is no longer good: refreshed once, sent once more
  once(-216),
  once(216, { long: true }),
  once(-220, { long: true }),
  once(-401, { long: true }),
  { by: 'chat', name: 'HTTP 401', answer: { code: 401, status: 401 }, once: true, long: true, ends: ['sent '] },
  // Nothing goes out until a human acts
  pause(-105, 'app_not_linked'),
  pause(112, 'app_not_linked'),
  pause(-204, 'account_disabled'),
  pause(-205, 'account_missing'),
  pause(-209, 'app_not_active'),
  pause(-212, 'api_not_registered'),
  pause(-219, 'app_removed'),
  pause(-221, 'account_not_verified'),
  pause(-223, 'not_authorised'),
  pause(-224, 'package_too_low'),
  // The other endpoint refuses it too
  pause(-235, 'v2_closed'),
  pause(-240, 'v2_closed'),
  pause(-242, 'appsecret_proof_refused'),
  pause(-320, 'no_cloud_account'),
  pause(-321, 'no_money'),
  // Nobody knows
  { by: 'chat', name: '-200 before', answer: { code: -200 }, ambiguous: true, ends: ['uncertain send_failed'] },
  { by: 'chat', name: '-200 after', answer: { code: -200 }, after: true, ambiguous: true, ends: ARRIVED },
  { by: 'chat', name: 'reset before', answer: { reset: true }, ambiguous: true, ends: ['uncertain connection_lost'] },
  { by: 'chat', name: 'reset after', answer: { reset: true }, after: true, ambiguous: true, ends: ARRIVED },
  { by: 'chat', name: 'HTTP 502 before', answer: { html: 502 }, ambiguous: true, ends: ['uncertain unreadable_answer'] },
  { by: 'chat', name: 'HTTP 502 after', answer: { html: 502 }, after: true, ambiguous: true, ends: ARRIVED },
  { by: 'chat', name: 'slow', answer: { slow_ms: 900 }, ends: ['sent '] },
  // Longer than the client waits for an answer
  { by: 'chat', name: 'no answer', answer: { slow_ms: 15_000 }, once: true, long: true, ambiguous: true, ends: ARRIVED },
  // The account, the app: everybody waits
  once(-32, { holds: true, long: true, name: '-32 account', answer: { code: -32, message: 'Your OA reached limit call api' } }),
  once(-32, { holds: true, long: true, name: '-32 app', answer: { code: -32, message: 'Your application reached limit call api' } }),
  once(-211, { holds: true, long: true, ends: ['waiting quota_used_up'] }),
  // Templates by phone
  phone(-108, 'failed phone_invalid'),
  phone(-112, 'failed template_data'),
  phone(-118, 'failed recipient_cannot_receive'),
  phone(-139, 'failed muted_by_recipient'),
  phone(-133, 'waiting night'),
  phone(-144, 'waiting daily_limit'),
  phone(-100, 'sent ', { once: true }),
  { by: 'phone', name: 'by phone 502 before', answer: { html: 502 }, ambiguous: true, ends: ['uncertain unreadable_answer'] },
  // There is no echo, and the platform's receipt is as good
  { by: 'phone', name: 'by phone 502 after', answer: { html: 502 }, after: true, ambiguous: true, ends: ['sent settled_by_receipt'] },
  // The article, which all who follow are waiting for
  { by: 'article', name: 'article -214', answer: { code: -214 }, once: true, long: true, ends: [] },
  // Telegram has no echo and no search: what nobody knows stays open
  dead(403, 'Forbidden: bot was blocked by the user', 'blocked'),
  dead(403, 'Forbidden: user is deactivated', 'account_deleted'),
  dead(403, "Forbidden: bot can't initiate conversation with a user", 'not_started'),
  dead(400, 'Bad Request: chat not found', 'chat_not_found'),
  refused(403, "Forbidden: bot can't send messages to the user", 'waiting unreachable'),
  refused(429, 'Too Many Requests: retry after 1', 'sent ', { once: true }),
  refused(401, 'Unauthorized', 'sent ', { once: true, pauses: 'dead_token' }),
  refused(500, 'Internal Server Error', 'uncertain server_error', { ambiguous: true }),
  telegram('502 before', { html: 502 }, 'uncertain server_error', { ambiguous: true }),
  telegram('502 after', { html: 502 }, 'uncertain server_error', { ambiguous: true, after: true }),
  telegram('torn answer', { malformed: true }, 'uncertain malformed_answer', { ambiguous: true, after: true }),
  telegram('reset', { reset: true }, 'uncertain connection_lost', { ambiguous: true }),
  telegram('slow', { slowMs: 900 }, 'sent ', { once: true }),
  // Longer than the client waits for an answer
  telegram('no answer', { hang: true }, 'uncertain time_out', { ambiguous: true, long: true }),
]

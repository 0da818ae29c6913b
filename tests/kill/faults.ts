// What a platform may answer to one message of a campaign, and what has to become of that recipient then: the table of the vendor's codes
// and of what goes wrong on the way (platform documents, section 5), held against the ledger. Written from those documents, not from the code.

export type Answer = { code: number; message?: string; status?: number } | { html: number } | { reset: true } | { slow_ms: number }

export type Fault = {
  name: string
  answer: Answer
  /** The message arrived although the answer says otherwise. */
  after?: true
  /** The first request only; the next try finds a platform in good order. */
  once?: true
  /** As `export ledger` shows it: "status class". */
  ends: readonly string[]
  /** The campaign stands still for this reason until an officer resumes it. */
  pauses?: string
  /** The whole account has to wait, a minute or a day: it comes when nothing else is to be sent any more. */
  holds?: true
  /** Takes longer than a short run has, or costs more: each new token is a moment in which a kill loses the grant. */
  long?: true
  /** Nobody can tell from the answer whether it arrived. */
  ambiguous?: true
}

/** Settled as it is sent, by the platform's echo, or by a look into the chat. */
export const ARRIVED = ['sent ', 'sent settled_by_echo', 'sent settled_by_search'] as const

const code = (value: number, ends: string, more: Partial<Fault> = {}): Fault => ({
  name: String(value),
  answer: { code: value },
  ends: [ends],
  ...more,
})
const once = (value: number, more: Partial<Fault> = {}): Fault => code(value, 'sent ', { once: true, ...more })
const pause = (value: number, pauses: string): Fault => once(value, { pauses })

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
  { name: 'HTTP 404', answer: { html: 404 }, once: true, ends: ['sent '] },
  // A token that is no longer good: refreshed once, sent once more
  once(-216),
  once(216, { long: true }),
  once(-220, { long: true }),
  once(-401, { long: true }),
  { name: 'HTTP 401', answer: { code: 401, status: 401 }, once: true, long: true, ends: ['sent '] },
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
  { name: '-200 before', answer: { code: -200 }, ambiguous: true, ends: ['uncertain send_failed'] },
  { name: '-200 after', answer: { code: -200 }, after: true, ambiguous: true, ends: ARRIVED },
  { name: 'reset before', answer: { reset: true }, ambiguous: true, ends: ['uncertain connection_lost'] },
  { name: 'reset after', answer: { reset: true }, after: true, ambiguous: true, ends: ARRIVED },
  { name: 'HTTP 502 before', answer: { html: 502 }, ambiguous: true, ends: ['uncertain unreadable_answer'] },
  { name: 'HTTP 502 after', answer: { html: 502 }, after: true, ambiguous: true, ends: ARRIVED },
  { name: 'slow', answer: { slow_ms: 900 }, ends: ['sent '] },
  // Longer than the client waits for an answer
  { name: 'no answer', answer: { slow_ms: 15_000 }, once: true, long: true, ambiguous: true, ends: ARRIVED },
  // The account, the app: everybody waits
  { ...once(-32, { holds: true, long: true }), name: '-32 account', answer: { code: -32, message: 'Your OA reached limit call api' } },
  { ...once(-32, { holds: true, long: true }), name: '-32 app', answer: { code: -32, message: 'Your application reached limit call api' } },
  { ...once(-211, { holds: true, long: true }), ends: ['waiting quota_used_up'] },
]

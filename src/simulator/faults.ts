import { z } from 'zod'
import type { Random } from './random.ts'

const which = {
  oa_id: z.string().optional(),
  /** only the nth matching one, counted from 1 */
  nth: z.number().int().positive().optional(),
  /** every nth matching one */
  every: z.number().int().positive().optional(),
  /** share of the matching ones, 0 … 1 */
  probability: z.number().min(0).max(1).optional(),
  /** the rule is spent after so many hits */
  times: z.number().int().positive().optional(),
}

/** What goes wrong with an API call. `after` means the call took effect and only its answer is bad. */
export const CallFault = z.strictObject({
  ...which,
  /** end of the path, `oa/message/cs`; without it any call */
  endpoint: z.string().optional(),
  /** whom the call is about; of a template by phone, the number */
  user_id: z.string().optional(),
  when: z.enum(['before', 'after']).default('before'),
  answer: z.union([
    z.strictObject({ code: z.number().int(), message: z.string().optional(), status: z.number().int().optional() }),
    z.strictObject({ html: z.number().int() }),
    z.strictObject({ slow_ms: z.number().nonnegative() }),
    z.strictObject({ reset: z.literal(true) }),
  ]),
})
export type CallFault = z.infer<typeof CallFault>

/** What goes wrong with the delivery of an event to the webhook. */
export const WebhookFault = z.strictObject({
  ...which,
  event: z.string().optional(),
  /** how often it is delivered */
  copies: z.number().int().min(1).optional(),
  /** later by so much of the platform's clock */
  delay_ms: z.number().positive().optional(),
  /** only after so many later events went out */
  behind: z.number().int().positive().optional(),
  signature: z.enum(['wrong', 'missing']).optional(),
})
export type WebhookFault = z.infer<typeof WebhookFault>

export interface CallFaults {
  match(call: { endpoint: string; oaId?: string | undefined; userId?: string | undefined }): CallFault | undefined
}
export interface WebhookFaults {
  match(event: { event: string; oaId: string }): WebhookFault | undefined
}

/** Rules that make the platform misbehave; the first rule that hits wins. */
export interface Faults {
  addCall(fault: z.input<typeof CallFault>): string
  addWebhook(fault: z.input<typeof WebhookFault>): string
  remove(id: string): void
  clear(): void
  list(): { id: string; hits: number; call?: CallFault; webhook?: WebhookFault }[]
  calls: CallFaults
  webhooks: WebhookFaults
}

interface Rule<Fault> {
  id: string
  fault: Fault
  seen: number
  hits: number
}

export function createFaults(random: Random): Faults {
  let callRules: Rule<CallFault>[] = []
  let webhookRules: Rule<WebhookFault>[] = []
  let count = 0

  function hits(rule: Rule<CallFault | WebhookFault>): boolean {
    const { nth, every, probability, times } = rule.fault
    if (times !== undefined && rule.hits >= times) return false
    rule.seen++
    if (nth !== undefined && rule.seen !== nth) return false
    if (every !== undefined && rule.seen % every !== 0) return false
    if (probability !== undefined && random.chance() >= probability) return false
    rule.hits++
    return true
  }

  return {
    addCall(fault) {
      const id = `fault-${++count}`
      callRules.push({ id, fault: CallFault.parse(fault), seen: 0, hits: 0 })
      return id
    },
    addWebhook(fault) {
      const id = `fault-${++count}`
      webhookRules.push({ id, fault: WebhookFault.parse(fault), seen: 0, hits: 0 })
      return id
    },
    remove(id) {
      callRules = callRules.filter((rule) => rule.id !== id)
      webhookRules = webhookRules.filter((rule) => rule.id !== id)
    },
    clear() {
      callRules = []
      webhookRules = []
    },
    list: () => [
      ...callRules.map(({ id, hits, fault }) => ({ id, hits, call: fault })),
      ...webhookRules.map(({ id, hits, fault }) => ({ id, hits, webhook: fault })),
    ],
    calls: {
      match: ({ endpoint, oaId, userId }) =>
        callRules.find(
          (rule) =>
            (rule.fault.endpoint === undefined || endpoint.endsWith(rule.fault.endpoint)) &&
            (rule.fault.oa_id === undefined || rule.fault.oa_id === oaId) &&
            (rule.fault.user_id === undefined || rule.fault.user_id === userId) &&
            hits(rule),
        )?.fault,
    },
    webhooks: {
      match: ({ event, oaId }) =>
        webhookRules.find(
          (rule) =>
            (rule.fault.event === undefined || rule.fault.event === event) &&
            (rule.fault.oa_id === undefined || rule.fault.oa_id === oaId) &&
            hits(rule),
        )?.fault,
    },
  }
}

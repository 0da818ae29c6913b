import { z } from 'zod'
import type { Call } from './call.ts'
import { Id, NumberLike } from './json.ts'
import type { RateLimit } from './rate-limit.ts'
import { ZaloError } from './zalo-error.ts'

export type TemplateMessage = {
  /** With country code and without plus: `84900000000`. */
  phone: string
  templateId: string
  templateData: Record<string, string | number>
  /** At most 48 characters; comes back in the receipt `user_received_message`. */
  trackingId: string
  /** `1` unless the template's page says otherwise. */
  sendingMode?: string
  /** True: only administrators of the account and app receive it, and no phone is billed. */
  isDevelopment?: boolean
}

export type TemplateResult = {
  messageId: string
  /** ms since 1970, the platform's clock. */
  sentTimeMs?: number
  dailyQuota?: number
  remainingQuota?: number
  rateLimit?: RateLimit
}

export type TemplateSending = {
  /**
   * Sends an approved template (ZBS, formerly ZNS) to a phone number; billed unless in development. Errors are of the `zbs` table.
   * Not idempotent: the platform does not promise to fold equal tracking ids. Throws RangeError for a tracking id that is empty or too long.
   */
  sendTemplateByPhone(message: TemplateMessage): Promise<TemplateResult>
}

// Vendor's ZBS page
const MAX_TRACKING_CHARS = 48

const count = NumberLike.optional().catch(undefined)
const Sent = z.object({
  msg_id: Id,
  sent_time: count,
  quota: z.object({ dailyQuota: count, remainingQuota: count }).optional().catch(undefined),
})

export function createTemplateSending(call: Call): TemplateSending {
  const path = '/message/template'
  return {
    async sendTemplateByPhone({ phone, templateId, templateData, trackingId, sendingMode, isDevelopment = false }) {
      if (trackingId === '' || trackingId.length > MAX_TRACKING_CHARS)
        throw new RangeError(`trackingId must have 1 to ${MAX_TRACKING_CHARS} characters`)
      const json = {
        phone,
        template_id: templateId,
        template_data: templateData,
        tracking_id: trackingId,
        sending_mode: sendingMode,
        mode: isDevelopment ? 'development' : undefined,
      }
      const { data, rateLimit } = await call({ method: 'POST', host: 'zbs', path, json, repeatable: false })
      const sent = Sent.safeParse(data).data
      if (!sent) {
        const meaning = 'accepted without a message id'
        throw new ZaloError({ action: 'ambiguous', reason: 'unreadable_answer', meaning, request: `POST ${path}`, code: 0, rateLimit })
      }
      const { msg_id, sent_time, quota } = sent
      return {
        messageId: msg_id,
        ...(sent_time === undefined ? {} : { sentTimeMs: sent_time }),
        ...(quota?.dailyQuota === undefined ? {} : { dailyQuota: quota.dailyQuota }),
        ...(quota?.remainingQuota === undefined ? {} : { remainingQuota: quota.remainingQuota }),
        ...(rateLimit ? { rateLimit } : {}),
      }
    },
  }
}

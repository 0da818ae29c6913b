import { z } from 'zod'
import type { Call } from './call.ts'
import { Id, NumberLike } from './json.ts'
import { readData } from './read-data.ts'

const count = NumberLike.optional().catch(undefined)

const UserQuota = z
  .object({
    last_interaction: count,
    cs_reply: z.object({ remain: count, total: count }).optional().catch(undefined),
    promotion: z
      .object({ daily_remain: count, daily_total: count, monthly_remain: count, monthly_total: count })
      .optional()
      .catch(undefined),
  })
  .transform(({ last_interaction, cs_reply, promotion }) => ({
    /** ms since 1970; the window closes 7 days after it, and 48 hours after it messages begin to cost. */
    lastInteractionMs: last_interaction,
    reply: cs_reply && { remain: cs_reply.remain, total: cs_reply.total },
    promotion: promotion && {
      dailyRemain: promotion.daily_remain,
      dailyTotal: promotion.daily_total,
      monthlyRemain: promotion.monthly_remain,
      monthlyTotal: promotion.monthly_total,
    },
  }))

/** What may still be sent to one person. Every field is optional: the platform has announced to drop some. */
export type UserQuota = z.output<typeof UserQuota>

const AccountQuotaEntry = z
  .object({
    quota_type: z.string().optional(),
    type: z.string().optional(),
    product_type: z.string().optional(),
    asset_id: Id.optional(),
    remain: count,
    total: count,
  })
  .transform((entry) => ({
    type: entry.quota_type ?? entry.type,
    product: entry.product_type,
    assetId: entry.asset_id,
    remain: entry.remain,
    total: entry.total,
  }))

const AccountQuota = z.union([z.array(AccountQuotaEntry), AccountQuotaEntry.transform((entry) => [entry])]).default([])

/** One line per quota of the account. */
export type AccountQuota = z.output<typeof AccountQuota>

export type Quotas = {
  getUserQuota(userId: string): Promise<UserQuota>
  /** Default: consultation messages of the package (`cs`, `sub_quota`). */
  getAccountQuota(kind?: { productType: string; quotaType: string }): Promise<AccountQuota>
}

export function createQuotas(call: Call): Quotas {
  const path = '/v3.0/oa/quota/message'
  async function ask(json: unknown): Promise<unknown> {
    return (await call({ method: 'POST', host: 'oa', path, json, repeatable: true })).data
  }
  return {
    async getUserQuota(userId) {
      return readData(UserQuota, await ask({ user_id: userId }), `POST ${path}`)
    },
    async getAccountQuota({ productType, quotaType } = { productType: 'cs', quotaType: 'sub_quota' }) {
      const data = await ask({ quota_owner: 'OA', product_type: productType, quota_type: quotaType })
      return readData(AccountQuota, data, `POST ${path}`)
    },
  }
}

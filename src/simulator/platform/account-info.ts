import { localMonth } from '../local-time.ts'
import { invalid } from '../refusal.ts'
import type { Account } from '../world.ts'
import type { OaRoute } from './gateway.ts'
import { readId, readObject } from './shape.ts'
import { FREE_WINDOW_MS, REPLY_QUOTA, subQuota } from './window.ts'

const PACKAGE_NAMES = { basic: 'Miễn phí', growth: 'Tăng trưởng', comprehensive: 'Toàn diện' }

/** What the account is and what it may still send. */
export function registerAccountInfo(route: OaRoute): void {
  route('GET', '/v2.0/oa/getoa', ({ account }) => {
    const { settings } = account
    return {
      oa_id: settings.oaId,
      oaid: settings.oaId,
      name: settings.name,
      description: '',
      oa_alias: '',
      is_verified: settings.verified,
      oa_type: settings.oaType,
      cate_name: settings.oaType === 4 ? 'Cơ quan nhà nước' : 'Doanh nghiệp',
      num_follower: [...account.threadsByUser.values()].filter((thread) => thread.follows).length,
      avatar: '',
      cover: '',
      package_name: PACKAGE_NAMES[settings.package],
      package_valid_through_date: '31/12/2027',
      package_auto_renew_date: '',
      linked_ZCA: settings.zaloCloud === 'none' ? '' : `ZCA-${settings.oaId}`,
    }
  })

  route('POST', '/v3.0/oa/quota/message', ({ account, body, at }) => {
    const fields = readObject(body, 'body', ['user_id', 'quota_owner', 'product_type', 'quota_type'])
    if (fields.user_id === undefined) {
      if (fields.quota_owner !== 'OA') throw invalid('quota_owner')
      if (fields.product_type !== 'cs') throw invalid('product_type')
      if (fields.quota_type !== 'sub_quota') throw invalid('quota_type')
      return [subQuota(account, at)]
    }
    const thread = account.threadsByUser.get(readId(fields.user_id, 'user_id'))
    if (!thread) throw invalid('user_id')
    const free = thread.lastInteraction !== undefined && at - thread.lastInteraction <= FREE_WINDOW_MS
    return {
      last_interaction: thread.lastInteraction === undefined ? '' : String(thread.lastInteraction),
      cs_reply: { remain: free ? REPLY_QUOTA : '0', total: REPLY_QUOTA },
      promotion: { daily_remain: '1', daily_total: '1', monthly_remain: '4', monthly_total: '4' },
    }
  })

  route('POST', '/v2.0/oa/quota/message', ({ account, at }) => {
    const total = account.settings.monthlyQuota
    return { type: 'active', remain: Math.max(total - billedOf(account, at), 0), total }
  })
}

function billedOf(account: Account, at: number): number {
  return account.billed.get(localMonth(at)) ?? 0
}

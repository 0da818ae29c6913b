import { z } from 'zod'
import type { Call } from './call.ts'
import { Id, NumberLike } from './json.ts'
import { readData } from './read-data.ts'
import type { Endpoint } from './send.ts'

const flag = z
  .union([z.boolean(), z.enum(['true', 'false']).transform((value) => value === 'true')])
  .optional()
  .catch(undefined)
const text = z.string().optional().catch(undefined)

const Account = z
  .object({
    oa_id: Id.optional(),
    oaid: Id.optional(),
    name: text,
    description: text,
    oa_alias: text,
    oa_type: NumberLike.optional().catch(undefined),
    is_verified: flag,
    cate_name: text,
    num_follower: NumberLike.optional().catch(undefined),
    avatar: text,
    cover: text,
    package_name: text,
    package_valid_through_date: text,
    package_auto_renew_date: text,
    linked_ZCA: text,
  })
  .transform((account) => ({
    oaId: account.oa_id ?? account.oaid,
    name: account.name,
    description: account.description,
    alias: account.oa_alias,
    /** 2 = enterprise, 4 = state agency; see `endpointFor`. */
    oaType: account.oa_type,
    isVerified: account.is_verified,
    category: account.cate_name,
    followers: account.num_follower,
    avatarUrl: account.avatar,
    coverUrl: account.cover,
    packageName: account.package_name,
    packageValidThrough: account.package_valid_through_date,
    packageRenews: account.package_auto_renew_date,
    cloudAccount: account.linked_ZCA,
  }))

export type Account = z.output<typeof Account>

export type Accounts = {
  /** The account the token belongs to. */
  getAccount(): Promise<Account>
}

export function createAccounts(call: Call): Accounts {
  const path = '/v2.0/oa/getoa'
  return {
    async getAccount() {
      const { data } = await call({ method: 'GET', host: 'oa', path, repeatable: true })
      return readData(Account, data, `GET ${path}`)
    },
  }
}

/** The endpoint to begin with. Only a beginning: what decides is the answer to the first message. */
export function endpointFor({ oaType }: Pick<Account, 'oaType'>): Endpoint {
  // 4 = state agency: those who run such accounts see -235 on v3.0
  return oaType === 4 ? 'v2.0' : 'v3.0'
}

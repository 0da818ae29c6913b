import { z } from 'zod'
import type { Call } from './call.ts'
import { Id, NumberLike } from './json.ts'
import { readData } from './read-data.ts'

// Most fields are absent or empty until the person shared them
const text = z
  .string()
  .optional()
  .catch(undefined)
  .transform((value) => value || undefined)

const UserDetail = z
  .object({
    user_id: Id,
    user_id_by_app: Id.optional(),
    user_external_id: text,
    display_name: text,
    user_alias: text,
    is_sensitive: z.boolean().optional().catch(undefined),
    user_last_interaction_date: text,
    user_is_follower: z.boolean().optional().catch(undefined),
    avatar: text,
    tags_and_notes_info: z
      .object({ notes: z.array(z.string()).catch([]).default([]), tag_names: z.array(z.string()).catch([]).default([]) })
      .optional()
      .catch(undefined),
    shared_info: z
      .object({
        name: text,
        phone: z.union([z.string(), z.number()]).optional().catch(undefined),
        address: text,
        district: text,
        city: text,
        user_dob: text,
      })
      .optional()
      .catch(undefined),
  })
  .transform((user) => ({
    userId: user.user_id,
    userIdByApp: user.user_id_by_app,
    externalId: user.user_external_id,
    displayName: user.display_name,
    alias: user.user_alias,
    isSensitive: user.is_sensitive,
    /** `DD/MM/YYYY`, no time of day. */
    lastInteractionDate: user.user_last_interaction_date,
    isFollower: user.user_is_follower,
    avatarUrl: user.avatar,
    tags: user.tags_and_notes_info?.tag_names ?? [],
    notes: user.tags_and_notes_info?.notes ?? [],
    /** Only after the person filled in the form of `requestUserInfoMessage`. */
    shared: user.shared_info && {
      name: user.shared_info.name,
      phone: user.shared_info.phone === undefined ? undefined : String(user.shared_info.phone) || undefined,
      address: user.shared_info.address,
      district: user.shared_info.district,
      city: user.shared_info.city,
      birthDate: user.shared_info.user_dob,
    },
  }))

export type UserDetail = z.output<typeof UserDetail>

const UserPage = z
  .object({
    total: NumberLike,
    offset: NumberLike.default(0),
    count: NumberLike.default(0),
    users: z.array(z.object({ user_id: Id })).default([]),
  })
  .transform(({ total, offset, users }) => ({ total, offset, userIds: users.map((user) => user.user_id) }))

export type UserPage = z.output<typeof UserPage>

export type UserQuery = {
  /** 0 to 9951: about 10,000 people can be listed and no more. */
  offset?: number
  /** 1 to 50, default 50. */
  count?: number
  tagName?: string
  lastInteraction?: 'TODAY' | 'YESTERDAY' | 'L7D' | 'L30D' | `${string}:${string}`
  isFollower?: boolean
}

export type Users = {
  /** What the platform knows of a person; absent fields were never shared. */
  getUser(userId: string): Promise<UserDetail>
  /** One page of people who ever interacted. Throws RangeError outside the platform's offsets and counts. */
  listUsers(query?: UserQuery): Promise<UserPage>
}

// Vendor's page on the user list
const MAX_OFFSET = 9951
const MAX_COUNT = 50

export function createUsers(call: Call): Users {
  return {
    async getUser(userId) {
      const path = '/v3.0/oa/user/detail'
      const { data } = await call({ method: 'GET', host: 'oa', path, query: { user_id: userId }, repeatable: true })
      return readData(UserDetail, data, `GET ${path}`)
    },
    async listUsers({ offset = 0, count = MAX_COUNT, tagName, lastInteraction, isFollower } = {}) {
      if (!(offset >= 0 && offset <= MAX_OFFSET)) throw new RangeError(`offset must be 0 to ${MAX_OFFSET}`)
      if (!(count >= 1 && count <= MAX_COUNT)) throw new RangeError(`count must be 1 to ${MAX_COUNT}`)
      const path = '/v3.0/oa/user/getlist'
      // JSON leaves out what is undefined
      const query = { offset, count, tag_name: tagName, last_interaction_period: lastInteraction, is_follower: isFollower }
      const { data } = await call({ method: 'GET', host: 'oa', path, query, repeatable: true })
      return readData(UserPage, data, `GET ${path}`)
    },
  }
}

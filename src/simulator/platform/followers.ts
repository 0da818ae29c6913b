import { localDate, localDay } from '../local-time.ts'
import { invalid, Refusal } from '../refusal.ts'
import type { Store } from '../store.ts'
import { tagEvent } from '../webhook/events.ts'
import type { WebhookSender } from '../webhook/sender.ts'
import { type Account, getPerson, type Thread } from '../world.ts'
import type { OaRoute } from './gateway.ts'
import { readPage, readQuery } from './query.ts'
import { readId, readObject, readText } from './shape.ts'

// zalo.md 7: only about 10,000 people can be listed
const LIST_LIMITS = { maxOffset: 9_951, maxCount: 50 }
const DAY_MS = 24 * 3_600_000

/** People as the account sees them, and the tags it puts on them. */
export function registerFollowers(route: OaRoute, { store, webhook }: { store: Store; webhook: WebhookSender }): void {
  function findThread(account: Account, userId: unknown): Thread {
    const thread = account.threadsByUser.get(readId(userId, 'user_id'))
    if (!thread) throw invalid('user_id')
    return thread
  }

  function detail(thread: Thread) {
    const { name } = getPerson(store.world, thread.personId)
    const avatar = `https://s120-ava-talk.zadn.vn/${thread.userId}`
    return {
      user_id: thread.userId,
      user_id_by_app: thread.userIdByApp,
      user_external_id: '',
      display_name: name,
      user_alias: name,
      is_sensitive: false,
      user_last_interaction_date: thread.lastInteraction === undefined ? '' : localDate(thread.lastInteraction),
      user_is_follower: thread.follows,
      avatar,
      avatars: { '120': avatar, '240': avatar },
      dynamic_param: '',
      ...(thread.shared && { shared_info: { ...thread.shared, user_dob: '' } }),
      tags_and_notes_info: { notes: [], tag_names: [...thread.tags] },
    }
  }

  route('GET', '/v3.0/oa/user/detail', (call) => detail(findThread(call.account, readQuery(call, ['user_id']).user_id)))

  route('GET', '/v3.0/oa/user/getlist', (call) => {
    const fields = readQuery(call, ['offset', 'count', 'tag_name', 'last_interaction_period', 'is_follower'])
    const { offset, count } = readPage(fields, LIST_LIMITS)
    const wants = readPeriod(fields.last_interaction_period, call.at)
    const isFollower = fields.is_follower === undefined ? undefined : String(fields.is_follower) === 'true'
    const found = [...call.account.threadsByUser.values()].filter(
      (thread) =>
        (thread.follows || thread.lastInteraction !== undefined) &&
        (isFollower === undefined || thread.follows === isFollower) &&
        (fields.tag_name === undefined || thread.tags.has(String(fields.tag_name))) &&
        wants(thread),
    )
    const users = found.slice(offset, offset + count).map((thread) => ({ user_id: thread.userId }))
    return { total: found.length, count: users.length, offset, users }
  })

  // alive for state agencies only
  for (const name of ['getfollowers', 'getprofile'])
    route('GET', `/v2.0/oa/${name}`, (call) => {
      if (call.account.settings.oaType === 2) throw new Refusal(-240, 'UserInfo API has been shut down')
      if (name === 'getprofile') return detail(findThread(call.account, readQuery(call, ['user_id']).user_id))
      const { offset, count } = readPage(readQuery(call, ['offset', 'count', 'tag_name']), LIST_LIMITS)
      const found = [...call.account.threadsByUser.values()].filter((thread) => thread.follows)
      return { total: found.length, followers: found.slice(offset, offset + count).map((thread) => ({ user_id: thread.userId })) }
    })

  const tagCall = (path: string, on: boolean) =>
    route('POST', `/v2.0/oa/tag/${path}`, ({ account, body, at }) => {
      const fields = readObject(body, 'body', ['user_id', 'tag_name'])
      const thread = findThread(account, fields.user_id)
      const tag = readText(fields.tag_name, 'tag_name', 100)
      store.commit({ t: 'tag', oaId: account.settings.oaId, userId: thread.userId, tag, on })
      webhook.send(account, tagEvent(account, at, { name: on ? 'add_user_to_tag' : 'remove_user_from_tag', tag, userIds: [thread.userId] }))
    })
  tagCall('tagfollower', true)
  tagCall('rmfollowerfromtag', false)

  route('POST', '/v2.0/oa/tag/rmtag', ({ account, body, at }) => {
    const tag = readText(readObject(body, 'body', ['tag_name']).tag_name, 'tag_name', 100)
    const tagged = [...account.threadsByUser.values()].filter((thread) => thread.tags.has(tag))
    if (tagged.length === 0) throw invalid('tag_name')
    for (const { userId } of tagged) store.commit({ t: 'tag', oaId: account.settings.oaId, userId, tag, on: false })
    webhook.send(account, tagEvent(account, at, { name: 'remove_tag', tag, userIds: tagged.map(({ userId }) => userId) }))
  })

  route('GET', '/v2.0/oa/tag/gettagsofoa', ({ account }) => [
    ...new Set([...account.threadsByUser.values()].flatMap((thread) => [...thread.tags])),
  ])
}

/** `TODAY`, `YESTERDAY`, `L7D`, `L30D` or `YYYY_MM_DD:YYYY_MM_DD`, days in Vietnam. */
function readPeriod(value: unknown, at: number): (thread: Thread) => boolean {
  if (value === undefined) return () => true
  const [from, to] = periodDays(value, at)
  return ({ lastInteraction }) => {
    if (lastInteraction === undefined) return false
    const day = localDay(lastInteraction)
    return day >= from && day <= to
  }
}

function periodDays(value: unknown, at: number): [from: string, to: string] {
  const today = localDay(at)
  const days = (ago: number) => localDay(at - ago * DAY_MS)
  switch (value) {
    case 'TODAY':
      return [today, today]
    case 'YESTERDAY':
      return [days(1), days(1)]
    case 'L7D':
      return [days(6), today]
    case 'L30D':
      return [days(29), today]
    default: {
      const match = /^(\d{4}_\d{2}_\d{2}):(\d{4}_\d{2}_\d{2})$/.exec(String(value))
      if (!match) throw invalid('last_interaction_period')
      return [match[1]!, match[2]!]
    }
  }
}

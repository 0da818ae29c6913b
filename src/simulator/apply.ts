import { localMonth } from './local-time.ts'
import { type Account, getAccount, getPerson, type Message, type Thread, type World, type WorldRecord } from './world.ts'

/** Changes the world by one record. Replaying a journal gives the same world again. */
export function apply(world: World, record: WorldRecord): void {
  switch (record.t) {
    case 'account':
      applyAccount(world, record.settings)
      break
    case 'tokens':
      world.access.set(record.tokens.access, record.tokens)
      world.refresh.set(record.tokens.refresh, { tokens: record.tokens, spent: false })
      break
    case 'spent': {
      const pair = world.refresh.get(record.refresh)
      if (pair) pair.spent = true
      break
    }
    case 'revoked':
      revoke(world, record)
      break
    case 'person':
      world.people.set(record.person.id, { ...record.person, online: true, banned: false, seq: 0, threads: [] })
      break
    case 'phone': {
      const person = getPerson(world, record.personId)
      if (record.online !== undefined) person.online = record.online
      if (record.banned !== undefined) person.banned = record.banned
      break
    }
    case 'thread':
      applyThread(world, record)
      break
    case 'relation': {
      const thread = getThread(world, record)
      if (record.follows !== undefined) thread.follows = record.follows
      if (record.left !== undefined) thread.left = record.left
      if (record.blocked !== undefined) thread.blocked = record.blocked
      if (record.muted !== undefined) thread.muted = record.muted
      if (record.shared !== undefined) thread.shared = record.shared
      if (record.interaction !== undefined) interact(thread, record.interaction)
      break
    }
    case 'message':
      applyMessage(world, record)
      break
    case 'status':
      for (const id of record.ids) {
        const message = world.messages.get(id)
        if (!message) continue
        if (message.status === 'waiting' && record.at !== undefined) {
          message.at = record.at
          interact(getThread(world, message), record.at)
        }
        message.status = record.status
      }
      break
    case 'icon': {
      const message = world.messages.get(record.id)
      if (message) message.icons = [...(message.icons ?? []), record.icon]
      break
    }
    case 'tag': {
      const tags = getAccount(world, record.oaId).threadsByUser.get(record.userId)?.tags
      if (record.on) tags?.add(record.tag)
      else tags?.delete(record.tag)
      break
    }
    case 'file':
      world.files.set(record.file.id, record.file)
      break
    case 'upload':
      world.uploads.set(record.upload.id, record.upload)
      break
    case 'article':
      getAccount(world, record.oaId).articles.set(record.article.id, record.article)
      break
    case 'article-gone':
      getAccount(world, record.oaId).articles.delete(record.id)
      break
    case 'group': {
      const groups = getAccount(world, record.oaId).groups
      groups.set(record.group.id, { ...record.group, messages: groups.get(record.group.id)?.messages ?? [] })
      break
    }
    case 'group-message':
      getAccount(world, record.oaId).groups.get(record.groupId)?.messages.push(record.message)
      break
    case 'event':
      world.waitingEvents.set(record.event.id, record.event)
      break
    case 'settled':
      world.waitingEvents.delete(record.id)
      break
    default:
      record satisfies never
  }
}

function applyAccount(world: World, settings: Account['settings']) {
  const account = world.accounts.get(settings.oaId)
  if (account) {
    account.settings = settings
    return
  }
  world.accounts.set(settings.oaId, {
    settings,
    threadsByUser: new Map(),
    threadsByPerson: new Map(),
    billed: new Map(),
    articles: new Map(),
    groups: new Map(),
  })
}

function applyThread(world: World, record: WorldRecord & { t: 'thread' }) {
  const { oaId, personId, userId, userIdByApp, at } = record
  const thread: Thread = {
    oaId,
    personId,
    userId,
    userIdByApp,
    follows: false,
    left: false,
    blocked: false,
    muted: false,
    since: at,
    tags: new Set(),
    messages: [],
  }
  const account = getAccount(world, oaId)
  account.threadsByUser.set(userId, thread)
  account.threadsByPerson.set(personId, thread)
  getPerson(world, personId).threads.push(thread)
}

function applyMessage(world: World, { message, interaction, billed }: WorldRecord & { t: 'message' }) {
  const thread = getThread(world, message)
  thread.messages.push(message)
  world.messages.set(message.id, message)
  getPerson(world, message.personId).seq = message.seq
  if (interaction) interact(thread, message.at)
  if (billed) {
    const counts = getAccount(world, message.oaId).billed
    const month = localMonth(message.at)
    counts.set(month, (counts.get(month) ?? 0) + 1)
  }
}

function revoke(world: World, { oaId, what }: WorldRecord & { t: 'revoked' }) {
  if (what !== 'refresh') for (const [token, tokens] of world.access) if (tokens.oaId === oaId) world.access.delete(token)
  if (what !== 'access') for (const [token, pair] of world.refresh) if (pair.tokens.oaId === oaId) world.refresh.delete(token)
}

function interact(thread: Thread, at: number) {
  thread.lastInteraction = at
  thread.left = false
}

/** The thread of a person with an account, both of which must exist and have met. */
function getThread(world: World, of: Pick<Message, 'oaId' | 'personId'>): Thread {
  const thread = getAccount(world, of.oaId).threadsByPerson.get(of.personId)
  if (!thread) throw new Error(`Person ${of.personId} has never met the account ${of.oaId}.`)
  return thread
}

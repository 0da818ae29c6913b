import type { Database } from '../../src/db/connect.ts'
import type { Sealer } from '../../src/lib/crypto.ts'
import { createDice, type Dice } from '../run/dice.ts'
import { ACCOUNT, type SimulatorProcess } from '../run/processes.ts'
import type { TelegramServer } from '../support/telegram/server.ts'
import { ARRIVED, FAULTS, type Fault } from './faults.ts'

/** One human being, however many chats and rows of a roster they have, with what may become of them in one campaign. */
export type Human = {
  name: string
  /** Where messages to them arrive, on every channel. */
  chats: string[]
  /** Rows of the ledger that are about them. */
  rows: number
  /** "status class" as exported; their rows have one of these each. */
  ends: string[]
  /** The same for somebody outside the window, once they have written. */
  endsMet?: string[]
  /** Rows beside theirs: a second line of a roster, without a chat. */
  doubleEnds?: string
  /** Whether something is sent to them before they write: it may be in flight at a kill. */
  tried: boolean
  kind: string
}

/** Of one campaign, written down before the start, for the program that checks its ledger. */
export type Roll = { recipients: number; text: string; article?: string; leaders: string[]; humans: Human[] }

/**
 * The campaigns of a trial. An article takes the place of all messages to followers, so there are two, begun together on the same accounts:
 * between them people are reached now, at their next contact, by a village's notice, by an article, by phone and on Telegram.
 */
export type Notice = { text: string; byPhone: boolean; article?: string }
export const NOTICES: readonly Notice[] = [
  { text: 'Tuần lễ học tập suốt đời', byPhone: true },
  { text: 'Ngày Sách và Văn hóa đọc', byPhone: false, article: 'Chương trình Ngày Sách và Văn hóa đọc' },
]

/** The two platforms people have phones on. */
export type Platforms = { simulator: SimulatorProcess; telegram: TelegramServer }

export type Writer = { id: string; userId: string }

export type Settled = {
  communeId: number
  /** In the order of the campaigns. */
  rolls: Roll[]
  /** Of villages whose notice is passed on. */
  leaders: Writer[]
  /** People outside the window, to write while the campaigns run: what waits for them comes with their word. Who has two chats writes in both. */
  writers: Writer[]
  /** People outside the window whose answer makes the whole account wait; they write when all else is sent. */
  last: (Writer & { fault: Fault })[]
  /** How many answers leave open whether the message arrived. */
  ambiguous: number
  /** What a campaign may pause for. */
  pauses: string[]
  /** Numbers that take templates in development. */
  adminPhones: string[]
}

export type SettleArgs = {
  seed: number
  /** Rows of each ledger. */
  recipients: number
  /** Whose window is open, percent. */
  openPercent: number
  /** Faults that take long, too. */
  long: boolean
  /** Faults for which an officer has to resume the campaign: all, or so many. */
  mostPauses: number
}

// Shares of a hundred
const TWO_CHATS = 4
const WITHOUT_CHAT = 5
const TWICE_IN_ROSTER = 2
const UNREGISTERED = 3
const ON_TELEGRAM = 3
const BLOCKED = 1
const STOPPED = 1
const DEAD = 0.5
// Of those with one chat; the others wrote and do not follow
const FOLLOWERS = 50
// Of those without a chat, and of those whose window is closed
const PHONE_ALONE = 30
const PHONE_BESIDE = 2
const ADMINISTRATORS = 75
const LED_VILLAGES = 5
// The first lead the first villages: always there, with one chat, open. Behind them, in a small commune too, somebody for each fault of these ways
const SURE: readonly Kind[] = [
  ...Array.from({ length: LED_VILLAGES }, () => 'plain' as const),
  ...FAULTS.flatMap(({ by }) => (by === 'telegram' ? ['telegram' as const] : by === 'phone' ? ['without' as const] : [])),
]
// Longer ago than any window
const LONG_AGO_MS = 20 * 86_400_000
const MOST_AT_ONCE = 2_000
const FIRST_PHONE = 84_900_000_000
const FIRST_ON_TELEGRAM = 500_000_001

/** `phone`: the chat a template makes, which the bot knows nothing of. */
type Chat = { id: string; userId: string; by: 'chat' | 'telegram' | 'phone'; open: boolean }
type Planned = {
  n: number
  name: string
  village: number
  chats: Chat[]
  rows: number
  registered: boolean
  blocked: boolean
  stopped: boolean
  dead: boolean
  follows: boolean
  phone?: string
  /** Of the account: in development a template reaches nobody else. */
  administers: boolean
  fault?: Fault
  writes: boolean
}

/** Fills the commune with people who have phones at the platforms, and hands out the faults. Says of everybody what has to become of them. */
export async function settle({ sql }: Database, sealer: Sealer, platforms: Platforms, args: SettleArgs): Promise<Settled> {
  const dice = createDice(args.seed, 'roll')
  const planned = plan(args, dice)
  await givePhones(platforms, planned)
  const [commune] = await sql<Commune[]>`
    SELECT commune_id::int AS id, min(id) FILTER (WHERE channel = 'zalo')::int AS zalo, min(id) FILTER (WHERE channel = 'telegram')::int AS telegram
    FROM account WHERE commune_id <> 0 GROUP BY 1`
  if (!commune) throw new Error('there is no commune')
  await store({ sql }, sealer, commune, planned)

  const { handed, pauses } = handOutFaults(planned, args, dice)
  const last: Settled['last'] = []
  for (const { fault, userId, id } of handed) {
    if (fault.holds) last.push({ id, userId, fault })
    else await addFault(platforms, fault, userId)
  }
  const writers = planned.filter((one) => isClosed(one) && one.fault === undefined && !one.blocked)
  for (const one of writers) one.writes = true
  for (const one of planned) if (one.blocked) for (const { id } of one.chats) await block(platforms.simulator, id)
  const leaders = planned.slice(0, LED_VILLAGES).flatMap((one) => one.chats)
  return {
    communeId: commune.id,
    rolls: NOTICES.map(({ text, byPhone, article }) => ({
      recipients: args.recipients,
      text,
      ...(article !== undefined && { article }),
      leaders: leaders.map((chat) => chat.userId),
      humans: planned.map((one) => ({
        name: one.name,
        chats: one.chats.map((chat) => chat.userId),
        rows: one.rows,
        ...decide(one, { byPhone, hasArticle: article !== undefined }),
        ...(one.rows === 2 && { doubleEnds: unreached(one, 'no_chat') }),
      })),
    })),
    leaders,
    writers: writers.flatMap((one) => one.chats),
    last,
    // Those on Telegram get both campaigns' messages, the others one message and the article
    ambiguous: handed.reduce((sum, { fault }) => sum + (fault.ambiguous ? (fault.by === 'telegram' ? NOTICES.length : 1) : 0), 0),
    pauses,
    adminPhones: planned.flatMap((one) => (one.phone !== undefined && one.administers ? [one.phone] : [])),
  }
}

/** Outside the window, on Zalo alone, with no other way but the next word. */
const isClosed = ({ chats, stopped, dead, phone }: Planned) =>
  chats.length > 0 && !stopped && !dead && phone === undefined && chats.every((chat) => chat.by === 'chat' && !chat.open)

/** Each fault to somebody it can meet. */
function handOutFaults(planned: readonly Planned[], args: SettleArgs, dice: Dice) {
  const pausing = dice.some(
    FAULTS.filter((fault) => fault.pauses !== undefined),
    args.mostPauses,
  )
  const plain = planned.filter((one) => one.n > LED_VILLAGES && one.registered && one.rows === 1 && one.chats.length === 1 && !one.stopped)
  const ofChats = plain.filter((one) => one.follows)
  const free = {
    chat: ofChats.filter((one) => one.chats.every((chat) => chat.open)),
    held: ofChats.filter(isClosed),
    telegram: plain.filter((one) => one.chats.every((chat) => chat.by === 'telegram')),
    phone: plain.filter((one) => one.phone !== undefined && one.administers && one.chats.every((chat) => !chat.open)),
  }
  const handed: (Writer & { fault: Fault })[] = []
  for (const fault of FAULTS) {
    if ((fault.pauses !== undefined && !pausing.includes(fault)) || (fault.long && !args.long)) continue
    if (fault.by === 'article') {
      handed.push({ fault, id: '', userId: '' })
      continue
    }
    const among = free[fault.holds ? 'held' : fault.by]
    const [one] = among.splice(dice.below(among.length), 1)
    const [chat] = one?.chats ?? []
    if (!one || !chat) throw new Error(`there are not enough people for every fault: ${fault.name}`)
    one.fault = fault
    handed.push({ fault, id: chat.id, userId: fault.by === 'phone' ? one.phone! : chat.userId })
  }
  return { handed, pauses: pausing.map((fault) => fault.pauses!).sort() }
}

const ENDPOINTS = { chat: 'message/cs', phone: 'message/template', article: 'v2.0/oa/message' }

export async function addFault({ simulator, telegram }: Platforms, fault: Fault, userId: string): Promise<void> {
  const { after, once, holds } = fault
  if (fault.by === 'telegram') {
    const times = once ? 1 : NOTICES.length
    telegram.fault({ method: 'sendMessage', chatId: Number(userId), answer: fault.answer, times, ...(after && { applied: true }) })
    return
  }
  const { answer } = fault
  const call = {
    endpoint: ENDPOINTS[fault.by],
    ...(userId !== '' && { user_id: userId }),
    answer,
    when: after || 'slow_ms' in answer ? 'after' : 'before',
    // Whoever writes is answered first; the second message is the notice
    ...(holds ? { nth: 2 } : once && { times: 1 }),
  }
  await simulator.control('POST', '/faults', { call })
}

/** Who there is, in the order of the ledger. */
function plan({ recipients, openPercent }: SettleArgs, dice: Dice): Planned[] {
  const list: Planned[] = []
  const happens = (percent: number) => dice.chance() * 100 < percent
  let rows = 0
  while (rows < recipients) {
    const n = list.length + 1
    const village = dice.below(35)
    const leads = n <= LED_VILLAGES
    const isSure = n <= SURE.length
    const kind = SURE[n - 1] ?? pickKind(dice)
    const chats: Chat[] = []
    const addChat = (by: Chat['by'], open: boolean) => chats.push({ id: '', userId: '', by, open })
    if (kind !== 'without') addChat(kind === 'telegram' ? 'telegram' : 'chat', leads || happens(openPercent))
    // Both open, one of them, none: whichever is open is the way
    if (kind === 'two') addChat(happens(50) ? 'telegram' : 'chat', happens(openPercent))
    const onZalo = chats.length > 0 && chats.every((chat) => chat.by === 'chat')
    const plain = !leads && onZalo && kind !== 'two' && kind !== 'twice'
    const stopped = plain && happens(STOPPED)
    const dead = plain && !stopped && happens(DEAD)
    const blocked = onZalo && !leads && !stopped && !dead && happens(BLOCKED)
    const reachable = !leads && !stopped && !dead && !blocked
    const hasPhone =
      reachable &&
      kind !== 'unregistered' &&
      (chats.length === 0 ? isSure || happens(PHONE_ALONE) : onZalo && kind === 'plain' && happens(PHONE_BESIDE))
    if (hasPhone && chats.length === 0) addChat('phone', false)
    const twice = kind === 'twice' && recipients - rows > 1
    list.push({
      n,
      name: kind === 'unregistered' ? '' : `Người ${n}`,
      village,
      chats,
      rows: twice ? 2 : 1,
      registered: kind !== 'unregistered',
      blocked,
      stopped,
      dead,
      follows: onZalo && chats.length === 1 && reachable && happens(FOLLOWERS),
      ...(hasPhone && { phone: String(FIRST_PHONE + n) }),
      administers: hasPhone && (isSure || happens(ADMINISTRATORS)),
      writes: false,
    })
    rows += twice ? 2 : 1
  }
  return list
}

type Kind = 'plain' | 'without' | 'unregistered' | 'two' | 'twice' | 'telegram'

function pickKind(dice: Dice): Kind {
  const shares = { without: WITHOUT_CHAT, unregistered: UNREGISTERED, two: TWO_CHATS, twice: TWICE_IN_ROSTER, telegram: ON_TELEGRAM }
  const special = Object.values(shares).reduce((sum, share) => sum + share, 0)
  return dice.weighted({ ...shares, plain: 100 - special })
}

/** Whom nothing reaches is the village's leader's to tell, where there is one. */
const unreached = ({ registered, village }: Planned, reason: string) =>
  registered && village < LED_VILLAGES ? 'skipped village_notice' : `skipped ${reason}`

/** By the design of the ways: stopped before all else, an article for who follows, the open window, Telegram, the phone, the next word, the leader. */
function decide(
  one: Planned,
  { byPhone, hasArticle }: { byPhone: boolean; hasArticle: boolean },
): Pick<Human, 'kind' | 'ends' | 'endsMet' | 'tried'> {
  const { chats, fault, blocked, dead } = one
  const two = chats.length > 1 ? ', two chats' : ''
  const onZalo = chats.filter((chat) => chat.by === 'chat')
  const meets = (by: Fault['by']) =>
    fault?.by === by && !fault.holds ? { kind: fault.name, ends: [...fault.ends], tried: true } : undefined
  if (one.stopped) return { kind: 'stopped', ends: ['skipped stopped'], tried: false }
  if (hasArticle && one.follows) return { kind: 'follows', ends: ['sent article_broadcast'], tried: true }
  if (!dead && onZalo.some((chat) => chat.open)) {
    // The campaign that meets the dead chat first marks it
    if (blocked) return { kind: 'blocked', ends: ['failed not_a_follower', 'skipped not_a_follower'], tried: true }
    const kind = two ? 'two chats' : one.rows > 1 ? 'twice in the roster' : one.registered ? 'open' : 'not registered'
    return meets('chat') ?? { kind, ends: [...ARRIVED], tried: true }
  }
  if (chats.some((chat) => chat.by === 'telegram')) return meets('telegram') ?? { kind: `Telegram${two}`, ends: ['sent '], tried: true }
  if (byPhone && one.phone !== undefined) {
    if (one.administers) return meets('phone') ?? { kind: 'by phone', ends: ['sent '], tried: true }
    return { kind: 'by phone, no administrator', ends: ['failed development_admins_only'], tried: true }
  }
  if (onZalo.length > 0 && !dead) {
    const endsMet = fault?.holds ? [...fault.ends] : one.writes ? [...ARRIVED] : undefined
    const kind = fault?.holds ? fault.name : blocked ? 'closed, blocked' : `closed${two}`
    return { kind, ends: ['waiting next_contact'], tried: false, ...(endsMet && { endsMet }) }
  }
  return { kind: dead ? 'dead before' : 'without a chat', ends: [unreached(one, dead ? 'not_a_follower' : 'no_chat')], tried: false }
}

/** The platform itself knows whose window is closed: those met it long ago; and who follows, since an article goes to nobody else. */
async function givePhones({ simulator, telegram }: Platforms, planned: readonly Planned[]): Promise<void> {
  let next = FIRST_ON_TELEGRAM
  for (const chat of planned.flatMap((one) => one.chats.filter(({ by }) => by === 'telegram'))) {
    chat.userId = String(next)
    telegram.person.meet(next++)
  }
  const wanting = planned.flatMap((one) => one.chats.flatMap((chat) => (chat.by === 'telegram' ? [] : [{ one, chat }])))
  const groups = Map.groupBy(wanting, ({ one, chat }) => `${chat.open} ${one.follows} ${chat.by}`)
  for (const group of groups.values()) {
    const [{ one, chat: first }] = group as [(typeof wanting)[number]]
    await simulator.control('PUT', '/clock', { offset_ms: first.open ? 0 : -LONG_AGO_MS })
    // Numbers go to the first ones
    const people = group.sort((a, b) => Number(b.one.phone !== undefined) - Number(a.one.phone !== undefined))
    for (let from = 0; from < people.length; from += MOST_AT_ONCE) {
      const some = people.slice(from, from + MOST_AT_ONCE)
      const made = (await simulator.control('POST', '/people', {
        oa_id: ACCOUNT.oaId,
        count: some.length,
        follow: one.follows,
        met: first.by === 'chat',
        phones: some.flatMap((each) => each.one.phone ?? []),
      })) as { id: string; user_id: string }[]
      for (const [place, { chat }] of some.entries()) Object.assign(chat, { id: made[place]!.id, userId: made[place]!.user_id })
    }
  }
  await simulator.control('PUT', '/clock', { offset_ms: 0 })
}

type Commune = { id: number; zalo: number; telegram: number }

async function store({ sql }: Pick<Database, 'sql'>, sealer: Sealer, commune: Commune, planned: readonly Planned[]): Promise<void> {
  // The sample commune's own people have no phones here
  for (const table of ['role_grant', 'contact', 'person']) await sql`DELETE FROM ${sql(table)}`
  const villages = sql`(SELECT array_agg(id ORDER BY position, id) AS ids FROM unit WHERE commune_id = ${commune.id} AND level = 'thon_ban')`
  const addPeople = (list: readonly Planned[], source: (one: Planned) => string) => {
    const people = list.map((one) => ({
      n: one.n,
      name: one.name,
      village: one.village,
      source: source(one),
      phone: one.phone === undefined ? null : sealer.seal(one.phone).toString('hex'),
    }))
    return sql`
      INSERT INTO person (commune_id, village_id, name, name_key, birth_year, address, group_no, source, phone_enc, created_at)
      SELECT ${commune.id}, ids[1 + village % cardinality(ids)], name, lower(name), 1970, 'bac', 1, source, decode(phone, 'hex'), now()
      FROM json_to_recordset(${JSON.stringify(people)}::text::json) AS given (n int, name text, village int, source text, phone text), ${villages} AS villages
      ORDER BY n`
  }
  await addPeople(
    planned.filter((one) => one.registered),
    ({ chats }) => (chats.some((chat) => chat.by !== 'phone') ? 'chat' : 'roster'),
  )
  const chats = planned.flatMap((one) =>
    one.chats
      .filter(({ by }) => by !== 'phone')
      .map(({ userId, by, open }) => ({
        name: one.registered ? one.name : null,
        account_id: by === 'telegram' ? commune.telegram : commune.zalo,
        user_id: userId,
        open,
        follows: one.follows,
        stopped: one.stopped,
        dead: one.dead,
      })),
  )
  await sql`
    INSERT INTO contact (commune_id, account_id, channel_user_id, person_id, first_seen_at, last_inbound_at, follows, stopped_at, unreachable_class)
    SELECT ${commune.id}, account_id, user_id, p.id, now(), now() - CASE WHEN open THEN interval '2 hours' ELSE interval '20 days' END, follows,
      CASE WHEN stopped THEN now() END, CASE WHEN dead THEN 'not_a_follower' END
    FROM json_to_recordset(${JSON.stringify(chats)}::text::json)
      AS given (name text, account_id bigint, user_id text, open boolean, follows boolean, stopped boolean, dead boolean)
    LEFT JOIN person p ON p.commune_id = ${commune.id} AND p.name = given.name`
  // After those of the chats: a name stands for one of them
  await addPeople(
    planned.filter((one) => one.rows === 2),
    () => 'roster',
  )
  const leaders = planned.slice(0, LED_VILLAGES).map((one, village) => ({ user_id: one.chats[0]!.userId, village }))
  await sql`
    INSERT INTO role_grant (commune_id, unit_id, contact_id, role, granted_at)
    SELECT ${commune.id}, ids[1 + village % cardinality(ids)], c.id, 'village_lead', now()
    FROM json_to_recordset(${JSON.stringify(leaders)}::text::json) AS given (user_id text, village int)
    JOIN contact c ON c.channel_user_id = given.user_id, ${villages} AS villages`
  for (const table of ['person', 'contact']) await sql`ANALYZE ${sql(table)}`
}

async function block(simulator: SimulatorProcess, id: string): Promise<void> {
  await asPerson(simulator, `/people/${id}/block`, { oa_id: ACCOUNT.oaId, blocked: true })
}

/** Something a person does with their phone. */
export async function asPerson(simulator: SimulatorProcess, path: string, body: object): Promise<void> {
  const response = await fetch(`${simulator.personUrl}/phone/api${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
}

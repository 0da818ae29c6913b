import type { Database } from '../../src/db/connect.ts'
import { createDice, type Dice } from '../run/dice.ts'
import { ACCOUNT, type SimulatorProcess } from '../run/processes.ts'
import { ARRIVED, FAULTS, type Fault } from './faults.ts'

/** One human being, however many chats and rows of a roster they have, with what may become of them. */
export type Human = {
  name: string
  /** User ids of their chats. */
  chats: string[]
  /** Rows of the ledger that are about them. */
  rows: number
  /** "status class" as exported; their rows have one of these each. */
  ends: string[]
  /** The same for somebody outside the window, once they have written. */
  endsMet?: string[]
  /** Rows beside theirs: a second line of a roster, without a chat. */
  doubleEnds?: string
  kind: string
}

/** Written down before the start, for the program that checks the ledger. */
export type Roll = { recipients: number; text: string; humans: Human[] }

export const TEXT = 'Tuần lễ học tập suốt đời'

export type Settled = {
  communeId: number
  roll: Roll
  /** People outside the window, to write while the campaign runs: the notice comes with their word. Who has two chats writes in both. */
  writers: { id: string; userId: string }[]
  /** People outside the window whose answer makes the whole account wait; they write when all else is sent. */
  last: { id: string; userId: string; fault: Fault }[]
  /** How many answers leave open whether the message arrived. */
  ambiguous: number
  /** What the campaign may pause for. */
  pauses: string[]
}

export type SettleArgs = {
  seed: number
  /** Rows of the ledger. */
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
const BLOCKED = 1
const STOPPED = 1
const DEAD = 0.5
const LED_VILLAGES = 5
// Longer ago than any window
const LONG_AGO_MS = 20 * 86_400_000
const MOST_AT_ONCE = 2_000

type Chat = { id: string; userId: string; open: boolean }
type Planned = Human & { chat: Chat[]; n: number; village: number; blocked: boolean; stopped: boolean; dead: boolean; registered: boolean }

/** Fills the commune with people who have phones at the platform, and hands out the faults. Says of everybody what has to become of them. */
export async function settle({ sql }: Database, simulator: SimulatorProcess, args: SettleArgs): Promise<Settled> {
  const dice = createDice(args.seed, 'roll')
  const planned = plan(args, dice)
  await givePhones(simulator, planned)
  const [commune] = await sql<{ id: number; account_id: number }[]>`
    SELECT u.id::int AS id, a.id::int AS account_id FROM unit u JOIN account a ON a.commune_id = u.id WHERE u.level = 'xa' LIMIT 1`
  if (!commune) throw new Error('there is no commune')
  await store({ sql }, commune, planned)

  const free = planned.filter((one) => one.kind === 'open' && one.n > LED_VILLAGES)
  const closed = planned.filter((one) => one.kind === 'closed')
  const pausing = new Set(
    dice.some(
      FAULTS.filter((fault) => fault.pauses !== undefined),
      args.mostPauses,
    ),
  )
  const last: Settled['last'] = []
  let ambiguous = 0
  for (const fault of FAULTS) {
    if ((fault.pauses !== undefined && !pausing.has(fault)) || (fault.long && !args.long)) continue
    const one = fault.holds ? closed.pop() : free.splice(dice.below(free.length), 1)[0]
    const [chat] = one?.chat ?? []
    if (!one || !chat) throw new Error('there are not enough people for every fault')
    one.kind = fault.name
    one.ends = [...fault.ends]
    if (fault.ambiguous) ambiguous++
    if (fault.holds) one.endsMet = one.ends
    if (fault.holds) last.push({ id: chat.id, userId: chat.userId, fault })
    else await addFault(simulator, fault, chat.userId)
  }
  const writing = [...planned.filter((one) => one.kind === 'closed, two chats'), ...closed]
  for (const one of writing) one.endsMet = [...ARRIVED]
  for (const one of planned) if (one.blocked) for (const chat of one.chat) await block(simulator, chat.id)
  return {
    communeId: commune.id,
    roll: {
      recipients: args.recipients,
      text: TEXT,
      humans: planned.map(({ name, chat, rows, ends, endsMet, doubleEnds, kind }) => ({
        name,
        chats: chat.map((one) => one.userId),
        rows,
        ends,
        kind,
        ...(endsMet && { endsMet }),
        ...(doubleEnds !== undefined && { doubleEnds }),
      })),
    },
    writers: writing.flatMap((one) => one.chat.map(({ id, userId }) => ({ id, userId }))),
    last,
    ambiguous,
    pauses: [...pausing].map((fault) => fault.pauses!).sort(),
  }
}

export async function addFault(simulator: SimulatorProcess, { answer, after, once, holds }: Fault, userId: string): Promise<void> {
  const call = {
    endpoint: 'message/cs',
    user_id: userId,
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
  let rows = 0
  while (rows < recipients) {
    const n = list.length + 1
    const throwOf100 = dice.chance() * 100
    const isOpen = () => dice.chance() * 100 < openPercent
    const village = dice.below(35)
    // The first lead the first villages: always there, with one chat, open
    const leads = n <= LED_VILLAGES
    const spare = recipients - rows
    const without = !leads && throwOf100 < WITHOUT_CHAT
    const unregistered = !leads && !without && throwOf100 < WITHOUT_CHAT + UNREGISTERED
    const two = !leads && !without && !unregistered && throwOf100 < WITHOUT_CHAT + UNREGISTERED + TWO_CHATS
    const twice =
      !leads && !without && !unregistered && !two && throwOf100 < WITHOUT_CHAT + UNREGISTERED + TWO_CHATS + TWICE_IN_ROSTER && spare > 1
    const chat: Chat[] = without ? [] : [{ id: '', userId: '', open: leads || isOpen() }]
    // Both open, one of them, none: whichever is open is the way
    if (two) chat.push({ id: '', userId: '', open: isOpen() })
    const plain = !leads && !without && !two && !twice
    const stopped = plain && dice.chance() * 100 < STOPPED
    const dead = plain && !stopped && dice.chance() * 100 < DEAD
    const blocked = !leads && !without && !stopped && !dead && dice.chance() * 100 < BLOCKED
    const one: Planned = {
      name: unregistered ? '' : `Người ${n}`,
      chats: [],
      chat,
      rows: twice ? 2 : 1,
      ends: [],
      kind: '',
      n,
      village,
      blocked,
      stopped,
      dead,
      registered: !unregistered,
    }
    decide(one)
    list.push(one)
    rows += one.rows
  }
  return list
}

/** By the design of the ways: stopped before all else, then the open window, then the person's next word, then the village's leader. */
function decide(one: Planned): void {
  const led = one.registered && one.village < LED_VILLAGES
  const unreached = (reason: string) => (led ? 'skipped village_notice' : `skipped ${reason}`)
  const set = (kind: string, ...ends: string[]) => {
    one.kind = kind
    one.ends = ends
  }
  if (one.rows === 2) one.doubleEnds = unreached('no_chat')
  if (one.chat.length === 0) set('without a chat', unreached('no_chat'))
  else if (one.stopped) set('stopped', 'skipped stopped')
  else if (one.dead) set('dead before', unreached('not_a_follower'))
  else if (!one.chat.some((chat) => chat.open))
    set(one.blocked ? 'closed, blocked' : one.chat.length > 1 ? 'closed, two chats' : 'closed', 'waiting next_contact')
  else if (one.blocked) set('blocked', 'failed not_a_follower')
  else
    set(one.chat.length > 1 ? 'two chats' : one.rows > 1 ? 'twice in the roster' : one.registered ? 'open' : 'not registered', ...ARRIVED)
}

/** The platform itself knows whose window is closed: those met it long ago. */
async function givePhones(simulator: SimulatorProcess, planned: readonly Planned[]): Promise<void> {
  for (const open of [false, true]) {
    await simulator.control('PUT', '/clock', { offset_ms: open ? 0 : -LONG_AGO_MS })
    const wanting = planned.flatMap((one) => one.chat.filter((chat) => chat.open === open))
    for (let from = 0; from < wanting.length; from += MOST_AT_ONCE) {
      const some = wanting.slice(from, from + MOST_AT_ONCE)
      const made = (await simulator.control('POST', '/people', { oa_id: ACCOUNT.oaId, count: some.length, follow: true })) as {
        id: string
        user_id: string
      }[]
      for (const [place, chat] of some.entries()) Object.assign(chat, { id: made[place]!.id, userId: made[place]!.user_id })
    }
  }
}

async function store(
  { sql }: Pick<Database, 'sql'>,
  commune: { id: number; account_id: number },
  planned: readonly Planned[],
): Promise<void> {
  // The sample commune's own people have no phones here
  for (const table of ['role_grant', 'contact', 'person']) await sql`DELETE FROM ${sql(table)}`
  const people = planned
    .filter((one) => one.registered)
    .map(({ n, name, village, chat }) => ({ n, name, village, source: chat.length > 0 ? 'chat' : 'roster' }))
  const twice = planned.filter((one) => one.rows === 2).map(({ n, name, village }) => ({ n, name, village, source: 'roster' }))
  const villages = sql`(SELECT array_agg(id ORDER BY position, id) AS ids FROM unit WHERE commune_id = ${commune.id} AND level = 'thon_ban')`
  // Those of the chats first: a name stands for one of them
  for (const [list, again] of [
    [people, false],
    [twice, true],
  ] as const) {
    if (list.length === 0) continue
    await sql`
      WITH given AS (SELECT * FROM json_to_recordset(${JSON.stringify(list)}::text::json) AS given (n int, name text, village int, source text)),
      made AS (
        INSERT INTO person (commune_id, village_id, name, name_key, birth_year, address, group_no, source, created_at)
        SELECT ${commune.id}, ids[1 + village % cardinality(ids)], name, lower(name), 1970, 'bac', 1, source, now() FROM given, ${villages} AS villages ORDER BY n
        RETURNING id, name
      )
      SELECT count(*) FROM made`
    if (again) continue
    const chats = planned.flatMap((one) =>
      one.chat.map(({ userId, open }) => ({
        name: one.registered ? one.name : null,
        user_id: userId,
        open,
        stopped: one.stopped,
        dead: one.dead,
      })),
    )
    await sql`
      INSERT INTO contact (commune_id, account_id, channel_user_id, person_id, first_seen_at, last_inbound_at, follows, stopped_at, unreachable_class)
      SELECT ${commune.id}, ${commune.account_id}, user_id, p.id, now(), now() - CASE WHEN open THEN interval '2 hours' ELSE interval '20 days' END, true,
        CASE WHEN stopped THEN now() END, CASE WHEN dead THEN 'not_a_follower' END
      FROM json_to_recordset(${JSON.stringify(chats)}::text::json) AS given (name text, user_id text, open boolean, stopped boolean, dead boolean)
      LEFT JOIN person p ON p.commune_id = ${commune.id} AND p.name = given.name`
  }
  const leaders = planned.slice(0, LED_VILLAGES).map((one, village) => ({ user_id: one.chat[0]!.userId, village }))
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

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'csv-parse/sync'
import type { Human, Roll } from './roll.ts'

// node tests/kill/check-ledger.ts <folder> [--final] [--killed]
//
// A program of its own: it knows neither the bot nor its database. It holds `ledger.csv` (export ledger) against `roll.json` (who there is and
// what may become of whom, written before the start), `wrote.json` (chats in which somebody has written since), `deliveries.jsonl` (what the platform's phones have, read after the export) and
// `before.csv` (the export before). Prints one line of JSON.

export type Checked = {
  statuses: Record<string, number>
  /** By kind of person: how many rows ended how. */
  kinds: Record<string, Record<string, number>>
  deliveries: number
  lost: string[]
  doubled: string[]
  problems: string[]
}

type Row = { channel_user_id: string; person: string; status: string; class_or_reason: string; attempts: string }
type Delivery = { msg_id: string; user_id: string; from: string; kind: string; text?: string }

const STATUSES = ['waiting', 'sent', 'failed', 'skipped', 'expired', 'cancelled', 'uncertain'] as const
// What may still change, and into what. A message in flight when its process died is uncertain until the truth is known
const NEXT: Record<string, readonly string[]> = { waiting: STATUSES, uncertain: STATUSES }
// In flight at a kill, and settled or not
const KILLED_ENDS = ['uncertain process_died', 'sent settled_by_echo', 'sent settled_by_search']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { final: { type: 'boolean', default: false }, killed: { type: 'boolean', default: false } },
})
const folder = positionals[0]
if (folder === undefined) throw new Error('say the folder')

function check(folder: string): Checked {
  const roll = JSON.parse(readFileSync(join(folder, 'roll.json'), 'utf8')) as Roll
  const rows = readLedger(join(folder, 'ledger.csv'))
  const wrote = new Set(JSON.parse(readFileSync(join(folder, 'wrote.json'), 'utf8')) as string[])
  const arrived = countDeliveries(join(folder, 'deliveries.jsonl'), roll.text)
  const byChat = new Map(roll.humans.flatMap((human) => human.chats.map((chat) => [chat, human] as const)))
  const byName = new Map(roll.humans.filter((human) => human.name !== '').map((human) => [human.name, human]))
  const found = new Map<Human, Row[]>()
  const problems: string[] = []
  const statuses = Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<string, number>
  for (const row of rows) {
    const human = row.channel_user_id === '' ? byName.get(row.person) : byChat.get(row.channel_user_id)
    if (!human) problems.push(`nobody on the roll is ${nameOf(row)}`)
    else found.set(human, [...(found.get(human) ?? []), row])
    if (statuses[row.status] === undefined) problems.push(`${nameOf(row)} has the status ${row.status}`)
    else statuses[row.status]! += 1
  }
  const sum = Object.values(statuses).reduce((all, n) => all + n, 0)
  if (sum !== roll.recipients) problems.push(`the seven statuses add up to ${sum} of ${roll.recipients}`)
  const { lost, doubled, kinds } = checkHumans({ roll, found, arrived, wrote }, problems)
  checkHistory(folder, rows, problems)
  const deliveries = [...arrived.values()].reduce((all, n) => all + n, 0)
  for (const chat of arrived.keys()) if (!byChat.has(chat)) problems.push(`the notice went to ${chat}, who is nobody on the roll`)
  return { statuses, kinds, deliveries, lost, doubled, problems }
}

type Seen = { roll: Roll; found: Map<Human, Row[]>; arrived: Map<string, number>; wrote: Set<string> }

function checkHumans({ roll, found, arrived, wrote }: Seen, problems: string[]) {
  const lost: string[] = []
  const doubled: string[] = []
  const kinds: Checked['kinds'] = {}
  for (const human of roll.humans) {
    const rows = found.get(human) ?? []
    if (rows.length !== human.rows) problems.push(`${human.name || human.chats[0]} has ${rows.length} rows of ${human.rows}`)
    const n = human.chats.reduce((all, chat) => all + (arrived.get(chat) ?? 0), 0)
    // Without a chat it is the second line of a roster; with one, theirs
    const own = rows.find((row) => row.channel_user_id !== '') ?? rows[0]
    if (!own) continue
    const says = rows.map(endOf).join(' and ')
    const what = `${human.name || human.chats[0]} (${human.kind}): ${says}, arrived ${n} times`
    if (n > 1) doubled.push(what)
    if (rows.filter((row) => row.status === 'sent' || row.status === 'uncertain').length > 1) doubled.push(what)
    if (own.status === 'sent' && n === 0) lost.push(what)
    if (!['sent', 'uncertain', 'waiting'].includes(own.status) && n > 0) problems.push(what)
    for (const row of rows) if (row !== own && endOf(row) !== human.doubleEnds) problems.push(what)
    // Whose window is closed is met when they write
    const met = human.chats.some((chat) => wrote.has(chat)) && human.endsMet !== undefined
    const kind = met ? `${human.kind}, wrote` : human.kind
    kinds[kind] ??= {}
    const ends = kinds[kind]
    ends[endOf(own)] = (ends[endOf(own)] ?? 0) + 1
    if (!values.final) continue
    if (own.status === 'waiting' && n > 0) problems.push(what)
    const wanted = met ? human.endsMet! : human.ends
    const tried = !wanted.some((end) => end.startsWith('skipped')) && (met || !human.kind.startsWith('closed'))
    const mayEnd = [...wanted, ...(values.killed && tried ? KILLED_ENDS : [])]
    if (mayEnd.includes(endOf(own))) continue
    if (own.status === 'waiting') lost.push(what)
    else problems.push(`${what}, should be ${wanted.join(' or ')}`)
  }
  return { lost, doubled, kinds }
}

/** What was final before is so still. */
function checkHistory(folder: string, rows: readonly Row[], problems: string[]): void {
  const path = join(folder, 'before.csv')
  if (!existsSync(path)) return
  // In the order of the ledger, which nothing changes
  const before = readLedger(path)
  for (const [place, old] of before.entries()) {
    const row = rows[place]
    if (!row || row.person !== old.person) problems.push(`row ${place} was ${nameOf(old)} and is ${row ? nameOf(row) : 'gone'}`)
    else if (row.status !== old.status && !NEXT[old.status]?.includes(row.status))
      problems.push(`${nameOf(row)} was ${endOf(old)} and is ${endOf(row)}`)
    else if (Number(row.attempts) < Number(old.attempts))
      problems.push(`${nameOf(row)} had ${old.attempts} attempts and has ${row.attempts}`)
  }
}

function countDeliveries(path: string, text: string): Map<string, number> {
  const arrived = new Map<string, number>()
  const seen = new Set<string>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue
    const message = JSON.parse(line) as Delivery
    if (message.from !== 'oa' || message.kind !== 'text' || !message.text?.startsWith(text) || seen.has(message.msg_id)) continue
    seen.add(message.msg_id)
    arrived.set(message.user_id, (arrived.get(message.user_id) ?? 0) + 1)
  }
  return arrived
}

const readLedger = (path: string) => parse(readFileSync(path, 'utf8'), { columns: true }) as Row[]
const endOf = (row: Row) => `${row.status} ${row.class_or_reason}`
const nameOf = (row: Row) => `${row.person || 'somebody'} ${row.channel_user_id}`

process.stdout.write(`${JSON.stringify(check(folder))}\n`)

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'csv-parse/sync'
import { type Delivery, parseDeliveries } from './phones.ts'
import type { Human, Roll } from './roll.ts'

// node tests/kill/check-ledger.ts <folder> [--final] [--killed]
//
// A program of its own: it knows neither the bot nor its database. Each folder in the given one is a campaign's: it holds `ledger.csv` (export
// ledger) against `roll.json` (who there is and what may become of whom, written before the start), `before.csv` (the export before), and
// of the folder above `wrote.json` (chats in which somebody has written since) and `deliveries.jsonl` (what the phones on all platforms have,
// read after the export). Prints one line of JSON.

export type Checked = {
  statuses: Record<string, number>
  /** By kind of person: how many rows ended how. */
  kinds: Record<string, Record<string, number>>
  /** Messages of the campaign on phones; articles among them. */
  deliveries: number
  articles: number
  lost: string[]
  doubled: string[]
  problems: string[]
}

type Row = { channel_user_id: string; person: string; status: string; class_or_reason: string; attempts: string }

const STATUSES = ['waiting', 'sent', 'failed', 'skipped', 'expired', 'cancelled', 'uncertain'] as const
// What may still change, and into what. A message in flight when its process died is uncertain until the truth is known
const NEXT: Record<string, readonly string[]> = { waiting: STATUSES, uncertain: STATUSES }
// In flight at a kill, and settled or not
const KILLED_ENDS = ['uncertain process_died', 'sent settled_by_echo', 'sent settled_by_search', 'sent settled_by_receipt']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { final: { type: 'boolean', default: false }, killed: { type: 'boolean', default: false } },
})
const [folder] = positionals
if (folder === undefined) throw new Error('say the folder')

function check(campaign: string, deliveries: readonly Delivery[], wrote: ReadonlySet<string>): Checked {
  const roll = JSON.parse(readFileSync(join(campaign, 'roll.json'), 'utf8')) as Roll
  const rows = readLedger(join(campaign, 'ledger.csv'))
  const { arrived, articles, pictures } = countDeliveries(deliveries, roll)
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
  checkHistory(campaign, rows, problems)
  if (values.final) checkNotices(roll, pictures, problems)
  for (const chat of arrived.keys()) if (!byChat.has(chat)) problems.push(`the notice went to ${chat}, who is nobody on the roll`)
  return { statuses, kinds, deliveries: [...arrived.values()].reduce((all, n) => all + n, 0), articles, lost, doubled, problems }
}

type Seen = { roll: Roll; found: Map<Human, Row[]>; arrived: Map<string, number>; wrote: ReadonlySet<string> }

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
    // An article is on its way for a while after it was sent
    if (own.status === 'sent' && n === 0 && (values.final || own.class_or_reason !== 'article_broadcast')) lost.push(what)
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
    const mayEnd = [...wanted, ...(values.killed && (met || human.tried) ? KILLED_ENDS : [])]
    if (mayEnd.includes(endOf(own))) continue
    if (own.status === 'waiting') lost.push(what)
    else problems.push(`${what}, should be ${wanted.join(' or ')}`)
  }
  return { lost, doubled, kinds }
}

/** What was final before is so still. */
function checkHistory(campaign: string, rows: readonly Row[], problems: string[]): void {
  const path = join(campaign, 'before.csv')
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

/** Each leader has the picture to pass on, once; one that a dying process was sending may be missing, and never comes twice. */
function checkNotices({ leaders, text }: Roll, pictures: Map<string, number>, problems: string[]): void {
  for (const leader of leaders) {
    const n = pictures.get(leader) ?? 0
    if (n > 1 || (n < 1 && !values.killed)) problems.push(`the leader ${leader} has ${n} notices to pass on: ${text}`)
  }
  for (const chat of pictures.keys()) if (!leaders.includes(chat)) problems.push(`${chat}, who leads no village, has a notice to pass on`)
}

function countDeliveries(deliveries: readonly Delivery[], { text, article }: Roll) {
  const arrived = new Map<string, number>()
  const pictures = new Map<string, number>()
  let articles = 0
  const count = (counts: Map<string, number>, { user_id }: Delivery) => counts.set(user_id, (counts.get(user_id) ?? 0) + 1)
  for (const delivery of deliveries) {
    if (delivery.from !== 'oa') continue
    const isArticle = article !== undefined && delivery.kind === 'list' && delivery.elements?.[0]?.title === article
    if (isArticle) articles++
    if (isArticle || (delivery.kind === 'text' && delivery.text?.includes(text))) count(arrived, delivery)
    if (delivery.kind === 'image' && delivery.text?.includes(text)) count(pictures, delivery)
  }
  return { arrived, articles, pictures }
}

const readLedger = (path: string) => parse(readFileSync(path, 'utf8'), { columns: true }) as Row[]
const endOf = (row: Row) => `${row.status} ${row.class_or_reason}`
const nameOf = (row: Row) => `${row.person || 'somebody'} ${row.channel_user_id}`

const deliveries = parseDeliveries(readFileSync(join(folder, 'deliveries.jsonl'), 'utf8'))
const wrote = new Set(JSON.parse(readFileSync(join(folder, 'wrote.json'), 'utf8')) as string[])
const campaigns = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
const checked = campaigns
  .map(({ name }) => name)
  .sort()
  .map((name) => check(join(folder, name), deliveries, wrote))
process.stdout.write(`${JSON.stringify(checked)}\n`)

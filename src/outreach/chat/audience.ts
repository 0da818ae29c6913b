import { sql } from 'drizzle-orm'
import { GROUPS, type GroupKey } from '../../conversation/actions.ts'
import { type LiveSession, say, type Turn, voiceOf } from '../../conversation/turn.ts'
import type { AudienceRule } from '../../db/schema.ts'
import type { Var } from '../../engine/flow.ts'
import { fold } from '../../lib/fold.ts'
import { vietnamTime } from '../../lib/vietnam-time.ts'
import type { TextRef } from '../../model/text.ts'
import { unitTitle } from '../../registry/units.ts'

/** Whom a broadcast is for, as the officer says it in the chat; kept in the session until the campaign's rule is made of it. */
type Result = Record<string, Var>

const DAY_MS = 86_400_000
// "Who has just had one": as far back as the ceiling of campaigns looks
const LATELY_DAYS = 7
const MOST_NAMED = 5

const STATES = { chua_dang_ky: 'not_registered', chua_bat_dau: 'not_begun', chua_xong: 'not_finished', da_xong: 'finished' } as const

/** The narrowing steps, each a list of ids or absent. */
const NARROWED = ['_groups', '_without_villages', '_without_people', '_without_campaigns', 'channel'] as const

/** Forgets whom it was for: it is chosen anew from the whole commune. */
export function forgetAudience({ state: { vars } }: LiveSession): void {
  for (const name of [...NARROWED, '_villages', 'who']) vars[name] = ''
}

/** "Sửa", "Người nhận": chosen from the beginning. */
export async function chooseAgain(_turn: Turn, live: LiveSession): Promise<Result> {
  forgetAudience(live)
  return {}
}

const idsIn = (value: Var | undefined): number[] | undefined =>
  typeof value === 'string' && value !== '' ? value.split(',').map(Number) : undefined

const joined = (old: Var | undefined, ids: readonly number[]): string => [...new Set([...(idsIn(old) ?? []), ...ids])].join(',')

/** The rule as it was said so far. Without any choice: everybody of the commune. */
export function ruleOf(turn: Turn, { state: { vars } }: LiveSession): AudienceRule {
  const { year } = vietnamTime(turn.now)
  const byState = vars.where === 'moi_nguoi' ? undefined : STATES[vars.who as keyof typeof STATES]
  const state = byState === 'not_finished' && vars.which === 'mot_cau' ? 'question_open' : byState
  const question = state === 'question_open' ? questionKey(turn, Number(vars.question)) : undefined
  const unitIds = vars.where === 'chon_ban' ? idsIn(vars._villages) : undefined
  const groups = idsIn(vars._groups)
  const without = {
    unitIds: idsIn(vars._without_villages),
    personIds: idsIn(vars._without_people),
    campaignIds: idsIn(vars._without_campaigns),
  }
  const exclude = Object.fromEntries(Object.entries(without).filter(([, ids]) => ids !== undefined))
  return {
    ...(unitIds ? { unitIds } : {}),
    ...(state ? { state, year } : {}),
    ...(question ? { question } : {}),
    ...(groups ? { groups } : {}),
    ...(vars.channel === 'zalo' || vars.channel === 'telegram' ? { channel: vars.channel } : {}),
    ...(Object.keys(exclude).length > 0 ? { exclude } : {}),
  }
}

/** The question of this number in the form of most people. */
function questionKey(turn: Turn, number: number): string | undefined {
  const set = [...turn.deps.content.sets.values()].filter((item) => item.title === 'CDHT' && item.group === 1).at(-1)
  return set?.questions.filter((question) => question.source === 'asked')[number - 1]?.key
}

/** The rule in words, so that the officer sees what was understood; undefined where it is everybody. */
export function ruleInWords(turn: Turn, { state: { vars } }: LiveSession, rule: AudienceRule): string | undefined {
  const voice = voiceOf(turn)
  const villages = (ids: readonly number[]) =>
    turn.commune?.villages
      .filter((village) => ids.includes(village.id))
      .map((village) => village.name)
      .join(', ') ?? ''
  const lines: TextRef[] = []
  if (rule.unitIds) lines.push({ key: 'broadcast.rule.villages', params: { names: villages(rule.unitIds) } })
  if (rule.state === 'question_open') lines.push({ key: 'broadcast.rule.question', params: { number: Number(vars.question) } })
  else if (rule.state) lines.push({ key: `broadcast.who.${String(vars.who)}` })
  if (rule.groups) {
    const keys = (Object.keys(GROUPS) as GroupKey[]).filter((key) => rule.groups?.includes(GROUPS[key]))
    lines.push({ key: 'broadcast.rule.groups', params: { names: keys.map((key) => voice({ key: `broadcast.group.${key}` })).join('; ') } })
  }
  if (rule.channel) lines.push({ key: `broadcast.channel.${rule.channel}` })
  const { unitIds, personIds, campaignIds } = rule.exclude ?? {}
  if (unitIds) lines.push({ key: 'broadcast.rule.without_villages', params: { names: villages(unitIds) } })
  if (personIds) lines.push({ key: 'broadcast.rule.without_people', params: { count: personIds.length } })
  if (campaignIds) lines.push({ key: 'broadcast.rule.without_sent', params: { days: LATELY_DAYS } })
  return lines.length === 0 ? undefined : lines.map((line) => `• ${voice(line)}`).join('\n')
}

/** Villages of a list such as "Nà Đa, 3 và Hua Bó"; what is none of them is said, and asked for again. */
function readVillages(turn: Turn, text: string): number[] | undefined {
  const { commune, deps } = turn
  const found: number[] = []
  const unknown: string[] = []
  for (const words of listed(text)) {
    const understood = commune && deps.understand.understand(words, commune.preparedVillages)
    if (understood?.kind === 'option') found.push(Number(understood.key))
    else unknown.push(words)
  }
  if (unknown.length === 0 && found.length > 0) return [...new Set(found)]
  say(turn, 'broadcast.villages_unknown', { names: unknown.join(', ') })
  return undefined
}

const LEAVES = new Set(['thoi', 'huy', 'thoat', 'bo', 'khong gui nua', 'cancel'])
/** Whether the officer wants out of a step: THÔI and its kin. */
export const leaves = (text: unknown): boolean => LEAVES.has(fold(String(text ?? '')))

const listed = (text: string): string[] =>
  text
    .split(/[,;\n]+| và /u)
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** Which villages it is for. */
export async function takeVillages(turn: Turn, live: LiveSession): Promise<Result> {
  const text = live.state.vars.villages
  if (leaves(text)) return { _next: 'end' }
  const ids = readVillages(turn, String(text ?? ''))
  if (!ids) return { _next: 'villages' }
  const names = turn.commune?.villages.filter((village) => ids.includes(village.id)).map(unitTitle) ?? []
  say(turn, 'broadcast.villages_taken', { count: ids.length, names: names.join(', ') })
  return { _villages: ids.join(','), _next: 'on' }
}

/** One group more that it is for. */
export async function takeGroup(_turn: Turn, { state: { vars } }: LiveSession): Promise<Result> {
  return { _groups: joined(vars._groups, [GROUPS[vars.group as GroupKey]]) }
}

/** Villages that are left out. */
export async function leaveOutVillages(turn: Turn, { state: { vars } }: LiveSession): Promise<Result> {
  if (leaves(vars.without_villages)) return { _next: 'on' }
  const ids = readVillages(turn, String(vars.without_villages ?? ''))
  return ids ? { _without_villages: joined(vars._without_villages, ids), _next: 'on' } : { _next: 'villages' }
}

/** People that are left out by name, such as a family in mourning: "Lò Văn Pâng (Nà Đa)". Who is not found, or not alone, is asked about. */
export async function leaveOutPeople(turn: Turn, { state: { vars } }: LiveSession): Promise<Result> {
  if (leaves(vars.without_people)) return { _next: 'on' }
  const ids: number[] = []
  const unknown: string[] = []
  for (const words of listed(String(vars.without_people ?? ''))) {
    const [, name = words, place] = /^(.+?)\s*(?:\(|\s[-–]\s|\sbản\s)\s*(.+?)\)?$/iu.exec(words) ?? []
    const understood =
      place === undefined ? undefined : turn.commune && turn.deps.understand.understand(place, turn.commune.preparedVillages)
    const villageId = understood?.kind === 'option' ? Number(understood.key) : undefined
    const found = await turn.tx.execute<{ id: number; village: string }>(sql`
      SELECT p.id::float8 AS id, u.name AS village FROM person p JOIN unit u ON u.id = p.village_id
      WHERE p.commune_id = ${turn.contact.communeId} AND p.name_key = ${fold(name)}
        ${villageId === undefined ? sql`` : sql`AND p.village_id = ${villageId}`}
      ORDER BY p.id LIMIT ${MOST_NAMED + 1}`)
    const [only, second] = found
    if (!only || (place !== undefined && villageId === undefined)) unknown.push(words)
    else if (second) {
      say(turn, 'broadcast.people_several', { name, villages: [...new Set(found.map((row) => row.village))].join(', ') })
      return { _next: 'people' }
    } else ids.push(only.id)
  }
  if (unknown.length === 0 && ids.length > 0) return { _without_people: joined(vars._without_people, ids), _next: 'on' }
  say(turn, 'broadcast.people_unknown', { names: unknown.join(', ') })
  return { _next: 'people' }
}

/** Whoever has had a broadcast in the last days is left out. */
export async function leaveOutSent(turn: Turn, { state: { vars } }: LiveSession): Promise<Result> {
  const since = new Date(turn.now.getTime() - LATELY_DAYS * DAY_MS).toISOString()
  const rows = await turn.tx.execute<{ id: number }>(sql`
    SELECT id::int AS id FROM campaign WHERE commune_id = ${turn.contact.communeId} AND started_at > ${since}::timestamptz ORDER BY id`)
  if (rows.length === 0) {
    say(turn, 'broadcast.none_lately', { days: LATELY_DAYS })
    return {}
  }
  return {
    _without_campaigns: joined(
      vars._without_campaigns,
      rows.map((row) => row.id),
    ),
  }
}

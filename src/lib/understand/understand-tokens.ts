import { amountEdges, isSum } from './amounts.ts'
import { type Context, wordsMeant } from './context.ts'
import { decide } from './decide.ts'
import { findEdit } from './edits.ts'
import { type NumberAt, numbersAt } from './numbers.ts'
import { type Edge, findPhrases, type LabelKind, type Place } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { Understanding } from './types.ts'
import type { Candidate } from './vocabulary.ts'

/** No phrase reaches over these. */
const WALLS: ReadonlySet<LabelKind> = new Set(['poison', 'others', 'or', 'deny', 'regret', 'stop'])
const STRICT: ReadonlySet<LabelKind> = new Set(['light', 'poison', 'others', 'negator'])
const PAUSE = /[.,;:!?…]/
const MAX_LIGHT_COST = 0.2
/** "lếu" is "nếu", too. */
const MAX_STOP_COST = 0.4
const NONE: Understanding = { kind: 'none' }

/** The words of a text with what each may be. */
type Reading = {
  tokens: readonly Token[]
  candidates: readonly (readonly Candidate[])[]
  numbers: readonly (readonly NumberAt[])[]
  /** Small words. */
  light: readonly boolean[]
  /** "gì", "đâu" after a denial: no question. */
  vague: readonly boolean[]
  /** "lắm" after a denial, doubt under a yes or no: turns the meaning. */
  partial: readonly boolean[]
  places: readonly Place[]
}

/** What these words mean, read as one piece. `ending`: signs after the last of them. */
export function understandTokens(typed: readonly Token[], ending: string, context: Context): Understanding {
  const { lists, prepared } = context
  const { offered } = prepared
  const reading = readPlaces(wordsMeant(typed, context), context)
  const { tokens, candidates, numbers, light, places } = reading
  const edges = edgesIn(reading, context)
  if (edges.some((edge) => edge.label.kind === 'stop' && edge.cost <= MAX_STOP_COST)) return NONE
  const edit = findEdit({ tokens, numbers, edges, offered, light })
  if (edit !== undefined) return edit
  const turned = afterTurn(reading, edges, ending, context)
  if (turned !== undefined) return turned
  const counted = amountEdges({ tokens, candidates, numbers, offered, amounts: lists.amounts, light })
  const isPlus = tokens.map((token) => lists.plus.has(token.canon))
  if (isSum(counted, isPlus, numbers)) return NONE
  edges.push(...counted)
  const passable = places.map((place) => place.skippable !== undefined)
  const meant = decide({ ...reading, edges, ending, passable, lists, prepared })
  if (meant.kind === 'option') return meant
  // "trước hay nhắc giờ thỉnh thoảng": where both together say nothing clear, what is so now counts
  const now = sinceNow(reading, edges)
  const present = now === undefined ? meant : understandTokens(tokens.slice(now), ending, context)
  return present.kind === 'option' ? present : meant
}

/** Where what is so now begins, when something before it was so then. */
function sinceNow({ tokens, light }: Reading, edges: readonly Edge[]): number | undefined {
  const isSaid = (edge: Edge, kind: LabelKind) => edge.label.kind === kind && edge.cost <= MAX_LIGHT_COST
  const past = edges.find((edge) => isSaid(edge, 'past') && light.slice(0, edge.start).every(Boolean))
  if (past === undefined) return undefined
  const present = edges.filter((edge) => isSaid(edge, 'present') && edge.start >= past.end).sort((a, b) => b.end - a.end)[0]
  return present !== undefined && present.end < tokens.length ? present.end : undefined
}

function readPlaces(tokens: readonly Token[], { lists, prepared, lookup }: Context): Reading {
  const candidates = tokens.map((token) =>
    token.figure === undefined ? lookup.find(token, (token.marked || lookup.marked) && lists.ordinary.has(token.canon)) : [],
  )
  const pair = (one: Token | undefined, other: Token | undefined) => lists.noNumber.has(`${one?.plain} ${other?.plain}`)
  const numbers = tokens.map((token, at) =>
    pair(tokens[at - 1], token) || pair(token, tokens[at + 1]) ? [] : numbersAt(at, tokens, candidates, lists.values),
  )
  let negated = false
  const vague: boolean[] = []
  const partial: boolean[] = []
  const light = candidates.map((list) => {
    const isOneOf = (set: ReadonlySet<string>) =>
      list.some(({ word, cost }) => cost <= Math.min(MAX_LIGHT_COST, list[0]?.cost ?? 0) && set.has(word))
    const partly = negated && isOneOf(lists.degree) && vague.at(-1) !== true
    partial.push(partly || (prepared.offered.kind === 'confirm' && isOneOf(lists.hedges)))
    vague.push(negated && !partly && isOneOf(lists.afterNegation))
    const small = partial.at(-1) !== true && (vague.at(-1) === true || isOneOf(lists.light))
    negated ||= isOneOf(lists.denials)
    return small
  })
  const places = candidates.map((list, at): Place => {
    const isOneOf = (set: ReadonlySet<string>) => list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && set.has(word))
    const isTopic = () => list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && prepared.asked.has(word) && !lists.negators.has(word))
    return {
      candidates: list,
      numbers: numbers[at] ?? [],
      turns: PAUSE.test(tokens[at]?.gap ?? '') || isOneOf(lists.walls),
      skippable: light[at] || isOneOf(lists.between) ? 'small' : isTopic() ? 'topic' : undefined,
    }
  })
  return { tokens, candidates, numbers, light, vague, partial, places }
}

/** All phrases of the lexicon and of the answers. */
function edgesIn({ tokens, candidates, places }: Reading, { lists, prepared, lookup }: Context): Edge[] {
  // an everyday word, rightly written, is no slip of one that turns a meaning: "xe" is not "sẽ"
  const isItself = tokens.map(({ canon: word }, at) => lists.ordinary.has(word) && (candidates[at]?.[0]?.cost ?? 1) > 0)
  // words of the question stand inside answers, not inside the words around them: "nhầm, học xong rồi" is not "nhầm rồi"
  const around = places.map((place): Place => (place.skippable === 'topic' ? { ...place, skippable: undefined } : place))
  // "lon" ends "nuoi lon" as "lợn", "ui" is only friendly: neither takes anything back
  const isAmbiguous = (at: number) => {
    const readings = lists.ordinaryByPlain.get(tokens[at]?.plain ?? '') ?? []
    if (lists.light.has(tokens[at]?.canon ?? '')) return true
    return tokens[at]?.marked === false && at > 0 && tokens[at]?.gap === '' && readings.length > 1
  }
  const edges = findPhrases(lists.graph, around, lists.weights).filter(
    ({ label, start, end, words }) =>
      // "bác ghi cho tôi" names no "bác tôi"
      (label.kind !== 'others' || words === end - start) &&
      !(label.kind === 'regret' && words === 1 && isAmbiguous(start)) &&
      (!STRICT.has(label.kind) || !isItself.slice(start, end).some(Boolean)),
  )
  const isWall = new Array<boolean>(tokens.length).fill(false)
  // "nhắc các cháu học mỗi ngày": people the question speaks of stand inside its answers
  const isAsked = ({ start, end }: Edge) =>
    tokens.slice(start, end).every(({ canon: word }) => prepared.asked.has(word) || lists.light.has(word))
  for (const edge of edges)
    if (WALLS.has(edge.label.kind) && edge.cost <= MAX_LIGHT_COST && !(edge.label.kind === 'others' && isAsked(edge)))
      isWall.fill(true, edge.start, edge.end)
  // "ngày nào con tôi cũng xem": not the small words "con" and "tôi"
  const isOther = new Array<boolean>(tokens.length).fill(false)
  for (const { label, start, end, cost, words } of edges)
    if (lookup.marked && cost === 0 && ((label.kind === 'others' && words > 1) || (label.kind === 'poison' && words > 2)))
      isOther.fill(true, start, end)
  const open = places.map(
    (place, at): Place => (isWall[at] ? { ...place, turns: true, skippable: isOther[at] ? undefined : place.skippable } : place),
  )
  edges.push(...findPhrases(prepared.graph, open, lists.weights))
  return edges
}

/** Where a part of the text takes back what stands before it ("năm ngoái … năm nay", "1 mới đúng", "à nhầm, 3"): what only that part says. */
function afterTurn(reading: Reading, edges: readonly Edge[], ending: string, context: Context): Understanding | undefined {
  const { tokens, light } = reading
  const inside = (edge: Edge) =>
    !PAUSE.test(tokens[edge.start]?.gap ?? '') &&
    edges.some(
      (one) =>
        // "không phải là chưa": not the "phải là" that corrects
        (one.label.kind === 'deny' || (one.label.kind === 'option' && one.holes === undefined && one.strength >= 2)) &&
        one.words > edge.words &&
        one.start <= edge.start &&
        one.end >= edge.end,
    )
  const isSaid = (edge: Edge, kind: LabelKind) => edge.label.kind === kind && edge.cost <= MAX_LIGHT_COST && !inside(edge)
  const last = (kind: LabelKind) => edges.filter((edge) => isSaid(edge, kind)).sort((a, b) => b.end - a.end)[0]
  const past = edges.find((edge) => isSaid(edge, 'past'))
  const present = last('present')
  if (past !== undefined && present !== undefined && present.start >= past.end) {
    const spans = edges.some(({ label, start, end }) => label.kind === 'option' && start < present.start && end > present.end)
    if (!spans) return understandTokens(tokens.slice(present.end), ending, context)
  }
  const denied = last('deny')
  const kept = denied === undefined ? undefined : besideDenied(reading, denied, context)
  if (kept !== undefined) return understandTokens(kept, ending, context)
  const truly = last('truly')
  if (truly !== undefined && tokens.slice(truly.end).every((_, i) => light[truly.end + i])) {
    let from = truly.start - 1
    while (from > 0 && tokens[from]?.gap === '') from--
    const meant = from < 0 ? NONE : understandTokens(tokens.slice(from, truly.start), ending, context)
    if (meant.kind === 'option') return meant
  }
  const regret = last('regret')
  if (regret === undefined) return undefined
  const after = tokens.slice(regret.end)
  if (!after.every((_, i) => light[regret.end + i])) return understandTokens(after, ending, context)
  return tokens.slice(0, regret.start).every((_, i) => light[i]) ? undefined : NONE
}

/** What stands beside a figure that is denied: "3 chứ không phải 2, gõ nhầm", "không phải 2, 3 cơ". */
function besideDenied({ tokens, numbers, light }: Reading, deny: Edge, { lists }: Context): readonly Token[] | undefined {
  const isFigure = (at: number) => light[at] || (numbers[at]?.length ?? 0) > 0 || lists.ordinals.has(tokens[at]?.canon ?? '')
  const pause = tokens.findIndex(({ gap }, at) => at > deny.end && PAUSE.test(gap))
  const end = pause < 0 ? tokens.length : pause
  const figures = tokens.slice(deny.end, end)
  if (!figures.some((_, i) => !light[deny.end + i]) || !figures.every((_, i) => isFigure(deny.end + i))) return undefined
  if (deny.start > 0 && lists.contrast.has(tokens[deny.start]?.canon ?? '')) return tokens.slice(0, deny.start)
  return pause > 0 && light.slice(0, deny.start).every(Boolean) ? tokens.slice(pause) : undefined
}

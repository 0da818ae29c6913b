import { type Clause, cutClauses } from './clauses.ts'
import { type Context, wordsMeant } from './context.ts'
import { canon } from './letters.ts'
import { isOtherPerson, speaksOfOthers } from './others.ts'
import { type Edge, findPhrases, type LabelKind, type Place } from './phrase-graph.ts'
import { readWords, type Token } from './tokens.ts'
import type { Understanding } from './types.ts'
import { understandTokens } from './understand-tokens.ts'

/** Shorter texts are one clause. */
const MIN_WORDS = 4
/** A clause this short says nothing by itself, unless it is set against another person or another time. */
const MIN_CLAUSE = 3
const MAX_COST = 0.2
const RATHER = canon('chứ')
const NONE: Understanding = { kind: 'none' }

/**
 * The one clear answer among the clauses of a text, each read alone. Said of oneself it counts against what is said of others ("vợ tôi đi
 * suốt, tôi thì chưa"), said of now against what was or will be; otherwise nothing else in the text may speak of another answer or person.
 * `isOpen`: the whole text says nothing; else it leaves several answers open.
 */
export function understandClauses(typed: readonly Token[], context: Context, isOpen: boolean): Understanding {
  const { lists, prepared, lookup } = context
  const { offered } = prepared
  if (typed.length < MIN_WORDS || offered.kind === 'confirm' || offered.kind === 'village') return NONE
  const tokens = wordsMeant(typed, context)
  const places = tokens.map((token): Place => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
  const edges = findPhrases(lists.graph, places, lists.weights).filter(({ cost }) => cost <= MAX_COST)
  if (edges.some(({ label }) => label.kind === 'stop' || label.kind === 'edit')) return NONE
  const all = cutClauses(tokens, edges)
  if (all.length < 2) return NONE
  const clauses = relevant({ clauses: all, edges, tokens, context })
  if (clauses === undefined || (!isOpen && clauses.length === all.length)) return NONE
  const isChosen = clauses.length < all.length
  // "5 ngày, mỗi ngày một buổi": the figures belong together
  if (offered.counts !== undefined && !isChosen && clauses.filter((clause) => hasNumber(clause, tokens, context)).length > 1) return NONE
  const keys = new Set<string>()
  const spokenOf = new Set<string>()
  let denied: readonly Token[] = []
  const neutral: Token[] = []
  const among: (readonly string[])[] = []
  let areOthersNamed = false
  let isSaidOfOneself = false
  // "muốn học lắm, nhà neo người nên chưa đi được": the answer itself denies
  const denying =
    offered.options.find(({ text }) => readWords(text).tokens.some((token, at) => at > 0 && lists.denials.has(token.canon)))?.key ?? ''
  for (const { start, end } of clauses) {
    const part = tokens.slice(start, end)
    const there = places.slice(start, end)
    const isLong = part.length >= MIN_CLAUSE || (isChosen && clauses.length === 1)
    // "chỉ có sách chứ chưa có bàn": what is said stands before
    const isContrast = tokens[start - 1]?.canon === RATHER && lists.denials.has(part[0]?.canon ?? '')
    const understood = isContrast ? NONE : understandTokens(part, '', context)
    if (understood.kind === 'none') neutral.push(...part)
    if (understood.kind === 'option' && part.some((token) => lists.denials.has(token.canon))) denied = part
    if (understood.kind === 'option') {
      const said = isLong ? keys : spokenOf
      said.add(understood.key)
      isSaidOfOneself ||= isLong && isSelfFirst(part, context)
    } else if (understood.kind === 'which') among.push(understood.keys)
    else if (understood.kind !== 'none') {
      // "3 con lợn", "ừ": too little to say that it speaks of anything else
      if (isLong) return NONE
    } else if (keys.size > 0 && !keys.has(denying) && opposes(part, there, context)) return NONE
    else {
      const words = part.map((token) => token.canon)
      areOthersNamed ||= speaksOfOthers(words, there, context)
      for (const key of mentioned(there, context)) spokenOf.add(key)
    }
  }
  // "hội to mới đi, hội nhỏ không đi": what is denied was said just before
  const isTaken = denied.some(
    ({ canon: word }) => prepared.asked.has(word) && !lists.light.has(word) && neutral.some((token) => token.canon === word),
  )
  if (isTaken || (areOthersNamed && !isSaidOfOneself)) return NONE
  const [key] = keys
  // "tuần sau mới có lớp, chắc đi 2 buổi": nothing is counted that is still to come
  const isToCome = edges.some(({ label }) => label.kind === 'future') && !edges.some(({ label }) => label.kind === 'present')
  if (offered.counts !== undefined && isToCome && !denied.length) return NONE
  const isClear = keys.size === 1 && [...spokenOf].every((one) => one === key) && among.every((list) => list.includes(key ?? ''))
  return isClear && key !== undefined ? { kind: 'option', key } : NONE
}

function hasNumber({ start, end }: Clause, tokens: readonly Token[], { lists, lookup }: Context): boolean {
  return tokens.slice(start, end).some((token, i) => {
    const isNumber = token.figure !== undefined || lookup.find(token).some(({ word, cost }) => cost <= MAX_COST && lists.values.has(word))
    return isNumber && !lists.dated.has(tokens[start + i - 1]?.canon ?? '')
  })
}

type Text = { clauses: readonly Clause[]; edges: readonly Edge[]; tokens: readonly Token[]; context: Context }

/** The clauses an answer is looked for in. Undefined when what is said of the past stands alone. */
function relevant({ clauses, edges, tokens, context }: Text): readonly Clause[] | undefined {
  const { lists, prepared } = context
  const within = ({ start, end }: Clause, kind: LabelKind) =>
    edges.filter(({ label, start: from, end: to }) => label.kind === kind && from >= start && to <= end)
  const words = tokens.map((token) => token.canon)
  const facts = clauses.map((clause) => {
    const others = within(clause, 'others').filter((edge) => isOtherPerson(edge, words, context))
    const first = within(clause, 'self').find(({ start }) => words.slice(clause.start, start).every((word) => lists.light.has(word)))
    const isSelf = first !== undefined && !others.some(({ start }) => start <= (first?.start ?? 0))
    const isSet = clause.opened || (first?.words ?? 0) > 1 || within(clause, 'negator').length > 0
    const isNow = within(clause, 'present').length > 0
    // "hai nhà cãi nhau tôi sang khuyên": what others do is only the occasion
    const isBoth = within(clause, 'self').some(
      ({ start, end }) => !within(clause, 'others').some((edge) => edge.start <= start && edge.end >= end),
    )
    return {
      clause,
      isSelf: isSelf && isSet,
      isOther: !isSelf && !isBoth && others.length > 0,
      isNow,
      isPast: !isNow && within(clause, 'past').some((edge) => edge.words > 1 || edge.start === clause.start),
      isFuture: !isNow && within(clause, 'future').length > 0,
    }
  })
  let kept = facts
  const self = kept.findIndex(({ isSelf }) => isSelf)
  // "vợ tôi học còn tôi thì chưa" says two things of one household
  if (prepared.offered.asksPerson === false && self >= 0 && facts.some(({ clause }) => within(clause, 'others').length > 0))
    return undefined
  if (prepared.offered.asksPerson && self >= 0 && kept.some(({ isOther }) => isOther))
    kept = kept.filter(({ isOther, isSelf }, at) => isSelf || (at > self && !isOther))
  if (kept.some(({ isNow }) => isNow)) kept = kept.filter(({ isPast, isFuture }) => !isPast && !isFuture)
  if (kept.some(({ isPast }) => isPast)) return undefined
  return kept.map(({ clause }) => clause)
}

/** "tôi", before any word with a meaning. */
function isSelfFirst(part: readonly Token[], { lists }: Context): boolean {
  const first = part.find(({ canon: word }) => !lists.light.has(word) || lists.oneself.has(word))
  return first !== undefined && lists.oneself.has(first.canon)
}

function opposes(part: readonly Token[], places: readonly Place[], { lists, prepared }: Context): boolean {
  const first = part[0]
  const speaksOfIt = part.slice(1).some(({ canon: word }) => prepared.topics.has(word) && !lists.light.has(word))
  if (first !== undefined && lists.contrast.has(first.canon) && speaksOfIt) return true
  return places.some(({ candidates }) =>
    candidates.some(({ word, cost }) => cost === 0 && lists.denials.has(word) && !prepared.asked.has(word)),
  )
}

/** Answers that a part speaks of without saying them; "" when it may deny one. */
function mentioned(places: readonly Place[], { lists, prepared }: Context): string[] {
  const found = findPhrases(prepared.graph, places, lists.weights).filter(
    ({ label, cost, strength }) => label.kind === 'option' && !label.whole && strength >= 2 && cost <= MAX_COST,
  )
  return found.map(({ label }) => prepared.offered.options[label.option]?.key ?? '')
}

import { circumstancesIn, moodsIn, namesIn } from './circumstances.ts'
import { type Clause, cutClauses } from './clauses.ts'
import type { Edge, LabelKind } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { Candidate } from './vocabulary.ts'
import type { WordLists } from './word-lists.ts'

/** These say something of their own: what they say is not accounted for by them. */
const TELLING: ReadonlySet<LabelKind> = new Set(['others', 'aside', 'poison'])
const MAX_COST = 0.2
const MAX_SPELLING_COST = 0.4
const MAX_SLIP_COST = 0.8
const MIN_OWN_WORDS = 2
const MIN_WORDS = 3
/** A phrase of so many words with a meaning says by itself what it speaks of. */
const MIN_SAID = 2

const NAME = /^\p{Lu}\p{Ll}/u

/** A whole message, as it was typed, beside the answer it was taken for. */
export type Message = {
  tokens: readonly Token[]
  candidates: readonly (readonly Candidate[])[]
  /** What the lexicon finds in the text. */
  edges: readonly Edge[]
  /** Phrases of the answer in the text; asked for only when a word depends on them. */
  answer: () => readonly Edge[]
  /** Every word of the question, of the answer and of the ways to say it. */
  subject: ReadonlySet<string>
  /** Words of the question. */
  asked: ReadonlySet<string>
  /** Those that say what it is about. */
  topics: ReadonlySet<string>
  lists: WordLists
  /** Somebody whose doings are no answer here. */
  isOther(edge: Edge): boolean
  /** What the question counts: "buổi". */
  counts: string | undefined
  /** Asked of one person: what others do is no answer. */
  asksPerson: boolean
  /** Asks how one gets on with others: whoever speaks of oneself may name them. */
  withOthers: boolean
}

/**
 * The places of the words that neither the question nor the frame of an answer accounts for: another doing, another thing, another person.
 * Beside one of them the surest phrase may speak of something else: "tôi thường xuyên đau lưng".
 */
export function unreadWords(message: Message): number[] {
  const { tokens, candidates, edges, subject, topics, lists } = message
  const clauses = cutClauses(tokens, edges)
  const circumstances = circumstancesIn(tokens, lists)
  const persons = namesIn(tokens, lists.persons)
  const institutions = namesIn(tokens, lists.institutions)
  let answered: ReadonlySet<number> | undefined
  const read = tokens.map((_, at) => isFramed(at) || (isKnown(at) && (!isForeignAct(at) || isAnswer(at))))
  for (const clause of clauses) if (isApart(clause)) for (const at of asidesOf(clause)) read[at] = true
  const subjects = isOfOurs() ? [] : [...edges.filter(isSubject), ...clauses.flatMap(firstNamed)]
  for (const edge of subjects) for (let at = edge.start; at < edge.end; at++) read[at] = isAnswer(at)
  const learned = tokens.some((_, at) => isUnit(at)) ? namesIn(tokens, lists.learned) : []
  const moods = moodsIn(tokens, lists)
  tokens.forEach((_, at) => {
    read[at] ||= learned[at] || isAnswerText(at) || ((moods[at] || isWritten(at, lists.moods)) && !isInSubject(at))
  })
  if (read.every(Boolean)) return []
  const saying = new Set(message.answer().filter(saysDoing).flatMap(placesIn))
  for (const clause of clauses) if (says(clause)) readCircumstances(clause)
  const told = clauses.filter((clause) => says(clause) && isWholly(clause))
  for (const clause of clauses)
    if (!hasSaying(clause) && told.some((one) => one !== clause && isBeside(clause, one))) read.fill(true, clause.start, clause.end)
  const own = clauses.filter((clause) => startsWithSelf(clause) && isWholly(clause) && hasAnswer(clause))
  for (const edge of subjects) if (own.some((one) => isSetAgainst(edge, one))) read.fill(true, edge.start, edge.end)
  return tokens.flatMap((_, at) => (read[at] ? [] : [at]))

  function isFramed(at: number): boolean {
    return edges.some((edge) => !TELLING.has(edge.label.kind) && isNear(edge) && edge.start <= at && edge.end > at)
  }

  function isKnown(at: number): boolean {
    const token = tokens[at]
    if (isName(at)) return false
    if (token === undefined || isNumeral(at) || isWord(at, isSmall, MAX_COST)) return true
    const ordinary = ordinaryOf(token)
    const isOwn = (word: string) => subject.has(word)
    if (isWord(at, (word) => lists.ordinals.has(word)) && isNumeral(at + 1)) return true
    // "cuoi" may be "cuối" or "cưới"
    if (!token.marked && ordinary.some((word) => !isOwn(word) && !isSmall(word))) return isTopic(at) || isAnswer(at)
    return (
      isWord(at, isOwn, ordinary.length > 0 ? MAX_COST : MAX_SLIP_COST) ||
      (isWord(at, (word) => lists.ordinals.has(word)) && tokens.some((_, i) => isNumeral(i)))
    )
  }

  /** "nhà anh Tủa": written as a name, after what one calls a person. */
  function isName(at: number): boolean {
    const [before, token] = [tokens[at - 1], tokens[at]]
    if (before === undefined || token === undefined || token.gap !== '' || !NAME.test(token.raw)) return false
    return lists.family.has(before.canon) && (at === 1 || !NAME.test(before.raw))
  }

  /** Words that stand in any answer. */
  function isSmall(word: string): boolean {
    return lists.light.has(word) || lists.fillers.has(word)
  }

  /** The everyday words a token may be as it is written; one with diacritics is none but itself. */
  function ordinaryOf(token: Token): readonly string[] {
    if (token.marked) return lists.ordinary.has(token.canon) ? [token.canon] : []
    return lists.ordinaryByPlain.get(token.plain) ?? []
  }

  function isForeignAct(at: number): boolean {
    const word = tokens[at]?.canon ?? ''
    return lists.acts.has(word) && !topics.has(word)
  }

  function isTopic(at: number): boolean {
    return isWord(at, (word) => topics.has(word))
  }

  function isNumeral(at: number): boolean {
    return tokens[at]?.figure !== undefined || isWord(at, (word) => lists.values.has(word))
  }

  function isWord(at: number, is: (word: string) => boolean, maxCost = MAX_SPELLING_COST): boolean {
    return candidates[at]?.some(({ word, cost }) => cost <= maxCost && is(word)) ?? false
  }

  /** Every word it may be as it is written is one of these. */
  function isWritten(at: number, words: ReadonlySet<string>): boolean {
    const token = tokens[at]
    const meanings = token === undefined ? [] : ordinaryOf(token)
    return meanings.length > 0 && meanings.every((word) => words.has(word) || isSmall(word) || subject.has(word))
  }

  function isAnswer(at: number): boolean {
    answered ??= placesOf(message.answer().filter(isNear))
    return answered.has(at)
  }

  /** A long phrase of the answer, or its own text, is read however its words are mistyped. */
  function isAnswerText(at: number): boolean {
    return message.answer().some((edge) => {
      const { label, start, end, words } = edge
      const isLong = label.own ? words >= MIN_OWN_WORDS : words >= MIN_WORDS && isNear(edge)
      return isLong && words === end - start && start <= at && end > at
    })
  }

  /** A reason stands in a clause of its own, or beside words of the question. */
  function isApart(clause: Clause): boolean {
    const asides = asidesOf(clause)
    if (asides.size === 0) return false
    const others = tokens.map((_, at) => at).filter((at) => at >= clause.start && at < clause.end && !asides.has(at))
    const isAlone = clauses.length > 1 && others.every((at) => isWord(at, isSmall, MAX_COST))
    // "3 buổi vì bận", and not "tăng ca 3 buổi"
    return isAlone || others.some((at) => isTopic(at) || (isUnit(at) && [...asides].every((aside) => aside > at)))
  }

  /** What is counted, as the answer says it. */
  function isUnit(at: number): boolean {
    return (
      message.counts !== undefined &&
      (isAnswer(at) || isNumeral(at - 1)) &&
      isWord(at, (word) => lists.amounts.isUnit(word, message.counts ?? ''))
    )
  }

  function asidesOf(clause: Clause): Set<number> {
    return placesOf(
      edges.filter((edge) => edge.label.kind === 'aside' && isNear(edge) && edge.start >= clause.start && edge.end <= clause.end),
    )
  }

  /** Another person at the beginning of a clause is the one who acts in it. */
  function isSubject(edge: Edge): boolean {
    if (edge.label.kind !== 'others' || !isNear(edge) || !message.isOther(edge)) return false
    const clause = clauses.find(({ start, end }) => edge.start >= start && edge.end <= end)
    if (clause === undefined) return false
    for (let at = clause.start; at < edge.start; at++) if (!isWord(at, isSmall, MAX_COST)) return false
    const isFrame = ({ kind }: Edge['label']) => kind === 'light' || kind === 'aside'
    return !edges.some((one) => isFrame(one.label) && one.words > edge.words && one.start <= edge.start && one.end >= edge.end)
  }

  function isOfOurs(): boolean {
    const isNamed = (at: number) => edges.some(({ label, start, end }) => label.kind === 'others' && start <= at && end > at)
    return message.withOthers && tokens.some(({ canon: word }, at) => lists.oneself.has(word) && !isNamed(at))
  }

  /** Who is named first in a clause acts in it, known or not: "học sinh dùng thành thạo", "công ty luôn tính". */
  function firstNamed({ start, end, opened }: Clause): { start: number; end: number }[] {
    if (!message.asksPerson) return []
    const lets = (at: number) => isWord(at, (word) => lists.lets.has(word), 0)
    const acts = hasAnswer({ start, end, opened }) ? (at: number) => persons[at] || institutions[at] : (at: number) => persons[at]
    let first = start
    while (first < end && !acts(first) && isWord(first, isSmall, MAX_COST)) first++
    let last = first
    while (last < end && acts(last)) last++
    if (lets(last) || lets(last + 1)) return []
    const isAsked = (at: number) => isWord(at, (word) => message.asked.has(word), 0)
    const isObject = first > start && isWord(first - 1, (word) => lists.before.has(word) || lists.between.has(word))
    const isFrame = edges.some(
      ({ label, start: from, end: to, words }) => label.kind === 'light' && words > last - first && from <= first && to >= last,
    )
    const places = tokens.map((_, at) => at).slice(first, last)
    if (last === end || places.length === 0 || isObject || isFrame || places.every(isAsked) || places.every(isAnswer)) return []
    return [{ start: first, end: last }]
  }

  function isInSubject(at: number): boolean {
    return subjects.some(({ start, end }) => start <= at && end > at)
  }

  function isOfAnything(word: string): boolean {
    return isSmall(word) || lists.anything.has(word) || lists.values.has(word)
  }

  /** The phrase says by itself what it speaks of: more than how often, how much or how well. */
  function saysDoing(edge: Edge): boolean {
    if (!isNear(edge) || edge.figure || edge.strength < MIN_SAID) return false
    // "toi" may be "tối" or "tôi"
    const isOwn = (at: number) =>
      isWord(at, (word) => subject.has(word) && !isOfAnything(word), MAX_COST) && (tokens[at]?.marked || !isWord(at, isOfAnything, 0))
    return placesIn(edge).some((at) => tokens[at]?.figure === undefined && isOwn(at))
  }

  /** What the question is about, and can be said of nothing else; or a doing of the answer that may be done to anything. */
  function isOwnTopic(at: number): boolean {
    const token = tokens[at]
    if (message.withOthers && token !== undefined && lists.together.has(token.canon)) return true
    const isOwn = (word: string) => (topics.has(word) && !isOfAnything(word)) || (subject.has(word) && lists.takesAnything.has(word))
    return token !== undefined && isWord(at, isOwn, 0) && ordinaryOf(token).every((word) => isOwn(word))
  }

  function hasSaying({ start, end }: Clause): boolean {
    for (let at = start; at < end; at++) if (saying.has(at)) return true
    return false
  }

  /** The clause gives the answer, and says what it speaks of. */
  function says({ start, end }: Clause): boolean {
    const places = tokens.map((_, at) => at).slice(start, end)
    return places.some((at) => saying.has(at)) || (places.some(isAnswer) && places.some(isOwnTopic))
  }

  function isWholly({ start, end }: Clause): boolean {
    return read.slice(start, end).every(Boolean)
  }

  /**
   * Beside a doing the question asks about, places, times and things change nothing, and after it nothing but another doing, unless they are
   * what this one is done to: whoever learns may learn anything, but what somebody uses may be a plough.
   */
  function readCircumstances({ start, end }: Clause): void {
    let isBegun = false
    let isSaid = false
    let isFree = false
    let takesObject = false
    for (let at = start; at < end; at++) {
      if (!read[at]) {
        if (!isBegun || (takesObject && !isFree) || isInSubject(at) || !(circumstances[at] || (isSaid && !isAct(at)))) return
        read[at] = true
      } else if (circumstances[at] !== true) {
        isFree ||= isWord(at, (word) => lists.takesAnything.has(word) || (message.withOthers && lists.together.has(word)), 0)
        if (isWord(at, (word) => lists.before.has(word), MAX_COST)) takesObject = false
        else if (isWord(at, (word) => lists.takesObject.has(word), MAX_COST)) takesObject = true
      }
      isSaid ||= saying.has(at) || isOwnTopic(at)
      isBegun ||= isSaid || !isWord(at, (word) => lists.light.has(word), MAX_COST)
    }
  }

  /** What people do that no question asks about, however it is written. */
  function isAct(at: number): boolean {
    const token = tokens[at]
    if (token === undefined) return false
    return lists.acts.has(token.canon) || (!token.marked && ordinaryOf(token).some((word) => lists.acts.has(word)))
  }

  /** What stands beside a clear answer in another clause: a story around it, unless somebody or something else may be who acts in both. */
  function isBeside(clause: Clause, told: Clause): boolean {
    const turns = ({ label, start, end, words }: Edge) =>
      label.kind === 'poison' && words >= MIN_WORDS && start >= clause.start && end <= clause.end
    if (edges.some(turns)) return false
    if (!message.asksPerson) return true
    const acts = subjects.some((edge) => edge.start >= clause.start && edge.end <= clause.end)
    return !acts || startsWithSelf(told)
  }

  /** "chồng em dùng, em chưa dùng": what another does is set against what oneself does. */
  function isSetAgainst(edge: { start: number; end: number }, own: Clause): boolean {
    const clause = clauses.find(({ start, end }) => edge.start >= start && edge.end <= end)
    if (clause === undefined || clause === own || !message.asksPerson) return false
    return tokens.every((_, at) => at < clause.start || at >= clause.end || read[at] || (at >= edge.start && at < edge.end))
  }

  function hasAnswer({ start, end }: Clause): boolean {
    for (let at = start; at < end; at++) if (isAnswer(at)) return true
    return false
  }

  function startsWithSelf(clause: Clause): boolean {
    return edges.some(
      ({ label, start, end }) =>
        label.kind === 'self' &&
        end <= clause.end &&
        start >= clause.start - 1 &&
        tokens.slice(clause.start, start).every((_, i) => isWord(clause.start + i, isSmall, MAX_COST)),
    )
  }
}

function isNear({ cost, words }: Edge): boolean {
  return cost <= MAX_COST * words
}

function placesIn({ start, end, holes }: Edge): number[] {
  const places: number[] = []
  for (let at = start; at < end; at++) if (!holes?.includes(at)) places.push(at)
  return places
}

function placesOf(edges: readonly Edge[]): Set<number> {
  return new Set(edges.flatMap(placesIn))
}

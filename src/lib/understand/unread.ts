import { type Clause, cutClauses } from './clauses.ts'
import type { Edge, LabelKind } from './phrase-graph.ts'
import type { Token } from './tokens.ts'
import type { Candidate } from './vocabulary.ts'

/** These say something of their own: what they say is not accounted for by them. */
const TELLING: ReadonlySet<LabelKind> = new Set(['others', 'aside', 'poison'])
const MAX_COST = 0.2
const MAX_SPELLING_COST = 0.4
const MAX_SLIP_COST = 0.8
const MIN_OWN_WORDS = 2
const MIN_WORDS = 3

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
  /** Words of the question that say what it is about. */
  topics: ReadonlySet<string>
  /** What people do that no question asks about: read only inside a phrase of the answer. */
  acts: ReadonlySet<string>
  /** Somebody whose doings are no answer here. */
  isOther(edge: Edge): boolean
  isNumber(word: string): boolean
  /** Words before the number of an answer: "đáp án". */
  isOrdinal(word: string): boolean
  /** Words that stand in any answer. */
  isSmall(word: string): boolean
  /** The everyday words a token may be as it is written; one with diacritics is none but itself. */
  ordinary(token: Token): readonly string[]
}

/**
 * The places of the words that neither the question nor the frame of an answer accounts for: another doing, another thing, another person.
 * Beside one of them the surest phrase may speak of something else: "tôi thường xuyên đau lưng".
 */
export function unreadWords(message: Message): number[] {
  const { tokens, candidates, edges, acts, subject, topics } = message
  const clauses = cutClauses(tokens, edges)
  let answered: ReadonlySet<number> | undefined
  const read = tokens.map((_, at) => isFramed(at) || (isKnown(at) && (!isForeignAct(at) || isAnswer(at))))
  for (const clause of clauses) if (isApart(clause)) for (const at of asidesOf(clause)) read[at] = true
  for (const edge of edges) if (isSubject(edge)) for (let at = edge.start; at < edge.end; at++) read[at] = isAnswer(at)
  return tokens.flatMap((_, at) => (read[at] || isAnswerText(at) ? [] : [at]))

  function isFramed(at: number): boolean {
    return edges.some((edge) => !TELLING.has(edge.label.kind) && isNear(edge) && edge.start <= at && edge.end > at)
  }

  function isKnown(at: number): boolean {
    const token = tokens[at]
    if (token === undefined || isNumeral(at) || isWord(at, message.isSmall, MAX_COST)) return true
    const ordinary = message.ordinary(token)
    const isOwn = (word: string) => subject.has(word)
    // "cuoi" may be "cuối" or "cưới"
    if (!token.marked && ordinary.some((word) => !isOwn(word) && !message.isSmall(word))) return isTopic(at) || isAnswer(at)
    return (
      isWord(at, isOwn, ordinary.length > 0 ? MAX_COST : MAX_SLIP_COST) ||
      (isWord(at, message.isOrdinal) && tokens.some((_, i) => isNumeral(i)))
    )
  }

  function isForeignAct(at: number): boolean {
    const word = tokens[at]?.canon ?? ''
    return acts.has(word) && !topics.has(word)
  }

  function isTopic(at: number): boolean {
    return isWord(at, (word) => topics.has(word))
  }

  function isNumeral(at: number): boolean {
    return tokens[at]?.figure !== undefined || isWord(at, message.isNumber)
  }

  function isWord(at: number, is: (word: string) => boolean, maxCost = MAX_SPELLING_COST): boolean {
    return candidates[at]?.some(({ word, cost }) => cost <= maxCost && is(word)) ?? false
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
    const isAlone = clauses.length > 1 && others.every((at) => isWord(at, message.isSmall, MAX_COST))
    return isAlone || others.some(isTopic)
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
    for (let at = clause.start; at < edge.start; at++) if (!isWord(at, message.isSmall, MAX_COST)) return false
    const isFrame = ({ kind }: Edge['label']) => kind === 'light' || kind === 'aside'
    return !edges.some((one) => isFrame(one.label) && one.words > edge.words && one.start <= edge.start && one.end >= edge.end)
  }
}

function isNear({ cost, words }: Edge): boolean {
  return cost <= MAX_COST * words
}

function placesOf(edges: readonly Edge[]): Set<number> {
  const places = new Set<number>()
  for (const { start, end, holes } of edges) for (let at = start; at < end; at++) if (!holes?.includes(at)) places.add(at)
  return places
}

import { circumstancesIn, moodsIn, namesIn } from './circumstances.ts'
import { type Explanation, explain } from './explain.ts'
import { canon, isSyllable } from './letters.ts'
import type { NumberAt } from './numbers.ts'
import type { Edge, LabelKind } from './phrase-graph.ts'
import type { Prepared } from './prepare-question.ts'
import type { Token } from './tokens.ts'
import type { Understanding } from './types.ts'
import type { Candidate } from './vocabulary.ts'
import { isEnough, isUncovered, saysMore } from './weigh.ts'
import type { WordLists } from './word-lists.ts'

/** The closing word of "có … không". */
const FINAL: Edge = {
  start: 0,
  end: 0,
  label: { kind: 'question', option: -1, whole: false },
  cost: 0,
  mistakes: 0,
  words: 1,
  strength: 1,
  negative: false,
}
const PAUSE = /[.,;:!?…()-]/
const ANSWER_KINDS: ReadonlySet<LabelKind> = new Set(['option', 'person', 'perhaps_person'])
/** Costs closer than this are equally good readings: the person is asked. */
const MARGIN = 0.3
/** "chưa biết" is an answer where it can be one, else it asks for help. */
const PERHAPS_COST = 0.5
const MAX_LIGHT_COST = 0.2
const MAX_TURNING_COST = 0.1
/** "giúp tôi với" is heard beside anything. */
const MIN_CALL_WORDS = 3
const MAX_NEGATOR_COST = 0.5
/** Words between "xem" and what is to be found out. */
const MAX_INDIRECT = 3
/** Words between a denial and what it denies. */
const MAX_DENIED_OVER = 4
/** Words between "gì" and "cũng". */
const MAX_EVERY = 4
const MIN_SLIP_COST = 0.2
/** An answer of so many words with a meaning stands beside another verb. */
const MIN_SURE = 4
/** So many strange words may stand beside how often something is done and what it is: `unread.ts` looks at each of them. */
const MAX_STRANGE = 2
/** A phrase of so many words speaks for all it reaches over. */
const MIN_LONG = 4
/** Below half a regional slip a word: "đi" is not "gì". */
const MAX_QUESTION_COST = 0.15
const MAX_LONG_QUESTION_COST = 0.5
/** One's own name to elders, too: other people only in "các cháu". */
const YOUNG = new Set(['cháu', 'con', 'em'].map((word) => canon(word)))
/** "bao giờ" ends in it: after a denial it means all times. */
const ALL = canon('giờ')
/** Parts a condition from what follows of it. */
const THEN = canon('thì')
const NONE: Understanding = { kind: 'none' }

/** A text with all that was found in it. */
export type Reading = {
  tokens: readonly Token[]
  candidates: readonly (readonly Candidate[])[]
  numbers: readonly (readonly NumberAt[])[]
  edges: readonly Edge[]
  ending: string
  /** Small words. */
  light: readonly boolean[]
  /** "gì", "đâu" after a denial: no question. */
  vague: readonly boolean[]
  /** "lắm" after a denial, doubt under a yes or no: turns the meaning. */
  partial: readonly boolean[]
  /** Small words and words of the question. */
  passable: readonly boolean[]
  lists: WordLists
  prepared: Prepared
}

/** What a phrase reaches over and another phrase of the same answer reads is read. */
function filled(match: Edge, answers: readonly Edge[]): Edge {
  if (match.holes === undefined) return match
  const same = answers.filter(({ label }) => label.option === match.label.option && !label.whole)
  const reads = (edge: Edge, at: number) => edge.start <= at && edge.end > at && edge.holes?.includes(at) !== true
  return { ...match, holes: match.holes.filter((at) => !same.some((edge) => reads(edge, at))) }
}

/** The answer a text means, when one explains it well enough and no other does. */
export function decide(args: Reading): Understanding {
  const { tokens, candidates, numbers, edges, ending, light, vague, partial, passable, prepared } = args
  const { questionAround, questionAfter, otherPeople, howOften, ordinary, notActing, every, acts, indirect } = args.lists
  const { offered } = prepared
  const { length } = tokens
  const help = offered.options.length
  const framed = [...light]
  for (const { label, start, end, cost } of edges) if (label.kind === 'light' && cost <= MAX_LIGHT_COST) framed.fill(true, start, end)
  const isSmall = (at: number) =>
    framed[at] === true || (numbers[at]?.length ?? 0) > 0 || edges.some(({ label, start }) => label.kind === 'or' && start === at)
  const alone = (edge: Edge) => tokens.every((_, at) => (edge.figure ? isSmall(at) : framed[at]) || (at >= edge.start && at < edge.end))
  // "hai, quá nửa": the number and the answer in words
  const opens = ({ start, end }: Edge) => PAUSE.test(tokens[end]?.gap ?? '') && light.slice(0, start).every(Boolean)
  const closes = ({ start, end }: Edge) => PAUSE.test(tokens[start]?.gap ?? '') && light.slice(end).every(Boolean)
  // "buổi kia ốm không đi" tells of a circumstance, whatever else its words could say
  const isAside = (edge: Edge) =>
    edges.some(
      ({ label, start, end, words, cost }) =>
        label.kind === 'aside' &&
        cost <= MAX_LIGHT_COST &&
        words > MIN_LONG &&
        words > edge.words &&
        start <= edge.start &&
        end >= edge.end,
    )
  const answers = edges.flatMap((edge) => {
    const { kind, whole } = edge.label
    // a written figure beside other words may contradict them; a number word is then only a word
    if (whole && !alone(edge) && !(edge.figure && (tokens[edge.start]?.figure !== undefined || opens(edge)))) return []
    if (
      edge.figure &&
      offered.kind === 'village' &&
      edges.some(({ label, start, end }) => label.own && start <= edge.start && end >= edge.end)
    )
      return []
    // "không, đúng rồi" is not "không đúng"
    if (offered.kind === 'confirm' && edge.negative && tokens.slice(edge.start + 1, edge.end).some(({ gap }) => PAUSE.test(gap))) return []
    // a phrase of which every word is mistyped is evidence neither for nor against
    if (edge.mistakes >= edge.strength || isAside(edge)) return []
    if (kind === 'option') return [edge]
    if (kind !== 'person' && kind !== 'perhaps_person') return []
    const ownAnswer = edges.some(({ label, start, end }) => label.own && start <= edge.start && end >= edge.end)
    const cost = edge.cost + (kind === 'person' && !ownAnswer ? 0 : PERHAPS_COST)
    return [{ ...edge, cost, label: { ...edge.label, kind: 'option' as const, option: help } }]
  })
  const denied: Edge[] = []
  for (const deny of edges) {
    const { kind } = deny.label
    if (kind !== 'deny' && kind !== 'mistook' && kind !== 'negator') continue
    // "không tin đâu, phải hỏi": "đâu phải" denies neither over a pause nor when its "đâu" closes a denial before it
    if (vague[deny.start] || tokens.slice(deny.start + 1, deny.end).some(({ gap }) => PAUSE.test(gap))) continue
    let at = deny.end
    // "không đọc được hằng tuần": the question's own words stand between
    while ((kind === 'negator' ? passable[at] && tokens[at]?.gap === '' : light[at]) && at < deny.end + MAX_DENIED_OVER) at++
    for (const edge of answers) {
      const follows = edge.start >= deny.end && edge.start <= at && edge.end > at
      if (follows && (kind === 'deny' || tokens[deny.end]?.gap === '')) denied.push({ ...edge, start: deny.start })
    }
  }
  for (const deny of edges) {
    if (deny.label.kind !== 'deny_after') continue
    for (const edge of answers) if (edge.end === deny.start) denied.push({ ...edge, end: deny.end })
  }
  // "không phải không đồng ý" is neither yes nor no
  if (
    offered.kind === 'confirm' &&
    edges.some(({ label, end }) => label.kind === 'deny' && denied.some((one) => one.negative && one.end > end))
  )
    return NONE
  const speaksOf = (edge: Edge) =>
    candidates
      .slice(edge.start, edge.end)
      .some((list) => list.some(({ word, cost }) => cost === 0 && prepared.asked.has(word) && (otherPeople.has(word) || YOUNG.has(word))))
  // a mistyped word with no better reading may well be one that turns the meaning: "ngsỉ 2 buổi" is "nghỉ 2 buổi"
  const isLikelyMistyped = ({ start, end, words, cost }: Edge) => {
    const best = candidates.slice(start, end).reduce((sum, list) => sum + (list[0]?.cost ?? 0), 0)
    const token = tokens[start]
    if (words === 1 && token?.marked && isSyllable(token.canon)) return false
    return cost >= MIN_SLIP_COST && cost <= best + MAX_TURNING_COST * words
  }
  // "thưa cán bộ tôi" without diacritics is not "bố tôi"
  const isInFrame = (edge: Edge) =>
    edges.some(
      (one) => one.label.kind === 'light' && one.words > 1 && one.start < edge.start && one.end > edge.start && one.cost <= edge.cost,
    )
  // "được nhà trường duyệt", and people the question speaks of
  const isActor = ({ start, end }: Edge) =>
    notActing.has(tokens[start - 1]?.canon ?? '') ||
    candidates.slice(start, end).every((list) => list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && prepared.actors.has(word)))
  // "hay nhắc vợ con": who stands after an answer is its object
  const isObject = (edge: Edge) => answers.some((answer) => answer.end <= edge.start && !answer.label.whole)
  const isNamed = (at: number) => edges.some(({ label, start, end }) => label.kind === 'others' && start <= at && end > at)
  const areOurs = prepared.withOthers && tokens.some(({ canon: word }, at) => args.lists.oneself.has(word) && !isNamed(at))
  const turning = [...partial]
  const said: Edge[] = []
  // "đầy đủ" is no "đủ"
  const moods = moodsIn(tokens, args.lists)
  const writtenIn = ({ start, end }: Edge) =>
    ` ${tokens
      .slice(start, end)
      .map((token) => token.canon)
      .join(' ')} `
  const isAsked = (edge: Edge) => prepared.askedText.includes(writtenIn(edge))
  for (const edge of edges) {
    const { kind } = edge.label
    if (
      kind !== 'poison' &&
      kind !== 'negator' &&
      (kind !== 'others' || areOurs || speaksOf(edge) || isObject(edge) || isInFrame(edge) || isActor(edge))
    )
      continue
    const readsSmall = edge.end - edge.start === 1 && (light[edge.start] || (kind === 'poison' && moods[edge.start]))
    // "may" in a text with diacritics is not "mấy"; a denial is heard however it is spelled
    if (!readsSmall && (edge.cost < (kind === 'negator' ? MAX_NEGATOR_COST : MAX_TURNING_COST) * edge.words || isLikelyMistyped(edge)))
      said.push(edge)
  }
  for (const { start, end } of said) turning.fill(true, start, end)
  // "nhà anh tôi" is not "nhà tôi", and in "chưa có điện" the current is no word of the question
  const isTurnedWhole = ({ start, end, words }: Edge) =>
    said.some((edge) => edge.words > 1 && edge.words > words && edge.start <= start && edge.end >= end && !isAsked(edge))
  const byStart: Edge[][] = Array.from({ length }, () => [])
  vague.forEach((isVague, at) => {
    if (isVague) byStart[at]?.push({ ...FINAL, label: { kind: 'light', option: -1, whole: false }, start: at, end: at + 1 })
  })
  // a word that is small only by a slip is none: "gia" is not "dạ"
  for (const edge of edges)
    if (edge.label.kind === 'light' && (edge.cost > MAX_LIGHT_COST * edge.words || isTurnedWhole(edge))) continue
    else if (edge.label.kind === 'topic' && isTurnedWhole(edge)) continue
    else if (!ANSWER_KINDS.has(edge.label.kind) && !(edge.label.kind === 'light' && partial.slice(edge.start, edge.end).some(Boolean)))
      byStart[edge.start]?.push(edge)
  // "2 nhóc đi học": a figure beside other words speaks for no answer, unless a pause sets it apart
  const speaksFor = (edge: Edge) => !edge.figure || alone(edge) || opens(edge) || closes(edge)
  for (const edge of answers) byStart[edge.start]?.push(speaksFor(edge) ? edge : { ...edge, label: { ...edge.label, kind: 'contrary' } })

  // places, times and what the answer speaks of stand beside it; whether they belong to it, `unread.ts` asks of the whole message
  const circumstances = offered.kind === undefined || offered.kind === 'choice' ? circumstancesIn(tokens, args.lists) : []
  const beside = (at: number) => circumstances[at] === true && !turning[at]

  const explanations: Explanation[] = []
  for (const option of new Set(answers.map((edge) => edge.label.option))) {
    const one = explain({ length, option, included: prepared.includes[option], byStart, turning, denied, beside })
    if (one !== undefined) explanations.push({ ...one, matches: one.matches.map((match) => filled(match, answers)) })
  }
  // a denial that the explanation cuts in two denies only a part: "không hỏi | người nhà"
  const isDeniedFor = (edge: Edge, one: Explanation) =>
    denied.some((denial) => {
      if (denial.label.option !== edge.label.option || denial.start > edge.start || denial.end < edge.end) return false
      const touching = one.matches.filter((match) => match.start < denial.end && match.end > denial.start)
      return touching.length === 0 || !isUncovered(denial, one, [])
    })
  let lastWord = length
  while (lastWord > 0 && light[lastWord - 1]) lastWord--
  const isVague = (at: number) =>
    vague[at] === true || edges.some((edge) => edge.label.kind === 'light' && edge.words > 1 && edge.start <= at && edge.end > at)
  const isIndirect = (at: number, reach = MAX_INDIRECT) =>
    candidates.slice(Math.max(1, at - reach), at).some((list) => list.some(({ word, cost }) => cost === 0 && indirect.has(word)))
  const asked = edges.filter(
    ({ label, start, end, cost, words }) =>
      !tokens.slice(start + 1, end).some(({ gap }) => PAUSE.test(gap)) &&
      !candidates.slice(end, end + MAX_EVERY).some((list) => list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && every.has(word))) &&
      (label.kind === 'question_ends' || cost <= MAX_QUESTION_COST * words) &&
      (label.kind === 'question' ||
        (label.kind === 'question_ends' &&
          cost < (words > 1 ? MAX_LONG_QUESTION_COST : MAX_TURNING_COST) * words &&
          end >= lastWord &&
          !isVague(start) &&
          !isIndirect(start))),
  )
  let closing = length
  while (closing > 0 && isAfterQuestion(closing - 1)) closing--
  // "nói được, còn tiếng khác thì không"
  const isApartFrom = (from: number, to: number) =>
    tokens.slice(from + 1, to + 1).some(({ gap }) => PAUSE.test(gap)) ||
    edges.some(({ label, end }) => label.kind === 'deny_after' && end === to + 1)
  for (const [first, end] of questionAround) {
    const begins = tokens.findIndex((_, at) => isWord(at, first))
    if (
      begins >= 0 &&
      begins < closing - 1 &&
      isWord(closing - 1, end) &&
      !isApartFrom(begins, closing - 1) &&
      !isIndirect(begins) &&
      !isIndirect(begins + 2, 1)
    )
      asked.push({ ...FINAL, start: closing - 1, end: closing })
  }
  // "luôn ghi lại, mà chưa tính bao giờ": a whole phrase of another answer, though of small words
  const isApart = (edge: Edge, one: Explanation) =>
    edge.strength >= 2 && edge.cost <= MAX_LIGHT_COST && one.matches.every(({ start, end }) => end <= edge.start || start >= edge.end)
  // "tiếng Kinh nói được, tiếng Lào nói được": two of the same may be another answer
  const isReadTogether = (edge: Edge, one: Explanation) =>
    edge.strength >= 2 &&
    one.matches.filter(({ start, end, holes }) => holes === undefined && start >= edge.start && end <= edge.end).length > 1
  // "nghe nói có 3 lớp mà chưa đi": what a long phrase reaches over belongs to it
  const isReachedOver = (edge: Edge, one: Explanation) =>
    one.matches.some(({ start, end, words }) => words >= MIN_LONG && words > edge.words && start <= edge.start && end >= edge.end)
  // what says this answer as well speaks for no other
  const isShared = ({ start, end, words }: Edge, one: Explanation) =>
    answers.some((other) => other.label.option === one.option && other.start === start && other.end === end && other.words >= words)
  const conflicts = (one: Explanation) =>
    one.rivals > 0 ||
    (offered.counts !== undefined &&
      answers.some((edge) => edge.label.option !== one.option && !edge.label.whole && isReadTogether(edge, one))) ||
    answers.some(
      (edge) =>
        edge.label.option !== one.option &&
        (edge.figure || !prepared.includes[one.option]?.has(edge.label.option)) &&
        !edge.label.whole &&
        !isDeniedFor(edge, one) &&
        !isReachedOver(edge, one) &&
        !(edge.strength >= 2 && isShared(edge, one)) &&
        isUncovered(edge, one, isApart(edge, one) ? [] : edge.words === edge.end - edge.start ? light : passable),
    )
  // "họp thường xuyên quá": how often something else is done
  const saysHowOften = ({ start, end, holes }: Edge) =>
    candidates.slice(start, end).every((list, i) => {
      const isRead = list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && howOften.has(word))
      return isRead || holes?.includes(start + i) || (numbers[start + i]?.length ?? 0) > 0
    })
  const isMoreThanSlip = (unread: readonly number[]) => unread.length > 1 || unread.some((at) => ordinary.has(tokens[at]?.canon ?? ''))
  const { anything } = args.lists
  const speaksOfIt = candidates.some((list) =>
    list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && prepared.topics.has(word) && !anything.has(word)),
  )
  // "một buổi hội thảo": what was learned there
  const learned = namesIn(tokens, args.lists.learned)
  const isOfSession = (at: number, one: Explanation) => learned[at] && one.matches.some(({ amount, end }) => amount && end <= at)
  const isOfSomethingElse = (one: Explanation) =>
    ((speaksOfIt
      ? one.unread.length > MAX_STRANGE
      : isMoreThanSlip([...one.unread, ...one.beside].filter((at) => !isOfSession(at, one)))) &&
      one.matches.every(saysHowOften)) ||
    (one.unread.some((at) => at < (one.matches[0]?.start ?? 0) && acts.has(tokens[at]?.canon ?? '')) &&
      one.matches.reduce((sum, edge) => sum + edge.strength, 0) < MIN_SURE)
  // "không hôm nào tôi không nhắc": two denials in one clause are none
  const deniesTwice = (one: Explanation) =>
    one.matches.some((first, i) => {
      const next = one.matches[i + 1]
      const isOfAll = vague[first.end - 1] === true || isWord(first.end - 1, ALL)
      return (
        isOfAll && next?.negative && first.negative && !tokens.slice(first.start + 1, next.start + 1).some(({ gap }) => PAUSE.test(gap))
      )
    })
  // "không có người chỉ thì không biết dùng": the denial holds only where the one before it does
  const then = tokens.findIndex(({ canon: word }, at) => at > 0 && word === THEN)
  const isDenied = (at: number) => candidates[at]?.some(({ word, cost }) => cost <= MAX_LIGHT_COST && args.lists.denials.has(word)) ?? false
  const denial = then < 0 ? -1 : tokens.findIndex((_, at) => at < then && isDenied(at))
  const isConditional =
    denial >= 0 && light.slice(0, denial).every(Boolean) && !tokens.slice(1, then + 1).some(({ gap }) => PAUSE.test(gap))
  const deniesOnCondition = (one: Explanation) =>
    isConditional && one.matches.some(({ negative }) => negative) && one.matches.every(({ start }) => start > then)
  const complete = explanations
    .filter((one) => isEnough(one, offered) && !isOfSomethingElse(one) && !deniesTwice(one) && !deniesOnCondition(one))
    .sort((a, b) => a.cost - b.cost)
  const whole = complete.filter((one) => !conflicts(one))
  const sure = whole.filter((one) => !whole.some((other) => saysMore(other, one)))
  const best = sure[0]
  const calls = answers.filter(
    (edge) =>
      edge.label.option === help && !edge.label.whole && edge.words >= MIN_CALL_WORDS && !denied.some((one) => one.label.option === help),
  )
  // "không biết chữ thì làm sao, nhờ cán bộ giúp": the call after the question says what is wanted
  const isOfCall = (call: Edge) =>
    asked.length > 0 &&
    asked.every((edge) => edge.end <= call.start || (edge.end >= lastWord && edge.label.kind !== 'question') || edge.start === closing - 1)
  if (complete.every((one) => one.option === help) && calls.some(isOfCall)) return { kind: 'person' }
  if (asked.some((edge) => best === undefined || isUncovered(edge, best, []))) return { kind: 'question' }
  if (ending.includes('?')) return { kind: 'question' }
  if (best !== undefined) {
    const equal = sure.filter((one) => one.cost - best.cost < MARGIN)
    return equal.length === 1 ? named(best.option) : which(equal)
  }
  if (complete.length > 1) return which(complete)
  return calls.length > 0 && complete.length === 0 ? { kind: 'person' } : NONE

  function isAfterQuestion(at: number): boolean {
    return candidates[at]?.some(({ word, cost }) => cost <= MAX_LIGHT_COST && questionAfter.has(word)) ?? false
  }
  function isWord(at: number, word: string): boolean {
    return candidates[at]?.some((one) => one.word === word && one.cost <= MAX_LIGHT_COST) ?? false
  }
  function named(option: number): Understanding {
    const key = offered.options[option]?.key
    return key === undefined ? { kind: 'person' } : { kind: 'option', key }
  }
  function which(list: readonly Explanation[]): Understanding {
    const options = [...new Set(list.map((one) => one.option))].sort((a, b) => a - b)
    return { kind: 'which', keys: options.map((option) => offered.options[option]?.key ?? '0') }
  }
}

import { amountEdges, isSum, readAmountWords } from './amounts.ts'
import { type Clause, cutClauses } from './clauses.ts'
import { decide } from './decide.ts'
import { findEdit } from './edits.ts'
import { createWordFinder } from './find-word.ts'
import { takeApart } from './join.ts'
import { canon, plain } from './letters.ts'
import type { LanguageLexicon, Lexicon } from './lexicon.ts'
import { numbersAt } from './numbers.ts'
import { partsOf } from './parts.ts'
import { addPhrase, createPhraseGraph, type Edge, findPhrases, type LabelKind, type PhraseGraph, type Place } from './phrase-graph.ts'
import { readWords, type Token, toToken } from './tokens.ts'
import type { Offered, Understanding } from './types.ts'
import { unreadWords } from './unread.ts'
import { createLookup, createVocabulary, type Lookup, type VocabularyLayer } from './vocabulary.ts'
import type { WordUser } from './words.ts'

/** The answers of one question, made ready. */
export type Prepared = {
  offered: Offered
  /** @internal */
  graph: PhraseGraph
  /** @internal */
  vocabulary: VocabularyLayer
  /** Words of the question. @internal */
  asked: ReadonlySet<string>
  /** Which answers each answer says besides its own: their texts stand in its text. @internal */
  includes: readonly ReadonlySet<number>[]
  /** Words for people whose doings are an answer here. @internal */
  actors: ReadonlySet<string>
  /** For each answer every word of the question, of the answer and of the ways to say it: what it speaks of. @internal */
  subject: readonly ReadonlySet<string>[]
  /** Words of the question that say what it is about. @internal */
  topics: ReadonlySet<string>
}

const ROLES = [
  'light',
  'poison',
  'others',
  'negator',
  'stop',
  'question',
  'question_ends',
  'person',
  'perhaps_person',
  'regret',
  'truly',
  'mistook',
  'deny',
  'deny_after',
  'past',
  'present',
  'future',
  'clause',
  'self',
  'greeting',
  'or',
  'edit',
  'wrong',
  'polite',
  'edit_becomes',
  'question_before',
] as const

/** Shorter texts are one clause. */
const MIN_CLAUSES = 4
/** A clause this short says nothing by itself, unless it is set against another person or another time. */
const MIN_CLAUSE = 3
/** A shorter text stands in others by chance. */
const MIN_INCLUDED = 9
/** No phrase reaches over these. */
const WALLS: ReadonlySet<LabelKind> = new Set(['poison', 'others', 'or', 'deny', 'regret', 'stop'])
const PAUSE = /[.,;:!?…]/
const STRICT: ReadonlySet<LabelKind> = new Set(['light', 'poison', 'others', 'negator'])
const MAX_LIGHT_COST = 0.2
/** "lếu" is "nếu", too. */
const MAX_STOP_COST = 0.4
const NONE: Understanding = { kind: 'none' }

export function createReader(lexicon: Lexicon) {
  const { languages } = lexicon
  const words = createWordFinder(lexicon.words)
  const amounts = readAmountWords(languages)
  const values = new Map(languages.flatMap((one) => Object.entries(one.numbers).map(([word, value]) => [canon(word), value] as const)))
  const lightWords = new Set(single('light'))
  const negators = new Set([...single('poison'), ...single('negators'), ...single('others')])
  const walls = new Set([...negators, ...single('or'), ...single('walls')])
  const contrast = new Set(single('contrast'))
  const degree = new Set(single('degree'))
  const hedges = new Set(single('hedge'))
  const between = new Set(single('between'))
  const indirect = new Set(single('indirect'))
  const otherPeople = new Set(single('others'))
  const nobody: ReadonlySet<string> = new Set()
  const young = new Set(['cháu', 'trẻ'].map((word) => canon(word)))
  const children = new Set(single('children'))
  const pair = (one: Token | undefined, other: Token | undefined) => `${one?.plain} ${other?.plain}`
  const noNumber = new Set(
    phrasesOf('no_number').map((phrase) =>
      readWords(phrase)
        .tokens.map((token) => token.plain)
        .join(' '),
    ),
  )
  const howOften = new Set(phrasesOf('how_often').flatMap((line) => line.split(' ').map((word) => canon(word))))
  const people = new Set(phrasesOf('others'))
  const plus = new Set(single('plus'))
  const every = new Set(single('every'))
  const notActing = new Set(single('not_acting'))
  const family = new Set([...single('family'), ...single('children')])
  const dated = new Set(single('dated'))
  const acts = new Set(single('acts'))
  const questionAfter = new Set(single('question_after'))
  const denials = new Set(single('negators'))
  const afterNegation = new Set(single('after_negation'))
  const questionAround = languages.flatMap((one) => one.question_around.map(([first, last]) => [canon(first), canon(last)] as const))
  const abuse = phrasesOf('abuse').map(
    (phrase) =>
      ` ${phrase
        .split(' ')
        .map((word) => canon(word))
        .join(' ')} `,
  )
  const weights = { isLight: (word: string) => lightWords.has(word), isNegator: (word: string) => negators.has(word) }
  const base = createVocabulary()
  const lexical = createPhraseGraph()
  for (const role of ROLES) {
    for (const phrase of phrasesOf(role === 'negator' ? 'negators' : role))
      for (const word of addPhrase(lexical, phrase, { kind: role, option: -1 }, lexicon.phrases)) base.add(word)
  }
  for (const phrase of phrasesOf('aside'))
    for (const word of addPhrase(lexical, phrase, { kind: 'aside', option: -1 }, lexicon.phrases)) base.add(word)
  for (const one of languages) {
    for (const list of [one.ordinal_before, one.more_than, one.at_least, one.at_least_after, one.less_than, one.at_most, one.about, one.to])
      for (const phrase of list) for (const word of phrase.split(' ')) base.add(canon(word))
    for (const [unit, others] of Object.entries(one.units))
      for (const word of [unit, ...others].flatMap((each) => each.split(' '))) base.add(canon(word))
  }
  for (const list of [between, afterNegation, degree, hedges, values.keys()]) for (const word of list) base.add(word)
  const ordinary = new Set(phrasesOf('ordinary').flatMap((line) => line.split(' ').map((word) => canon(word))))
  // words that stand in any answer: how often, how sure, since when
  const counting = languages.flatMap((one) => [
    ...[one.more_than, one.at_least, one.at_least_after, one.less_than, one.at_most, one.about, one.to].flat(),
    ...Object.entries(one.units).flat(2),
  ])
  const fillers = new Set([
    ...counting.flatMap((phrase) => phrase.split(' ').map((word) => canon(word))),
    ...howOften,
    ...between,
    ...degree,
    ...hedges,
    ...contrast,
    ...afterNegation,
  ])
  const ordinaryByPlain = new Map<string, string[]>()
  for (const word of ordinary) ordinaryByPlain.set(plain(word), [...(ordinaryByPlain.get(plain(word)) ?? []), word])
  const ordinals = new Set(phrasesOf('ordinal_before').flatMap((phrase) => phrase.split(' ').map((word) => canon(word))))
  const abbreviations = new Map<string, string[]>()
  for (const [meant, others] of languages.flatMap((one) => Object.entries(one.spellings))) {
    for (const typed of others) {
      if (meant.includes(' ')) abbreviations.set(canon(typed), meant.split(' '))
      else base.addSpelling(canon(typed), canon(meant))
    }
  }

  return { prepare, understand }

  function phrasesOf(role: keyof LanguageLexicon): string[] {
    return languages.flatMap((one) => one[role] as string[])
  }

  function single(role: keyof LanguageLexicon): string[] {
    return phrasesOf(role).flatMap((phrase) => (phrase.includes(' ') ? [] : [canon(phrase)]))
  }

  /** "Đã học xong" is also "học xong". */
  function withoutOpening(text: string): string {
    const words = text.trim().split(/\s+/)
    const first = words.findIndex((word) => !lightWords.has(canon(word.toLowerCase())))
    return words.length - first >= 2 ? words.slice(Math.max(0, first)).join(' ') : text
  }

  function prepare(offered: Offered): Prepared {
    const vocabulary = createVocabulary(base)
    const graph = createPhraseGraph()
    const subject = offered.options.map(() => new Set<string>())
    const add = (phrases: readonly string[], kind: LabelKind, option: number, own = false) => {
      for (const phrase of phrases)
        for (const word of addPhrase(graph, phrase, { kind, option, own }, lexicon.phrases)) {
          vocabulary.add(word)
          for (const [at, one] of subject.entries()) if (option < 0 || option === at) one.add(word)
        }
    }
    const asking = readWords(offered.ask ?? '').tokens.filter(
      ({ canon: word, figure }) => figure === undefined && !negators.has(word) && !lightWords.has(word),
    )
    add(
      asking.map((token) => token.raw),
      'topic',
      -1,
    )
    offered.options.forEach((option, index) => {
      const parts = partsOf(option.text, offered, phrasesOf('village_before')).map((part) =>
        people.has(part.trim()) ? `=${part.trim()}` : part,
      )
      add([...parts, ...parts.map(withoutOpening)], 'option', index, true)
      add(option.phrases ?? [], 'option', index)
    })
    if (offered.kind === undefined || offered.kind === 'choice') {
      add(phrasesOf('first'), 'option', 0)
      add(phrasesOf('last'), 'option', offered.options.length - 1)
    }
    if (offered.kind === 'confirm') {
      add(phrasesOf('yes'), 'option', 0)
      // under "is it this one: chưa?" the answer itself is a yes
      const first = offered.options[0]?.text.trim().toLowerCase()
      add(
        phrasesOf('no').filter((phrase) => phrase.replace('=', '') !== first),
        'option',
        1,
      )
    }
    const topics = new Set(asking.flatMap(({ canon: word }) => (howOften.has(word) ? [] : [word])))
    const asked = new Set(readWords(offered.ask ?? '').tokens.map((token) => token.canon))
    const speaksOfChildren = offered.options.some(({ text }) => readWords(text).tokens.some((token) => young.has(token.canon)))
    const written = offered.options.map(
      ({ text }) =>
        ` ${readWords(text)
          .tokens.map((token) => token.canon)
          .join(' ')} `,
    )
    const includes = written.map(
      (one, at) =>
        new Set(
          offered.kind === 'village'
            ? []
            : written.flatMap((other, i) => (i !== at && other.length > MIN_INCLUDED && one.includes(other) ? [i] : [])),
        ),
    )
    const actors = offered.asksPerson === false ? family : speaksOfChildren ? children : nobody
    return { offered, graph, vocabulary, asked, includes, actors, subject, topics }
  }

  function understand(text: string, prepared: Prepared, users: readonly WordUser[]): Understanding {
    const command = words.command(text, users)
    if (command !== undefined) return { kind: 'word', word: command.word, ...(command.arg === undefined ? {} : { arg: command.arg }) }
    const read = readWords(text)
    if (read.tokens.length === 0) return read.end.includes('?') ? { kind: 'question' } : NONE
    const written = ` ${read.tokens.map((token) => token.canon).join(' ')} `
    // the name of a village wins: "nam ngu" is Nậm Ngù
    const isAbuse = prepared.offered.kind !== 'village' && abuse.some((phrase) => written.includes(phrase))
    // "dạ" and "ạ" are marked by the keyboard's own suggestions: only other words show how the person writes
    const marked = read.tokens.some((token) => token.marked && !lightWords.has(token.canon))
    const lookup = createLookup(prepared.vocabulary, marked)
    const whole = isAbuse ? NONE : understandTokens(read.tokens, read.end, lookup, prepared)
    const clear = isAbuse ? NONE : clearer(whole, read.tokens, lookup, prepared)
    const answer = isAbuse ? NONE : confirmed(clear, read.tokens, lookup, prepared)
    const bare = words.whole(read.tokens, users)
    const word = bare ?? wholeInFrame(read.tokens, lookup, users)
    if (word === undefined) return answer.kind === 'none' && greets(read.tokens, lookup) ? { kind: 'greeting' } : answer
    const found: Understanding = { kind: 'word', word: word.word, ...(word.arg === undefined ? {} : { arg: word.arg }) }
    if (answer.kind === 'option') {
      if (word.outcome === 'ask') return { kind: 'which_word', word: word.word, key: answer.key }
      return answer
    }
    if (word.outcome === 'ask') return { kind: 'which_word', word: word.word }
    if (answer.kind === 'edit' || (answer.kind === 'which' && word.outcome === 'answer_first')) return answer
    // "em xem" under a question may tell what the person does
    const tells = read.tokens.some((token) => prepared.asked.has(token.canon))
    if (word.collides && prepared.offered.options.length > 0 && (tells || bare === undefined))
      return { kind: 'which_word', word: word.word }
    return found
  }

  /** An answer is taken only when every word beside it is accounted for; else it is offered: "is it this one?". */
  function confirmed(answer: Understanding, typed: readonly Token[], lookup: Lookup, prepared: Prepared): Understanding {
    const { offered } = prepared
    if (answer.kind !== 'option' || offered.kind === 'village') return answer
    const tokens = typed.flatMap((token) => spellOut(token) ?? takeApart(token, prepared.vocabulary, lookup))
    const candidates = tokens.map((token) =>
      token.figure === undefined ? lookup.find(token, token.marked && ordinary.has(token.canon)) : [],
    )
    const places = candidates.map((list): Place => ({ candidates: list, numbers: [], skippable: undefined }))
    const written = tokens.map((token) => token.canon)
    let phrases: Edge[] | undefined
    const unread = unreadWords({
      tokens,
      candidates,
      edges: findPhrases(lexical, places, weights),
      answer: () => {
        phrases ??= findPhrases(prepared.graph, places, weights).filter(({ label }) => offered.options[label.option]?.key === answer.key)
        return phrases
      },
      subject: prepared.subject[offered.options.findIndex(({ key }) => key === answer.key)] ?? nobody,
      topics: prepared.topics,
      acts,
      isOther: (edge) =>
        isOtherPerson(edge, written, prepared) &&
        !written.slice(edge.start, edge.end).every((word) => prepared.asked.has(word) || lightWords.has(word)),
      isNumber: (word) => values.has(word),
      isOrdinal: (word) => ordinals.has(word),
      isSmall: (word) => lightWords.has(word) || fillers.has(word),
      ordinary: (token) => (token.marked ? (ordinary.has(token.canon) ? [token.canon] : []) : (ordinaryByPlain.get(token.plain) ?? [])),
    })
    return unread.length === 0 ? answer : { kind: 'which', keys: [answer.key] }
  }

  /** What the whole text leaves open, one of its clauses may say. */
  function clearer(whole: Understanding, tokens: readonly Token[], lookup: Lookup, prepared: Prepared): Understanding {
    if (whole.kind !== 'none' && whole.kind !== 'which') return whole
    const clause = understandClauses(tokens, lookup, prepared, whole.kind === 'none')
    return clause.kind === 'option' ? clause : whole
  }

  /** Nothing but greetings and polite words. */
  function greets(tokens: readonly Token[], lookup: Lookup): boolean {
    const places = tokens.map((token) => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
    const covered = new Set<number>()
    let isGreeting = false
    for (const { label, start, end, cost } of findPhrases(lexical, places, weights)) {
      if (cost > MAX_LIGHT_COST || (label.kind !== 'greeting' && label.kind !== 'polite')) continue
      isGreeting ||= label.kind === 'greeting'
      for (let at = start; at < end; at++) covered.add(at)
    }
    return isGreeting && covered.size === tokens.length
  }

  /** A word with polite words around it. As few of them as possible are taken off the end: "trợ giúp ạ" ends in two. */
  function wholeInFrame(tokens: readonly Token[], lookup: Lookup, users: readonly WordUser[]) {
    const places = tokens.map((token) => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
    const polite = findPhrases(lexical, places, weights).filter((edge) => edge.label.kind === 'polite' && edge.cost <= MAX_LIGHT_COST)
    let start = 0
    for (let edge: Edge | undefined; ; start = edge.end) {
      edge = polite.filter((one) => one.start === start).sort((a, b) => b.end - a.end)[0]
      if (edge === undefined) break
    }
    const ends = new Set([tokens.length])
    for (const end of ends) for (const one of polite) if (one.end === end && one.start >= start) ends.add(one.start)
    for (const end of [...ends].sort((a, b) => b - a)) {
      const word = words.whole(tokens.slice(start, end), users)
      if (word !== undefined) return word
    }
    return undefined
  }

  /**
   * The one clear answer among the clauses of a text, each read alone. Said of oneself it counts against what is said of others ("vợ tôi đi
   * suốt, tôi thì chưa"), said of now against what was or will be; otherwise nothing else in the text may speak of another answer or person.
   */
  function understandClauses(typed: readonly Token[], lookup: Lookup, prepared: Prepared, isOpen: boolean): Understanding {
    const { offered } = prepared
    if (typed.length < MIN_CLAUSES || offered.kind === 'confirm' || offered.kind === 'village') return NONE
    const tokens = typed.flatMap((token) => spellOut(token) ?? takeApart(token, prepared.vocabulary, lookup))
    const places = tokens.map((token) => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
    const edges = findPhrases(lexical, places, weights).filter(({ cost }) => cost <= MAX_LIGHT_COST)
    if (edges.some(({ label }) => label.kind === 'stop' || label.kind === 'edit')) return NONE
    const all = cutClauses(tokens, edges)
    if (all.length < 2) return NONE
    const clauses = relevant(all, edges, tokens, prepared)
    if (clauses === undefined || (!isOpen && clauses.length === all.length)) return NONE
    const isChosen = clauses.length < all.length
    // "5 ngày, mỗi ngày một buổi": the figures belong together
    if (offered.counts !== undefined && !isChosen && clauses.filter((clause) => hasNumber(clause, tokens, lookup)).length > 1) return NONE
    const keys = new Set<string>()
    const spokenOf = new Set<string>()
    let denied: readonly Token[] = []
    const neutral: Token[] = []
    const among: (readonly string[])[] = []
    // "muốn học lắm, nhà neo người nên chưa đi được": the answer itself denies
    const denying =
      offered.options.find(({ text }) => readWords(text).tokens.some((token, at) => at > 0 && denials.has(token.canon)))?.key ?? ''
    for (const { start, end } of clauses) {
      const part = tokens.slice(start, end)
      const isLong = part.length >= MIN_CLAUSE || (isChosen && clauses.length === 1)
      const understood = understandTokens(part, '', lookup, prepared)
      if (understood.kind === 'none') neutral.push(...part)
      if (understood.kind === 'option' && part.some((token) => denials.has(token.canon))) denied = part
      if (understood.kind === 'option') (isLong ? keys : spokenOf).add(understood.key)
      else if (understood.kind === 'which') among.push(understood.keys)
      else if (understood.kind !== 'none') {
        // "3 con lợn", "ừ": too little to say that it speaks of anything else
        if (isLong) return NONE
      } else if (keys.size > 0 && !keys.has(denying) && opposes(part, places.slice(start, end), prepared)) return NONE
      else if (speaksOfOthers(part, places.slice(start, end), prepared)) return NONE
      else for (const key of mentioned(places.slice(start, end), prepared)) spokenOf.add(key)
    }
    // "hội to mới đi, hội nhỏ không đi": what is denied was said just before
    const isTaken = denied.some(
      ({ canon: word }) => prepared.asked.has(word) && !lightWords.has(word) && neutral.some((token) => token.canon === word),
    )
    if (isTaken) return NONE
    const [key] = keys
    const isClear = keys.size === 1 && [...spokenOf].every((one) => one === key) && among.every((list) => list.includes(key ?? ''))
    return isClear && key !== undefined ? { kind: 'option', key } : NONE
  }

  function hasNumber({ start, end }: Clause, tokens: readonly Token[], lookup: Lookup): boolean {
    return tokens.slice(start, end).some((token, i) => {
      const isNumber = token.figure !== undefined || lookup.find(token).some(({ word, cost }) => cost <= MAX_LIGHT_COST && values.has(word))
      return isNumber && !dated.has(tokens[start + i - 1]?.canon ?? '')
    })
  }

  /** The clauses an answer is looked for in. Undefined when what is said of the past stands alone. */
  function relevant(
    clauses: readonly Clause[],
    edges: readonly Edge[],
    tokens: readonly Token[],
    prepared: Prepared,
  ): readonly Clause[] | undefined {
    const within = ({ start, end }: Clause, kind: LabelKind) =>
      edges.filter(({ label, start: from, end: to }) => label.kind === kind && from >= start && to <= end)
    const words = tokens.map((token) => token.canon)
    const facts = clauses.map((clause) => {
      const others = within(clause, 'others').filter((edge) => isOtherPerson(edge, words, prepared))
      const first = within(clause, 'self').find(({ start }) => words.slice(clause.start, start).every((word) => lightWords.has(word)))
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

  /** Somebody whose doings are no answer: none of those the question speaks of, and not named only as the one with whom or for whom. */
  function isOtherPerson({ start, end }: Edge, words: readonly string[], { actors }: Prepared): boolean {
    return !notActing.has(words[start - 1] ?? '') && !words.slice(start, end).every((word) => actors.has(word))
  }

  function opposes(part: readonly Token[], places: readonly Place[], prepared: Prepared): boolean {
    const first = part[0]
    if (first !== undefined && contrast.has(first.canon)) return true
    return places.some(({ candidates }) =>
      candidates.some(({ word, cost }) => cost === 0 && denials.has(word) && !prepared.asked.has(word)),
    )
  }

  function speaksOfOthers(part: readonly Token[], places: readonly Place[], prepared: Prepared): boolean {
    const edges = findPhrases(lexical, places, weights).filter(({ cost }) => cost <= MAX_LIGHT_COST)
    const words = part.map((token) => token.canon)
    const isFrame = ({ label, words: count }: Edge) => label.kind === 'aside' || (label.kind === 'light' && count > 1)
    return edges.some(
      (one) =>
        one.label.kind === 'others' &&
        isOtherPerson(one, words, prepared) &&
        !edges.some((edge) => isFrame(edge) && edge.start <= one.start && edge.end >= one.end),
    )
  }

  /** Answers that a part speaks of without saying them; "" when it may deny one. */
  function mentioned(places: readonly Place[], prepared: Prepared): string[] {
    const found = findPhrases(prepared.graph, places, weights).filter(
      ({ label, cost, strength }) => label.kind === 'option' && !label.whole && strength >= 2 && cost <= MAX_LIGHT_COST,
    )
    return found.map(({ label }) => prepared.offered.options[label.option]?.key ?? '')
  }

  function understandTokens(typed: readonly Token[], ending: string, lookup: Lookup, prepared: Prepared): Understanding {
    const { offered, vocabulary } = prepared
    const tokens = typed.flatMap((token) => spellOut(token) ?? takeApart(token, vocabulary, lookup))
    const candidates = tokens.map((token) =>
      token.figure === undefined ? lookup.find(token, token.marked && ordinary.has(token.canon)) : [],
    )
    const numbers = tokens.map((token, at) =>
      noNumber.has(pair(tokens[at - 1], token)) || noNumber.has(pair(token, tokens[at + 1]))
        ? []
        : numbersAt(at, tokens, candidates, values),
    )
    let negated = false
    const vague: boolean[] = []
    const partial: boolean[] = []
    const light = candidates.map((list) => {
      const isOneOf = (set: ReadonlySet<string>) =>
        list.some(({ word, cost }) => cost <= Math.min(MAX_LIGHT_COST, list[0]?.cost ?? 0) && set.has(word))
      const partly = negated && isOneOf(degree) && vague.at(-1) !== true
      partial.push(partly || (offered.kind === 'confirm' && isOneOf(hedges)))
      vague.push(negated && !partly && isOneOf(afterNegation))
      const small = partial.at(-1) !== true && (vague.at(-1) === true || isOneOf(lightWords))
      negated ||= isOneOf(denials)
      return small
    })
    const places: Place[] = candidates.map((list, at) => ({
      candidates: list,
      numbers: numbers[at] ?? [],
      turns: PAUSE.test(tokens[at]?.gap ?? '') || list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && walls.has(word)),
      skippable:
        light[at] || list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && between.has(word))
          ? 'small'
          : list.some(({ word, cost }) => cost <= MAX_LIGHT_COST && prepared.asked.has(word) && !negators.has(word))
            ? 'topic'
            : undefined,
    }))
    // an everyday word, rightly written, is no slip of one that turns a meaning: "xe" is not "sẽ"
    const isItself = tokens.map(({ canon: word }, at) => ordinary.has(word) && (candidates[at]?.[0]?.cost ?? 1) > 0)
    // words of the question stand inside answers, not inside the words around them: "nhầm, học xong rồi" is not "nhầm rồi"
    const around = places.map((place): Place => (place.skippable === 'topic' ? { ...place, skippable: undefined } : place))
    const edges = findPhrases(lexical, around, weights).filter(
      ({ label, start, end }) => !STRICT.has(label.kind) || !isItself.slice(start, end).some(Boolean),
    )
    const isWall = new Array<boolean>(tokens.length).fill(false)
    for (const { label, start, end, cost } of edges) if (WALLS.has(label.kind) && cost <= MAX_LIGHT_COST) isWall.fill(true, start, end)
    // "ngày nào con tôi cũng xem": not the small words "con" and "tôi"
    const isOther = new Array<boolean>(tokens.length).fill(false)
    for (const { label, start, end, cost, words: count } of edges)
      if (lookup.marked && label.kind === 'others' && count > 1 && cost === 0) isOther.fill(true, start, end)
    const open = places.map(
      (place, at): Place => (isWall[at] ? { ...place, turns: true, skippable: isOther[at] ? undefined : place.skippable } : place),
    )
    edges.push(...findPhrases(prepared.graph, open, weights))
    const passable = places.map((place) => place.skippable !== undefined)
    if (edges.some((edge) => edge.label.kind === 'stop' && edge.cost <= MAX_STOP_COST)) return NONE

    const edit = findEdit({ tokens, numbers, edges, offered, light })
    if (edit !== undefined) return edit

    const inside = (edge: Edge) =>
      !PAUSE.test(tokens[edge.start]?.gap ?? '') &&
      edges.some(
        (one) =>
          one.label.kind === 'option' &&
          one.holes === undefined &&
          one.strength >= 2 &&
          one.words > edge.words &&
          one.start <= edge.start &&
          one.end >= edge.end,
      )
    const last = (kind: LabelKind) =>
      edges.filter((edge) => edge.label.kind === kind && edge.cost <= MAX_LIGHT_COST && !inside(edge)).sort((a, b) => b.end - a.end)[0]
    const past = edges.find((edge) => edge.label.kind === 'past' && edge.cost <= MAX_LIGHT_COST && !inside(edge))
    const present = last('present')
    if (past !== undefined && present !== undefined && present.start >= past.end) {
      const spans = edges.some(({ label, start, end }) => label.kind === 'option' && start < present.start && end > present.end)
      if (!spans) return understandTokens(tokens.slice(present.end), ending, lookup, prepared)
    }
    const truly = last('truly')
    if (truly !== undefined && tokens.slice(truly.end).every((_, i) => light[truly.end + i])) {
      let from = truly.start - 1
      while (from > 0 && tokens[from]?.gap === '') from--
      const meant = from < 0 ? NONE : understandTokens(tokens.slice(from, truly.start), ending, lookup, prepared)
      if (meant.kind === 'option') return meant
    }
    const regret = last('regret')
    if (regret !== undefined) {
      const after = tokens.slice(regret.end)
      if (!after.every((_, i) => light[regret.end + i])) return understandTokens(after, ending, lookup, prepared)
      if (!tokens.slice(0, regret.start).every((_, i) => light[i])) return NONE
    }

    const counted = amountEdges({ tokens, candidates, numbers, offered, amounts, light })
    if (
      isSum(
        counted,
        tokens.map((token) => plus.has(token.canon)),
      )
    )
      return NONE
    edges.push(...counted)
    return decide({
      tokens,
      candidates,
      numbers,
      edges,
      ending,
      light,
      vague,
      partial,
      passable,
      prepared,
      questionAround,
      otherPeople,
      howOften,
      ordinary,
      notActing,
      every,
      acts,
      questionAfter,
      indirect,
    })
  }

  function spellOut(token: Token): Token[] | undefined {
    return abbreviations.get(token.canon)?.map((word, i) => toToken(word, i === 0 ? token.gap : ''))
  }
}

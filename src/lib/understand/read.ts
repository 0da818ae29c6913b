import { amountEdges, readAmountWords } from './amounts.ts'
import { decide } from './decide.ts'
import { findEdit } from './edits.ts'
import { createWordFinder } from './find-word.ts'
import { takeApart } from './join.ts'
import { canon } from './letters.ts'
import type { LanguageLexicon, Lexicon } from './lexicon.ts'
import { numbersAt } from './numbers.ts'
import { partsOf } from './parts.ts'
import { addPhrase, createPhraseGraph, type Edge, findPhrases, type LabelKind, type PhraseGraph, type Place } from './phrase-graph.ts'
import { readWords, type Token, toToken } from './tokens.ts'
import type { Offered, Understanding } from './types.ts'
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
  'greeting',
  'or',
  'edit',
  'wrong',
  'polite',
  'edit_becomes',
  'question_before',
] as const

/** Shorter texts are answers or nothing. */
const MIN_STORY = 11
const MIN_STORY_PART = 3
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
    const add = (phrases: readonly string[], kind: LabelKind, option: number, own = false) => {
      for (const phrase of phrases)
        for (const word of addPhrase(graph, phrase, { kind, option, own }, lexicon.phrases)) vocabulary.add(word)
    }
    const topics = readWords(offered.ask ?? '').tokens.filter(
      ({ canon: word, figure }) => figure === undefined && !negators.has(word) && !lightWords.has(word),
    )
    add(
      topics.map((token) => token.raw),
      'topic',
      -1,
    )
    offered.options.forEach((option, index) => {
      const parts = partsOf(option.text, offered, phrasesOf('village_before'))
      add([...parts, ...parts.map(withoutOpening)], 'option', index, true)
      add(option.phrases ?? [], 'option', index)
    })
    if (offered.kind === undefined || offered.kind === 'choice') {
      add(phrasesOf('first'), 'option', 0)
      add(phrasesOf('last'), 'option', offered.options.length - 1)
    }
    if (offered.kind === 'confirm') {
      add(phrasesOf('yes'), 'option', 0)
      add(phrasesOf('no'), 'option', 1)
    }
    const asked = new Set(readWords(offered.ask ?? '').tokens.map((token) => token.canon))
    return { offered, graph, vocabulary, asked }
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
    const answer = !isAbuse && whole.kind === 'none' ? understandStory(read.tokens, lookup, prepared) : whole
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

  /** The one clear answer inside a story: its parts are read alone, and nothing else in it may speak of another answer or another person. */
  function understandStory(tokens: readonly Token[], lookup: Lookup, prepared: Prepared): Understanding {
    if (tokens.length < MIN_STORY || prepared.offered.kind === 'confirm' || prepared.offered.kind === 'village') return NONE
    const starts = tokens.flatMap(({ gap }, at) => (at === 0 || PAUSE.test(gap) ? [at] : []))
    if (starts.length < 2) return NONE
    const places = tokens.map((token) => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
    const isStory = findPhrases(lexical, places, weights).every(
      ({ label, cost }) => cost > MAX_LIGHT_COST || (label.kind !== 'stop' && label.kind !== 'past' && label.kind !== 'edit'),
    )
    if (!isStory) return NONE
    const keys = new Set<string>()
    for (const [i, start] of starts.entries()) {
      const part = tokens.slice(start, starts[i + 1])
      const understood = understandTokens(part, '', lookup, prepared)
      if (understood.kind === 'option' && part.length >= MIN_STORY_PART) keys.add(understood.key)
      else if (understood.kind !== 'none') {
        // "3 con lợn", "ừ": too little to say that it speaks of anything else
        if (part.length >= MIN_STORY_PART) return NONE
      } else if (keys.size > 0 && opposes(part, places.slice(start, start + part.length), prepared)) return NONE
      else if (speaksOfOthers(places.slice(start, start + part.length))) return NONE
      else for (const key of mentioned(places.slice(start, start + part.length), prepared)) keys.add(key)
    }
    const [key] = keys
    return keys.size === 1 && key !== undefined && key !== '' ? { kind: 'option', key } : NONE
  }

  function opposes(part: readonly Token[], places: readonly Place[], prepared: Prepared): boolean {
    const first = part[0]
    if (first !== undefined && contrast.has(first.canon)) return true
    return places.some(({ candidates }) =>
      candidates.some(({ word, cost }) => cost === 0 && denials.has(word) && !prepared.asked.has(word)),
    )
  }

  function speaksOfOthers(places: readonly Place[]): boolean {
    const edges = findPhrases(lexical, places, weights).filter(({ cost }) => cost <= MAX_LIGHT_COST)
    return edges.some(
      ({ label, start, end }) =>
        label.kind === 'others' && !edges.some((edge) => edge.label.kind === 'aside' && edge.start <= start && edge.end >= end),
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
    const numbers = tokens.map((_, at) => numbersAt(at, tokens, candidates, values))
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

    edges.push(...amountEdges({ tokens, candidates, numbers, offered, amounts, light }))
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
      indirect,
    })
  }

  function spellOut(token: Token): Token[] | undefined {
    return abbreviations.get(token.canon)?.map((word, i) => toToken(word, i === 0 ? token.gap : ''))
  }
}

import { amountEdges } from './amounts.ts'
import { findEdit } from './edits.ts'
import { type Explanation, explain } from './explain.ts'
import { createWordFinder } from './find-word.ts'
import { canon } from './letters.ts'
import type { LanguageLexicon, Lexicon } from './lexicon.ts'
import { numbersAt } from './numbers.ts'
import { partsOf } from './parts.ts'
import { addPhrase, createPhraseGraph, type Edge, findPhrases, type LabelKind, type PhraseGraph, type Place } from './phrase-graph.ts'
import { readWords, type Token, toToken } from './tokens.ts'
import type { Offered, Understanding } from './types.ts'
import { createVocabulary, type VocabularyLayer } from './vocabulary.ts'
import type { WordUser } from './words.ts'

/** The answers of one question, made ready. */
export type Prepared = {
  offered: Offered
  /** @internal */
  graph: PhraseGraph
  /** @internal */
  vocabulary: VocabularyLayer
}

const ROLES = [
  'light',
  'poison',
  'stop',
  'question',
  'question_ends',
  'person',
  'regret',
  'mistook',
  'deny',
  'or',
  'edit',
  'wrong',
  'polite',
  'edit_becomes',
  'question_before',
] as const

/** Costs closer than this are equally good readings: the person is asked. */
const MARGIN = 0.3
const MAX_NEGATIVE_TOPICS = 3
const NONE: Understanding = { kind: 'none' }

export function createReader(lexicon: Lexicon) {
  const { languages } = lexicon
  const words = createWordFinder(lexicon.words)
  const values = new Map(languages.flatMap((one) => Object.entries(one.numbers).map(([word, value]) => [canon(word), value] as const)))
  const lightWords = new Set(single('light'))
  const negators = new Set(single('poison'))
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
    const kind: LabelKind = role === 'question_ends' ? 'question' : role
    for (const phrase of phrasesOf(role))
      for (const word of addPhrase(lexical, phrase, { kind, option: -1 }, lexicon.phrases)) base.add(word)
  }
  for (const one of languages) {
    for (const list of [one.ordinal_before, one.more_than, one.at_least, one.at_least_after, one.less_than, one.at_most, one.about, one.to])
      for (const phrase of list) for (const word of phrase.split(' ')) base.add(canon(word))
    for (const [unit, others] of Object.entries(one.units))
      for (const word of [unit, ...others].flatMap((each) => each.split(' '))) base.add(canon(word))
  }
  for (const word of values.keys()) base.add(word)
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

  function prepare(offered: Offered): Prepared {
    const vocabulary = createVocabulary(base)
    const graph = createPhraseGraph()
    const add = (phrases: readonly string[], kind: LabelKind, option: number) => {
      for (const phrase of phrases) for (const word of addPhrase(graph, phrase, { kind, option }, lexicon.phrases)) vocabulary.add(word)
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
      add(partsOf(option.text, offered, phrasesOf('village_before')), 'option', index)
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
    return { offered, graph, vocabulary }
  }

  function understand(text: string, prepared: Prepared, users: readonly WordUser[]): Understanding {
    const command = words.command(text, users)
    if (command !== undefined) return { kind: 'word', word: command.word, ...(command.arg === undefined ? {} : { arg: command.arg }) }
    const read = readWords(text)
    if (read.tokens.length === 0) return read.end.includes('?') ? { kind: 'question' } : NONE
    const written = ` ${read.tokens.map((token) => token.canon).join(' ')} `
    if (abuse.some((phrase) => written.includes(phrase))) return NONE
    const answer = understandTokens(read.tokens, read.end, read.marked, prepared)
    const word = words.whole(read.tokens, users) ?? words.whole(withoutFrame(read.tokens, read.marked, prepared), users)
    if (word === undefined) return answer
    const found: Understanding = { kind: 'word', word: word.word, ...(word.arg === undefined ? {} : { arg: word.arg }) }
    if (answer.kind === 'option') {
      if (word.outcome === 'ask') return { kind: 'which_word', word: word.word, key: answer.key }
      return answer
    }
    if (word.outcome === 'ask') return { kind: 'which_word', word: word.word }
    if (answer.kind === 'edit' || (answer.kind === 'which' && word.outcome === 'answer_first')) return answer
    return found
  }

  /** Without the polite words around it. */
  function withoutFrame(tokens: readonly Token[], marked: boolean, prepared: Prepared): Token[] {
    const places = tokens.map((token) => ({ candidates: prepared.vocabulary.find(token, marked), numbers: [], skippable: false }))
    const polite = findPhrases(lexical, places, weights).filter((edge) => edge.label.kind === 'polite' && edge.mistakes === 0)
    let start = 0
    let end = tokens.length
    for (let edge: Edge | undefined; ; start = edge.end) {
      edge = polite.filter((one) => one.start === start).sort((a, b) => b.end - a.end)[0]
      if (edge === undefined) break
    }
    for (let edge: Edge | undefined; ; end = edge.start) {
      edge = polite.filter((one) => one.end === end && one.start >= start).sort((a, b) => a.start - b.start)[0]
      if (edge === undefined) break
    }
    return tokens.slice(start, end)
  }

  function understandTokens(typed: readonly Token[], ending: string, marked: boolean, prepared: Prepared): Understanding {
    const { offered, vocabulary } = prepared
    const tokens = typed.flatMap((token) => spellOut(token) ?? takeApart(token, vocabulary, marked))
    const candidates = tokens.map((token) => (token.figure === undefined ? vocabulary.find(token, marked) : []))
    const numbers = tokens.map((_, at) => numbersAt(at, tokens, candidates, values))
    const light = candidates.map((list) => list.some(({ word, cost }) => cost <= 0.2 && lightWords.has(word)))
    const places: Place[] = candidates.map((list, at) => ({ candidates: list, numbers: numbers[at] ?? [], skippable: light[at] ?? false }))
    const edges = [...findPhrases(lexical, places, weights), ...findPhrases(prepared.graph, places, weights)]
    const has = (kind: LabelKind) => edges.some((edge) => edge.label.kind === kind)
    if (has('stop')) return NONE

    const edit = findEdit({ tokens, numbers, edges, offered, light })
    if (edit !== undefined) return edit

    const regret = edges.filter((edge) => edge.label.kind === 'regret').sort((a, b) => b.end - a.end)[0]
    if (regret !== undefined) {
      const after = tokens.slice(regret.end)
      const isEmpty = after.every((_, i) => light[regret.end + i])
      if (!isEmpty) return understandTokens(after, ending, marked, prepared)
      return NONE
    }

    edges.push(...amountEdges({ tokens, candidates, numbers, offered, languages, light }))
    return decide(tokens.length, edges, ending, light, prepared)
  }

  function spellOut(token: Token): Token[] | undefined {
    return abbreviations.get(token.canon)?.map((word, i) => toToken(word, i === 0 ? token.gap : ''))
  }

  function decide(length: number, edges: readonly Edge[], ending: string, light: readonly boolean[], prepared: Prepared): Understanding {
    const { offered } = prepared
    const help = offered.options.length
    const answers = edges.flatMap((edge) => {
      if (edge.label.kind === 'person') return [{ ...edge, label: { ...edge.label, kind: 'option' as const, option: help } }]
      return edge.label.kind === 'option' ? [edge] : []
    })
    const denied: Edge[] = []
    for (const deny of edges) {
      if (deny.label.kind !== 'deny' && deny.label.kind !== 'mistook') continue
      let at = deny.end
      while (light[at]) at++
      for (const edge of answers)
        if (edge.start >= deny.end && edge.start <= at && edge.end > at) denied.push({ ...edge, start: deny.start })
    }
    const byStart: Edge[][] = Array.from({ length }, () => [])
    for (const edge of edges) if (edge.label.kind !== 'option' && edge.label.kind !== 'person') byStart[edge.start]?.push(edge)
    for (const edge of answers) byStart[edge.start]?.push(edge)

    const explanations: Explanation[] = []
    for (const option of new Set(answers.map((edge) => edge.label.option))) {
      const one = explain({ length, option, byStart, denied })
      if (one !== undefined) explanations.push(one)
    }
    const isDenied = (edge: Edge) =>
      denied.some((one) => one.label.option === edge.label.option && one.start <= edge.start && one.end >= edge.end)
    const asked = edges.filter((edge) => edge.label.kind === 'question')
    const conflicts = (one: Explanation) =>
      one.rivals > 0 ||
      answers.some((edge) => edge.label.option !== one.option && !edge.label.whole && !isDenied(edge) && uncovered(edge, one, light))
    const complete = explanations.filter((one) => isEnough(one)).sort((a, b) => a.cost - b.cost)
    const sure = complete.filter((one) => !conflicts(one))
    const best = sure[0]
    if (asked.some((edge) => best === undefined || uncovered(edge, best, []))) return { kind: 'question' }
    if (ending.includes('?')) return { kind: 'question' }
    if (best !== undefined) {
      const equal = sure.filter((one) => one.cost - best.cost < MARGIN)
      return equal.length === 1 ? named(best.option) : which(equal)
    }
    return complete.length > 1 ? which(complete) : NONE

    function named(option: number): Understanding {
      const key = offered.options[option]?.key
      return key === undefined ? { kind: 'person' } : { kind: 'option', key }
    }
    function which(list: readonly Explanation[]): Understanding {
      const options = [...new Set(list.map((one) => one.option))].sort((a, b) => a - b)
      return { kind: 'which', keys: options.map((option) => offered.options[option]?.key ?? '0') }
    }
  }
}

/** Enough of the text is explained by phrases of the answer, and nothing in it turns the meaning. */
function isEnough(one: Explanation): boolean {
  if (one.poison) return false
  const strong = one.matches.filter((edge) => !edge.label.whole)
  const strength = strong.reduce((sum, edge) => sum + edge.strength, 0)
  const mistakes = one.matches.reduce((sum, edge) => sum + edge.mistakes, 0)
  if (strength === 0) return one.unknown === 0 && one.topics === 0 && mistakes === 0
  if (mistakes > 0 && strength - mistakes < 1) return false
  if (strong.some((edge) => edge.negative) && one.topics > MAX_NEGATIVE_TOPICS) return false
  return one.unknown <= (strength === 1 ? 0 : Math.min(strength, 3))
}

/** Some word of the phrase that is not small stands outside the matches of the explanation. */
function uncovered(edge: Edge, one: Explanation, light: readonly boolean[]): boolean {
  for (let at = edge.start; at < edge.end; at++) {
    if (light[at]) continue
    if (!one.matches.some((match) => match.start <= at && match.end > at)) return true
  }
  return false
}

const MIN_JOINED_LETTERS = 5
const MAX_JOINED_WORDS = 4

/** "thuongxuyen" → thuong xuyen, "câu3" → câu 3, "5buổi" is already apart. */
function takeApart(token: Token, vocabulary: VocabularyLayer, marked: boolean): Token[] {
  if (token.figure !== undefined) return [token]
  const letters = /^(\p{L}[\p{L}\p{M}]*)(\d+)$/u.exec(token.raw)
  if (letters !== null && vocabulary.find(token, marked).length === 0)
    return [toToken(letters[1] ?? '', token.gap), toToken(letters[2] ?? '', '')]
  if (token.plain.length < MIN_JOINED_LETTERS || /\d/.test(token.plain) || vocabulary.find(token, marked).length > 0) return [token]
  const cut = cutJoined(token.raw.normalize('NFC'), vocabulary, MAX_JOINED_WORDS)
  return cut === undefined ? [token] : cut.map((piece, i) => toToken(piece, i === 0 ? token.gap : ''))
}

function cutJoined(text: string, vocabulary: VocabularyLayer, pieces: number): string[] | undefined {
  if (text === '') return []
  if (pieces === 0) return undefined
  for (let end = Math.min(text.length, 7); end >= 2; end--) {
    const piece = text.slice(0, end)
    const { canon: word, plain: bare, marked } = toToken(piece, '')
    if (marked ? !vocabulary.has(word) : !vocabulary.hasPlain(bare)) continue
    const rest = cutJoined(text.slice(end), vocabulary, pieces - 1)
    if (rest !== undefined) return [piece, ...rest]
  }
  return undefined
}

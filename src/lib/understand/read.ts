import { confirmed } from './confirm.ts'
import { type Context, wordsRepaired } from './context.ts'
import type { FoundWord } from './find-word.ts'
import { isGreeting, wordInFrame } from './frames.ts'
import { canon } from './letters.ts'
import type { Lexicon } from './lexicon.ts'
import { findPhrases, type LabelKind, type Place } from './phrase-graph.ts'
import { pickedApart } from './picked-apart.ts'
import { type Prepared, prepareQuestion } from './prepare-question.ts'
import { readWords, type Token, type Words } from './tokens.ts'
import type { Offered, Understanding } from './types.ts'
import { understandClauses } from './understand-clauses.ts'
import { understandTokens } from './understand-tokens.ts'
import { createLookup } from './vocabulary.ts'
import { readWordLists } from './word-lists.ts'
import type { WordUser } from './words.ts'

const NONE: Understanding = { kind: 'none' }
const MAX_COST = 0.2
/** "để tôi hỏi chồng đã": not decided yet. */
const PUT_OFF = canon('để')
/** These say themselves which of two answers counts. */
const TAKING_BACK: ReadonlySet<LabelKind> = new Set(['regret', 'truly', 'mistook', 'deny'])

export function createReader(lexicon: Lexicon) {
  const lists = readWordLists(lexicon)
  return { prepare: (offered: Offered) => prepareQuestion(offered, lists), understand }

  function understand(text: string, prepared: Prepared, users: readonly WordUser[]): Understanding {
    const command = lists.words.command(text, users)
    if (command !== undefined) return asWord(command)
    const read = readWords(text)
    if (read.tokens.length === 0) return read.end.includes('?') ? { kind: 'question' } : NONE
    // "dạ" and "ạ" are marked by the keyboard's own suggestions: only other words show how the person writes
    const marked = read.tokens.some((token) => token.marked && !lists.light.has(token.canon))
    const context: Context = { lists, prepared, lookup: createLookup(prepared.vocabulary, marked) }
    const answer = answerOf(read, context)
    const bare = lists.words.whole(read.tokens, users)
    const word = bare ?? wordInFrame(read.tokens, context, users)
    if (word === undefined) return answer.kind === 'none' && isGreeting(read.tokens, context) ? { kind: 'greeting' } : answer
    if (answer.kind === 'option') return word.outcome === 'ask' ? { kind: 'which_word', word: word.word, key: answer.key } : answer
    if (word.outcome === 'ask') return { kind: 'which_word', word: word.word }
    if (answer.kind === 'edit' || (answer.kind === 'which' && word.outcome === 'answer_first')) return answer
    // "em xem" under a question may tell what the person does
    const tells = read.tokens.some((token) => prepared.asked.has(token.canon))
    if (word.collides && prepared.offered.options.length > 0 && (tells || bare === undefined))
      return { kind: 'which_word', word: word.word }
    return asWord(word)
  }
}

/** What the whole text means, else what one of its clauses says; taken only when nothing beside it says more. */
function answerOf(read: Words, context: Context): Understanding {
  if (isAbuse(read, context)) return NONE
  const { end } = read
  const tokens = wordsRepaired(read.tokens, context)
  const picked = pickedApart({ tokens, end }, context)
  if (picked !== undefined) return { kind: 'option', key: picked }
  const second = onSecondThoughts({ tokens, end }, context)
  if (second !== undefined) return second
  const whole = understandTokens(tokens, end, context)
  if (whole.kind === 'none' && refuses({ tokens, end }, context)) return refusal(context)
  if (whole.kind !== 'none' && whole.kind !== 'which') return confirmed(whole, tokens, context)
  const clause = understandClauses(tokens, context, whole.kind === 'none')
  return confirmed(clause.kind === 'option' ? clause : whole, tokens, context)
}

/** "không đúng, tôi nói là ba buổi": a no at the beginning and what it is said for. Nothing after it says yes, asks or takes it back. */
function refuses({ tokens, end }: Words, context: Context): boolean {
  if (context.prepared.offered.kind !== 'confirm' || end.includes('?')) return false
  const cuts = tokens.flatMap(({ gap }, at) => (at === 0 || gap !== '' ? [at] : []))
  const parts = cuts.map((at, i) => tokens.slice(at, cuts[i + 1] ?? tokens.length))
  if (parts.some(([word]) => word?.canon === PUT_OFF)) return false
  const [first = NONE, ...others] = parts.map((part) => understandTokens(part, '', context))
  const no = context.prepared.offered.options[1]?.key
  const isNo = (one: Understanding) => one.kind === 'option' && one.key === no
  return isNo(first) && others.length > 0 && others.every((one) => one.kind === 'none' || isNo(one))
}

function refusal({ prepared }: Context): Understanding {
  const key = prepared.offered.options[1]?.key
  return key === undefined ? NONE : { kind: 'option', key }
}

/**
 * Of two answers with only a sound of remembering between them the second one, when both are numbers ("số 3, à số 2", "hai buổi, à ba buổi");
 * else either may be meant.
 */
function onSecondThoughts({ tokens, end }: Words, context: Context): Understanding | undefined {
  const { lists, prepared, lookup } = context
  const { kind, counts = '' } = prepared.offered
  if (kind !== undefined && kind !== 'choice') return undefined
  const at = tokens.findLastIndex((token, i) => i > 0 && token.gap !== '' && lists.remembering.has(token.canon))
  if (at < 0) return undefined
  const isNumber = ({ figure, canon: word }: Token) => figure !== undefined || lists.values.has(word)
  const isSmall = (word: string) => lists.light.has(word) || lists.ordinals.has(word) || word === canon(counts)
  const isAround = (token: Token) => lookup.find(token).some(({ word, cost }) => cost <= MAX_COST && isSmall(word))
  const places = tokens.map((token): Place => ({ candidates: lookup.find(token), numbers: [], skippable: undefined }))
  const isTakenBack = findPhrases(lists.graph, places, lists.weights).some(
    ({ label, cost }) => cost <= MAX_COST && TAKING_BACK.has(label.kind),
  )
  if (isTakenBack) return undefined
  const parts = [tokens.slice(0, at), tokens.slice(at + 1)]
  const [before = NONE, after = NONE] = parts.map((part) => understandTokens(part, end, context))
  if (before.kind !== 'option' || after.kind !== 'option' || before.key === after.key) return undefined
  const areNumbers = parts.every((part) => part.some(isNumber) && part.every((token) => isNumber(token) || isAround(token)))
  return areNumbers ? after : { kind: 'which', keys: [before.key, after.key] }
}

/** The name of a village wins: "nam ngu" is Nậm Ngù. */
function isAbuse({ tokens }: Words, { lists, prepared }: Context): boolean {
  if (prepared.offered.kind === 'village') return false
  const written = ` ${tokens.map((token) => token.canon).join(' ')} `
  return lists.abuse.some((phrase) => written.includes(phrase))
}

function asWord({ word, arg }: Pick<FoundWord, 'word' | 'arg'>): Understanding {
  return { kind: 'word', word, ...(arg === undefined ? {} : { arg }) }
}

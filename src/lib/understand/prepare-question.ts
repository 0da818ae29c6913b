import { canon } from './letters.ts'
import { type Pairs, pairsOf } from './pairs.ts'
import { partsOf } from './parts.ts'
import { addPhrase, createPhraseGraph, type LabelKind, type PhraseGraph } from './phrase-graph.ts'
import { readWords } from './tokens.ts'
import type { Offered } from './types.ts'
import { createVocabulary, type VocabularyLayer } from './vocabulary.ts'
import type { WordLists } from './word-lists.ts'

/** The answers of one question, made ready. */
export type Prepared = {
  offered: Offered
  /** @internal */
  graph: PhraseGraph
  /** @internal */
  vocabulary: VocabularyLayer
  /** Words of the question. @internal */
  asked: ReadonlySet<string>
  /** The same as they follow each other, between spaces. @internal */
  askedText: string
  /** Which answers each answer says besides its own: their texts stand in its text. @internal */
  includes: readonly ReadonlySet<number>[]
  /** Asks how one gets on with others: who speaks of oneself may tell what they do. @internal */
  withOthers: boolean
  /** Words for people whose doings are an answer here. @internal */
  actors: ReadonlySet<string>
  /** For each answer every word of the question, of the answer and of the ways to say it: what it speaks of. @internal */
  subject: readonly ReadonlySet<string>[]
  /** Words of the question that say what it is about. @internal */
  topics: ReadonlySet<string>
  /** Neighbouring words of the question and its answers. @internal */
  pairs: Pairs
}

/** A shorter text stands in others by chance. */
const MIN_INCLUDED = 9
/** Answers that name these speak of children. */
const YOUNG: ReadonlySet<string> = new Set(['cháu', 'trẻ'].map((word) => canon(word)))
const NOBODY: ReadonlySet<string> = new Set()

export function prepareQuestion(offered: Offered, lists: WordLists): Prepared {
  const vocabulary = createVocabulary(lists.vocabulary)
  const graph = createPhraseGraph()
  const subject = offered.options.map(() => new Set<string>())
  const add = (phrases: readonly string[], kind: LabelKind, option: number, own = false) => {
    for (const phrase of phrases)
      for (const word of addPhrase(graph, phrase, { kind, option, own }, lists.phrases)) {
        vocabulary.add(word)
        for (const [at, one] of subject.entries()) if (option < 0 || option === at) one.add(word)
      }
  }
  const ask = readWords(offered.ask ?? '').tokens
  const asking = ask.filter(({ canon: word, figure }) => figure === undefined && !lists.negators.has(word) && !lists.light.has(word))
  add(
    asking.map((token) => token.raw),
    'topic',
    -1,
  )
  offered.options.forEach((option, index) => {
    const parts = partsOf(option.text, offered, lists.villageBefore).map((part) =>
      lists.people.has(part.trim()) ? `=${part.trim()}` : part,
    )
    add([...parts, ...parts.map((part) => withoutOpening(part, lists))], 'option', index, true)
    add(option.phrases ?? [], 'option', index)
  })
  if (offered.kind === undefined || offered.kind === 'choice') {
    add(lists.first, 'option', 0)
    add(lists.last, 'option', offered.options.length - 1)
  }
  if (offered.kind === 'confirm') {
    add(lists.yes, 'option', 0)
    // under "is it this one: chưa?" the answer itself is a yes
    const first = offered.options[0]?.text.trim().toLowerCase()
    add(
      lists.no.filter((phrase) => phrase.replace('=', '') !== first),
      'option',
      1,
    )
  }
  return {
    offered,
    graph,
    vocabulary,
    asked: new Set(ask.map((token) => token.canon)),
    askedText: ` ${ask.map((token) => token.canon).join(' ')} `,
    includes: includedIn(offered),
    pairs: pairsOf(offered),
    withOthers: lists.gettingOn.some((phrase) => (offered.ask ?? '').toLowerCase().includes(phrase)),
    actors: actorsOf(offered, lists),
    subject,
    topics: new Set(asking.flatMap(({ canon: word }) => (lists.howOften.has(word) ? [] : [word]))),
  }
}

/** "Đã học xong" is also "học xong". */
function withoutOpening(text: string, { light }: WordLists): string {
  const words = text.trim().split(/\s+/)
  const first = words.findIndex((word) => !light.has(canon(word.toLowerCase())))
  return words.length - first >= 2 ? words.slice(Math.max(0, first)).join(' ') : text
}

function includedIn({ kind, options }: Offered): ReadonlySet<number>[] {
  const written = options.map(({ text }) => ` ${wordsOf(text).join(' ')} `)
  return written.map((one, at) => {
    if (kind === 'village') return new Set()
    return new Set(written.flatMap((other, i) => (i !== at && other.length > MIN_INCLUDED && one.includes(other) ? [i] : [])))
  })
}

function actorsOf({ asksPerson, options }: Offered, { family, children }: WordLists): ReadonlySet<string> {
  if (asksPerson === false) return family
  return options.some(({ text }) => wordsOf(text).some((word) => YOUNG.has(word))) ? children : NOBODY
}

function wordsOf(text: string): string[] {
  return readWords(text).tokens.map((token) => token.canon)
}

import { readAmountWords } from './amounts.ts'
import { createWordFinder } from './find-word.ts'
import { canon, plain } from './letters.ts'
import type { LanguageLexicon, Lexicon } from './lexicon.ts'
import { addPhrase, createPhraseGraph, type LabelKind } from './phrase-graph.ts'
import { readWords } from './tokens.ts'
import { createVocabulary, type VocabularyLayer } from './vocabulary.ts'

/** Lists of phrases that are found in a text under their own name; `negators` are found as `negator`. */
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
  'aside',
] as const satisfies readonly LabelKind[]

/** The lexicon of all languages, ready to be compared with what people write. */
export type WordLists = ReturnType<typeof readWordLists>

export function readWordLists(lexicon: Lexicon) {
  const { languages } = lexicon
  const phrasesOf = (role: ListName): string[] => languages.flatMap((one) => one[role])
  const single = (role: ListName) => phrasesOf(role).flatMap((phrase) => (phrase.includes(' ') ? [] : [canon(phrase)]))
  const eachWord = (phrases: readonly string[]) => phrases.flatMap((phrase) => phrase.split(' ').map((word) => canon(word)))

  const light = new Set(single('light'))
  const negators = new Set([...single('poison'), ...single('negators'), ...single('others')])
  const between = new Set(single('between'))
  const afterNegation = new Set(single('after_negation'))
  const degree = new Set(single('degree'))
  const hedges = new Set(single('hedge'))
  const contrast = new Set(single('contrast'))
  const howOften = new Set(eachWord(phrasesOf('how_often')))
  const circumstances = new Set(eachWord(languages.flatMap((one) => Object.values(one.circumstances).flat())))
  const moods = new Set(eachWord(phrasesOf('moods')))
  const ordinary = new Set([...eachWord(phrasesOf('ordinary')), ...circumstances, ...moods])
  const values = new Map(languages.flatMap((one) => Object.entries(one.numbers).map(([word, value]) => [canon(word), value] as const)))
  const around = languages.flatMap((one) =>
    [one.more_than, one.at_least, one.at_least_after, one.less_than, one.at_most, one.about, one.to].flat(),
  )
  const counting = eachWord([...around, ...languages.flatMap((one) => Object.entries(one.units).flat(2))])

  const vocabulary = createVocabulary()
  const graph = createPhraseGraph()
  for (const role of ROLES) {
    for (const phrase of phrasesOf(role === 'negator' ? 'negators' : role))
      for (const word of addPhrase(graph, phrase, { kind: role, option: -1 }, lexicon.phrases)) vocabulary.add(word)
  }
  for (const word of [...eachWord(phrasesOf('ordinal_before')), ...counting]) vocabulary.add(word)
  for (const list of [between, afterNegation, degree, hedges, values.keys()]) for (const word of list) vocabulary.add(word)
  for (const word of [...light, ...negators]) vocabulary.keep(word)
  const { spelledOut } = readSpellings(languages, vocabulary)

  return {
    phrases: lexicon.phrases,
    /** Words that work in every chat. */
    words: createWordFinder(lexicon.words),
    amounts: readAmountWords(languages),
    /** Number words. */
    values,
    vocabulary: vocabulary,
    /** Every list of `ROLES`. */
    graph: graph,
    weights: { isLight: (word: string) => light.has(word), isNegator: (word: string) => negators.has(word) },
    /** One token that stands for several words. */
    spelledOut,
    light,
    negators,
    /** Words that deny. */
    denials: new Set(single('negators')),
    /** No phrase reaches over these. */
    walls: new Set([...negators, ...single('or'), ...single('walls')]),
    contrast,
    degree,
    hedges,
    between,
    afterNegation,
    indirect: new Set(single('indirect')),
    /** Other people, in one word. */
    otherPeople: new Set(single('others')),
    /** Other people as the texts of answers name them. */
    people: new Set(phrasesOf('others')),
    /** Who speaks, in one word. */
    oneself: new Set(single('self')),
    children: new Set(single('children')),
    family: new Set([...single('family'), ...single('children')]),
    howOften,
    plus: new Set(single('plus')),
    remembering: new Set(single('remembering')),
    every: new Set(single('every')),
    notActing: new Set(single('not_acting')),
    dated: new Set(single('dated')),
    acts: new Set(single('acts')),
    anything: new Set(eachWord(phrasesOf('anything'))),
    takesObject: new Set(eachWord(phrasesOf('takes_object'))),
    takesAnything: new Set(eachWord(phrasesOf('takes_anything'))),
    together: new Set(eachWord(phrasesOf('together'))),
    before: new Set(eachWord(phrasesOf('before'))),
    moods,
    circumstances,
    /** By their first word without diacritics, words that mean a circumstance together. */
    compounds: readCompounds(languages.flatMap((one) => Object.values(one.compounds).flat())),
    /** Those of the class of people. */
    persons: readCompounds(languages.flatMap((one) => one.compounds.people ?? [])),
    /** Those of the class of institutions, which act, too. */
    institutions: readCompounds(languages.flatMap((one) => one.compounds.institutions ?? [])),
    /** Those of the class of what is taught and talked about. */
    learned: readCompounds(languages.flatMap((one) => one.compounds.learned ?? [])),
    lets: new Set(eachWord(phrasesOf('lets'))),
    moodCompounds: readCompounds(phrasesOf('mood_phrases')),
    questionAfter: new Set(single('question_after')),
    questionAround: languages.flatMap((one) => one.question_around.map(([first, last]) => [canon(first), canon(last)] as const)),
    /** Two words, without diacritics, of which neither is a number. */
    noNumber: new Set(phrasesOf('no_number').map(plainPhrase)),
    /** As they stand in a text between spaces. */
    abuse: phrasesOf('abuse').map((phrase) => ` ${eachWord([phrase]).join(' ')} `),
    ordinary,
    ordinaryByPlain: groupByPlain(ordinary),
    ordinals: new Set(eachWord(phrasesOf('ordinal_before'))),
    /** Words that stand in any answer: how often, how sure, since when. */
    fillers: new Set([...counting, ...howOften, ...between, ...degree, ...hedges, ...contrast, ...afterNegation]),
    gettingOn: phrasesOf('getting_on'),
    villageBefore: phrasesOf('village_before'),
    first: phrasesOf('first'),
    last: phrasesOf('last'),
    yes: phrasesOf('yes'),
    no: phrasesOf('no'),
  }
}

/** The lists of phrases of a language. */
type ListName = { [Key in keyof LanguageLexicon]: LanguageLexicon[Key] extends string[] ? Key : never }[keyof LanguageLexicon]

/** Adds other spellings of a word to the vocabulary; those of several words are returned. */
function readSpellings(languages: readonly LanguageLexicon[], vocabulary: VocabularyLayer) {
  const spelledOut = new Map<string, readonly string[]>()
  for (const [meant, others] of languages.flatMap((one) => Object.entries(one.spellings))) {
    for (const typed of others) {
      if (meant.includes(' ')) spelledOut.set(canon(typed), meant.split(' '))
      else vocabulary.addSpelling(canon(typed), canon(meant))
    }
  }
  return { spelledOut }
}

function plainPhrase(phrase: string): string {
  return readWords(phrase)
    .tokens.map((token) => token.plain)
    .join(' ')
}

function groupByPlain(words: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>()
  for (const word of words) groups.set(plain(word), [...(groups.get(plain(word)) ?? []), word])
  return groups
}

/** Each word as it is written, and without diacritics. */
export type Compound = readonly { canon: string; plain: string }[]

function readCompounds(phrases: readonly string[]): ReadonlyMap<string, readonly Compound[]> {
  const compounds = new Map<string, Compound[]>()
  for (const phrase of phrases) {
    const words = phrase.split(' ').map((word) => ({ canon: canon(word), plain: plain(canon(word)) }))
    const first = words[0]?.plain ?? ''
    compounds.set(first, [...(compounds.get(first) ?? []), words])
  }
  return compounds
}

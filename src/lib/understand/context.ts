import { takeApart } from './join.ts'
import { repairPairs } from './pairs.ts'
import type { Prepared } from './prepare-question.ts'
import { type Token, toToken } from './tokens.ts'
import type { Lookup } from './vocabulary.ts'
import type { WordLists } from './word-lists.ts'

/** What one message is read with. */
export type Context = {
  lists: WordLists
  /** The answers of the question that is open. */
  prepared: Prepared
  /** Words looked up so far. */
  lookup: Lookup
}

/** Words as they are meant: short forms written out, words typed together taken apart. */
export function wordsMeant(typed: readonly Token[], { lists, prepared, lookup }: Context): Token[] {
  return typed.flatMap((token) => {
    const words = lists.spelledOut.get(token.canon)
    if (words === undefined) return takeApart(token, prepared.vocabulary, lookup)
    return words.map((word, i) => toToken(word, i === 0 ? token.gap : ''))
  })
}

/** The same, with the slips undone that two words show together. */
export function wordsRepaired(typed: readonly Token[], context: Context): readonly Token[] {
  const { lists, prepared } = context
  const isEveryday = ({ canon: word, plain, marked }: Token) =>
    lists.ordinary.has(word) || lists.light.has(word) || (!marked && lists.ordinaryByPlain.has(plain))
  return repairPairs(wordsMeant(typed, context), prepared.pairs, isEveryday)
}

import { canon } from './letters.ts'

/**
 * Phrases are written as people say them, with four short forms:
 *   (a|b c)   one of these          [a]       may be missing
 *   <often>   any phrase of that name in `flows/lexicon/phrases.json`
 *   {n}       any number, {2-6} a number in this range
 * A phrase that begins with "=" counts only as the whole message (polite frame removed).
 */
export type Pattern = { words: string[]; whole: boolean }

/** A place for a number inside a pattern, as a trie key: "#2-6". */
export function isNumberSlot(word: string): boolean {
  return word.startsWith('#')
}

const MAX_EXPANSIONS = 4_000
const MAX_DEPTH = 6

/** Every sequence of words a phrase stands for. Throws with a sentence when the phrase is badly written: it is data. */
export function expandPhrase(phrase: string, named: Readonly<Record<string, readonly string[]>>): Pattern[] {
  const whole = phrase.startsWith('=')
  const seen = new Map<string, Pattern>()
  for (const words of expand(whole ? phrase.slice(1) : phrase, named, 0)) {
    if (words.length > 0) seen.set(words.join(' '), { words, whole })
  }
  if (seen.size > MAX_EXPANSIONS) throw new Error(`The phrase "${phrase}" stands for ${seen.size} sequences; at most ${MAX_EXPANSIONS}.`)
  return [...seen.values()]
}

function expand(phrase: string, named: Readonly<Record<string, readonly string[]>>, depth: number): string[][] {
  if (depth > MAX_DEPTH) throw new Error(`The phrase "${phrase}" refers to itself.`)
  let results: string[][] = [[]]
  for (const part of cut(phrase)) {
    const choices: string[][] = []
    if (part.startsWith('(') || part.startsWith('[')) {
      if (part.startsWith('[')) choices.push([])
      for (const choice of split(part.slice(1, -1))) choices.push(...expand(choice, named, depth + 1))
    } else if (part.startsWith('<')) {
      const phrases = named[part.slice(1, -1)]
      if (phrases === undefined) throw new Error(`The phrase "${phrase}" uses ${part}, which flows/lexicon/phrases.json does not name.`)
      for (const one of phrases) choices.push(...expand(one.startsWith('=') ? one.slice(1) : one, named, depth + 1))
    } else if (part.startsWith('{')) choices.push([part === '{n}' ? '#' : `#${part.slice(1, -1)}`])
    else choices.push([/^\d+$/.test(part) ? `#${part}-${part}` : canon(part)])
    results = results.flatMap((before) => choices.map((choice) => [...before, ...choice]))
  }
  return results
}

/** Top-level parts: a word, or a bracket with all it holds. */
function cut(phrase: string): string[] {
  const parts: string[] = []
  let i = 0
  while (i < phrase.length) {
    const sign = phrase[i] ?? ''
    const close = { '(': ')', '[': ']', '<': '>', '{': '}' }[sign]
    if (close !== undefined) {
      const end = closing(phrase, i, sign, close)
      parts.push(phrase.slice(i, end + 1))
      i = end + 1
    } else if (/[\p{L}\p{M}\p{N}]/u.test(sign)) {
      const word = /^[\p{L}\p{M}\p{N}]+/u.exec(phrase.slice(i))?.[0] ?? sign
      parts.push(word)
      i += word.length
    } else i++
  }
  return parts
}

function closing(phrase: string, from: number, open: string, close: string): number {
  let depth = 0
  for (let i = from; i < phrase.length; i++) {
    if (phrase[i] === open) depth++
    else if (phrase[i] === close && --depth === 0) return i
  }
  throw new Error(`The phrase "${phrase}" opens a bracket and does not close it.`)
}

function split(inside: string): string[] {
  const parts: string[] = ['']
  let depth = 0
  for (const sign of inside) {
    if ('([<'.includes(sign)) depth++
    else if (')]>'.includes(sign)) depth--
    if (sign === '|' && depth === 0) parts.push('')
    else parts[parts.length - 1] += sign
  }
  return parts
}

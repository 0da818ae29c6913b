/**
 * Phrases are written as people say them, with four short forms:
 *   (a|b c)   one of these          [a|b]     one of these or nothing
 *   <often>   any phrase of that name in `flows/lexicon/phrases.json`
 *   {n}       any number, {2-6} a number in this range
 *   ~         up to three words that turn no meaning, or none
 * A phrase that begins with "=" counts only as the whole message (polite frame removed).
 */
export type Part =
  | { kind: 'word'; word: string }
  | { kind: 'number'; min: number; max: number }
  | { kind: 'name'; name: string }
  | { kind: 'choice'; choices: string[]; optional: boolean }
  | { kind: 'gap' }

const ANY_NUMBER = { min: 0, max: 1_000 }
const CLOSING: Record<string, string> = { '(': ')', '[': ']', '<': '>', '{': '}' }

/** Cuts a phrase into its parts. Throws with a sentence when it is badly written: phrases are data. */
export function readPhrase(phrase: string): Part[] {
  const parts: Part[] = []
  let at = 0
  while (at < phrase.length) {
    const sign = phrase[at] ?? ''
    const close = CLOSING[sign]
    if (close !== undefined) {
      const end = closing(phrase, at, sign, close)
      parts.push(bracket(sign, phrase.slice(at + 1, end)))
      at = end + 1
      continue
    }
    if (sign === '~') parts.push({ kind: 'gap' })
    const word = /^[\p{L}\p{M}\p{N}]+/u.exec(phrase.slice(at))?.[0]
    if (word !== undefined)
      parts.push(/^\d+$/.test(word) ? { kind: 'number', min: Number(word), max: Number(word) } : { kind: 'word', word })
    at += word?.length ?? 1
  }
  return parts
}

function bracket(sign: string, inside: string): Part {
  if (sign === '<') return { kind: 'name', name: inside }
  if (sign === '{') {
    const [min, max] = inside === 'n' ? [ANY_NUMBER.min, ANY_NUMBER.max] : inside.split('-').map(Number)
    return { kind: 'number', min: min ?? 0, max: max ?? min ?? 0 }
  }
  return { kind: 'choice', choices: split(inside), optional: sign === '[' }
}

function closing(phrase: string, from: number, open: string, close: string): number {
  let depth = 0
  for (let at = from; at < phrase.length; at++) {
    if (phrase[at] === open) depth++
    else if (phrase[at] === close && --depth === 0) return at
  }
  throw new Error(`The phrase "${phrase}" opens a bracket and does not close it.`)
}

function split(inside: string): string[] {
  const choices: string[] = ['']
  let depth = 0
  for (const sign of inside) {
    if ('([<'.includes(sign)) depth++
    else if (')]>'.includes(sign)) depth--
    if (sign === '|' && depth === 0) choices.push('')
    else choices[choices.length - 1] += sign
  }
  return choices
}

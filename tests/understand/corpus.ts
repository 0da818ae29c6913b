import { canon, plain } from '../../src/lib/understand/letters.ts'
import type { Understanding } from '../../src/lib/understand.ts'
import { loadLexicon } from './lexicon.ts'

/**
 * One line of the corpus. `expect`: an option's key; several keys when the bot must ask which; "?question"; "!DỪNG" for a word that always
 * works, "!" for any of them; "+help"; "-" for not understood. `also`: what is as good.
 */
export type CorpusLine = {
  set: string
  question: string
  text: string
  expect: string | string[]
  also?: (string | string[])[]
  slip: string
}
export type Verdict = 'right' | 'asked' | 'wrong'

const titles = new Map(loadLexicon().words.words.map((entry) => [entry.word, [entry.title, ...entry.forms]]))

/**
 * Right: as expected. Asked again: the person must say it once more, nothing false is stored or done. Wrong: something is accepted or done that
 * was not meant.
 */
export function judge({ expect, also = [] }: Pick<CorpusLine, 'expect' | 'also'>, got: Understanding): Verdict {
  if ([expect, ...also].some((one) => fits(one, got))) return 'right'
  return got.kind === 'option' || got.kind === 'word' || got.kind === 'edit' ? 'wrong' : 'asked'
}

function fits(expected: string | string[], got: Understanding): boolean {
  const want = [expected].flat().map(simple)
  if (outcomes(got).some((one) => sameSet(want, one.map(simple)))) return true
  if (expected === '!') return got.kind === 'word' || got.kind === 'edit' || got.kind === 'which_word'
  // asking back where several readings were expected is right whichever of them are offered first
  if (Array.isArray(expected) && expected.length > 1) return got.kind === 'which' || got.kind === 'which_word'
  // "-" says that nothing may be accepted: offering the likely answers is asking, too
  return expected === '-' && (got.kind === 'which' || got.kind === 'which_word')
}

/** The ways to write down what was understood. */
function outcomes(got: Understanding): string[][] {
  switch (got.kind) {
    case 'option':
      return [[got.key]]
    case 'which':
      // one answer offered for a yes is asked again, not understood
      return got.keys.length === 1 ? [] : [got.keys.map((key) => (key === '0' ? '+help' : key))]
    case 'question':
      return [['?question']]
    case 'person':
      return [['+help'], ['!CÁN BỘ']]
    case 'word': {
      const names = (titles.get(got.word) ?? []).map((title) => `!${title}`)
      const help = got.word === 'person' ? [['+help']] : []
      return [...names.map((name) => [name]), ...names.map((name) => [`${name} ${got.arg ?? ''}`]), ...help]
    }
    case 'which_word': {
      const [title] = titles.get(got.word) ?? []
      return [got.key === undefined ? [`!${title}`, '-'] : [`!${title}`, got.key]]
    }
    case 'edit':
      return [['!SỬA'], [`!SỬA ${got.number}`]]
    case 'greeting':
    case 'none':
      return [['-']]
    default:
      return got satisfies never
  }
}

/** Words may be written with or without diacritics. */
function simple(text: string): string {
  if (text === '0') return '+help'
  return text.startsWith('!') ? text.replace(/\p{L}\p{M}*/gu, (word) => plain(canon(word))).toUpperCase() : text.normalize('NFC')
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one))
}

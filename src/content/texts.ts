import { IntlMessageFormat } from 'intl-messageformat'
import type { TextRef } from '../model/text.ts'

export type Language = 'vi' | 'en'

/** How a reader is spoken to: `goi` what we call them ("bác"), `xung` what we call ourselves ("cháu"). */
export type AddressWords = { goi: string; xung: string }

/** The texts of one language, by flat key, in ICU MessageFormat. */
export type Texts = {
  language: Language
  has(key: string): boolean
  keys(): Iterable<string>
  /**
   * The words of a text. `{goi}`, `{Goi}`, `{xung}`, `{Xung}` and `{commune}`-like common parameters are filled for every text.
   * Throws for a key that is missing: `flow check` and the tests find it before anybody reads it.
   */
  format(ref: TextRef, common: Record<string, string | number>): string
  raw(key: string): string | undefined
  /** The words of a text as they are for everybody: … stands where they differ from one to the other. Undefined for a key that is missing. */
  outline(key: string, common: Record<string, string>): string | undefined
}

export function createTexts(language: Language, messages: Readonly<Record<string, string>>): Texts {
  const compiled = new Map<string, IntlMessageFormat | string>()
  const get = (key: string): IntlMessageFormat | string => {
    const known = compiled.get(key)
    if (known !== undefined) return known
    const source = messages[key]
    if (source === undefined) throw new Error(`text ${key} is missing in locales/${language}`)
    // Most texts have no parameters: they need no formatter
    const made = /[{'<]/.test(source)
      ? new IntlMessageFormat(source, language === 'vi' ? 'vi-VN' : 'en-GB', undefined, { ignoreTag: true })
      : source
    compiled.set(key, made)
    return made
  }
  const format = (ref: TextRef, common: Record<string, string | number>): string => {
    const message = get(ref.key)
    if (typeof message === 'string') return message
    const params: Record<string, string | number> = { ...common }
    for (const [name, value] of Object.entries(ref.params ?? {})) {
      // A number in a text is a figure to be read, a year or a count: no thousand separators of its own
      params[name] = typeof value === 'object' ? format(value, common) : value
    }
    return String(message.format(plainNumbers(params, message)))
  }
  const outline = (key: string, common: Record<string, string>): string | undefined => {
    if (!(key in messages)) return undefined
    const message = get(key)
    return typeof message === 'string' ? message : outlineOf(message.getAst(), common)
  }
  return { language, has: (key) => key in messages, keys: () => Object.keys(messages), format, raw: (key) => messages[key], outline }
}

function outlineOf(elements: ReturnType<IntlMessageFormat['getAst']>, common: Record<string, string>): string {
  return elements
    .map((element) => {
      if (element.type === 0) return element.value
      if ('options' in element) return outlineOf(element.options.other?.value ?? [], common)
      return ('value' in element && common[element.value]) || '…'
    })
    .join('')
}

/** Numbers as words unless the message counts by them (`plural`), so that 2026 is not printed as 2.026. */
function plainNumbers(params: Record<string, string | number>, message: IntlMessageFormat): Record<string, string | number> {
  const counted = countedIn(message.getAst())
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, counted.has(name) ? value : String(value)]))
}

/** Parameters a message counts by, at any depth. */
function countedIn(elements: ReturnType<IntlMessageFormat['getAst']>): Set<string> {
  const found = new Set<string>()
  for (const element of elements) {
    if (!('options' in element)) continue
    if ('offset' in element) found.add(element.value)
    for (const option of Object.values(element.options)) for (const name of countedIn(option.value)) found.add(name)
  }
  return found
}

/** Common parameters of every text said to one reader. */
export function commonParams(words: AddressWords): Record<string, string> {
  return { goi: words.goi, Goi: capitalise(words.goi), xung: words.xung, Xung: capitalise(words.xung) }
}

export function capitalise(text: string): string {
  const [first = '', ...rest] = text
  return first.toLocaleUpperCase('vi') + rest.join('')
}

import { IntlMessageFormat } from 'intl-messageformat'
import type { CriteriaSet } from '../../model/criteria.ts'
import { criteriaTextKey } from '../../model/criteria.ts'
import type { FlowFile } from '../../model/flow.ts'
import type { Problem } from './problem.ts'

/** The messages of one language, each with the file it stands in. */
export type Locale = { language: string; messages: ReadonlyMap<string, { text: string; file: string }> }

/** A text somebody will need: its key, how long it may be when read, and who needs it. */
export type NeededText = { key: string; maxChars?: number; by: string }

// What fits the screen of a small phone; a button shows at most 100
const QUESTION_CHARS = 300
const OPTION_CHARS = 80
const EXAMPLE_CHARS = 400
const SHORT_CHARS = 40

/** The texts a flow says, by the convention of model/flow.ts. */
export function textsOfFlow(flow: FlowFile): NeededText[] {
  const by = `flows/${flow.id}.${flow.version}.json`
  return flow.nodes.flatMap((node): NeededText[] => {
    const key = `${flow.id}.${node.id}`
    if (node.kind === 'say') return [{ key: `${key}.say`, by }]
    if (node.kind !== 'ask') return []
    return [
      { key: `${key}.ask`, maxChars: QUESTION_CHARS, by },
      { key: `${key}.simple`, maxChars: QUESTION_CHARS, by },
      { key: `${key}.example`, maxChars: EXAMPLE_CHARS, by },
      ...(node.input.type === 'choice'
        ? node.input.options.map((option) => ({ key: `${key}.${option.key}`, maxChars: OPTION_CHARS, by }))
        : []),
      ...(node.input.type === 'listed'
        ? [
            { key: `${key}.how`, maxChars: QUESTION_CHARS, by },
            ...node.input.also.flatMap((other) => (other.tap ? [{ key: `${key}.${other.key}`, maxChars: OPTION_CHARS, by }] : [])),
          ]
        : []),
    ]
  })
}

/** The texts of a criteria set, by the convention of model/criteria.ts. */
export function textsOfSet(set: CriteriaSet): NeededText[] {
  const by = `flows/criteria/${set.id}.json`
  return set.questions.flatMap((question) => {
    const part = (name: string, maxChars: number): NeededText => ({ key: criteriaTextKey(set.id, question.key, name), maxChars, by })
    return [
      part('ask', QUESTION_CHARS),
      part('simple', QUESTION_CHARS),
      part('example', EXAMPLE_CHARS),
      part('short', SHORT_CHARS),
      part('advice', QUESTION_CHARS),
      ...question.options.map((option) => part(option.key, OPTION_CHARS)),
    ]
  })
}

/** Every text there in every language, readable as ICU, with the same parameters, and short enough. */
export function checkTexts(locales: readonly Locale[], needed: readonly NeededText[]): Problem[] {
  const problems: Problem[] = []
  const [first] = locales
  const keys = new Set([...needed.map((text) => text.key), ...locales.flatMap((locale) => [...locale.messages.keys()])])
  const limits = new Map(needed.map((text) => [text.key, text]))
  for (const key of keys) {
    const parsed = locales.map((locale) => {
      const message = locale.messages.get(key)
      if (!message) {
        const file = locales.flatMap((other) => other.messages.get(key)?.file.split('/').at(-1) ?? [])[0] ?? 'flows.json'
        const by = limits.get(key)?.by
        problems.push({
          file: `locales/${locale.language}/${file}`,
          at: key,
          wrong: `is missing${by ? `, ${by} needs it` : ', the other language has it'}`,
          remedy: 'write the text',
        })
        return undefined
      }
      const ast = parse(message.text)
      if (typeof ast === 'string') {
        problems.push({
          file: message.file,
          at: key,
          wrong: `cannot be read as ICU MessageFormat (${ast})`,
          remedy: 'mind braces and apostrophes',
        })
        return undefined
      }
      const max = limits.get(key)?.maxChars
      const length = longest(ast)
      if (max !== undefined && length > max)
        problems.push({
          file: message.file,
          at: key,
          wrong: `is up to ${length} characters long, ${max} fit a small screen`,
          remedy: 'say it shorter',
        })
      return { message, parameters: parametersOf(ast) }
    })
    const [original] = parsed
    for (const translated of parsed.slice(1)) {
      if (!original || !translated) continue
      const differing = [...original.parameters].filter((name) => !translated.parameters.has(name))
      const extra = [...translated.parameters].filter((name) => !original.parameters.has(name))
      if (differing.length + extra.length > 0)
        problems.push({
          file: translated.message.file,
          at: key,
          wrong: `names ${[...translated.parameters].join(', ') || 'no parameter'} where ${first?.language} names ${[...original.parameters].join(', ') || 'none'}`,
          remedy: 'use the same parameters in both',
        })
    }
  }
  return problems
}

type Element = ReturnType<IntlMessageFormat['getAst']>[number]

function parse(text: string): Element[] | string {
  try {
    return new IntlMessageFormat(text, 'vi-VN', undefined, { ignoreTag: true }).getAst()
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown'
  }
}

// Words of address differ between languages; every text may use them
const ADDRESS: ReadonlySet<string> = new Set(['goi', 'Goi', 'xung', 'Xung'])

function parametersOf(ast: readonly Element[]): Set<string> {
  const found = new Set<string>()
  for (const element of ast) {
    if ('value' in element && element.type !== 0 && !ADDRESS.has(element.value)) found.add(element.value)
    if ('options' in element)
      for (const option of Object.values(element.options)) for (const name of parametersOf(option.value)) found.add(name)
  }
  return found
}

// "bác", "cháu"; a name or the name of a bản
const ADDRESS_CHARS = 4
const PARAMETER_CHARS = 15

/** How long a text may become when it is read. */
function longest(ast: readonly Element[]): number {
  let length = 0
  for (const element of ast) {
    if (element.type === 0) length += element.value.length
    else if ('options' in element) length += Math.max(...Object.values(element.options).map((option) => longest(option.value)))
    else length += 'value' in element && ADDRESS.has(element.value) ? ADDRESS_CHARS : PARAMETER_CHARS
  }
  return length
}

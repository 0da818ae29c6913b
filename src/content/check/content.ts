import { join } from 'node:path'
import type { z } from 'zod'
import { CriteriaSet } from '../../model/criteria.ts'
import { FlowFile } from '../../model/flow.ts'
import { jsonFiles, readJson, versionFiles } from '../files.ts'
import { LANGUAGES } from '../load.ts'
import { checkSet } from './criteria.ts'
import { checkFlow } from './flows.ts'
import { findKeysInCode, type KeyInCode, matchesKey } from './keys-in-code.ts'
import type { Problem } from './problem.ts'
import { checkPublished, publish, type VersionFile } from './published.ts'
import { checkTexts, type Locale, type NeededText, textsOfFlow, textsOfSet } from './texts.ts'

/** What the code gives and needs; content knows none of it by itself. */
export type CodeFacts = {
  actions: ReadonlySet<string>
  /** Texts the code asks for by a name it makes up: the words. */
  keys: readonly string[]
  /** Dotted names in the code that are no texts: settings. */
  otherNames: ReadonlySet<string>
  sourceDir: string
  /** Folders whose text keys are read by people in a chat or on a page. */
  folders: readonly string[]
}

export type Checked = { flows: FlowFile[]; sets: CriteriaSet[]; texts: number; problems: Problem[] }

/** Everything that is wrong with flows, criteria sets and texts under a project folder. */
export function checkContent(root: string, code: CodeFacts): Checked {
  const problems: Problem[] = []
  const flows = readValid(root, 'flows', FlowFile, problems)
  const criteria = readValid(root, 'flows/criteria', CriteriaSet, problems)
  const sets = new Map(criteria.map(({ value }) => [value.id, value]))
  const all = flows.map(({ value }) => value)
  for (const { file, value } of flows) problems.push(...checkFlow(file, value, { flows: all, sets, actions: code.actions }))
  for (const { file, value } of criteria) problems.push(...checkSet(file, value, sets))
  problems.push(...checkPublished(root, [...flows, ...criteria]))

  const locales = LANGUAGES.map((language) => readLocale(root, language, problems))
  const known = new Set(locales.flatMap((locale) => [...locale.messages.keys()]))
  const namespaces = new Set([...known].map((key) => key.split('.')[0] ?? ''))
  const inCode = findKeysInCode(code.sourceDir, code.folders, namespaces).filter(({ pattern }) => !code.otherNames.has(pattern))
  const needed: NeededText[] = [
    ...all.flatMap(textsOfFlow),
    ...criteria.flatMap(({ value }) => textsOfSet(value)),
    ...code.keys.map((key) => ({ key, by: 'src' })),
    ...inCode.filter(({ pattern }) => !pattern.includes('*')).map(({ pattern, file }) => ({ key: pattern, by: file })),
  ]
  problems.push(...checkTexts(locales, needed), ...checkPatterns(inCode, known))
  return { flows: all, sets: criteria.map(({ value }) => value), texts: known.size, problems }
}

/** Closes every version that is there now; returns those that were not closed before. */
export function publishContent(root: string): string[] {
  return publish(root, [...readValid(root, 'flows', FlowFile, []), ...readValid(root, 'flows/criteria', CriteriaSet, [])])
}

/** Keys the code puts together: at least one text must answer to each. */
function checkPatterns(inCode: readonly KeyInCode[], known: ReadonlySet<string>): Problem[] {
  return inCode
    .filter(({ pattern }) => pattern.includes('*') && ![...known].some((key) => matchesKey(pattern, key)))
    .map(({ pattern, file }) => ({ file, at: pattern, wrong: 'no text has such a key', remedy: 'write the texts, or mend the key' }))
}

function readValid<T extends z.ZodType>(
  root: string,
  folder: string,
  schema: T,
  problems: Problem[],
): (VersionFile & { value: z.infer<T> })[] {
  return versionFiles(join(root, folder)).flatMap((name) => {
    const file = `${folder}/${name}`
    const json = readOrReport(root, file, problems)
    if (json === undefined) return []
    const parsed = schema.safeParse(json)
    if (parsed.success) return [{ file, json, value: parsed.data }]
    for (const issue of parsed.error.issues)
      problems.push({ file, at: placeOf(json, issue.path), wrong: issue.message, remedy: 'see src/model for what may stand there' })
    return []
  })
}

/** `nodes.3.next`, with the node's or question's own name where it has one. */
function placeOf(json: unknown, path: readonly PropertyKey[]): string {
  let here = json
  const names = path.map((part) => {
    here = typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[part] : undefined
    const own = typeof here === 'object' && here !== null && typeof part === 'number' ? (here as Record<string, unknown>) : {}
    return String(own.id ?? own.key ?? String(part))
  })
  return names.join('.')
}

function readLocale(root: string, language: string, problems: Problem[]): Locale {
  const messages = new Map<string, { text: string; file: string }>()
  const folder = `locales/${language}`
  for (const name of jsonFiles(join(root, folder))) {
    const file = `${folder}/${name}`
    for (const [key, text] of Object.entries(readOrReport(root, file, problems) ?? {})) {
      const other = messages.get(key)
      if (typeof text !== 'string') problems.push({ file, at: key, wrong: 'is not a text', remedy: 'put it in quotes' })
      else if (other) problems.push({ file, at: key, wrong: `stands in ${other.file} too`, remedy: 'take one of them out' })
      else messages.set(key, { text: text.normalize('NFC'), file })
    }
  }
  return { language, messages }
}

function readOrReport(root: string, file: string, problems: Problem[]): object | undefined {
  try {
    const json = readJson(join(root, file))
    if (typeof json === 'object' && json !== null) return json
    problems.push({ file, wrong: 'is not a JSON object', remedy: 'begin with {' })
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(': ').slice(1).join(': ') : 'unknown'
    problems.push({ file, wrong: `cannot be read (${reason})`, remedy: 'mind commas and quotes' })
  }
  return undefined
}

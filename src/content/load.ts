import { basename, join } from 'node:path'
import type { z } from 'zod'
import { CriteriaSet } from '../model/criteria.ts'
import { FlowFile } from '../model/flow.ts'
import { jsonFiles, readJson, versionFiles } from './files.ts'
import { createTexts, type Language, type Texts } from './texts.ts'

export const LANGUAGES: readonly Language[] = ['vi', 'en']

/** Everything the bot says and asks, read once at the start from `flows/` and `locales/`. */
export type Content = {
  flows: readonly FlowFile[]
  sets: ReadonlyMap<string, CriteriaSet>
  texts: Readonly<Record<Language, Texts>>
  /** The files of `flows/lexicon/` by name; their schema is `lib/understand`'s. */
  lexicon: Readonly<Record<string, unknown>>
}

/** Reads and checks the content under a project folder. Throws with the file, the place and what is wrong. */
export function loadContent(root: string): Content {
  const flowsDir = join(root, 'flows')
  const sets = readAll(join(flowsDir, 'criteria'), CriteriaSet)
  const flows = readAll(flowsDir, FlowFile)
  return {
    flows,
    sets: new Map(sets.map((set) => [set.id, set])),
    texts: { vi: readTexts(root, 'vi'), en: readTexts(root, 'en') },
    lexicon: Object.fromEntries(
      jsonFiles(join(flowsDir, 'lexicon')).map((file) => [basename(file, '.json'), readJson(join(flowsDir, 'lexicon', file))]),
    ),
  }
}

function readAll<T extends z.ZodType>(dir: string, schema: T): z.infer<T>[] {
  return versionFiles(dir).map((file) => {
    const parsed = schema.safeParse(readJson(join(dir, file)))
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      throw new Error(`${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`)
    }
    return parsed.data
  })
}

function readTexts(root: string, language: Language): Texts {
  const dir = join(root, 'locales', language)
  const messages: Record<string, string> = {}
  for (const file of jsonFiles(dir)) {
    for (const [key, text] of Object.entries(readJson(join(dir, file)) as Record<string, unknown>)) {
      if (typeof text !== 'string') throw new Error(`locales/${language}/${file}: ${key} is not a text`)
      if (key in messages) throw new Error(`locales/${language}/${file}: ${key} stands in two files`)
      messages[key] = text.normalize('NFC')
    }
  }
  return createTexts(language, messages)
}

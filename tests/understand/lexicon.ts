import { readdirSync, readFileSync } from 'node:fs'
import { type Lexicon, parseLexicon } from '../../src/lib/understand.ts'

const FOLDER = new URL('../../flows/lexicon/', import.meta.url)

/** The lexicon of the repository. */
export function loadLexicon(): Lexicon {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))
  return parseLexicon(Object.fromEntries(files.map((name) => [name.slice(0, -'.json'.length), readJson(new URL(name, FOLDER))])))
}

export function readJson(url: URL): unknown {
  return JSON.parse(readFileSync(url, 'utf8'))
}

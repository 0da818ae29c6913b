import { readdirSync, readFileSync } from 'node:fs'

/** JSON files of a folder, by name. */
export function jsonFiles(dir: string): string[] {
  return readdirSync(dir)
    .filter((file) => file.endsWith('.json'))
    .sort()
}

/** `<name>.<version>.json` files of a folder; other files there are data with schemas of their own. */
export function versionFiles(dir: string): string[] {
  return jsonFiles(dir).filter((file) => /\.\d+\.json$/.test(file))
}

export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : 'cannot be read'}`, { cause: error })
  }
}

import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from './random.ts'
import type { Store } from './store.ts'
import type { StoredFile } from './world.ts'

/** Bytes of uploads and of what people send: in a folder beside the journal, or in memory without one. */
export interface FileStore {
  save(file: { name: string; type: string; bytes: Buffer }): Promise<StoredFile>
  read(id: string): Promise<{ file: StoredFile; bytes: Buffer } | undefined>
}

export function createFileStore(deps: { store: Store; random: Random; folder: string | undefined }): FileStore {
  const { store, random, folder } = deps
  const inMemory = new Map<string, Buffer>()
  if (folder) mkdirSync(folder, { recursive: true })
  return {
    async save({ name, type, bytes }) {
      const checksum = createHash('md5').update(bytes).digest('hex')
      const file = { id: random.token(24), name, type, size: bytes.length, checksum }
      if (folder) await writeFile(join(folder, file.id), bytes)
      else inMemory.set(file.id, bytes)
      store.commit({ t: 'file', file })
      return file
    },
    async read(id) {
      const file = store.world.files.get(id)
      if (!file) return undefined
      const bytes = folder ? await readFile(join(folder, file.id)) : inMemory.get(id)
      return bytes && { file, bytes }
    },
  }
}

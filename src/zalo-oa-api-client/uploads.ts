import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import { z } from 'zod'
import type { Call } from './call.ts'
import { Id } from './json.ts'
import { ZaloError } from './zalo-error.ts'

export type UploadKind = 'image' | 'gif' | 'file'

/** A file by content. `name` with its extension: without one the platform answers success with empty data. */
export type Upload = { kind: UploadKind; name: string; bytes: Uint8Array<ArrayBuffer> }

/** Remembers ids of uploads. One cache per account: an id is good for the account that uploaded it. */
export type UploadCache = {
  get(key: string): Promise<{ id: string; expiresAtMs: number } | undefined>
  set(key: string, entry: { id: string; expiresAtMs: number }): Promise<void>
  delete(key: string): Promise<void>
}

/** A file the platform would refuse, found before it was sent. */
export class InvalidUploadError extends Error {
  override readonly name = 'InvalidUploadError'
}

export type Uploads = {
  /** Attachment id (image, gif) or token (file) of this content: from the cache, else uploaded. Throws InvalidUploadError, ZaloError. */
  upload(upload: Upload): Promise<string>
  /**
   * Uploads where needed and hands the id to `send`. When that fails because the upload has expired (-100), uploads anew and calls `send` once more,
   * which is safe: nothing was delivered.
   */
  withUpload<T>(upload: Upload, send: (id: string) => Promise<T>): Promise<T>
}

const MB = 1024 * 1024
const DAY_MS = 24 * 3_600_000
// Uploads die after 7 days; a day is left for the message to be read
const CACHE_MS = 6 * DAY_MS

type Rule = { maxBytes: number; types: Readonly<Record<string, { contentType: string; startsWith: readonly number[] }>> }

const zip = [0x50, 0x4b, 0x03, 0x04]
const jpeg = { contentType: 'image/jpeg', startsWith: [0xff, 0xd8, 0xff] }

/** Kinds, extensions and sizes, from the vendor's upload pages; of "file" only these three pass in reality. */
export const uploadRules: Readonly<Record<UploadKind, Rule>> = {
  image: {
    maxBytes: MB,
    types: { '.jpg': jpeg, '.jpeg': jpeg, '.png': { contentType: 'image/png', startsWith: [0x89, 0x50, 0x4e, 0x47] } },
  },
  gif: { maxBytes: 5 * MB, types: { '.gif': { contentType: 'image/gif', startsWith: [0x47, 0x49, 0x46, 0x38] } } },
  file: {
    maxBytes: 5 * MB,
    types: {
      '.pdf': { contentType: 'application/pdf', startsWith: [0x25, 0x50, 0x44, 0x46] },
      '.doc': { contentType: 'application/msword', startsWith: [0xd0, 0xcf, 0x11, 0xe0] },
      '.docx': { contentType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', startsWith: zip },
    },
  },
}

export function createMemoryUploadCache(): UploadCache {
  const entries = new Map<string, { id: string; expiresAtMs: number }>()
  return {
    async get(key) {
      return entries.get(key)
    },
    async set(key, entry) {
      entries.set(key, entry)
    },
    async delete(key) {
      entries.delete(key)
    },
  }
}

// Images and gifs answer with `attachment_id`, files with `token`
const Uploaded = z.object({ attachment_id: Id.optional(), token: Id.optional() })

export function createUploads({ call, cache, now }: { call: Call; cache: UploadCache; now: () => number }): Uploads {
  async function upload(upload: Upload): Promise<string> {
    const contentType = checkUpload(upload)
    const key = cacheKey(upload)
    const known = await cache.get(key)
    if (known && known.expiresAtMs > now()) return known.id
    const id = await send(upload, contentType)
    await cache.set(key, { id, expiresAtMs: now() + CACHE_MS })
    return id
  }

  async function send({ kind, name, bytes }: Upload, contentType: string): Promise<string> {
    const form = new FormData()
    form.append('file', new Blob([bytes], { type: contentType }), name)
    const path = `/v2.0/oa/upload/${kind}`
    // An upload nobody uses harms nobody
    const { data, rateLimit } = await call({ method: 'POST', host: 'oa', path, form, repeatable: true })
    const uploaded = Uploaded.safeParse(data).data
    const id = kind === 'file' ? (uploaded?.token ?? uploaded?.attachment_id) : uploaded?.attachment_id
    if (id) return id
    const meaning = 'accepted without an id: the file name needs a known extension'
    throw new ZaloError({ action: 'drop', reason: 'empty_upload', meaning, request: `POST ${path}`, code: 0, rateLimit })
  }

  return {
    upload,
    async withUpload(file, send) {
      try {
        return await send(await upload(file))
      } catch (error) {
        if (!(error instanceof ZaloError) || error.action !== 'reupload') throw error
      }
      await cache.delete(cacheKey(file))
      return send(await upload(file))
    },
  }
}

/** The content type to declare; throws InvalidUploadError. */
function checkUpload({ kind, name, bytes }: Upload): string {
  const { maxBytes, types } = uploadRules[kind]
  const type = types[extname(name).toLowerCase()]
  if (!type) throw new InvalidUploadError(`A ${kind} must end with ${Object.keys(types).join(', ')}`)
  if (bytes.length > maxBytes) throw new InvalidUploadError(`A ${kind} has at most ${maxBytes} bytes, this one ${bytes.length}`)
  if (!type.startsWith.every((byte, i) => bytes[i] === byte)) throw new InvalidUploadError(`The content is not what ${extname(name)} says`)
  return type.contentType
}

function cacheKey({ kind, name, bytes }: Upload): string {
  const hash = createHash('sha256').update(bytes).digest('hex')
  // A file shows its name to the person, a picture does not
  return kind === 'file' ? `file:${hash}:${createHash('sha256').update(name).digest('hex').slice(0, 16)}` : `${kind}:${hash}`
}

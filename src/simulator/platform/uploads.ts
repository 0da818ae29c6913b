import type { FastifyRequest } from 'fastify'
import type { FileStore } from '../file-store.ts'
import { localMonth } from '../local-time.ts'
import type { Random } from '../random.ts'
import { invalid, Refusal, tooMuch } from '../refusal.ts'
import type { Store } from '../store.ts'
import type { Upload } from '../world.ts'
import type { OaCall, OaRoute } from './gateway.ts'

/** an upload can be sent so long (zalo.md 4.5) */
export const UPLOAD_LIFE_MS = 7 * 24 * 3_600_000
const PER_MONTH = 5_000
const MEGABYTE = 1024 * 1024
/** the largest kind of upload; the multipart reader stops just above it */
export const MAX_UPLOAD_BYTES = 5 * MEGABYTE

// pdf, doc, docx are what really passes; csv stands in the documents but is refused
const KINDS = {
  image: { extensions: ['jpg', 'jpeg', 'png'], maxBytes: MEGABYTE },
  gif: { extensions: ['gif'], maxBytes: 5 * MEGABYTE },
  file: { extensions: ['pdf', 'doc', 'docx'], maxBytes: 5 * MEGABYTE },
} as const

const TYPES: Record<string, string> = {
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  pdf: 'application/pdf',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
}

export function registerUploads(route: OaRoute, deps: { store: Store; random: Random; files: FileStore }): void {
  const { store, random, files } = deps
  const counts = new Map<string, number>()

  async function upload({ account, at, request }: OaCall, kind: Upload['kind']): Promise<object> {
    const { name, bytes } = await readFilePart(request)
    const extension = /\.([a-z0-9]+)$/i.exec(name)?.[1]?.toLowerCase()
    // a name without extension "succeeds" with nothing in it
    if (extension === undefined) return {}
    if (!(KINDS[kind].extensions as readonly string[]).includes(extension)) throw invalid('file')
    if (bytes.length > KINDS[kind].maxBytes) throw tooMuch('file')
    if (bytes.length === 0) throw invalid('file')
    const month = `${account.settings.oaId} ${kind} ${localMonth(at)}`
    const count = counts.get(month) ?? 0
    if (count >= PER_MONTH) throw new Refusal(-211)
    counts.set(month, count + 1)
    const file = await files.save({ name, type: TYPES[extension] ?? 'application/octet-stream', bytes })
    const id = random.token(kind === 'file' ? 96 : 64)
    store.commit({ t: 'upload', upload: { id, oaId: account.settings.oaId, kind, fileId: file.id, at } })
    return kind === 'file' ? { token: id } : { attachment_id: id }
  }

  for (const kind of ['image', 'gif', 'file'] as const) route('POST', `/v2.0/oa/upload/${kind}`, (call) => upload(call, kind))
}

async function readFilePart(request: FastifyRequest): Promise<{ name: string; bytes: Buffer }> {
  if (!request.isMultipart()) throw invalid('file')
  let found: { name: string; bytes: Buffer } | undefined
  for await (const part of request.parts()) {
    if (part.type !== 'file') continue
    const bytes = await part.toBuffer().catch(() => undefined)
    if (part.fieldname !== 'file') continue
    if (!bytes) throw tooMuch('file')
    found = { name: part.filename, bytes }
  }
  if (!found) throw invalid('file')
  return found
}

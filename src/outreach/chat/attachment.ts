import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Deps } from '../../conversation/deps.ts'

/** A picture or file an officer sent for a notice, kept on this machine. */
export const Kept = z.object({ kind: z.enum(['image', 'file']), name: z.string(), contentType: z.string(), path: z.string() })
export type Kept = z.infer<typeof Kept>

export type FetchOutcome = { type: 'kept'; attachment: Kept } | { type: 'refused'; problem: 'too_large' | 'not_fetched' | 'wrong_type' }

// Above what any channel takes: the campaign's own check names the channel's limit
const MOST_BYTES = 6 * 1024 * 1024
const TIMEOUT_MS = 8_000

/** Told by their first bytes: what a sender says of a file proves nothing. */
const KINDS: readonly { kind: Kept['kind']; contentType: string; extension: string; is: (bytes: Buffer) => boolean }[] = [
  { kind: 'image', contentType: 'image/jpeg', extension: 'jpg', is: (bytes) => bytes[0] === 0xff && bytes[1] === 0xd8 },
  { kind: 'image', contentType: 'image/png', extension: 'png', is: (bytes) => bytes.subarray(1, 4).toString('latin1') === 'PNG' },
  { kind: 'file', contentType: 'application/pdf', extension: 'pdf', is: (bytes) => bytes.subarray(0, 5).toString('latin1') === '%PDF-' },
  {
    kind: 'file',
    contentType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    extension: 'docx',
    is: (bytes) => bytes.subarray(0, 4).toString('latin1') === 'PK\u0003\u0004' && bytes.includes('word/'),
  },
  { kind: 'file', contentType: 'application/msword', extension: 'doc', is: (bytes) => bytes.readUInt32BE(0) === 0xd0cf11e0 },
]

/**
 * Fetches what an officer sent while composing, at once: the platform's address of it does not last. Only an address from a signed
 * webhook gets here, and only an officer's (conversation/receive.ts).
 */
export async function fetchAttachment(
  deps: Pick<Deps, 'exportsDir'>,
  { url, name }: { url: string; name?: string },
): Promise<FetchOutcome> {
  let bytes: Buffer | 'too_large'
  try {
    bytes = await download(url)
  } catch {
    return { type: 'refused', problem: 'not_fetched' }
  }
  if (bytes === 'too_large') return { type: 'refused', problem: 'too_large' }
  const found = bytes.length > 8 ? KINDS.find((item) => item.is(bytes)) : undefined
  if (!found) return { type: 'refused', problem: 'wrong_type' }
  const folder = join(deps.exportsDir, 'notices')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${randomBytes(12).toString('hex')}.${found.extension}`)
  await writeFile(path, bytes, { mode: 0o600 })
  const shown = name?.toLowerCase().endsWith(`.${found.extension}`) ? name : `thong-bao.${found.extension}`
  return { type: 'kept', attachment: { kind: found.kind, name: shown.slice(0, 80), contentType: found.contentType, path } }
}

async function download(url: string): Promise<Buffer | 'too_large'> {
  if (!/^https?:\/\//.test(url)) throw new Error('not an address of a file')
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!response.ok || !response.body) throw new Error(`status ${response.status}`)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body) {
    size += part.length
    if (size > MOST_BYTES) return 'too_large'
    parts.push(part)
  }
  return Buffer.concat(parts)
}

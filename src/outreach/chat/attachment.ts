import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Channel } from '../../channels/channel.ts'
import type { Deps } from '../../conversation/deps.ts'
import type { FetchedFile, FileRef } from '../../model/inbound.ts'
import { ATTACHMENTS } from '../files.ts'

/** A picture or file an officer sent for a notice, kept on this machine. */
export const Kept = z.object({ kind: z.enum(['image', 'file']), name: z.string(), contentType: z.string(), path: z.string() })
export type Kept = z.infer<typeof Kept>

// Above what any channel takes: the campaign's own check names the channel's limit
const MOST_BYTES = 6 * 1024 * 1024

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
 * Fetches what an officer sent while composing, soon: the platform does not keep it for long. Only a reference from a signed webhook gets
 * here, and only an officer's (conversation/receive.ts). Never throws; safe to repeat: a second copy is nobody's.
 */
export async function fetchAttachment(
  deps: Pick<Deps, 'exportsDir'>,
  { channel, file }: { channel: Pick<Channel, 'loadFile'>; file: FileRef },
): Promise<FetchedFile> {
  let bytes: Buffer | 'too_large'
  try {
    bytes = await channel.loadFile(file.ref, MOST_BYTES)
  } catch {
    return { kind: 'refused', problem: 'not_fetched' }
  }
  if (bytes === 'too_large') return { kind: 'refused', problem: 'too_large' }
  const content = bytes
  const found = content.length > 8 ? KINDS.find((item) => item.is(content)) : undefined
  if (!found) return { kind: 'refused', problem: 'wrong_type' }
  const folder = join(deps.exportsDir, ATTACHMENTS)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${randomBytes(12).toString('hex')}.${found.extension}`)
  await writeFile(path, bytes, { mode: 0o600 })
  const shown = file.name?.toLowerCase().endsWith(`.${found.extension}`) ? file.name : `thong-bao.${found.extension}`
  return { kind: found.kind, name: shown.slice(0, 80), contentType: found.contentType, path }
}

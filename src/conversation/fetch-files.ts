import { and, eq, isNull } from 'drizzle-orm'
import type { Channel } from '../channels/channel.ts'
import { inboundEvent } from '../db/schema.ts'
import type { FileRef, InboundContent } from '../model/inbound.ts'
import { fetchAttachment } from '../outreach/chat/attachment.ts'
import type { Deps } from './deps.ts'

/** A file that was sent and is not on this machine yet. */
export type Sent = { eventId: number; content: Extract<InboundContent, { kind: 'media' }>; file: FileRef }

/** The files of these events that are still at the platform. */
export function filesIn(deps: Deps, events: readonly { id: number; kind: string; bodyEnc: Buffer | null }[]): Sent[] {
  return events.flatMap(({ id, kind, bodyEnc }) => {
    if (kind !== 'media' || !bodyEnc) return []
    const content = deps.sealer.openJson<InboundContent>(bodyEnc)
    return content.kind === 'media' && content.file ? [{ eventId: id, content, file: content.file }] : []
  })
}

/** Takes the files from the platform and writes into the events what they were. Run twice, the last copy counts. */
export async function fetchFiles(deps: Deps, { channel, files }: { channel: Channel; files: readonly Sent[] }): Promise<void> {
  for (const { eventId, content, file } of files) {
    const { file: _, ...rest } = content
    const fetched = await fetchAttachment(deps, { channel, file })
    await deps.database.db
      .update(inboundEvent)
      .set({ bodyEnc: deps.sealer.sealJson({ ...rest, fetched }) })
      .where(and(eq(inboundEvent.id, eventId), isNull(inboundEvent.handledAt)))
  }
}

import { stat } from 'node:fs/promises'
import { eq } from 'drizzle-orm'
import type { Abilities } from '../channels/channel.ts'
import { type AudienceRule, account as accountTable } from '../db/schema.ts'
import { listVillages } from '../registry/units.ts'
import type { Attachment } from './campaign-row.ts'
import type { OutreachDeps } from './deps.ts'
import { type Refused, refuse } from './refusal.ts'
import { parseTemplate } from './template.ts'

type Draft = { communeId: number; text: string; rule: AudienceRule; attachment?: Attachment | undefined }

/** Everything that can be wrong with a draft before anybody is counted. */
export async function checkDraft(deps: OutreachDeps, draft: Draft): Promise<Refused | undefined> {
  const abilities = await abilitiesOf(deps, draft.communeId)
  if (abilities.length === 0) return refuse('no_account')
  const parsed = parseTemplate(draft.text, Math.min(...abilities.map((one) => one.maxTextChars)))
  if (parsed.type === 'refused') return parsed
  const file = draft.attachment && (await checkFile(draft.attachment, abilities))
  if (file) return file
  if (draft.rule.state === 'question_open' && !draft.rule.question) return refuse('no_question')
  const unitIds = [...(draft.rule.unitIds ?? []), ...(draft.rule.exclude?.unitIds ?? [])]
  if (unitIds.length > 0) {
    const known = new Set([draft.communeId, ...(await listVillages(deps.database.db, draft.communeId)).map((village) => village.id)])
    if (unitIds.some((id) => !known.has(id))) return refuse('unknown_unit')
  }
  return undefined
}

async function abilitiesOf(deps: OutreachDeps, communeId: number): Promise<Abilities[]> {
  const rows = await deps.database.db.select({ id: accountTable.id }).from(accountTable).where(eq(accountTable.communeId, communeId))
  const channels = await Promise.all(rows.map((row) => deps.channelOf(row.id)))
  return channels.flatMap((channel) => (channel ? [channel.abilities] : []))
}

async function checkFile(attachment: Attachment, abilities: readonly Abilities[]): Promise<Refused | undefined> {
  const isImage = attachment.kind === 'image'
  if (abilities.some((one) => !(isImage ? one.imageTypes : one.fileTypes).includes(attachment.contentType))) return refuse('file_type')
  const found = await stat(attachment.path).catch(() => undefined)
  if (!found?.isFile()) return refuse('file_missing')
  const max = Math.min(...abilities.map((one) => (isImage ? one.maxImageBytes : one.maxFileBytes)))
  return found.size > max ? refuse('file_too_large', { size: megabytes(found.size), max: megabytes(max) }) : undefined
}

const megabytes = (bytes: number) => `${(bytes / 1_048_576).toFixed(1).replace('.', ',')} MB`

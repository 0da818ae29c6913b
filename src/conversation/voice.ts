import { eq } from 'drizzle-orm'
import type { DbOrTx } from '../db/connect.ts'
import { contact as contactTable } from '../db/schema.ts'
import type { Prompt } from '../engine/effect.ts'
import { type ClipRef, VOICE_LANGUAGES } from '../registry/voice-clips.ts'
import type { Deps } from './deps.ts'
import type { Listed } from './listed.ts'
import { type ContactRow, type LiveSession, say, type Turn } from './turn.ts'

// A link may be opened again for so long; after that NGHE gives a new one
const LINK_LIFE_MS = 7 * 86_400_000

/** What a link to the voice page stands for. Sealed: outside it is letters without meaning. */
export type PageLink = { contactId: number; sessionId: number; untilMs: number }

function linkTo(deps: Pick<Deps, 'sealer' | 'publicUrl' | 'now'>, contactId: number, sessionId: number): string {
  const until = deps.now().getTime() + LINK_LIFE_MS
  return `${deps.publicUrl()}/nghe/${deps.sealer.seal(`n.${contactId}.${sessionId}.${until}`).toString('base64url')}`
}

/** Undefined for what we did not make, and for what is too old. */
export function openLink({ sealer, now }: Pick<Deps, 'sealer' | 'now'>, token: string): PageLink | undefined {
  const [contactId = 0, sessionId = 0, untilMs = 0] = openSealed(sealer, 'n', token) ?? []
  return untilMs > now().getTime() ? { contactId, sessionId, untilMs } : undefined
}

function openSealed(sealer: Deps['sealer'], kind: string, token: string): number[] | undefined {
  if (!/^[\w-]{40,200}$/.test(token)) return undefined
  try {
    const [found, ...parts] = sealer.open(Buffer.from(token, 'base64url')).split('.')
    return found === kind ? parts.map(Number) : undefined
  } catch {
    return undefined
  }
}

/** The language somebody chose to hear; without a choice the only one there is. It hints at where people come from: it leaves this process sealed. */
export async function voiceLanguage(
  { clips, sealer }: Pick<Deps, 'clips' | 'sealer'>,
  contact: Pick<ContactRow, 'voiceLanguageEnc'>,
): Promise<string | undefined> {
  const present = await clips.languages()
  const chosen = contact.voiceLanguageEnc ? sealer.open(contact.voiceLanguageEnc) : undefined
  if (chosen !== undefined && present.includes(chosen)) return chosen
  return present.length === 1 ? present[0] : undefined
}

/** Keeps, sealed, the language a contact hears prompts in; gives what was stored. */
export async function chooseVoiceLanguage(
  { db, sealer }: { db: DbOrTx; sealer: Deps['sealer'] },
  contactId: number,
  language: string,
): Promise<Buffer> {
  const voiceLanguageEnc = sealer.seal(language)
  await db.update(contactTable).set({ voiceLanguageEnc }).where(eq(contactTable.id, contactId))
  return voiceLanguageEnc
}

/** Puts the recorded question beside the one that is asked: a link, or where the platform plays sounds itself, the sound. */
export async function addVoice(turn: Turn, live: LiveSession, prompt: Prompt): Promise<void> {
  const { deps, channel, contact } = turn
  turn.said = turn.said.filter(
    (item) =>
      !(item.type === 'link' && item.label.key === 'voice.listen') && !(item.type === 'attachment' && item.attachment.kind === 'voice'),
  )
  const clip = await clipFor(turn, prompt)
  if (!clip) return
  if (channel.abilities.clips === 'link') {
    turn.said.push({ type: 'link', label: { key: 'voice.listen' }, url: linkTo(deps, contact.id, live.id) })
  } else if (contact.voiceLanguageEnc && clip !== 'some') {
    const { contentType, fileName } = clip
    const path = await deps.clips.file(clip.digest)
    if (path)
      turn.said.push({
        type: 'attachment',
        attachment: { kind: 'voice', name: fileName, contentType, path },
        caption: { key: 'voice.caption' },
      })
  } else if (prompt.progress?.n === 1) say(turn, 'voice.hint')
}

/** The recording of a prompt in the person's language; `some`: in a language yet to be chosen. None where its page cannot be opened. */
async function clipFor({ deps, contact, channel }: Turn, prompt: Prompt): Promise<ClipRef | 'some' | undefined> {
  if (channel.abilities.clips === 'link' && !deps.arePagesReachable) return undefined
  const { key } = prompt.text
  const language = await voiceLanguage(deps, contact)
  if (language !== undefined) return deps.clips.find(language, key)
  for (const code of await deps.clips.languages()) if (await deps.clips.find(code, key)) return 'some'
  return undefined
}

export const hasClip = async (turn: Turn, prompt: Prompt): Promise<boolean> => (await clipFor(turn, prompt)) !== undefined

/** Languages with recordings, to choose from. */
export async function listedLanguages(turn: Turn): Promise<Listed[]> {
  const present = await turn.deps.clips.languages()
  return VOICE_LANGUAGES.filter(({ code }) => present.includes(code)).map((language, index) => {
    const name = language[turn.contact.language]
    return {
      key: language.code,
      label: name,
      text: { key: 'voice.language_line', params: { n: index + 1, name } },
      tap: { key: 'voice.language_tap', params: { name } },
    }
  })
}

/** Keeps the choice sealed, and takes it out of the conversation's own state. */
export async function storeVoiceLanguage(turn: Turn, live: LiveSession): Promise<Record<string, never>> {
  const { vars } = live.state
  turn.contact.voiceLanguageEnc = await chooseVoiceLanguage({ db: turn.tx, sealer: turn.deps.sealer }, turn.contact.id, String(vars._voice))
  delete vars._voice
  delete vars._voice_label
  live.changed = true
  return {}
}

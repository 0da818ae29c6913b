import type { Channel } from '../channels/channel.ts'
import type { Content } from '../content/load.ts'
import { type AddressWords, commonParams, type Language } from '../content/texts.ts'
import type { Tx } from '../db/connect.ts'
import type { account, contact, person, session } from '../db/schema.ts'
import type { LoadedFlow } from '../engine/flow.ts'
import type { Session } from '../engine/session.ts'
import type { WordUser } from '../lib/understand.ts'
import type { TextRef } from '../model/text.ts'
import type { OpenNomination } from '../recognition/nominations.ts'
import type { RoleHeld } from '../registry/roles.ts'
import type { TallyChange } from '../reports/tally.ts'
import type { PlatformAnswers } from './ask-platform.ts'
import type { Commune } from './communes.ts'
import type { Voice } from './compose.ts'
import type { Deps } from './deps.ts'
import type { Said } from './said.ts'

export type ContactRow = typeof contact.$inferSelect
export type AccountRow = typeof account.$inferSelect
export type PersonRow = typeof person.$inferSelect
export type SessionRow = typeof session.$inferSelect

/** A session while it is worked on. */
export type LiveSession = {
  id: number
  loaded: LoadedFlow
  state: Session
  status: SessionRow['status']
  nominationId: number | null
  /** The person answered for; null: the one who writes answers for themself. See subject.ts. */
  subjectPersonId: number | null
  subject?: PersonRow
  updatedAt: Date
  changed: boolean
  /** The file of its version is gone: `loaded` is the newest, the place in `state` is of the old one. */
  isLost?: true
}

/** One event of one contact being answered, inside one transaction. Whatever is decided is collected here and written at its end. */
export type Turn = {
  deps: Deps
  tx: Tx
  now: Date
  contact: ContactRow
  account: AccountRow
  channel: Channel
  /** The commune, once the account belongs to one that has villages. */
  commune: Commune | undefined
  person: PersonRow | undefined
  roles: RoleHeld[]
  /** Said no to the consent, and has not said yes since. */
  hasDeclined: boolean
  sessions: LiveSession[]
  /** Nominations worked on in this turn, by id; written at its end. */
  nominations: Map<number, OpenNomination>
  /** What the turn changes in the counts; applied last, in one statement. */
  tallies: TallyChange[]
  /** The words being answered; empty for what has none. */
  heard: string
  /** When the event being answered was said, ms by the platform's clock. */
  saidAtMs: number
  said: Said[]
  /** What the platform was asked on behalf of this turn. */
  answers: PlatformAnswers
  /** Contacts this turn left something to be sent to; they are looked at once it is committed. */
  wake: Set<number>
}

export const activeSession = (turn: Turn): LiveSession | undefined => turn.sessions.find((session) => session.status === 'active')

export function say(turn: Turn, key: string, params?: TextRef['params']): void {
  turn.said.push({ type: 'note', text: params ? { key, params } : { key } })
}

/** Something that may be done from here at any time; see standing.ts. */
export function offer(turn: Turn, ref: string, act: string, key: string, params?: TextRef['params']): void {
  turn.said.push({ type: 'tap', label: params ? { key, params } : { key }, ref, act })
}

/** How this reader is spoken to: as they chose, else as an elder is. */
export function voiceOf(turn: Turn): Voice {
  const open = activeSession(turn)?.state.vars.address
  const address = typeof open === 'string' && open !== '' ? open : turn.person?.address
  return voiceFor(turn.deps.content, { language: turn.contact.language, address, commune: turn.commune })
}

/** The voice for any reader, also one who has not written just now. */
export function voiceFor(
  content: Content,
  { language, address = 'bac', commune }: { language: Language; address?: string | undefined; commune: Commune | undefined },
): Voice {
  const texts = content.texts[language]
  const common: Record<string, string | number> = {
    ...commonParams(addressWords(content, language, address)),
    commune: commune?.unit.name ?? '',
    min_age: commune?.settings.get('age.minimum') ?? '',
  }
  return (text) => texts.format(text, common)
}

function addressWords(content: Content, language: Language, address: string): AddressWords {
  const texts = content.texts[language]
  return { goi: texts.format({ key: `address.${address}` }, {}), xung: texts.format({ key: `address.${address}.self` }, {}) }
}

/** What the person is, for the words they may use. */
export function wordUsers(turn: Pick<Turn, 'roles'>): WordUser[] {
  const users: WordUser[] = ['anyone', 'invited']
  if (turn.roles.some((held) => held.role === 'village_lead' || held.role === 'chapter_lead')) users.push('village_lead')
  if (turn.roles.some((held) => held.role === 'commune_reviewer' || held.role === 'commune_approver')) users.push('officer')
  return users
}

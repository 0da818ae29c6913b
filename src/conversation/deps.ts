import type { Logger } from 'pino'
import type { Channel } from '../channels/channel.ts'
import type { Content } from '../content/load.ts'
import type { Database } from '../db/connect.ts'
import type { Instance } from '../db/instance.ts'
import type { Sealer } from '../lib/crypto.ts'
import type { Understand } from '../lib/understand.ts'
import type { Pace } from '../outreach/pace.ts'
import type { Clips } from '../registry/voice-clips.ts'
import type { Communes } from './communes.ts'
import type { Flows } from './flows.ts'
import type { FindIntent } from './intents.ts'
import type { Offers } from './offer.ts'

/** What answering a contact needs. */
export type Deps = {
  database: Database
  instance: Instance
  sealer: Sealer
  content: Content
  flows: Flows
  communes: Communes
  offers: Offers
  /** The word a sentence of somebody's own asks for. */
  intent: FindIntent
  /** Recorded prompts. */
  clips: Clips
  understand: Understand
  /** The channel of an account; undefined while the account cannot be used. */
  channelOf(accountId: number): Promise<Channel | undefined>
  /** Where people reach our pages, no trailing slash. */
  publicUrl(): string
  /** Whether people's phones can open that address: with PUBLIC_URL, and where the platform runs on this machine. */
  arePagesReachable: boolean
  /** Where pictures, codes and tables made for officers are kept. */
  exportsDir: string
  /** Has a contact looked at soon: something for them was committed. */
  wake(contactId: number): void
  /** What this contact may say has changed: the list its chat shows should follow. Returns at once and never throws. */
  listChanged(contact: { id: number; accountId: number; channelUserId: string }): void
  /** What accounts may still send, shared by all processes. */
  pace: Pace
  now(): Date
  /** A whole number from 0 up to, not including, `below`; for codes. */
  randomInt(below: number): number
  log: Logger
  count: Counters
}

/** Counted for `/metrics`; labels are few and hold nothing of people. */
export type Counters = {
  inbound(channel: string, outcome: string): void
  outbound(channel: string, outcome: string): void
}

import type { Logger } from 'pino'
import type { Channel } from '../channels/channel.ts'
import type { Content } from '../content/load.ts'
import type { Database } from '../db/connect.ts'
import type { Instance } from '../db/instance.ts'
import type { Sealer } from '../lib/crypto.ts'

/** What writing to many needs. The conversation's own deps hold all of it. */
export type OutreachDeps = {
  database: Database
  instance: Instance
  sealer: Sealer
  content: Content
  /** The channel of an account; undefined while the account cannot be used. */
  channelOf(accountId: number): Promise<Channel | undefined>
  now(): Date
  log: Logger
  count: { outbound(channel: string, outcome: string): void }
}

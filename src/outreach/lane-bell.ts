import type { TransactionSql } from 'postgres'
import type { Instance } from '../db/instance.ts'

const CHANNEL = 'campaign_lane'

/**
 * Once this transaction is committed, tells the senders of all processes which accounts have something to send. Whoever does not hear it
 * finds it at the next look.
 */
export async function ringLanes(tx: TransactionSql, campaignId: number): Promise<void> {
  await tx`SELECT pg_notify(${CHANNEL}, account_id::text) FROM campaign_lane WHERE campaign_id = ${campaignId}`
}

/** Wakes the sending of an account the moment it has something to send, be it begun by this process or another. */
export async function listenToLanes(instance: Pick<Instance, 'listen'>, wake: (accountId: number) => void): Promise<void> {
  await instance.listen(CHANNEL, (payload) => wake(Number(payload)))
}

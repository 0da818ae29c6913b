import { and, eq, isNull, or, sql } from 'drizzle-orm'
import type { Channel } from '../channels/channel.ts'
import { account as accountTable, contact as contactTable, NO_COMMUNE, outboundMessage } from '../db/schema.ts'
import type { OutboundMessage, SendOutcome } from '../model/outbound.ts'
import { DEAD_CLASSES } from '../outreach/final-classes.ts'
import { limitRefused, paceLimits } from '../outreach/limits.ts'
import { takeForCampaign } from '../outreach/pace.ts'
import type { Deps } from './deps.ts'
import { isStarted } from './started.ts'
import type { AccountRow, ContactRow } from './turn.ts'

/** A message this process has claimed: committed, and nobody else's to send. */
export type Claimed = {
  id: number
  cause: Cause
  createdAt: Date
  attempts: number
  message: OutboundMessage
  contact: ContactRow
  account: AccountRow
  channel: Channel
}
export type Cause = (typeof outboundMessage.$inferSelect)['cause']

// A reply may be said twice at most (architecture, guarantee 4)
export const MAX_REPLY_TRIES = 2
// Between tries after a refusal that certainly delivered nothing
const BACKOFF_MS = [500, 2_000, 10_000, 30_000, 60_000]
// While an account is out of service
const PAUSED_MS = 60_000
// A reply nobody could take for so long is no answer any more
const EXPIRES_MS = 48 * 3_600_000
const MARK_RETRY_MS = 200

/** Sends claimed messages of one contact in their order and records what became of each. Returns when to look again, ms. */
export async function deliver(deps: Deps, claimed: readonly Claimed[]): Promise<number | undefined> {
  let again: number | undefined
  for (const item of claimed) {
    // A message behind one that must wait waits too
    if (again !== undefined) {
      await mark(deps, item, { status: 'waiting', claimedBy: null, claimedAt: null, attempts: item.attempts - 1 })
      continue
    }
    again = await sendOne(deps, item)
  }
  return again
}

async function sendOne(deps: Deps, item: Claimed): Promise<number | undefined> {
  const waitMs = await waitForTurn(deps, item)
  if (waitMs > 0) return waitMs
  const startedMs = deps.now().getTime()
  let outcome = await item.channel.send(item.contact.channelUserId, item.message)
  if (outcome.kind === 'uncertain' && (item.attempts < MAX_REPLY_TRIES || isStarted(item.cause))) {
    // May be there already: look before saying it again
    const found = await item.channel.findDelivered(item.contact.channelUserId, item.message, startedMs - CLOCK_SLACK_MS)
    if (found.kind === 'delivered') outcome = { ...found, kind: 'sent' }
    // What we start is never said twice: it stays open until the platform or an officer settles it
    else if (!isStarted(item.cause)) outcome = { kind: 'retry', class: outcome.class, notBeforeMs: deps.now().getTime() }
  }
  deps.count.outbound(item.channel.abilities.kind, outcome.kind === 'sent' ? 'sent' : outcome.class)
  return record(deps, item, outcome)
}

// A reply that comes later than this says that it is late
const LATE_MS = 30_000
// One that was put off has its turn when it comes back
const IN_TURN_MS = 1_000

/**
 * How long this message has to wait for the account's pace, ms; 0: it leaves now. Replies may take all there is, the oldest first; what
 * we start takes only what campaigns may.
 */
async function waitForTurn(deps: Deps, item: Claimed): Promise<number> {
  const { account, contact } = item
  if (account.communeId === NO_COMMUNE) return 0
  const limits = paceLimits(account, (await deps.communes.get(account.communeId)).settings)
  const now = deps.now()
  if (!isStarted(item.cause) && limits[0]?.freesReplies) {
    deps.pace.countReply(limits)
    return 0
  }
  const waitMs = isStarted(item.cause)
    ? (await takeForCampaign(deps.database.sql, limits, 1)).waitMs
    : await deps.pace.takeReply(limits, now.getTime() - item.createdAt.getTime() > IN_TURN_MS)
  if (waitMs === 0) return 0
  const notBefore = new Date(now.getTime() + waitMs)
  const apology = deps.content.texts[contact.language].format({ key: 'campaign.late_reply' }, {})
  const isLate = waitMs > LATE_MS && item.cause === 'reply' && !item.message.text.startsWith(apology)
  const late = isLate ? { bodyEnc: deps.sealer.sealJson({ ...item.message, text: `${apology}\n\n${item.message.text}` }) } : {}
  await mark(deps, item, { status: 'waiting', claimedBy: null, class: 'pace', notBefore, attempts: item.attempts - 1, ...late })
  if (isLate) deps.log.warn({ account: account.id, waitMs }, 'replies alone exceed the pace of the account; they go oldest first')
  return waitMs
}

const RATE_LIMITED = 'rate_limit_account'

/** The platform has refused for the pace: from now on the account's limit is believed, and replies queue for it. */
async function learnPace(deps: Deps, { account }: Claimed): Promise<void> {
  if (account.traits.perMinute !== undefined || account.communeId === NO_COMMUNE) return
  const { limit } = (await deps.communes.get(account.communeId)).settings.perMinute()
  await deps.database.db
    .update(accountTable)
    .set({ traits: sql`${accountTable.traits} || jsonb_build_object('perMinute', ${limit}::int)` })
    .where(eq(accountTable.id, account.id))
}

/** Where the platform asks the account to pause, campaigns pause too, in every process. */
async function keepPause(deps: Deps, { account }: Claimed, refused: { class: string; notBeforeMs: number }): Promise<void> {
  if (account.communeId === NO_COMMUNE) return
  const limit = limitRefused(paceLimits(account, (await deps.communes.get(account.communeId)).settings), refused.class)
  if (limit) await deps.pace.hold(limit.key, refused.notBeforeMs)
}

// Clocks of the platform and ours may differ by so much
export const CLOCK_SLACK_MS = 30_000

async function record(deps: Deps, item: Claimed, outcome: SendOutcome): Promise<number | undefined> {
  const now = deps.now()
  switch (outcome.kind) {
    case 'sent':
      await mark(deps, item, {
        status: 'sent',
        claimedBy: null,
        class: null,
        platformMessageId: outcome.platformMessageId,
        order: outcome.order,
        sentAt: new Date(outcome.atMs),
      })
      if (item.account.pausedClass)
        await deps.database.db.update(accountTable).set({ pausedClass: null, pausedAt: null }).where(eq(accountTable.id, item.account.id))
      return undefined
    case 'retry': {
      const sinceMs = isStarted(item.cause) ? item.createdAt.getTime() : (item.contact.lastInboundAt?.getTime() ?? 0)
      if (now.getTime() - sinceMs > EXPIRES_MS) {
        await mark(deps, item, { status: 'expired', claimedBy: null, class: outcome.class })
        return undefined
      }
      if (outcome.class === RATE_LIMITED) await learnPace(deps, item)
      await keepPause(deps, item, outcome)
      const backoff = BACKOFF_MS[Math.min(item.attempts, BACKOFF_MS.length) - 1] ?? 0
      const notBefore = new Date(Math.max(outcome.notBeforeMs, now.getTime() + backoff))
      await mark(deps, item, { status: 'waiting', claimedBy: null, class: outcome.class, notBefore })
      return notBefore.getTime() - now.getTime()
    }
    case 'account_paused': {
      const notBefore = new Date(now.getTime() + PAUSED_MS)
      await mark(deps, item, { status: 'waiting', claimedBy: null, class: outcome.class, notBefore, attempts: item.attempts - 1 })
      await deps.database.db
        .update(accountTable)
        .set({ pausedClass: outcome.class, pausedAt: now })
        .where(and(eq(accountTable.id, item.account.id), isNull(accountTable.pausedClass)))
      deps.log.error({ account: item.account.id, class: outcome.class }, 'the account cannot send until somebody acts; messages wait')
      return PAUSED_MS
    }
    case 'failed':
      if (item.message.otherwise !== undefined) return sayOtherwise(deps, item, outcome.class)
      await mark(deps, item, { status: 'failed', claimedBy: null, class: outcome.class })
      if (DEAD_CLASSES.has(outcome.class))
        await deps.database.db.update(contactTable).set({ unreachableClass: outcome.class }).where(eq(contactTable.id, item.contact.id))
      return undefined
    case 'uncertain':
      await mark(deps, item, { status: 'uncertain', claimedBy: null, class: outcome.class })
      return undefined
    default:
      return outcome satisfies never
  }
}

/** What the platform will not take is said in other words, in the same place among this contact's messages. */
async function sayOtherwise(deps: Deps, item: Claimed, failure: string): Promise<number | undefined> {
  const key = item.message.otherwise ?? ''
  const why = { key: 'campaign.failure', params: { class: failure } }
  const text = deps.content.texts[item.contact.language].format({ key, params: { class: why } }, {})
  await mark(deps, item, { bodyEnc: deps.sealer.sealJson({ text }) })
  return sendOne(deps, { ...item, message: { text } })
}

/**
 * Records a result, however long the database is away: what is not recorded would be sent again. Only while the row is still this
 * process's: an echo of the platform may have settled it meanwhile.
 */
async function mark(deps: Deps, item: Claimed, set: Partial<typeof outboundMessage.$inferInsert>): Promise<void> {
  for (;;) {
    try {
      await deps.database.db
        .update(outboundMessage)
        .set(set)
        .where(
          and(
            eq(outboundMessage.id, item.id),
            eq(outboundMessage.status, 'waiting'),
            or(eq(outboundMessage.claimedBy, deps.instance.id), isNull(outboundMessage.claimedBy)),
          ),
        )
      return
    } catch (error) {
      deps.log.warn({ err: error, message: item.id }, 'a result could not be recorded yet')
      await new Promise((resolve) => setTimeout(resolve, MARK_RETRY_MS))
    }
  }
}

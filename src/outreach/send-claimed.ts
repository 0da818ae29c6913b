import type { Channel } from '../channels/channel.ts'
import { partsOf } from '../channels/parts.ts'
import type { SendOutcome } from '../model/outbound.ts'
import type { ClaimedRecipient, SendingAccount } from './claim-batch.ts'
import type { OutreachDeps } from './deps.ts'
import { DEAD_CLASSES } from './final-classes.ts'
import { wordsOnly } from './ledger.ts'
import { limitRefused, paceLimits } from './limits.ts'
import type { Result } from './mark-results.ts'
import { type PaceLimit, takeForCampaign } from './pace.ts'
import { trackingIdOf } from './tracked-receipts.ts'

// A message that certainly was not delivered is tried so often in all
const MAX_TRIES = 5
const BACKOFF_MS = [2_000, 10_000, 60_000, 300_000]
// An echo comes within seconds; after this the chat itself is asked
const ASK_AFTER_MS = 20_000

const WINDOW_CLOSED: ReadonlySet<string> = new Set(['window_closed', 'no_interaction'])

/** What a platform answered. `words`: of their own request, where the file takes another one; `outcome` is then the file's. */
type Attempt = { outcome: SendOutcome; words?: { platformMessageId: string; atMs: number } | 'before' }

/** Sends one claimed message and says what became of it. Never throws. */
export async function sendClaimed(
  deps: OutreachDeps,
  { account, channel, item }: { account: SendingAccount; channel: Channel; item: ClaimedRecipient },
): Promise<{ result: Result; outcome: SendOutcome }> {
  const limits = paceLimits(account, account.settings)
  const { outcome, words } = await attempt(deps, channel, limits, item).catch((error): Attempt => {
    deps.log.error({ err: error, campaign: item.campaignId }, 'a campaign message met an error nobody expected')
    return { outcome: { kind: 'uncertain', class: 'error' } }
  })
  deps.count.outbound(channel.abilities.kind, outcome.kind === 'sent' ? 'sent' : outcome.class)
  const result = toResult(item, outcome, {
    now: deps.now(),
    isForAll: limitRefused(limits, 'class' in outcome ? outcome.class : '') !== undefined,
  })
  return { result: words ? withWords(result, words) : result, outcome }
}

async function attempt(deps: OutreachDeps, channel: Channel, limits: readonly PaceLimit[], item: ClaimedRecipient): Promise<Attempt> {
  const { row, template } = item
  if (row.route === 'zbs') {
    if (!channel.sendTemplate || !template || !row.phoneEnc) return { outcome: { kind: 'failed', class: 'no_template' } }
    const phone = deps.sealer.open(row.phoneEnc)
    const data = { ho_ten: row.name ?? '', noi_dung: item.message.text }
    const trackingId = trackingIdOf(item.campaignId, row.personId)
    return { outcome: await channel.sendTemplate({ phone, templateId: template.id, data, trackingId, development: template.development }) }
  }
  if (row.channelUserId === null) return { outcome: { kind: 'failed', class: 'no_chat' } }
  // A campaign's words fit into one request (campaign-draft checks it), so what may follow is the file
  const [first, file] = partsOf(channel, item.message)
  if (item.hasWords && file) return { outcome: await channel.send(row.channelUserId, file), words: 'before' }
  if (!first) return { outcome: { kind: 'failed', class: 'invalid_message' } }
  const outcome = await channel.send(row.channelUserId, first)
  if (outcome.kind !== 'sent' || !file) return { outcome }
  if (channel.abilities.chatIntervalMs !== null) await new Promise((resolve) => setTimeout(resolve, channel.abilities.chatIntervalMs ?? 0))
  await turnOf(deps, limits)
  return { outcome: await channel.send(row.channelUserId, file), words: outcome }
}

/** The words are in the chat, whatever became of the file: that may be tried again, but the message is sent. */
function withWords(file: Result, words: NonNullable<Attempt['words']>): Result {
  const sent =
    words === 'before' ? { platformMessageId: null, sentAtMs: null } : { platformMessageId: words.platformMessageId, sentAtMs: words.atMs }
  // Of two messages the words are the one a receipt is about
  const { route: _, ...result } = { ...file, ...sent, contentHash: null }
  if (file.status === 'sent') return { ...result, class: null }
  const waits = file.status === 'waiting' && file.route === undefined
  return {
    ...result,
    status: waits ? 'waiting' : 'sent',
    class: wordsOnly(file.class ?? 'window_closed'),
    notBeforeMs: waits ? file.notBeforeMs : null,
  }
}

async function turnOf(deps: OutreachDeps, limits: readonly PaceLimit[]): Promise<void> {
  for (;;) {
    const { granted, waitMs } = await takeForCampaign(deps.database.sql, limits, 1)
    if (granted > 0) return
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

function toResult(item: ClaimedRecipient, outcome: SendOutcome, { now, isForAll }: { now: Date; isForAll: boolean }): Result {
  const base: Result = {
    campaignId: item.campaignId,
    batchId: item.batchId,
    personId: item.row.personId,
    contactId: item.row.contactId,
    status: 'waiting',
    class: 'class' in outcome ? outcome.class : null,
    notBeforeMs: null,
    claimedAtMs: item.claimedAt.getTime(),
    platformMessageId: null,
    contentHash: null,
    sentAtMs: null,
    tried: true,
    failed: null,
  }
  switch (outcome.kind) {
    case 'sent':
      return { ...base, status: 'sent', platformMessageId: outcome.platformMessageId, sentAtMs: outcome.atMs, failed: false }
    case 'retry': {
      // The platform asks for a pause of everybody: that is no fault of this message
      if (isForAll) return { ...base, notBeforeMs: outcome.notBeforeMs, tried: false }
      const tries = item.row.attempts + 1
      if (tries >= MAX_TRIES) return { ...base, status: 'failed', failed: true }
      const backoff = BACKOFF_MS[Math.min(tries, BACKOFF_MS.length) - 1] ?? 0
      return { ...base, notBeforeMs: Math.max(outcome.notBeforeMs, now.getTime() + backoff), failed: true }
    }
    case 'account_paused':
      return { ...base, notBeforeMs: now.getTime(), tried: false }
    case 'uncertain':
      return { ...base, status: 'uncertain', contentHash: item.contentHash, notBeforeMs: now.getTime() + ASK_AFTER_MS, failed: true }
    case 'failed': {
      // The platform knows better than we when the person wrote last: the notice waits for their next word
      if (WINDOW_CLOSED.has(outcome.class) && item.routes.nextContactDays > 0) return { ...base, route: 'next', class: null }
      // One person's dead chat says nothing about the others
      // Nor does a phone number that takes no template
      if (item.row.route === 'zbs') return { ...base, status: 'failed' }
      return { ...base, status: 'failed', failed: !DEAD_CLASSES.has(outcome.class) && !WINDOW_CLOSED.has(outcome.class) }
    }
    default:
      return outcome satisfies never
  }
}

import type { Channel } from '../channels/channel.ts'
import type { Tx } from '../db/connect.ts'
import { isTransient } from '../db/transient.ts'
import { beginsAnew, partFrom } from './after-erasure.ts'
import { answerEvents } from './answer-events.ts'
import { type PlatformAnswers, PlatformQuestion } from './ask-platform.ts'
import { listOf } from './command-menu.ts'
import { type Claimed, deliver } from './deliver.ts'
import type { Deps } from './deps.ts'
import { fetchFiles, filesIn, type Sent } from './fetch-files.ts'
import { claimLeaving, findLeaving } from './leaving.ts'
import { beginTurn, type LoadedContact, loadContact } from './load-contact.ts'
import { markAttempt } from './put-aside.ts'
import { settleStranded } from './settle.ts'
import { settleEchoes } from './settle-echoes.ts'
import type { ContactRow } from './turn.ts'
import { withoutParameters } from './without-parameters.ts'
import { closeEvents, writeTurn } from './write-turn.ts'

// Events of one contact answered in one transaction, and so in one message
const BATCH = 20
// Another process is sending to this contact: its answer is a matter of milliseconds
const BUSY_MS = 40
// After an unexpected failure: long enough not to spin, short enough not to be felt as silence
const FAILED_MS = 1_000

/** What one transaction came to. */
type Answered =
  | { kind: 'nothing' }
  /** Something of ours is being sent, or was when its process died. */
  | { kind: 'in_flight' }
  /** Of something of ours nobody knows whether it arrived. */
  | { kind: 'uncertain' }
  | { kind: 'to_fetch'; channel: Channel; files: Sent[] }
  | { kind: 'to_ask'; question: PlatformQuestion }
  | { kind: 'answered'; claimed: Claimed[]; more: boolean; wake: Iterable<number>; listChanged?: ContactRow }

/**
 * Answers everything a contact has sent, in the order it was sent, and sends what there is to say. Returns how long to wait before this
 * contact should be looked at again, ms. Never throws; safe to call at any time, from any process, again and again.
 */
export async function handleContact(deps: Deps, contactId: number): Promise<number | undefined> {
  const at: { event?: number } = {}
  let answers: PlatformAnswers = {}
  let knowsEchoes = false
  try {
    for (;;) {
      const answered = await takeTurn(deps, { contactId, at, answers, knowsEchoes })
      delete at.event
      switch (answered.kind) {
        case 'nothing':
          return undefined
        case 'uncertain':
          await settleEchoes(deps, contactId)
          knowsEchoes = true
          break
        case 'in_flight':
          // What the platform has said already it is not asked
          await settleEchoes(deps, contactId)
          if ((await settleStranded(deps, contactId)) === 'busy') return BUSY_MS
          break
        case 'to_fetch':
          await fetchFiles(deps, answered)
          break
        case 'to_ask':
          await answered.question.ask(answers)
          break
        case 'answered': {
          answers = {}
          knowsEchoes = false
          for (const id of answered.wake) deps.wake(id)
          if (answered.listChanged) deps.listChanged(answered.listChanged)
          const again = await deliver(deps, answered.claimed)
          if (!answered.more) return again
          break
        }
        default:
          answered satisfies never
      }
    }
  } catch (error) {
    if (isTransient(error)) {
      deps.log.warn({ contact: contactId }, 'the database was away while a contact was being answered; it is tried again')
      return FAILED_MS
    }
    deps.log.error({ err: withoutParameters(error), contact: contactId }, 'a contact could not be answered; it is tried again')
    if (at.event !== undefined) await markAttempt(deps, contactId, at.event).catch(() => {})
    return FAILED_MS
  }
}

/** `at` names the oldest event that is being answered, so that a failure knows what it failed at. */
type Taken = { contactId: number; at: { event?: number }; answers: PlatformAnswers; knowsEchoes: boolean }

/** One turn in one transaction; one that has to ask the platform first is taken back. */
async function takeTurn(deps: Deps, taken: Taken): Promise<Answered> {
  try {
    return await deps.database.db.transaction((tx) => answerWaiting(deps, tx, taken))
  } catch (error) {
    if (error instanceof PlatformQuestion) return { kind: 'to_ask', question: error }
    throw error
  }
}

async function answerWaiting(deps: Deps, tx: Tx, { contactId, at, answers, knowsEchoes }: Taken): Promise<Answered> {
  const loaded = await loadContact(deps, tx, { contactId, most: BATCH })
  if (!loaded) return { kind: 'nothing' }
  const { now, contact, channel, events, messages, shown } = loaded
  // What was in flight decides what the person had before their eyes: it is settled first
  if (messages.some((row) => row.claimedBy !== null)) return { kind: 'in_flight' }
  if (shown.isUncertain && events.length > 0 && !knowsEchoes) return { kind: 'uncertain' }
  const leaving = await findLeaving(loaded)
  if (events.length === 0 && leaving.replies.length === 0 && leaving.started.length === 0) return { kind: 'nothing' }
  const anew = whereBegunAnew(loaded)
  if (anew === 0) {
    const fresh = await partFrom(tx, contact, { eventIds: events.map((event) => event.id), now })
    return { kind: 'answered', claimed: [], more: true, wake: [fresh] }
  }
  // What failed before is answered alone: those beside it are not blamed for it
  const batch = events.slice(0, events[0]?.attempts ? 1 : (anew ?? BATCH))
  if (batch[0]) at.event = batch[0].id
  const files = filesIn(deps, batch)
  // A platform may take seconds to hand one over: nobody's chat and no transaction waits for that
  if (files.length > 0) return { kind: 'to_fetch', channel, files }
  const turn = await beginTurn(loaded, answers)
  const listBefore = listOf(turn)
  await answerEvents(turn, batch, shown)
  const made = await writeTurn(turn)
  await closeEvents(turn, batch)
  return {
    kind: 'answered',
    claimed: await claimLeaving(loaded, leaving, made),
    more: events.length > batch.length,
    wake: turn.wake,
    ...(listOf(turn) === listBefore ? {} : { listChanged: contact }),
  }
}

/** The place of the first event by which somebody erased comes back, as somebody new. */
function whereBegunAnew({ deps, contact, events }: LoadedContact): number | undefined {
  if (!contact.erasedAt) return undefined
  const place = events.findIndex((event) => event.bodyEnc && beginsAnew(deps, deps.sealer.openJson(event.bodyEnc)))
  return place < 0 ? undefined : place
}

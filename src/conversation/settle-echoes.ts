import { and, eq, inArray, notInArray, or, sql } from 'drizzle-orm'
import type { Tx } from '../db/connect.ts'
import { LIVING_INSTANCES } from '../db/instance.ts'
import { contact as contactTable, outboundMessage } from '../db/schema.ts'
import type { Report } from '../model/inbound.ts'
import type { OutboundMessage } from '../model/outbound.ts'
import { settleCampaignEcho } from '../outreach/campaign-echo.ts'
import { CLOCK_SLACK_MS } from './deliver.ts'
import type { Deps } from './deps.ts'
import { echoOf, findRecorded } from './find-recorded.ts'
import type { ContactRow } from './turn.ts'
import { findUnsettled, recentCampaigns } from './unsettled.ts'
import { closeReports, isOverdue, takeReports } from './waiting-reports.ts'

// An echo is of a message that was claimed at most so long before (architecture, guarantee 4)
const ECHO_AFTER_MS = 10 * 60_000

type SettleDeps = Pick<Deps, 'database' | 'sealer' | 'now'>
type Echo = Extract<Report, { kind: 'echo' }>

/**
 * Settles by the echoes of one contact what nobody knew the end of: a message that is uncertain, one whose process died while it was sending.
 * Each is `sent` then, under the platform's id and at its place in the chat. An echo that is of none of them is closed; one that may be of a
 * message under way is left, and `true` returned: it is to be looked at again. Safe to run twice.
 *
 * The report queue calls it, and so does a turn before it reads the contact's words while something of ours is uncertain or stranded: whether
 * a question stood before the person's eyes when they wrote is decided by what the platform had told us until then. Where it has told nothing
 * yet, the question counts as seen from the moment it was tried (seen.ts) and the words do not wait: most uncertain messages never get an
 * echo, and a person without an answer is worse off than one whose answer was held against a question a moment too new. A receipt has no say
 * in this: of a message nobody knows the end of we know no id.
 */
export async function settleEchoes(deps: SettleDeps, contactId: number): Promise<boolean> {
  for (;;) {
    const outcome = await settleNext(deps, contactId)
    if (outcome !== 'settled') return outcome === 'some_wait'
  }
}

/**
 * Looks through a contact's echoes up to the first that settles something. Each of those has a transaction of its own: with two campaigns one
 * would hold the counts of the first while it waits for a row of the second, and whoever records results holds that row and waits for counts.
 */
async function settleNext({ database, sealer, now: clock }: SettleDeps, contactId: number): Promise<'settled' | 'none' | 'some_wait'> {
  return database.db.transaction(async (tx) => {
    // Held against a turn of this contact: it finds all of this or nothing
    const [contact] = await tx.select().from(contactTable).where(eq(contactTable.id, contactId)).for('update')
    const now = clock()
    const echoes = contact ? await takeReports(tx, sealer, { contactIds: [contactId], kinds: ['echo'] }) : []
    if (!contact || echoes.length === 0) return 'none'
    const campaigns = await recentCampaigns(tx, echoes, now)
    // Before the rest: what becomes uncertain after this is met by the next look
    const { underWay } = await findUnsettled(tx, echoes, campaigns)
    // The same words may have been said before: an echo of what is recorded settles nothing else
    const recorded = await findRecorded(tx, echoes.flatMap(echoOf), campaigns)
    for (const echo of echoes) {
      const { content, at } = echo
      if (content.kind !== 'echo' || recorded.has(echo)) continue
      const isSettled = (await settleTalk({ tx, sealer, contact }, content, at)) || (await settleCampaignEcho(tx, contact, content, at))
      if (!isSettled) continue
      await closeReports(tx, [echo], now)
      return 'settled'
    }
    const waiting = echoes.filter(
      (echo) => echo.content.kind === 'echo' && underWay.has(contactId) && !recorded.has(echo) && !isOverdue(echo, now),
    )
    await closeReports(
      tx,
      echoes.filter((echo) => !waiting.includes(echo)),
      now,
    )
    return waiting.length > 0 ? 'some_wait' : 'none'
  })
}

type Talk = { tx: Tx; sealer: Deps['sealer']; contact: ContactRow }

/** A reminder, digest or reply nobody knew the end of has arrived after all: the same words to the same contact, after the claim. */
async function settleTalk({ tx, sealer, contact }: Talk, { text, messageId }: Echo, at: Date): Promise<boolean> {
  if (text === undefined) return false
  const { status, claimedBy } = outboundMessage
  const rows = await tx
    .select({ id: outboundMessage.id, bodyEnc: outboundMessage.bodyEnc, claimedAt: outboundMessage.claimedAt })
    .from(outboundMessage)
    .where(
      and(
        eq(outboundMessage.contactId, contact.id),
        or(eq(status, 'uncertain'), and(eq(status, 'waiting'), notInArray(claimedBy, sql`(${LIVING_INSTANCES})`))),
      ),
    )
    .orderBy(outboundMessage.id)
  const said = text.normalize('NFC').trim()
  const found = rows.find(({ bodyEnc, claimedAt }) => {
    const sinceMs = at.getTime() - (claimedAt?.getTime() ?? 0)
    if (!bodyEnc || sinceMs < -CLOCK_SLACK_MS || sinceMs > ECHO_AFTER_MS) return false
    const words = sealer.openJson<OutboundMessage>(bodyEnc).text.normalize('NFC').trim()
    // Without buttons, links follow as lines
    return said === words || said.startsWith(`${words}\n`)
  })
  if (!found) return false
  const settled = await tx
    .update(outboundMessage)
    .set({ status: 'sent', class: null, claimedBy: null, platformMessageId: messageId, order: at.getTime(), sentAt: at })
    // Whoever asks the chat after a stranded one (settle.ts) may have heard meanwhile, or let it go to be said again
    .where(and(eq(outboundMessage.id, found.id), inArray(status, ['uncertain', 'waiting'])))
    .returning({ id: outboundMessage.id })
  return settled.length > 0
}

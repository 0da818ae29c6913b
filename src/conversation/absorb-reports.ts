import { sql } from 'drizzle-orm'
import { isTransient } from '../db/transient.ts'
import { REPORT_KINDS } from '../model/inbound.ts'
import type { Deps } from './deps.ts'
import { echoOf, findRecorded, type Of } from './find-recorded.ts'
import { markArticles } from './mark-articles.ts'
import { markReceipts, marksOf } from './mark-receipts.ts'
import { settleEchoes } from './settle-echoes.ts'
import { findUnsettled, recentCampaigns, type Unsettled } from './unsettled.ts'
import { closeReports, isOverdue, takeReports, type WaitingReport } from './waiting-reports.ts'
import { withoutParameters } from './without-parameters.ts'

// Reports that fail this often are put aside: they hold nobody up, and nobody waits for an answer to them
const MAX_ATTEMPTS = 5

/** `open`: an echo that may settle something; `again`: to be looked at again. */
type Fate = 'done' | 'open' | 'again'
type AbsorbDeps = Pick<Deps, 'database' | 'sealer' | 'now' | 'log'>

/**
 * Keeps what the platform says of our own messages, of many contacts in one transaction and without a turn for each: receipts at their
 * rows, once, the first time; an article's arrival at the row of each of its readers; an echo settles what nobody knew the end of, and needs
 * nothing where the result is recorded. It is the only way reports go, beside whatever else a contact has said: they need no channel, move
 * no last word and are no part of the talk.
 *
 * Returns the contacts of reports that must be looked at again: a message is under way, or its row is somebody's at this moment. What finds
 * no message while none is under way is of none of ours and closed at once; what waits is closed when it is overdue. Never throws; safe to
 * run twice and beside turns, since it waits for no row that somebody holds.
 */
export async function absorbReports(deps: AbsorbDeps, contactIds: readonly number[]): Promise<number[]> {
  try {
    const { open, again } = await absorbTogether(deps, contactIds)
    for (const contactId of open) if (await settleEchoes(deps, contactId)) again.add(contactId)
    return [...again]
  } catch (error) {
    if (isTransient(error)) {
      deps.log.warn('the database was away while reports were being kept; they are kept again')
      return [...contactIds]
    }
    // One that cannot be kept takes none of the others with it
    const [contactId, ...others] = contactIds
    if (contactId === undefined) return []
    if (others.length > 0) return absorbEach(deps, contactIds)
    deps.log.error({ err: withoutParameters(error), contact: contactId }, 'reports of a contact could not be kept; they are tried again')
    await markAttempt(deps, contactId).catch(() => {})
    return [contactId]
  }
}

async function absorbEach(deps: AbsorbDeps, contactIds: readonly number[]): Promise<number[]> {
  const again: number[] = []
  for (const contactId of contactIds) again.push(...(await absorbReports(deps, [contactId])))
  return again
}

/** Keeps what a look at the tables is enough for; returns the contacts of the rest. */
async function absorbTogether(
  { database, sealer, now: clock }: AbsorbDeps,
  contactIds: readonly number[],
): Promise<{ open: Set<number>; again: Set<number> }> {
  return database.db.transaction(async (tx) => {
    // Whatever PostgreSQL believes of a campaign that has just begun, rows are looked up by their keys
    await tx.execute(
      sql`SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) AS u (name)`,
    )
    const now = clock()
    const reports = await takeReports(tx, sealer, { contactIds })
    const campaigns = await recentCampaigns(tx, reports, now)
    const articles = await markArticles(tx, reports, campaigns)
    const missing = await markReceipts(tx, reports.flatMap(marksOf), campaigns)
    const doubtful: Of[] = [...missing, ...reports.filter((report) => !articles.has(report)).flatMap(echoOf)]
    const unsettled = await findUnsettled(
      tx,
      doubtful.map(({ report }) => report),
      campaigns,
    )
    // Asked for last: what was under way until a moment ago is recorded, and then it is found here
    const recorded = await findRecorded(
      tx,
      doubtful.filter(({ report }) => report.content.kind !== 'echo' || isUnsettled(report, unsettled)),
      campaigns,
    )
    const fates = fatesOf(new Set(doubtful.map(({ report }) => report)), { unsettled, recorded, now })
    await closeReports(
      tx,
      reports.filter((report) => (fates.get(report) ?? 'done') === 'done'),
      now,
    )
    const contactsOf = (fate: Fate) => new Set(reports.filter((report) => fates.get(report) === fate).map(({ contactId }) => contactId))
    return { open: contactsOf('open'), again: contactsOf('again') }
  })
}

const isUnsettled = ({ contactId }: WaitingReport, { open, underWay }: Unsettled) => open.has(contactId) || underWay.has(contactId)

type Known = { unsettled: Unsettled; recorded: ReadonlySet<WaitingReport>; now: Date }

/** What becomes of echoes, and of receipts that could not be kept at once. */
function fatesOf(reports: ReadonlySet<WaitingReport>, { unsettled, recorded, now }: Known): Map<WaitingReport, Fate> {
  // A list that has met no article's row may have met one in somebody's hands
  const maySettle = (report: WaitingReport) =>
    report.content.kind === 'echo' && (report.content.isList || unsettled.open.has(report.contactId)) && !recorded.has(report)
  // An echo that is here already names their message in a moment, however long all of this was stored while no process lived
  const areNamedSoon = new Set([...reports].filter(maySettle).map(({ contactId }) => contactId))
  const fateOf = (report: WaitingReport): Fate => {
    if (maySettle(report)) return 'open'
    // Of what is recorded an echo says nothing new; a receipt met its row in somebody's hands
    if (recorded.has(report)) return report.content.kind === 'echo' ? 'done' : 'again'
    if (isOverdue(report, now) && !areNamedSoon.has(report.contactId)) return 'done'
    return isUnsettled(report, unsettled) ? 'again' : 'done'
  }
  return new Map([...reports].map((report) => [report, fateOf(report)]))
}

/** Counts a failure of reports that cannot be kept by themselves. */
async function markAttempt({ database, now }: AbsorbDeps, contactId: number): Promise<void> {
  await database.db.execute(sql`
    UPDATE inbound_event SET attempts = attempts + 1,
      handled_at = CASE WHEN attempts + 1 >= ${MAX_ATTEMPTS} THEN ${now().toISOString()}::timestamptz END,
      failed_class = CASE WHEN attempts + 1 >= ${MAX_ATTEMPTS} THEN 'cannot_be_kept' END
    WHERE contact_id = ${contactId} AND handled_at IS NULL
      AND kind IN (SELECT json_array_elements_text(${JSON.stringify(REPORT_KINDS)}::text::json))`)
}

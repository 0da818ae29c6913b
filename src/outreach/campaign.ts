import { and, desc, eq } from 'drizzle-orm'
import type { Sql, TransactionSql } from 'postgres'
import { partsOf } from '../channels/parts.ts'
import {
  type AudienceRule,
  account as accountTable,
  type CampaignRoutes,
  type CampaignState,
  campaign,
  contact as contactTable,
} from '../db/schema.ts'
import { formatDate, formatTime } from '../lib/vietnam-time.ts'
import type { OutboundMessage, OutboundStatus } from '../model/outbound.ts'
import { loadSettings, type Settings } from '../registry/settings.ts'
import { getCommune } from '../registry/units.ts'
import {
  type AudienceArgs,
  type AudiencePreview,
  audienceRows,
  countUnwantedReaders,
  previewAudience,
  type Route,
  SENT_AT_ONCE,
} from './audience.ts'
import {
  type Actor,
  type Attachment,
  audienceArgs,
  type Campaign,
  findCampaign,
  formYear,
  type Locked,
  lock,
  record,
  templateOf,
} from './campaign-row.ts'
import { checkDraft } from './check-draft.ts'
import type { OutreachDeps } from './deps.ts'
import { type Estimate, estimate, quietOf, requestsEach } from './estimate.ts'
import { type Frozen, freezeAudience } from './freeze.ts'
import { afterOpenTime } from './gate.ts'
import { ringLanes } from './lane-bell.ts'
import { hasWords, type LedgerCounts, moveRows, readCounts, wordsOnly } from './ledger.ts'
import { campaignPerMinute, paceLimits } from './limits.ts'
import { type RecipientRow, recipientRows, toMessage } from './recipient-rows.ts'
import { type Refused, refuse, wrongState } from './refusal.ts'

export type CampaignDraft = {
  communeId: number
  authorContactId: number | null
  /** With variables: {tên}, {xưng hô}, {bản}, {còn thiếu}, {xã}; with or without diacritics. */
  text: string
  attachment?: Attachment
  rule: AudienceRule
  /** Absent ways are the commune's settings; an `articleId` of "" is none. */
  routes?: Partial<CampaignRoutes>
}

export type CreateOutcome = { type: 'created'; campaignId: number } | Refused
export type ChangeOutcome = { type: 'changed' } | Refused
export type StartOutcome = { type: 'started'; recipients: number } | Refused
export type ScheduleOutcome = { type: 'scheduled'; at: Date } | Refused
export type StateOutcome = { type: 'done'; state: CampaignState } | Refused
export type RetryOutcome = { type: 'retried'; recipients: number } | Refused
export type TestOutcome = { type: 'tested' } | { type: 'failed'; class: string } | Refused

/** A message as one real recipient will see it. */
export type Sample = { personId: number; name: string; village: string; message: OutboundMessage }

/** What the officer is shown before confirming; the number to type is `preview.people`. */
export type Shown = { preview: AudiencePreview; estimate: Estimate; samples: Sample[] }

export type CampaignProgress = {
  campaign: Campaign
  /** Rows of the ledger; the seven statuses add up to it at every moment. */
  recipients: number
  statuses: Record<OutboundStatus, number>
  /** Waiting rows by way: `now` is still to be sent, `next` waits for the person's word. */
  waiting: Partial<Record<Route, number>>
  /** Classes of failures and reasons of skips, the most frequent first. */
  classes: { status: OutboundStatus; class: string; n: number }[]
  perMinute: number
  /** When the last of what is to be sent now will be out; absent while paused and when done. */
  expectedAt?: Date
}

export type Certificate = {
  campaignId: number
  commune: string
  createdAt: Date
  startedAt: Date
  finishedAt: Date | null
  recipients: number
  statuses: Record<OutboundStatus, number>
  classes: { status: OutboundStatus; class: string; n: number }[]
  received: number
  seen: number
  firstSentAt: Date | null
  lastSentAt: Date | null
  /** SHA-256 over the exported list, hex; what of it is in certificate.ts. */
  checksum: string
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const YEAR_MS = 366 * DAY_MS
const SAMPLES = 2

/** Stores a draft once text, file and rule were found sound. */
export async function createCampaign(deps: OutreachDeps, draft: CampaignDraft): Promise<CreateOutcome> {
  const checked = await checkDraft(deps, draft)
  if (checked) return checked
  const settings = await loadSettings(deps.database.db, draft.communeId)
  const now = deps.now()
  const [row] = await deps.database.db
    .insert(campaign)
    .values({
      communeId: draft.communeId,
      authorContactId: draft.authorContactId,
      text: draft.text.normalize('NFC').trim(),
      attachment: draft.attachment ?? null,
      rule: draft.rule,
      routes: { ...defaultRoutes(settings), ...draft.routes },
      createdAt: now,
      updatedAt: now,
    })
    .returning({ id: campaign.id })
  if (!row) throw new Error('a campaign was not stored')
  return { type: 'created', campaignId: row.id }
}

export type ChangeArgs = {
  campaignId: number
  text?: string
  attachment?: Attachment | null
  rule?: AudienceRule
  routes?: Partial<CampaignRoutes>
}

/** Changes a draft. What was shown before has to be shown again. */
export async function changeCampaign(deps: OutreachDeps, { campaignId, ...change }: ChangeArgs): Promise<ChangeOutcome> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return refuse('unknown')
  if (found.state !== 'draft') return wrongState(found.state)
  const attachment = change.attachment === undefined ? found.attachment : change.attachment
  const { articleId, ...routes } = { ...found.routes, ...change.routes }
  const wanted = { text: change.text ?? found.text, rule: change.rule ?? found.rule, routes: articleId ? { ...routes, articleId } : routes }
  const checked = await checkDraft(deps, { ...found, ...wanted, ...(attachment ? { attachment } : { attachment: undefined }) })
  if (checked) return checked
  const rows = await deps.database.db
    .update(campaign)
    .set({ ...wanted, text: wanted.text.normalize('NFC').trim(), attachment, shownPeople: null, updatedAt: deps.now() })
    .where(and(eq(campaign.id, campaignId), eq(campaign.state, 'draft')))
    .returning({ id: campaign.id })
  return rows.length > 0 ? { type: 'changed' } : wrongState('running')
}

/** Counts the audience, estimates the sending, makes two samples, and keeps the number that has to be typed. */
export async function showCampaign(
  deps: OutreachDeps,
  { campaignId, startAt }: { campaignId: number; startAt?: Date },
): Promise<({ type: 'shown' } & Shown) | Refused> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return refuse('unknown')
  const { sql, db } = deps.database
  const args = await audienceArgs(deps, found)
  const unwanted = await refuseArticle(sql, args)
  if (unwanted) return unwanted
  const preview = await previewAudience(sql, args)
  const empty = refuseEmpty({
    people: preview.people,
    reached: preview.people - (preview.routes.none ?? 0),
    reason: preview.reasons[0]?.reason ?? '',
  })
  if (empty) return empty
  if (found.state === 'draft') await db.update(campaign).set({ shownPeople: preview.people }).where(eq(campaign.id, campaignId))
  return {
    type: 'shown',
    preview,
    estimate: await estimate(deps, found, preview, args.settings, startAt ?? deps.now()),
    samples: await samplesOf(deps, found, args),
  }
}

/** Sends the message as the first sample sees it to the officer's own chat. It is an answer to the officer and stands in no ledger. */
export async function testToSelf(
  deps: OutreachDeps,
  { campaignId, contactId }: { campaignId: number; contactId: number },
): Promise<TestOutcome> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return refuse('unknown')
  const [to] = await deps.database.db.select().from(contactTable).where(eq(contactTable.id, contactId))
  const channel = to && (await deps.channelOf(to.accountId))
  if (!channel) return refuse('no_account')
  const [sample] = await samplesOf(deps, found, await audienceArgs(deps, found))
  if (!sample) return refuse('nobody')
  for (const part of partsOf(channel, sample.message)) {
    const outcome = await channel.send(to.channelUserId, part)
    if (outcome.kind !== 'sent') return { type: 'failed', class: outcome.class }
  }
  return { type: 'tested' }
}

export type StartArgs = { campaignId: number; confirmed: number; actor: Actor }

/** Freezes the audience in one statement and begins. `confirmed`: the number the officer typed. A second start is refused. */
export async function startCampaign(deps: OutreachDeps, { campaignId, confirmed, actor }: StartArgs): Promise<StartOutcome> {
  return takingBack(() =>
    deps.database.sql.begin(async (tx): Promise<StartOutcome> => {
      const locked = await lock(tx, campaignId)
      if (!locked) return refuse('unknown')
      if (locked.state !== 'draft') return wrongState(locked.state)
      const unconfirmed = refuseNumber(locked.shown_people, confirmed)
      if (unconfirmed) return unconfirmed
      return begin(deps, tx, campaignId, actor)
    }),
  )
}

/** Begins a scheduled campaign whose time has come; anything else is left alone. Safe to repeat from any process. */
export async function startScheduled(deps: OutreachDeps, campaignId: number): Promise<StartOutcome> {
  const { sql } = deps.database
  const isDue = (locked: Locked) =>
    locked.state === 'scheduled' && locked.scheduled_ms !== null && locked.scheduled_ms <= deps.now().getTime()
  let due = false
  const outcome = await takingBack(() =>
    sql.begin(async (tx): Promise<StartOutcome> => {
      const locked = await lock(tx, campaignId)
      if (!locked) return refuse('unknown')
      due = isDue(locked)
      return due ? begin(deps, tx, campaignId, 'system') : wrongState(locked.state)
    }),
  )
  // Nobody is there to read a refusal at this hour: it stands still and says why
  if (outcome.type === 'refused' && due)
    await sql`UPDATE campaign SET state = 'paused', pause_class = 'cannot_start', pause_detail = ${outcome.problem.key} WHERE id = ${campaignId} AND state = 'scheduled'`
  return outcome
}

async function begin(deps: OutreachDeps, tx: TransactionSql, campaignId: number, actor: Actor): Promise<StartOutcome> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return refuse('unknown')
  const checked = await checkDraft(deps, { ...found, attachment: found.attachment ?? undefined })
  if (checked) return checked
  const args = await audienceArgs(deps, found)
  const { now } = args
  const unwanted = await refuseArticle(tx, args)
  if (unwanted) return unwanted
  const frozen = await freezeAudience(tx, campaignId, args)
  const empty = refuseEmpty(frozen)
  // What was written for nobody is taken back with the transaction
  if (empty) throw new RefusedError(empty)
  const recipients = frozen.people
  const until = new Date(now.getTime() + found.routes.nextContactDays * DAY_MS)
  await tx`
    UPDATE campaign SET state = 'running', recipients = ${recipients}, started_at = ${now.toISOString()}::timestamptz,
      next_contact_until = ${until.toISOString()}::timestamptz, failures_from = ${now.toISOString()}::timestamptz, updated_at = ${now.toISOString()}::timestamptz
    WHERE id = ${campaignId}`
  await record(tx, { communeId: found.communeId, now, actor, action: 'campaign.start', campaignId, detail: { recipients } })
  await ringLanes(tx, campaignId)
  return { type: 'started', recipients }
}

/** Starts it at a time to come; the audience is frozen then. */
export async function scheduleCampaign(deps: OutreachDeps, args: StartArgs & { at: Date }): Promise<ScheduleOutcome> {
  const { campaignId, confirmed, at, actor } = args
  const now = deps.now()
  if (at <= now) return refuse('time_past', { time: `${formatTime(at)} ${formatDate(at)}` })
  if (at.getTime() - now.getTime() > YEAR_MS) return refuse('too_far')
  return deps.database.sql.begin(async (tx) => {
    const locked = await lock(tx, campaignId)
    if (!locked) return refuse('unknown')
    if (locked.state !== 'draft') return wrongState(locked.state)
    const unconfirmed = refuseNumber(locked.shown_people, confirmed)
    if (unconfirmed) return unconfirmed
    await tx`UPDATE campaign SET state = 'scheduled', scheduled_at = ${at.toISOString()}::timestamptz, updated_at = ${now.toISOString()}::timestamptz WHERE id = ${campaignId}`
    await record(tx, {
      communeId: locked.commune_id,
      now,
      actor,
      action: 'campaign.schedule',
      campaignId,
      detail: { at: at.toISOString() },
    })
    return { type: 'scheduled', at }
  })
}

export type ControlArgs = {
  campaignId: number
  actor: Actor /** Why, where it was not a person's wish. */
  reason?: { class: string; detail?: string }
}

/** Nothing is claimed any more once this returns; what is being sent at this moment still gets its result. */
export async function pauseCampaign(deps: OutreachDeps, { campaignId, actor, reason }: ControlArgs): Promise<StateOutcome> {
  return change(
    deps,
    { campaignId, actor, from: ['running'], to: 'paused', action: 'campaign.pause', detail: reason ?? {} },
    async (tx) => {
      await tx`UPDATE campaign SET pause_class = ${reason?.class ?? 'by_hand'}, pause_detail = ${reason?.detail ?? null} WHERE id = ${campaignId}`
    },
  )
}

export async function resumeCampaign(deps: OutreachDeps, { campaignId, actor }: ControlArgs): Promise<StateOutcome> {
  return change(deps, { campaignId, actor, from: ['paused'], to: 'running', action: 'campaign.resume' }, async (tx, locked) => {
    // One that could not start has no ledger yet
    if (locked.recipients === null) {
      await tx`UPDATE campaign SET state = 'scheduled', scheduled_at = ${deps.now().toISOString()}::timestamptz, pause_class = NULL, pause_detail = NULL WHERE id = ${campaignId}`
      return
    }
    // Failures of before were seen by whoever resumes it
    await tx`UPDATE campaign SET pause_class = NULL, pause_detail = NULL, failures_from = ${deps.now().toISOString()}::timestamptz WHERE id = ${campaignId}`
    await tx`UPDATE campaign_lane SET recent = '' WHERE campaign_id = ${campaignId}`
    await ringLanes(tx, campaignId)
  })
}

/** What waits becomes `cancelled`; what is being sent at this moment still gets its result. A draft or schedule is simply dropped. */
export async function cancelCampaign(deps: OutreachDeps, { campaignId, actor }: ControlArgs): Promise<StateOutcome> {
  const from: CampaignState[] = ['draft', 'scheduled', 'running', 'paused']
  return change(deps, { campaignId, actor, from, to: 'cancelled', action: 'campaign.cancel' }, async (tx, locked) => {
    const at = deps.now().toISOString()
    await moveRows(tx, {
      communeId: locked.commune_id,
      campaignId,
      where: tx`r.status = 'waiting' AND r.person_id NOT IN (SELECT unnest(person_ids) FROM recipient_batch WHERE campaign_id = ${campaignId})`,
      set: tx`status = CASE WHEN ${hasWords(tx)} THEN 'sent' ELSE 'cancelled' END, not_before = NULL,
        class = CASE WHEN ${hasWords(tx)} THEN ${wordsOnly('cancelled')} END`,
    })
    await tx`UPDATE campaign SET finished_at = ${at}::timestamptz WHERE id = ${campaignId}`
  })
}

/** Sends once more to those who failed with this class. `uncertain` is no failure and is never retried this way. */
export async function retryClass(deps: OutreachDeps, args: { campaignId: number; class: string; actor: Actor }): Promise<RetryOutcome> {
  const { campaignId, actor } = args
  return deps.database.sql.begin(async (tx) => {
    const locked = await lock(tx, campaignId)
    if (!locked) return refuse('unknown')
    if (!['running', 'paused', 'done'].includes(locked.state)) return wrongState(locked.state)
    const now = deps.now()
    const recipients = await moveRows(tx, {
      communeId: locked.commune_id,
      campaignId,
      where: tx`r.status = 'failed' AND r.class = ${args.class} AND r.account_id IS NOT NULL`,
      set: tx`status = 'waiting', class = NULL, attempts = 0, not_before = ${now.toISOString()}::timestamptz`,
    })
    if (recipients === 0) return refuse('nothing_to_retry')
    // Whoever was found dead is tried once more, because an officer says so
    await tx`
      UPDATE contact SET unreachable_class = NULL FROM recipient r
      WHERE r.commune_id = ${locked.commune_id} AND r.campaign_id = ${campaignId} AND r.status = 'waiting' AND r.contact_id = contact.id
        AND contact.unreachable_class = ${args.class}`
    await tx`UPDATE campaign_lane SET recent = '' WHERE campaign_id = ${campaignId}`
    if (locked.state === 'done')
      await tx`UPDATE campaign SET state = 'running', finished_at = NULL, checksum = NULL WHERE id = ${campaignId}`
    await record(tx, {
      communeId: locked.commune_id,
      now,
      actor,
      action: 'campaign.retry',
      campaignId,
      detail: { class: args.class, recipients },
    })
    await ringLanes(tx, campaignId)
    return { type: 'retried', recipients }
  })
}

export async function campaignProgress(deps: OutreachDeps, campaignId: number): Promise<CampaignProgress | undefined> {
  const found = await findCampaign(deps, campaignId)
  if (!found) return undefined
  const counts = await readCounts(deps.database.sql, found.communeId, campaignId)
  const settings = await loadSettings(deps.database.db, found.communeId)
  const waiting: Partial<Record<Route, number>> = {}
  for (const row of counts.rows) if (row.status === 'waiting') waiting[row.route as Route] = (waiting[row.route as Route] ?? 0) + row.n
  const open = Object.entries(waiting).reduce((sum, [route, n]) => sum + (SENT_AT_ONCE.has(route as Route) ? n : 0), 0)
  const accounts = await deps.database.db.select().from(accountTable).where(eq(accountTable.communeId, found.communeId))
  const perMinute = accounts.reduce((sum, one) => Math.max(sum, campaignPerMinute(paceLimits(one, settings))), 0)
  const requests = open * requestsEach(found)
  return {
    campaign: found,
    recipients: counts.recipients,
    statuses: counts.statuses,
    waiting,
    classes: classesOf(counts),
    perMinute,
    ...(found.state === 'running' && open > 0 && perMinute > 0
      ? { expectedAt: afterOpenTime(deps.now().getTime(), (requests / perMinute) * MINUTE_MS, quietOf(settings)) }
      : {}),
  }
}

export async function listCampaigns(
  deps: OutreachDeps,
  { communeId, limit = 20 }: { communeId: number; limit?: number },
): Promise<Campaign[]> {
  return deps.database.db.select().from(campaign).where(eq(campaign.communeId, communeId)).orderBy(desc(campaign.id)).limit(limit)
}

// What follows serves the functions above

type Change = {
  campaignId: number
  actor: Actor
  from: readonly CampaignState[]
  to: CampaignState
  action: string
  detail?: Record<string, unknown>
}

async function change(
  deps: OutreachDeps,
  wanted: Change,
  also: (tx: TransactionSql, locked: Locked) => Promise<void>,
): Promise<StateOutcome> {
  return deps.database.sql.begin(async (tx) => {
    const locked = await lock(tx, wanted.campaignId)
    if (!locked) return refuse('unknown')
    if (!wanted.from.includes(locked.state)) return wrongState(locked.state)
    const now = deps.now()
    await tx`UPDATE campaign SET state = ${wanted.to}, updated_at = ${now.toISOString()}::timestamptz WHERE id = ${wanted.campaignId}`
    await also(tx, locked)
    await record(tx, {
      communeId: locked.commune_id,
      now,
      actor: wanted.actor,
      action: wanted.action,
      campaignId: wanted.campaignId,
      detail: wanted.detail ?? {},
    })
    const [after] = await tx<{ state: CampaignState }[]>`SELECT state FROM campaign WHERE id = ${wanted.campaignId}`
    return { type: 'done', state: after?.state ?? wanted.to }
  })
}

function refuseNumber(shown: number | null, typed: number): Refused | undefined {
  if (shown === null) return refuse('not_shown')
  return shown === typed ? undefined : refuse('wrong_number', { typed, people: shown })
}

function refuseEmpty({ people, reached, reason }: Frozen): Refused | undefined {
  if (people === 0) return refuse('nobody')
  return reached > 0 ? undefined : refuse('nobody_reachable', { people, reason: { key: reasonKey(reason) } })
}

/** An article reaches all who follow: with one among them who may not be written to, it is not sent. */
async function refuseArticle(sql: Sql | TransactionSql, args: AudienceArgs): Promise<Refused | undefined> {
  if (args.routes.articleId === undefined) return undefined
  const count = await countUnwantedReaders(sql, args)
  return count > 0 ? refuse('article_readers', { count }) : undefined
}

class RefusedError extends Error {
  override name = 'RefusedError'
  readonly refused: Refused
  constructor(refused: Refused) {
    super(refused.problem.key)
    this.refused = refused
  }
}

/** A refusal found after something was written takes everything back. */
async function takingBack<T>(run: () => Promise<T>): Promise<T | Refused> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof RefusedError) return error.refused
    throw error
  }
}

const REASONS = ['stopped', 'declined', 'household', 'ceiling', 'window_closed', 'no_chat', 'village_notice', 'article_broadcast']

/** Text key of a reason; every class of a platform's final refusal reads alike. */
const reasonKey = (reason: string) => `campaign.reason.${REASONS.includes(reason) ? reason : 'unreachable'}`

function defaultRoutes(settings: Settings): CampaignRoutes {
  const mode = settings.get('campaign.template_mode')
  const template = settings.get('campaign.template')
  return {
    nextContactDays: settings.get('campaign.next_contact_days'),
    billedWindow: settings.get('campaign.billed_window') === 'yes',
    villageNotice: settings.get('campaign.village_notice') === 'yes',
    ...(mode !== 'off' && template ? { template: { id: template, development: mode === 'development' } } : {}),
  }
}

/** As the first recipients will see it; those reached at once before the others. */
async function samplesOf(deps: OutreachDeps, found: Campaign, args: AudienceArgs): Promise<Sample[]> {
  const { sql } = deps.database
  const people = await sql<{ person_id: string; contact_id: string | null }[]>`
    SELECT person_id, contact_id FROM (${audienceRows(sql, args)}) audience
    WHERE person_id > 0 ORDER BY (route IN ('now', 'telegram')) DESC, (contact_id IS NOT NULL) DESC, person_id LIMIT ${SAMPLES}`
  const template = templateOf(found)
  const given = sql`(SELECT person_id, contact_id, NULL::text AS route, 0 AS attempts
    FROM json_to_recordset(${JSON.stringify(people)}::text::json) AS given (person_id bigint, contact_id bigint))`
  const rows = await recipientRows(sql, { communeId: found.communeId, from: given, year: formYear(found, args.now), template })
  const commune = await getCommune(deps.database.db, found.communeId)
  return rows.map((row: RecipientRow) => ({
    personId: row.personId,
    name: row.name ?? '',
    village: row.village ?? '',
    message: toMessage(found, template, row, { content: deps.content, commune: commune.name }),
  }))
}

export function classesOf(counts: LedgerCounts): CampaignProgress['classes'] {
  const sums = new Map<string, CampaignProgress['classes'][number]>()
  for (const { status, class: name, n } of counts.rows) {
    if (name === '') continue
    const key = `${status} ${name}`
    sums.set(key, { status, class: name, n: (sums.get(key)?.n ?? 0) + n })
  }
  return [...sums.values()].sort((a, b) => b.n - a.n)
}

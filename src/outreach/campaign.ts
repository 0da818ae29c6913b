import { and, eq } from 'drizzle-orm'
import type { TransactionSql } from 'postgres'
import { type AudienceRule, type CampaignRoutes, type CampaignState, campaign } from '../db/schema.ts'
import { formatDate, formatTime } from '../lib/vietnam-time.ts'
import { loadSettings, type Settings } from '../registry/settings.ts'
import { type AudiencePreview, previewAudience } from './audience.ts'
import { type Actor, type Attachment, audienceArgs, findCampaign, type Locked, lock, record } from './campaign-row.ts'
import { checkDraft } from './check-draft.ts'
import type { OutreachDeps } from './deps.ts'
import { type Estimate, estimate } from './estimate.ts'
import { freezeAudience } from './freeze.ts'
import { ringLanes } from './lane-bell.ts'
import { hasWords, moveRows, wordsOnly } from './ledger.ts'
import { type Refused, refuse, wrongState } from './refusal.ts'
import { refuseArticle, refuseEmpty } from './refuse-audience.ts'
import { type Sample, samplesOf } from './samples.ts'

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

/** What the officer is shown before confirming; the number to type is `preview.people`. */
export type Shown = { preview: AudiencePreview; estimate: Estimate; samples: Sample[] }

const DAY_MS = 86_400_000
const YEAR_MS = 366 * DAY_MS

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
    await sql`UPDATE campaign SET state = 'paused', pause_class = 'cannot_start', pause_detail = ${JSON.stringify(outcome.problem)} WHERE id = ${campaignId} AND state = 'scheduled'`
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

/** Whether a time lies beyond what can be scheduled. */
export const isTooFar = (at: Date, now: Date): boolean => at.getTime() - now.getTime() > YEAR_MS

/** Starts it at a time to come; the audience is frozen then. */
export async function scheduleCampaign(deps: OutreachDeps, args: StartArgs & { at: Date }): Promise<ScheduleOutcome> {
  const { campaignId, confirmed, at, actor } = args
  const now = deps.now()
  if (at <= now) return refuse('time_past', { time: `${formatTime(at)} ${formatDate(at)}` })
  if (isTooFar(at, now)) return refuse('too_far')
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
    // The file of one that is long over may be gone
    const found = await findCampaign(deps, campaignId)
    const checked = found && (await checkDraft(deps, { ...found, attachment: found.attachment ?? undefined }))
    if (checked) return checked
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

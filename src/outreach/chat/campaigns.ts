import { stringify } from 'csv-stringify/sync'
import { feed, startFlow } from '../../conversation/run-session.ts'
import { activeSession, offer, say, type Turn, voiceOf } from '../../conversation/turn.ts'
import { formatDate, formatTime, vietnamTime } from '../../lib/vietnam-time.ts'
import { TextRef } from '../../model/text.ts'
import { rolesThatMay } from '../../registry/roles.ts'
import { settleArticle } from '../article.ts'
import { cancelCampaign, pauseCampaign, resumeCampaign, retryClass } from '../campaign.ts'
import { type Campaign, findCampaign } from '../campaign-row.ts'
import { certificate } from '../certificate.ts'
import { eventText, findEvent, isTimely } from '../events.ts'
import { keepFile, offerFile } from '../files.ts'
import { readCounts, whyWordsOnly } from '../ledger.ts'
import { type CampaignProgress, campaignProgress, listCampaigns } from '../progress.ts'
import type { Refused } from '../refusal.ts'
import { listUncertain, settleByHand } from '../uncertain.ts'
import { listUnreached, listVillageNotices, markNoticeForwarded, type VillageNotice } from '../village-notices.ts'
import { durationText } from './broadcast.ts'

const LISTED = 5
const CLASSES_SHOWN = 5
const TITLE_CHARS = 40

/** CHIẾN DỊCH: running and past broadcasts with counts; each opens with a tap. */
export async function campaigns(turn: Turn): Promise<void> {
  if (rolesThatMay(turn.roles, 'campaigns').length === 0) return say(turn, 'tap.over')
  const rows = (await listCampaigns(turn.deps, { communeId: turn.contact.communeId, limit: 20 })).filter((row) => isShown(row))
  if (rows.length === 0) return say(turn, 'campaigns.none')
  say(turn, 'campaigns.list')
  for (const row of rows.slice(0, LISTED)) {
    offer(turn, `campaign_${row.id}`, 'show', 'campaigns.line', {
      state: row.state,
      title: titleOf(row),
      recipients: row.recipients ?? row.shownPeople ?? 0,
      date: formatDate(row.startedAt ?? row.scheduledAt ?? row.createdAt),
    })
  }
}

const isShown = (row: Campaign) => row.state !== 'draft' && !(row.state === 'cancelled' && row.startedAt === null)

const titleOf = ({ text }: Campaign) => {
  const line = text.split('\n')[0] ?? ''
  return line.length > TITLE_CHARS ? `${line.slice(0, TITLE_CHARS - 1)}…` : line
}

/** A tap on a campaign: `show`, `pause`, `resume`, `cancel`, `cancel_yes`, `classes`, `retry_blocked`, `list`, `certificate`, `open`. */
export async function actOnCampaign(turn: Turn, id: number, act: string): Promise<void> {
  const found = await findCampaign(turn.deps, id)
  if (!found || found.communeId !== turn.contact.communeId || rolesThatMay(turn.roles, 'campaigns').length === 0)
    return say(turn, 'tap.over')
  const args = { campaignId: id, actor: `contact:${turn.contact.id}` }
  switch (act) {
    case 'show':
      return show(turn, id)
    case 'pause':
      return done(turn, id, await pauseCampaign(turn.deps, args), 'campaigns.paused')
    case 'resume':
      return done(turn, id, await resumeCampaign(turn.deps, args), 'campaigns.resumed')
    case 'cancel':
      say(turn, 'campaigns.cancel_sure', { title: titleOf(found) })
      offer(turn, `campaign_${id}`, 'cancel_yes', 'campaigns.cancel_yes')
      offer(turn, `campaign_${id}`, 'show', 'campaigns.cancel_no')
      return
    case 'cancel_yes':
      return done(turn, id, await cancelCampaign(turn.deps, args), 'campaigns.cancelled')
    case 'certificate':
      return sayCertificate(turn, id)
    case 'list':
      return offerList(turn, found)
    case 'open':
      return showUncertain(turn, id)
    case 'article_yes':
    case 'article_no':
      await settleArticle(turn.deps, { communeId: found.communeId, campaignId: id, arrived: act === 'article_yes', actor: args.actor })
      return show(turn, id)
    case 'classes':
      return chooseClass(turn, id)
    default: {
      if (act.startsWith(RETRY)) return retry(turn, id, act)
      const [, kind, isChat, place] = /^(yes|no|skip)_(c?)(\d{1,12})$/.exec(act) ?? []
      if (kind) return settle(turn, id, isChat ? -Number(place) : Number(place), kind)
      return say(turn, 'tap.over')
    }
  }
}

async function done(turn: Turn, id: number, outcome: { type: 'done' } | Refused, key: string): Promise<void> {
  if (outcome.type === 'refused') say(turn, outcome.problem.key, outcome.problem.params)
  else say(turn, key)
  return show(turn, id)
}

async function show(turn: Turn, id: number): Promise<void> {
  const progress = await campaignProgress(turn.deps, id)
  if (!progress) return say(turn, 'tap.over')
  for (const text of progressTexts(progress, turn.now)) say(turn, text.key, text.params)
  const notices = await listVillageNotices(turn.deps, id)
  if (notices.length > 0 && progress.campaign.state !== 'cancelled') {
    say(turn, 'campaigns.notices', {
      total: notices.length,
      sent: notices.filter((notice) => notice.sentAt !== null).length,
      forwarded: notices.filter((notice) => notice.forwardedAt !== null).length,
    })
  }
  for (const tap of tapsFor(progress)) offer(turn, `campaign_${id}`, tap.act, tap.label.key, tap.label.params)
}

/** Where a campaign stands, so that the officer sees every person accounted for. */
export function progressTexts(
  { campaign, recipients, statuses, waiting, classes, perMinute, expectedAt, restsUntil }: CampaignProgress,
  now: Date,
): TextRef[] {
  const next = waiting.next ?? 0
  const open = statuses.waiting - next
  const out: TextRef[] = [
    {
      key: 'campaigns.head',
      params: {
        state: campaign.state,
        title: titleOf(campaign),
        why: campaign.state === 'paused' ? (campaign.pauseClass ?? 'by_hand') : 'none',
        detail: pauseText(campaign),
        at: campaign.scheduledAt ? `${formatTime(campaign.scheduledAt)} ${formatDate(campaign.scheduledAt)}` : '',
      },
    },
  ]
  if (campaign.recipients === null) return out
  const { done, of } = progressShare(recipients, statuses, next)
  out.push({
    key: 'campaigns.counts',
    params: {
      recipients,
      time: formatTime(now),
      date: formatDate(now),
      under_way: ['running', 'paused'].includes(campaign.state) && of > 0 ? 'yes' : 'no',
      done,
      of,
      percent: Math.floor(percentSent(recipients, statuses, next)),
      sent: statuses.sent,
      open,
      next,
      until: next > 0 && campaign.nextContactUntil ? formatDate(campaign.nextContactUntil) : 'none',
      failed: statuses.failed,
      skipped: statuses.skipped,
      expired: statuses.expired,
      cancelled: statuses.cancelled,
      uncertain: statuses.uncertain,
    },
  })
  const failed = failedLines(failedClasses(classes).slice(0, CLASSES_SHOWN))
  if (failed) out.push({ key: 'campaigns.failed', params: { lines: failed } })
  if (restsUntil && open > 0) out.push({ key: 'campaigns.resting', params: { time: formatTime(restsUntil), date: formatDate(restsUntil) } })
  if (expectedAt)
    out.push({
      key: 'campaigns.expected',
      params: {
        perMinute: Math.round(perMinute),
        left: durationText(Math.max(0, expectedAt.getTime() - now.getTime())),
        time: `${formatTime(expectedAt)} ${formatDate(expectedAt)}`,
      },
    })
  return out
}

/** Why it paused itself, in words: a share of messages, what the platform says of the account, or what kept it from beginning. */
function pauseText({ pauseClass, pauseDetail }: Campaign): TextRef | string {
  if (pauseDetail === null) return ''
  if (pauseClass === 'account') return failureText(pauseDetail)
  return pauseClass === 'cannot_start' ? TextRef.parse(JSON.parse(pauseDetail)) : pauseDetail
}

/** One line a class, each holding the next. */
function failedLines([first, ...rest]: CampaignProgress['classes']): TextRef | undefined {
  return (
    first && { key: 'campaigns.failed_line', params: { class: failureText(first.class), count: first.n, rest: failedLines(rest) ?? '' } }
  )
}

/** What a class of failures means to an officer. */
function failureText(name: string): TextRef {
  const ofFile = whyWordsOnly(name)
  return ofFile === undefined
    ? { key: 'campaign.failure', params: { class: name } }
    : { key: 'campaign.words_only', params: { class: failureText(ofFile) } }
}

/** Of those a message can be sent to by itself, how many have their result. */
function progressShare(recipients: number, { waiting, skipped }: CampaignProgress['statuses'], next: number): { done: number; of: number } {
  const of = Math.max(0, recipients - skipped - next)
  return { done: of - (waiting - next), of }
}

/** The same in percent; nobody to send to is all of them. */
export function percentSent(recipients: number, statuses: CampaignProgress['statuses'], next: number): number {
  const { done, of } = progressShare(recipients, statuses, next)
  return of === 0 ? 100 : (100 * done) / of
}

/** What can be done with a campaign in its state; at most as many as there are buttons. */
export function tapsFor({ campaign, statuses, classes }: CampaignProgress): { act: string; label: TextRef }[] {
  const label = (key: string, params?: TextRef['params']): TextRef => (params ? { key, params } : { key })
  const taps: { act: string; label: TextRef }[] = []
  if (campaign.state === 'running') taps.push({ act: 'pause', label: label('campaigns.pause') })
  if (campaign.state === 'paused') taps.push({ act: 'resume', label: label('campaigns.resume') })
  if (['running', 'paused', 'scheduled'].includes(campaign.state)) taps.push({ act: 'cancel', label: label('campaigns.cancel') })
  const [failed, ...others] = failedClasses(classes)
  if (failed && campaign.state !== 'cancelled') {
    if (others.length === 0) taps.push(retryTap(failed))
    else taps.push({ act: 'classes', label: label('campaigns.retry_which', { count: statuses.failed }) })
  }
  if (statuses.uncertain > 0) taps.push({ act: 'open', label: label('campaigns.uncertain', { count: statuses.uncertain }) })
  if (campaign.recipients !== null) taps.push({ act: 'list', label: label('campaigns.file') })
  if (campaign.state === 'done' || campaign.state === 'cancelled') taps.push({ act: 'certificate', label: label('campaigns.certificate') })
  else if (campaign.recipients !== null) taps.push({ act: 'show', label: label('campaigns.refresh') })
  return taps.slice(0, 5)
}

const failedClasses = (classes: CampaignProgress['classes']) => classes.filter((item) => item.status === 'failed')

const RETRY = 'retry_'
// What a tap can carry of a class's name; no two begin alike for so long
const CLASS_CHARS = 18
const retryAct = (name: string) => `${RETRY}${name.slice(0, CLASS_CHARS)}`
const retryTap = (item: { class: string; n: number }): { act: string; label: TextRef } => ({
  act: retryAct(item.class),
  label: { key: 'campaigns.retry', params: { class: failureText(item.class), count: item.n } },
})

/** Which failures to send to once more: each class with its count, to be tapped. */
async function chooseClass(turn: Turn, id: number): Promise<void> {
  const progress = await campaignProgress(turn.deps, id)
  const failed = failedClasses(progress?.classes ?? [])
  if (failed.length === 0) return say(turn, 'campaign.problem.nothing_to_retry')
  say(turn, 'campaigns.which_class')
  for (const item of failed.slice(0, CLASSES_SHOWN)) {
    const { act, label } = retryTap(item)
    offer(turn, `campaign_${id}`, act, label.key, label.params)
  }
}

async function retry(turn: Turn, id: number, act: string): Promise<void> {
  const progress = await campaignProgress(turn.deps, id)
  const item = failedClasses(progress?.classes ?? []).find((row) => retryAct(row.class) === act)
  if (!item) return say(turn, 'campaign.problem.nothing_to_retry')
  const outcome = await retryClass(turn.deps, { campaignId: id, class: item.class, actor: `contact:${turn.contact.id}` })
  if (outcome.type === 'refused') say(turn, outcome.problem.key, outcome.problem.params)
  else say(turn, 'campaigns.retried', { count: outcome.recipients })
  return show(turn, id)
}

// More than these nobody settles one by one on a phone
const UNCERTAIN_READ = 1_000
/** Of a person "12", of a chat nobody is registered on "c34". */
const placeOf = (personId: number) => (personId > 0 ? String(personId) : `c${-personId}`)

/** Messages nobody knows the end of, one at a time, from this person on: the officer asks them. */
async function showUncertain(turn: Turn, id: number, from?: number): Promise<void> {
  const byArticle = await uncertainByArticle(turn, id)
  if (byArticle > 0) {
    say(turn, 'campaigns.uncertain_article', { count: byArticle })
    offer(turn, `campaign_${id}`, 'article_yes', 'campaigns.article_there')
    offer(turn, `campaign_${id}`, 'article_no', 'campaigns.article_again')
    return
  }
  const listed = await listUncertain(turn.deps, { campaignId: id, limit: UNCERTAIN_READ })
  const one = listed.find((item) => item.personId === from) ?? listed[0]
  if (!one) return show(turn, id)
  const { personId, name, village } = one
  say(turn, 'campaigns.uncertain_one', {
    known: name === null ? 'no' : 'yes',
    who: name ?? { key: 'campaigns.nameless', params: { who: personId < 0 ? 'chat' : 'erased', number: -personId } },
    village: village ?? 'none',
    rest: listed.length - 1,
  })
  offer(turn, `campaign_${id}`, `yes_${placeOf(personId)}`, 'campaigns.arrived')
  offer(turn, `campaign_${id}`, `no_${placeOf(personId)}`, 'campaigns.not_arrived')
  if (listed.length > 1) offer(turn, `campaign_${id}`, `skip_${placeOf(personId)}`, 'campaigns.next_person')
  offer(turn, `campaign_${id}`, 'show', 'campaigns.back')
}

async function uncertainByArticle(turn: Turn, campaignId: number): Promise<number> {
  const { rows } = await readCounts(turn.deps.database.sql, turn.contact.communeId, campaignId)
  return rows.reduce((sum, row) => sum + (row.status === 'uncertain' && row.route === 'article' ? row.n : 0), 0)
}

async function settle(turn: Turn, id: number, personId: number, kind: string): Promise<void> {
  const listed = await listUncertain(turn.deps, { campaignId: id, limit: UNCERTAIN_READ })
  const next = listed[listed.findIndex((item) => item.personId === personId) + 1]
  if (kind !== 'skip') {
    const outcome = await settleByHand(turn.deps, {
      campaignId: id,
      personId,
      arrived: kind === 'yes',
      actor: `contact:${turn.contact.id}`,
    })
    if (outcome.type === 'refused') say(turn, outcome.problem.key, outcome.problem.params)
  }
  return showUncertain(turn, id, next?.personId)
}

async function sayCertificate(turn: Turn, id: number): Promise<void> {
  const run = await certificate(turn.deps, id)
  if (!run) return say(turn, 'tap.over')
  const when = (at: Date | null) => (at ? `${formatTime(at)} ${formatDate(at)}` : '–')
  say(turn, 'campaigns.certified', {
    id: run.campaignId,
    commune: run.commune,
    recipients: run.recipients,
    started: when(run.startedAt),
    finished: when(run.finishedAt),
    ...run.statuses,
    received: run.received,
    seen: run.seen,
    first: when(run.firstSentAt),
    last: when(run.lastSentAt),
    checksum: run.checksum,
  })
}

/** Everybody of the ledger by name: a link where our pages can be reached, else the file in the chat, else the names that matter most. */
async function offerList(turn: Turn, { id, communeId }: Campaign): Promise<void> {
  const rows = await listRows(turn, id)
  const { year, month, day } = vietnamTime(turn.now)
  const file = {
    name: `thong-bao-${id}-${year}-${month}-${day}.csv`,
    bytes: tableOf(turn, rows),
    contactId: turn.contact.id,
    action: 'campaigns' as const,
    unitId: communeId,
  }
  if (turn.deps.arePagesReachable) {
    say(turn, 'campaigns.file_ready', { rows: rows.length })
    turn.said.push({ type: 'link', label: { key: 'campaigns.file_open' }, url: await offerFile(turn.deps, file) })
    return
  }
  if (turn.channel.abilities.fileTypes.includes(CSV)) {
    const attachment = { kind: 'file' as const, name: file.name, contentType: CSV, path: await keepFile(turn.deps, file) }
    turn.said.push({ type: 'attachment', attachment, caption: { key: 'campaigns.file_here', params: { rows: rows.length } } })
    return
  }
  say(turn, 'campaigns.file_unreachable')
  const without = rows.filter((row) => row.status !== 'sent' && row.name !== null)
  const shown = without.slice(0, NAMES_SHOWN)
  if (shown.length === 0) return
  const lines = shown.map((row) => `• ${row.name} (${row.village ?? ''}): ${resultOf(turn, row)}`)
  say(turn, 'campaigns.not_reached', { lines: lines.join('\n'), more: without.length - shown.length })
}

const CSV = 'text/csv'
// Of the people a message did not reach; a longer list is not read on a phone
const NAMES_SHOWN = 15
// A leader goes to them with the phone in hand
const UNREACHED_SHOWN = 40

type ListRow = {
  person: number
  village: string | null
  name: string | null
  status: string
  route: string
  class: string | null
  sent: number | null
  received: number | null
  seen: number | null
}

async function listRows(turn: Turn, campaignId: number): Promise<ListRow[]> {
  return turn.deps.database.sql<ListRow[]>`
    SELECT r.person_id::float8 AS person, u.label || ' ' || u.name AS village, p.name, r.status, r.route, r.class,
      extract(epoch FROM r.sent_at)::float8 * 1000 AS sent, extract(epoch FROM r.received_at)::float8 * 1000 AS received,
      extract(epoch FROM r.seen_at)::float8 * 1000 AS seen
    FROM recipient r
    LEFT JOIN person p ON p.commune_id = r.commune_id AND p.id = r.person_id
    LEFT JOIN contact c ON c.id = r.contact_id
    LEFT JOIN unit u ON u.id = coalesce(p.village_id, c.came_by_unit_id)
    WHERE r.commune_id = ${turn.contact.communeId} AND r.campaign_id = ${campaignId}
    ORDER BY u.position NULLS LAST, p.name_key, r.person_id`
}

const COLUMNS = ['number', 'village', 'name', 'result', 'reason', 'sent', 'received', 'seen']

/** As a spreadsheet opens it: with a mark that it is UTF-8, and no cell that begins like a formula. */
function tableOf(turn: Turn, rows: readonly ListRow[]): string {
  const voice = voiceOf(turn)
  const when = (ms: number | null) => (ms === null ? '' : `${formatTime(new Date(ms))} ${formatDate(new Date(ms))}`)
  const table = [
    COLUMNS.map((name) => voice({ key: `campaigns.column.${name}` })),
    ...rows.map((row, index) => [
      String(index + 1),
      row.village ?? '',
      row.name ?? voice({ key: 'campaigns.nameless', params: { who: row.person < 0 ? 'chat' : 'erased', number: -row.person } }),
      resultOf(turn, row),
      reasonOf(turn, row),
      when(row.sent),
      when(row.received),
      when(row.seen),
    ]),
  ]
  return `\uFEFF${stringify(table, { escape_formulas: true })}`
}

const resultOf = (turn: Turn, { status, route }: ListRow): string =>
  voiceOf(turn)({ key: `campaigns.status.${status === 'waiting' && route === 'next' ? 'next' : status}` })

function reasonOf(turn: Turn, row: ListRow): string {
  if (row.class === null) return ''
  const key = `campaign.reason.${row.class}`
  const isKnown = turn.deps.content.texts[turn.contact.language].has(key)
  return voiceOf(turn)(isKnown ? { key } : failureText(row.class))
}

/** Under the notice a leader passes on, `notice_7`: "đã chuyển" is `v12`, the names it is for are `n12`. */
export async function actOnNotice(turn: Turn, campaignId: number, act: string): Promise<void> {
  const [, what, place] = /^([vn])(\d{1,12})$/.exec(act) ?? []
  const villageId = Number(place)
  const own = turn.roles.some((held) => held.role === 'village_lead' && held.unitId === villageId)
  const notice = own ? (await listVillageNotices(turn.deps, campaignId)).find((item) => item.villageId === villageId) : undefined
  if (!notice) return say(turn, 'tap.over')
  if (what === 'n') return sayUnreached(turn, notice)
  await markNoticeForwarded(turn.deps, { campaignId, villageId })
  say(turn, 'notice.thanks', { village: notice.village })
}

/** Whom no message of a campaign has reached in a village, by name: for its leader, who knows them. */
async function sayUnreached(turn: Turn, { campaignId, villageId, village }: VillageNotice): Promise<void> {
  const names = await listUnreached(turn.deps, { communeId: turn.contact.communeId, campaignId, villageId })
  if (names.length === 0) say(turn, 'notice.all_reached', { village })
  else {
    const lines = names.slice(0, UNREACHED_SHOWN).map((name) => `• ${name}`)
    say(turn, 'notice.names', { village, lines: lines.join('\n'), more: Math.max(0, names.length - UNREACHED_SHOWN) })
  }
  offer(turn, `notice_${campaignId}`, `v${villageId}`, 'notice.done')
}

/** "Soạn từ mẫu này" under an offer of one of the year's occasions. */
export async function actOnEvent(turn: Turn, place: number, act: string): Promise<void> {
  const event = findEvent(place)
  if (!event || act !== 'compose' || !turn.commune || rolesThatMay(turn.roles, 'broadcast').length === 0) return say(turn, 'tap.over')
  const { settings } = turn.commune
  if (!isTimely(event, settings, turn.now)) return say(turn, 'event.passed', { title: event.title })
  const text = eventText(event, settings, turn.now)
  const live = activeSession(turn)
  // The same offer, tapped again
  if (live?.loaded.flow.id === 'broadcast' && live.state.vars.text === text) return feed(turn, { type: 'again' })
  say(turn, 'event.text', { title: event.title, text })
  return startFlow(turn, 'broadcast', { text })
}

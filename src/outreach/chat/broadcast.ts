import { feed, startFlow } from '../../conversation/run-session.ts'
import { activeSession, type LiveSession, offer, say, type Turn, voiceOf } from '../../conversation/turn.ts'
import type { Var } from '../../engine/flow.ts'
import { fold } from '../../lib/fold.ts'
import { readMoment } from '../../lib/read-moment.ts'
import { formatDate, formatTime } from '../../lib/vietnam-time.ts'
import { rolesThatMay } from '../../registry/roles.ts'
import {
  cancelCampaign,
  changeCampaign,
  createCampaign,
  isTooFar,
  type Shown,
  scheduleCampaign,
  showCampaign,
  startCampaign,
} from '../campaign.ts'
import type { Refused } from '../refusal.ts'
import { firstSample } from '../samples.ts'
import { nextAllowed } from '../started-gate.ts'
import { findTwin } from '../twin.ts'
import { Kept } from './attachment.ts'
import { forgetAudience, leaves, ruleInWords, ruleOf } from './audience.ts'

type Result = Record<string, Var>

const NO_FILE = new Set(['khong', 'khong kem', 'khong co', 'bo anh', 'no', 'none'])
const VILLAGES_SHOWN = 10
const REASONS_SHOWN = 4
const VILLAGE_REASONS_SHOWN = 2

/** THÔNG BÁO: composes a broadcast; one that is open goes on. */
export async function broadcast(turn: Turn): Promise<void> {
  if (!turn.commune || !mayBroadcast(turn)) return say(turn, 'tap.over')
  if (activeSession(turn)?.loaded.flow.id === 'broadcast') return feed(turn, { type: 'again' })
  return startFlow(turn, 'broadcast')
}

const mayBroadcast = (turn: Turn) => rolesThatMay(turn.roles, 'broadcast').length > 0

/** Whoever has lost the role meanwhile sees nobody's name and sends nothing. */
function refuseOthers(turn: Turn): Result | undefined {
  if (mayBroadcast(turn)) return undefined
  say(turn, 'tap.over')
  return { _next: 'end' }
}

const actor = (turn: Turn) => `contact:${turn.contact.id}`
const draftOf = (live: LiveSession) => (typeof live.state.vars._campaign === 'number' ? live.state.vars._campaign : undefined)

function refuse(turn: Turn, { problem }: Refused): void {
  say(turn, problem.key, problem.params)
}

/** The words are sound, or it is said at once what is wrong with them. */
export async function checkBroadcast(turn: Turn, live: LiveSession): Promise<Result> {
  const { vars } = live.state
  if (leaves(vars.text)) return drop(turn, live)
  const outcome = await writeDraft(turn, live)
  if (!outcome) return { _next: 'on' }
  refuse(turn, outcome)
  return { _next: 'text' }
}

/** Other words in the place of the old ones, which stay until these are sound. */
export async function takeNewText(turn: Turn, live: LiveSession): Promise<Result> {
  const { vars } = live.state
  const before = vars.text ?? ''
  vars.text = vars.new_text ?? ''
  const outcome = await writeDraft(turn, live)
  if (!outcome) return { new_text: '', _next: 'on' }
  vars.text = before
  refuse(turn, outcome)
  return { new_text: '', _next: 'text' }
}

/** Makes the draft as it was said so far; what is wrong with it, if anything. */
async function writeDraft(turn: Turn, live: LiveSession): Promise<Refused | undefined> {
  const { vars } = live.state
  const text = String(vars.text ?? '')
  const attachment = attachmentOf(vars)
  const rule = ruleOf(turn, live)
  const known = draftOf(live)
  if (known !== undefined) {
    const outcome = await changeCampaign(turn.deps, {
      campaignId: known,
      text,
      attachment: attachment ?? null,
      rule,
      routes: { articleId: typeof vars._article === 'string' ? vars._article : '' },
    })
    return outcome.type === 'refused' ? outcome : undefined
  }
  const outcome = await createCampaign(turn.deps, {
    communeId: turn.contact.communeId,
    authorContactId: turn.contact.id,
    text,
    ...(attachment ? { attachment } : {}),
    rule,
  })
  if (outcome.type === 'refused') return outcome
  vars._campaign = outcome.campaignId
  return undefined
}

function attachmentOf(vars: Result): Kept | undefined {
  if (typeof vars._file !== 'string' || vars._file === '') return undefined
  return Kept.parse(JSON.parse(vars._file))
}

/** A picture or file came, or the officer wants none. */
export async function takeFile(turn: Turn, live: LiveSession): Promise<Result> {
  const { vars } = live.state
  const given = String(vars.file ?? '')
  if (leaves(given)) return drop(turn, live)
  const known = vars.where !== undefined
  if (NO_FILE.has(fold(given))) {
    vars._file = ''
    return { file: '', _next: known ? 'show' : 'on' }
  }
  if (!given.startsWith('{')) {
    say(turn, 'broadcast.file_how')
    return { file: '', _next: 'file' }
  }
  vars._file = given
  const refused = await writeDraft(turn, live)
  if (!refused) return { file: '', _next: known ? 'show' : 'on' }
  vars._file = ''
  refuse(turn, refused)
  return { file: '', _next: 'file' }
}

/** Counts, ways and reasons by bản, how it reads to two people, how long it takes and what it may cost. */
export async function showBroadcast(turn: Turn, live: LiveSession): Promise<Result> {
  const over = refuseOthers(turn)
  if (over) return over
  const refused = await writeDraft(turn, live)
  const campaignId = draftOf(live)
  if (refused || campaignId === undefined) {
    if (refused) refuse(turn, refused)
    const key = refused?.problem.key ?? ''
    return { _next: key.includes('file') ? 'file' : /text|variable|brace|too_long/.test(key) ? 'text' : 'where' }
  }
  const words = ruleInWords(turn, live, ruleOf(turn, live))
  if (words) say(turn, 'broadcast.rule', { lines: words })
  const outcome = await showCampaign(turn.deps, { campaignId })
  if (outcome.type === 'refused') {
    refuse(turn, outcome)
    // Without the article the messages can go
    if (outcome.problem.key.endsWith('article_readers')) {
      live.state.vars._article = ''
      return showBroadcast(turn, live)
    }
    forgetAudience(live)
    return { _next: 'where' }
  }
  sayShown(turn, outcome)
  return { people: outcome.preview.people, _next: 'on' }
}

function sayShown(turn: Turn, { preview, estimate, samples }: Shown): void {
  const voice = voiceOf(turn)
  const reason = ({ reason, n }: { reason: string; n: number }) => `${n} ${voice(reasonText(turn, reason))}`
  const { routes } = preview
  say(turn, 'broadcast.people', {
    people: preview.people,
    now: (routes.now ?? 0) + (routes.telegram ?? 0) + (routes.zbs ?? 0),
    next: routes.next ?? 0,
    village: routes.village ?? 0,
    article: routes.article ?? 0,
    none: routes.none ?? 0,
  })
  const reasons = preview.reasons.filter((item) => item.reason !== 'village_notice').slice(0, REASONS_SHOWN)
  if (reasons.length > 0) say(turn, 'broadcast.reasons', { lines: reasons.map((item) => `• ${reason(item)}`).join('\n') })
  const villages = [...preview.villages].sort((a, b) => b.people - a.people)
  if (villages.length > 1) {
    const lines = villages.slice(0, VILLAGES_SHOWN).map(({ title, people, routes: ways, reasons: why }) =>
      voice({
        key: 'broadcast.village_line',
        params: {
          village: title || 'none',
          people,
          now: (ways.now ?? 0) + (ways.telegram ?? 0) + (ways.zbs ?? 0),
          next: ways.next ?? 0,
          rest: people - (ways.now ?? 0) - (ways.telegram ?? 0) - (ways.zbs ?? 0) - (ways.next ?? 0),
          why: why.slice(0, VILLAGE_REASONS_SHOWN).map(reason).join(', ') || 'none',
        },
      }),
    )
    say(turn, 'broadcast.villages', { lines: lines.join('\n'), more: Math.max(0, villages.length - VILLAGES_SHOWN) })
  }
  for (const sample of samples) say(turn, 'broadcast.sample', { name: sample.name, village: sample.village, text: sample.message.text })
  say(turn, 'broadcast.estimate', {
    messages: estimate.messages,
    duration: voice(durationText(estimate.durationMs)),
    perMinute: Math.round(Math.max(0, ...estimate.accounts.map((account) => account.perMinute))),
    billed: estimate.billed,
    cost: estimate.cost,
  })
}

function reasonText(turn: Turn, reason: string): { key: string } {
  const key = `campaign.reason.${reason}`
  return turn.deps.content.texts[turn.contact.language].has(key) ? { key } : { key: 'campaign.reason.unreachable' }
}

/** "12 phút", "2 giờ 5 phút" */
export function durationText(ms: number) {
  const minutes = Math.max(1, Math.ceil(ms / 60_000))
  return { key: 'broadcast.duration', params: { hours: Math.floor(minutes / 60), minutes: minutes % 60 } }
}

/** "Gửi thử": an answer to the officer, which stands in no ledger; sent like every answer, once the turn is committed. */
export async function testBroadcast(turn: Turn, live: LiveSession): Promise<Result> {
  const campaignId = draftOf(live)
  if (campaignId === undefined || !mayBroadcast(turn)) return {}
  const outcome = await firstSample(turn.deps, campaignId)
  if (outcome.type === 'refused') refuse(turn, outcome)
  else {
    turn.said.push({ type: 'message', message: { ...outcome.message, otherwise: 'broadcast.test_failed' } })
    say(turn, 'broadcast.tested')
  }
  return {}
}

/** "Gửi ngay": in quiet hours it is said when the first message will leave. */
export async function chooseNow(turn: Turn): Promise<Result> {
  const at = turn.commune && nextAllowed(turn.now, turn.commune.settings)
  if (at && at > turn.now) say(turn, 'broadcast.quiet_now', { time: formatTime(at), date: formatDate(at) })
  return { _at: '' }
}

/** "8 giờ sáng mai" */
export async function takeWhen(turn: Turn, live: LiveSession): Promise<Result> {
  const text = String(live.state.vars.when ?? '')
  if (leaves(text)) return { _next: 'end' }
  const at = readMoment(text, turn.now)
  if (!at) {
    say(turn, 'broadcast.when_unclear')
    return { _next: 'when' }
  }
  if (at <= turn.now) {
    say(turn, 'campaign.problem.time_past', { time: `${formatTime(at)} ${formatDate(at)}` })
    return { _next: 'when' }
  }
  if (isTooFar(at, turn.now)) {
    say(turn, 'campaign.problem.too_far')
    return { _next: 'when' }
  }
  const open = turn.commune && nextAllowed(at, turn.commune.settings)
  if (open && open > at) say(turn, 'broadcast.quiet_when', { time: formatTime(open), date: formatDate(open) })
  const campaignId = draftOf(live)
  const shown = campaignId === undefined ? undefined : await showCampaign(turn.deps, { campaignId, startAt: at })
  if (shown?.type === 'shown') {
    const { finishedAt } = shown.estimate
    say(turn, 'broadcast.when_taken', {
      time: formatTime(at),
      date: formatDate(at),
      people: shown.preview.people,
      finished: `${formatTime(finishedAt)} ${formatDate(finishedAt)}`,
    })
    live.state.vars.people = shown.preview.people
  }
  return { _at: at.toISOString(), _next: 'on' }
}

/** The number of people, typed: only then anything is sent. */
export async function startBroadcast(turn: Turn, live: LiveSession): Promise<Result> {
  const over = refuseOthers(turn)
  if (over) return over
  const { vars } = live.state
  const text = String(vars.confirm ?? '')
  const campaignId = draftOf(live)
  if (campaignId === undefined || leaves(text)) {
    say(turn, 'broadcast.not_sent')
    return { _next: 'review' }
  }
  const figures = text.replace(/[.\s](?=\d{3}(\D|$))/g, '').match(/\d+/g)
  if (figures?.length !== 1) {
    say(turn, 'broadcast.number_please')
    return { _next: 'confirm' }
  }
  const hours = turn.commune?.settings.get('campaign.same_words_hours') ?? 0
  const twin = await findTwin(turn.tx, { communeId: turn.contact.communeId, campaignId, hours, now: turn.now })
  if (twin) {
    say(turn, 'broadcast.twin', { state: twin.state, time: formatTime(twin.at), date: formatDate(twin.at) })
    return { _next: 'review' }
  }
  const given = { campaignId, confirmed: Number(figures[0]), actor: actor(turn) }
  const at = typeof vars._at === 'string' && vars._at !== '' ? new Date(vars._at) : undefined
  const outcome = at ? await scheduleCampaign(turn.deps, { ...given, at }) : await startCampaign(turn.deps, given)
  if (outcome.type === 'refused') {
    refuse(turn, outcome)
    const { key } = outcome.problem
    // Somebody else confirmed it, or this very tap did before: nothing is left to do here
    if (key.endsWith('wrong_state') || key.endsWith('unknown')) return { _next: 'end' }
    return { _next: key.endsWith('wrong_number') ? 'confirm' : key.endsWith('not_shown') ? 'show' : 'review' }
  }
  if (outcome.type === 'scheduled') say(turn, 'broadcast.scheduled', { time: formatTime(outcome.at), date: formatDate(outcome.at) })
  else say(turn, 'broadcast.started', { recipients: outcome.recipients })
  offer(turn, `campaign_${campaignId}`, 'show', 'campaigns.progress')
  if (outcome.type === 'started') offer(turn, `campaign_${campaignId}`, 'pause', 'campaigns.pause')
  offer(turn, `campaign_${campaignId}`, 'cancel', 'campaigns.cancel')
  return { _next: 'end' }
}

export async function dropBroadcast(turn: Turn, live: LiveSession): Promise<Result> {
  return drop(turn, live)
}

async function drop(turn: Turn, live: LiveSession): Promise<Result> {
  const campaignId = draftOf(live)
  if (campaignId !== undefined) await cancelCampaign(turn.deps, { campaignId, actor: actor(turn) })
  say(turn, 'broadcast.dropped')
  return { _next: 'end' }
}

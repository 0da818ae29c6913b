import type { AudienceRule, CampaignRoutes, CampaignState, campaign } from '../db/schema.ts'
import type { OutboundMessage, OutboundStatus } from '../model/outbound.ts'
import type { TextRef } from '../model/text.ts'
import type { AudiencePreview, Route } from './audience.ts'
import type { OutreachDeps } from './deps.ts'

export type Campaign = typeof campaign.$inferSelect

/** What was asked for cannot be done; `problem` says why and what to do, for the officer's chat. Nothing was changed or sent. */
export type Refused = { type: 'refused'; problem: TextRef }

/** Who acts: `contact:12`, `cli`, `system`; goes into the audit trail. */
export type Actor = string

export type Attachment = NonNullable<OutboundMessage['attachment']>

export type CampaignDraft = {
  communeId: number
  authorContactId: number | null
  /** With variables: {tên}, {xưng hô}, {bản}, {còn thiếu}; with or without diacritics. */
  text: string
  attachment?: Attachment
  rule: AudienceRule
  /** Absent ways are the commune's settings. */
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

export type Estimate = {
  /** Messages that go out at once, through which accounts, and at what pace each may. */
  accounts: { accountId: number; messages: number; perMinute: number }[]
  messages: number
  /** From the start to the last message, quiet hours included. */
  durationMs: number
  finishedAt: Date
  /** Messages beyond the free part of the window, and templates by phone. */
  billed: number
}

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
  /** SHA-256 over the rows of the ledger in the order of the export, hex. */
  checksum: string
}

/** One whose message may or may not have arrived; settled by the platform's echo or by hand. */
export type UncertainRecipient = {
  personId: number
  name: string | null
  village: string | null
  class: string | null
  claimedAt: Date | null
}

const notYet = (): never => {
  throw new Error('not built yet')
}

/** Stores a draft once text, file and rule were found sound. */
export const createCampaign = (_deps: OutreachDeps, _draft: CampaignDraft): Promise<CreateOutcome> => notYet()

export type ChangeArgs = { campaignId: number } & Partial<Pick<CampaignDraft, 'text' | 'attachment' | 'rule' | 'routes'>>
/** Changes a draft. What was shown before has to be shown again. */
export const changeCampaign = (_deps: OutreachDeps, _args: ChangeArgs): Promise<ChangeOutcome> => notYet()

/** Counts the audience, estimates the sending, makes two samples, and keeps the number that has to be typed. */
export const showCampaign = (
  _deps: OutreachDeps,
  _args: { campaignId: number; startAt?: Date },
): Promise<({ type: 'shown' } & Shown) | Refused> => notYet()

/** Sends the message as the first sample would see it to the officer's own chat. Counts as an answer to the officer, not as a campaign. */
export const testToSelf = (_deps: OutreachDeps, _args: { campaignId: number; contactId: number }): Promise<TestOutcome> => notYet()

export type StartArgs = { campaignId: number; confirmed: number; actor: Actor }
/** Freezes the audience in one statement and begins. `confirmed`: the number the officer typed. A second start is refused. */
export const startCampaign = (_deps: OutreachDeps, _args: StartArgs): Promise<StartOutcome> => notYet()

/** Starts it at a time to come; the audience is frozen then. */
export const scheduleCampaign = (_deps: OutreachDeps, _args: StartArgs & { at: Date }): Promise<ScheduleOutcome> => notYet()

export const pauseCampaign = (_deps: OutreachDeps, _args: { campaignId: number; actor: Actor }): Promise<StateOutcome> => notYet()
export const resumeCampaign = (_deps: OutreachDeps, _args: { campaignId: number; actor: Actor }): Promise<StateOutcome> => notYet()
/** What waits becomes `cancelled`; what is being sent at this moment still gets its result. A draft or schedule is simply dropped. */
export const cancelCampaign = (_deps: OutreachDeps, _args: { campaignId: number; actor: Actor }): Promise<StateOutcome> => notYet()

/** Sends once more to those who failed with this class. `uncertain` is no failure and is never retried this way. */
export const retryClass = (_deps: OutreachDeps, _args: { campaignId: number; class: string; actor: Actor }): Promise<RetryOutcome> =>
  notYet()

export const campaignProgress = (_deps: OutreachDeps, _campaignId: number): Promise<CampaignProgress> => notYet()
export const listCampaigns = (_deps: OutreachDeps, _args: { communeId: number; limit?: number }): Promise<Campaign[]> => notYet()
export const findCampaign = (_deps: OutreachDeps, _campaignId: number): Promise<Campaign | undefined> => notYet()

/** The run in figures; once it is done, kept with its checksum. */
export const certificate = (_deps: OutreachDeps, _campaignId: number): Promise<Certificate> => notYet()

export const listUncertain = (_deps: OutreachDeps, _args: { campaignId: number; limit?: number }): Promise<UncertainRecipient[]> => notYet()
export type SettleArgs = { campaignId: number; personId: number; arrived: boolean; actor: Actor }
/** An officer asked the person: it arrived (`sent`), or it did not and goes out once more. */
export const settleByHand = (_deps: OutreachDeps, _args: SettleArgs): Promise<StateOutcome> => notYet()

/** Notices for leaders to pass on, with how many people each is for. */
export type VillageNotice = {
  villageId: number
  village: string
  leaderContactId: number
  people: number
  sentAt: Date | null
  forwardedAt: Date | null
}
export const listVillageNotices = (_deps: OutreachDeps, _campaignId: number): Promise<VillageNotice[]> => notYet()
export const markNoticeSent = (
  _deps: OutreachDeps,
  _args: { campaignId: number; villageId: number; outboundMessageId: number },
): Promise<void> => notYet()
export const markNoticeForwarded = (_deps: OutreachDeps, _args: { campaignId: number; villageId: number }): Promise<void> => notYet()

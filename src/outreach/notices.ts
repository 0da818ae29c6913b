import { randomUUID } from 'node:crypto'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { and, desc, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { capitalise } from '../content/texts.ts'
import type { Deps } from '../conversation/deps.ts'
import type { Said } from '../conversation/said.ts'
import type { AccountRow } from '../conversation/turn.ts'
import {
  account as accountTable,
  campaign as campaignTable,
  contact as contactTable,
  roleGrant,
  unit,
  villageNotice,
} from '../db/schema.ts'
import { formatDate } from '../lib/vietnam-time.ts'
import { type Unit, unitTitle } from '../registry/units.ts'
import { atTime, dayOf } from './calendar.ts'
import { percentSent, progressTexts, tapsFor } from './chat/campaigns.ts'
import { writeDigest } from './digests.ts'
import { dueEvents, eventText, isThemeOpen } from './events.ts'
import { NOTICES } from './files.ts'
import { drawNotice } from './notice-picture.ts'
import { findReader, note, post, type Reader, tap } from './post.ts'
import { campaignProgress } from './progress.ts'
import { findCommunes } from './reminders.ts'
import { staffFor } from './staff.ts'
import { mayStartNow } from './started-gate.ts'
import { parseTemplate, render } from './template.ts'

const OFFERED_AT = '08:30'
const MILESTONES = [25, 50, 75, 100]

/** Notices for leaders to pass on, and news of running campaigns. Each is written once; safe to repeat. */
export async function runNotices(deps: Deps, now: Date): Promise<void> {
  await sendVillageNotices(deps, now)
  await tellProgress(deps, now)
}

/** The sheet a leader passes on and prints, with the code that leads to the village's own page, or without a public address to the account. */
async function noticePicture(
  deps: Pick<Deps, 'exportsDir' | 'publicUrl' | 'content'>,
  {
    campaignId,
    village,
    commune,
    text,
    zaloId,
  }: { campaignId: number; village: Unit; commune: string; text: string; zaloId: string | undefined },
): Promise<string> {
  const code = village.joinCode ?? ''
  const path = join(deps.exportsDir, NOTICES, `${campaignId}-${code}.png`)
  if (await stat(path).catch(() => undefined)) return path
  const own = deps.publicUrl()
  const target = own.startsWith('https://') || zaloId === undefined ? `${own}/b/${code}` : `https://zalo.me/${zaloId}`
  const word = (key: string) => deps.content.texts.vi.format({ key: `notice.paper.${key}`, params: { code } }, { commune })
  const words = {
    from: word('from'),
    title: word('title'),
    village: capitalise(unitTitle(village)),
    text,
    scan: word('scan'),
    code: word('code'),
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // Under its name it is whole: another run may look for it at any moment
  const half = `${path}.${randomUUID()}.part`
  await writeFile(half, await drawNotice(words, target), { mode: 0o600 })
  await rename(half, path)
  return path
}

/** To each leader whose village a campaign could not reach: words and picture to pass on as they are, and a tap to say it was done. */
async function sendVillageNotices(deps: Deps, now: Date): Promise<void> {
  const { db } = deps.database
  const rows = await db
    .select({ notice: villageNotice, campaign: campaignTable, village: unit })
    .from(villageNotice)
    .innerJoin(campaignTable, eq(campaignTable.id, villageNotice.campaignId))
    .innerJoin(unit, eq(unit.id, villageNotice.villageId))
    .where(
      and(
        isNull(villageNotice.sentAt),
        inArray(campaignTable.state, ['running', 'done']),
        // As long as it would still be brought to people who write, and a week at least: an old one is no news to pass on
        sql`greatest(${campaignTable.nextContactUntil}, ${campaignTable.startedAt} + interval '7 days') > ${now.toISOString()}::timestamptz`,
      ),
    )
  for (const { notice, campaign, village } of rows) {
    const commune = await deps.communes.get(notice.communeId)
    const parsed = parseTemplate(campaign.text, Number.POSITIVE_INFINITY)
    // Who cannot be written to today may be tomorrow: the notice waits, and CHIẾN DỊCH shows how many do
    const leader = parsed.type === 'refused' ? undefined : await findLeader(deps, village.id, now)
    if (!leader || parsed.type === 'refused') continue
    const { to, account } = leader
    const facts = { language: 'vi' as const, name: null, address: null, village: unitTitle(village), commune: commune.unit.name }
    const words = render(parsed.template, facts, { texts: deps.content.texts.vi, sets: deps.content.sets })
    const code = village.joinCode ?? ''
    const zaloId = account.channel === 'zalo' ? account.externalId : undefined
    const path = await noticePicture(deps, { campaignId: campaign.id, village, commune: commune.unit.name, text: words, zaloId })
    const written = await db.transaction(async (tx) => {
      const [open] = await tx
        .select({ sentAt: villageNotice.sentAt })
        .from(villageNotice)
        .where(and(eq(villageNotice.campaignId, campaign.id), eq(villageNotice.villageId, village.id)))
        .for('update')
      if (!open || open.sentAt !== null) return undefined
      const picture: Said = {
        type: 'attachment',
        attachment: { kind: 'image', name: `thong-bao-${code}.png`, contentType: 'image/png', path },
        caption: { key: 'notice.forward', params: { text: words, code, village: unitTitle(village) } },
      }
      await post(deps, tx, { to, cause: 'digest', said: [picture], now })
      const ask = [
        note('notice.ask', { village: unitTitle(village), people: notice.people }),
        tap(`notice_${campaign.id}`, `v${village.id}`, 'notice.done'),
        tap(`notice_${campaign.id}`, `n${village.id}`, 'notice.who'),
      ]
      const outboundId = await post(deps, tx, { to, cause: 'digest', said: ask, now })
      if (outboundId !== undefined)
        await tx
          .update(villageNotice)
          .set({ sentAt: now, outboundMessageId: outboundId, leaderContactId: to.contact.id })
          .where(and(eq(villageNotice.campaignId, campaign.id), eq(villageNotice.villageId, village.id)))
      return outboundId
    })
    if (written !== undefined) deps.wake(to.contact.id)
  }
}

/** Of those who lead a village now, whoever wrote last and may be written to at this moment. */
async function findLeader(deps: Deps, villageId: number, now: Date): Promise<{ to: Reader; account: AccountRow } | undefined> {
  const { db } = deps.database
  const leaders = await db
    .select({ contactId: contactTable.id, account: accountTable })
    .from(roleGrant)
    .innerJoin(contactTable, eq(contactTable.id, roleGrant.contactId))
    .innerJoin(accountTable, eq(accountTable.id, contactTable.accountId))
    .where(and(eq(roleGrant.unitId, villageId), eq(roleGrant.role, 'village_lead'), isNull(roleGrant.revokedAt)))
    .orderBy(desc(contactTable.lastInboundAt), roleGrant.id)
  for (const { contactId, account } of leaders) {
    const to = await findReader(db, contactId)
    const channel = to && (await deps.channelOf(account.id))
    if (!to || !channel) continue
    const commune = await deps.communes.get(to.contact.communeId)
    if (mayStartNow({ contact: to.contact, commune, abilities: channel.abilities, cause: 'digest', now }).kind === 'go')
      return { to, account }
  }
  return undefined
}

/** At each quarter of a campaign, when it pauses itself and when it is done, its author is told; CHIẾN DỊCH shows it at any time. */
async function tellProgress(deps: Deps, now: Date): Promise<void> {
  const since = new Date(now.getTime() - 2 * 86_400_000)
  const rows = await deps.database.db
    .select()
    .from(campaignTable)
    .where(
      or(
        inArray(campaignTable.state, ['running', 'paused']),
        and(eq(campaignTable.state, 'done'), sql`${campaignTable.finishedAt} > ${since.toISOString()}::timestamptz`),
      ),
    )
  for (const row of rows) {
    if (row.authorContactId === null || row.recipients === null) continue
    const progress = await campaignProgress(deps, row.id)
    if (!progress) continue
    const percent = percentSent(row.recipients, progress.statuses, progress.waiting.next ?? 0)
    const reached = MILESTONES.filter((mark) => percent >= mark).at(-1)
    const itself = row.state === 'paused' && row.pauseClass !== 'by_hand' ? `pause:${row.failuresFrom?.getTime() ?? 0}` : undefined
    const mark = itself ?? (row.state === 'done' ? 'done' : reached === undefined ? undefined : String(reached))
    if (mark === undefined) continue
    const said: Said[] = [
      ...progressTexts(progress, now).map((text): Said => ({ type: 'note', text })),
      ...tapsFor(progress).map((item): Said => ({ type: 'tap', label: item.label, ref: `campaign_${row.id}`, act: item.act })),
    ]
    const args = { communeId: row.communeId, contactId: row.authorContactId, kind: `campaign:${row.id}`, day: mark, said, now }
    if (await writeDigest(deps, args)) deps.wake(row.authorContactId)
  }
}

/** A prepared text ahead of each occasion, once, to every officer who may send one; a human always confirms. Safe to repeat. */
export async function offerEvents(deps: Deps, now: Date): Promise<void> {
  if (now < atTime(dayOf(now), OFFERED_AT)) return
  for (const communeId of await findCommunes(deps)) {
    const { settings } = await deps.communes.get(communeId)
    for (const { event, place, day } of dueEvents(now, settings)) {
      for (const { contactId } of await staffFor(deps.database.db, 'broadcast', [communeId])) {
        const said = [
          note('event.offer', {
            title: event.title,
            date: formatDate(new Date(`${day}T05:00:00Z`)),
            text: eventText(event, settings, new Date(`${day}T05:00:00Z`)),
          }),
          ...(isThemeOpen(event, new Date(`${day}T05:00:00Z`)) ? [note('event.theme_open')] : []),
          tap(`event_${place}`, 'compose', 'event.compose'),
          tap('window_0', 'keep', 'event.not_now'),
        ]
        if (await writeDigest(deps, { communeId, contactId, kind: `event:${event.id}`, day, said, now })) deps.wake(contactId)
      }
    }
  }
}

import { and, eq, isNull, ne } from 'drizzle-orm'
import { account as accountTable, audit, consent, contact as contactTable, person as personTable, ticket } from '../db/schema.ts'
import { vietnamTime } from '../lib/vietnam-time.ts'
import { mergeRecipients } from '../outreach/merge-recipients.ts'
import { openTicket } from '../outreach/tickets.ts'
import { findNomination } from '../recognition/nominations.ts'
import { parseInvitationCode } from '../registry/codes.ts'
import { createLinkCode, findLinkCode, type LinkCodeRow, useLinkCode } from '../registry/link-codes.ts'
import { mayTryCode } from '../registry/roles.ts'
import { ownConsents, refreshFamily } from './actions.ts'
import { isSamePerson, mergePeople } from './merge-people.ts'
import { setStatus } from './sessions.ts'
import { type AccountRow, type PersonRow, say, type Turn } from './turn.ts'

/** The commune's account on another platform, as long as it can be used; a person of one chat may come by it too. */
export async function findOtherAccount(turn: Turn): Promise<AccountRow | undefined> {
  const rows = await turn.tx
    .select()
    .from(accountTable)
    .where(and(eq(accountTable.communeId, turn.contact.communeId), ne(accountTable.channel, turn.account.channel)))
  for (const row of rows) if (await turn.deps.channelOf(row.id)) return row
  return undefined
}

/** Says the code by which this person's other chat is joined. */
export async function offerLink(turn: Turn): Promise<void> {
  const { tx, deps, contact, person, now } = turn
  const other = await findOtherAccount(turn)
  if (!other || !person) return say(turn, 'link.no_other')
  const randomInt = (below: number) => deps.randomInt(below)
  const code = await createLinkCode({ tx, sealer: deps.sealer, randomInt }, { contact, personId: person.id, now })
  say(turn, 'link.code', { code, channel: { key: `channel.${other.channel}` }, url: chatUrl(other, code) })
}

function chatUrl({ channel, externalId, traits }: AccountRow, code: string): string {
  if (channel === 'zalo') return `https://zalo.me/${externalId}`
  return `https://t.me/${traits.username ?? ''}?start=${parseInvitationCode(code)}`
}

/**
 * Takes a typed code for one that joins this chat to a person. False: it is none, and may be an invitation. What is wrong with a code is
 * counted by the invitations' guard, which this one obeys too.
 */
export async function joinByCode(turn: Turn, typed: string): Promise<boolean> {
  const { tx, deps, contact, now } = turn
  const code = await findLinkCode(tx, deps.sealer, { communeId: contact.communeId, code: typed })
  if (!code) return false
  const [owner] = await tx
    .select()
    .from(personTable)
    .where(and(eq(personTable.communeId, code.communeId), eq(personTable.id, code.personId)))
  if (!(await mayTryCode(tx, contact.id, now))) say(turn, 'code.too_many_tries')
  else if (code.usedAt) say(turn, 'link.used')
  else if (code.expiresAt <= now || !owner) say(turn, 'link.expired')
  else if (contact.personId === owner.id) say(turn, code.contactId === contact.id ? 'link.here' : 'link.already')
  else await join(turn, code, owner)
  return true
}

async function join(turn: Turn, code: LinkCodeRow, owner: PersonRow): Promise<void> {
  const { tx, contact, now } = turn
  const other = turn.person
  if (other && !isSamePerson(owner, other)) {
    // Maybe a helper's phone, maybe a typing error in a name: a human looks, and nothing of either is mixed
    await openTicket(turn, { kind: 'help', question: 'join' })
    return say(turn, 'link.other_person', { name: other.name })
  }
  turn.person = other ? await mergePeople(turn, owner, other) : owner
  contact.personId = owner.id
  await tx.update(contactTable).set({ personId: owner.id }).where(eq(contactTable.id, contact.id))
  // A notice on its way to one of the chats, or to who was known as two, reaches the person once
  const chats = await tx
    .select({ id: contactTable.id })
    .from(contactTable)
    .where(and(eq(contactTable.communeId, owner.communeId), eq(contactTable.personId, owner.id)))
  const others = [...(other ? [other.id] : []), ...chats.map(({ id }) => -id)]
  await mergeRecipients(tx, { communeId: owner.communeId, kept: owner.id, others, now })
  await tx
    .update(consent)
    .set({ personId: owner.id })
    .where(and(ownConsents(turn), isNull(consent.personId)))
  await tx
    .update(ticket)
    .set({ personId: owner.id })
    .where(and(eq(ticket.contactId, contact.id), isNull(ticket.personId)))
  await useLinkCode(tx, code, { contactId: contact.id, now })
  await tx.insert(audit).values({
    communeId: contact.communeId,
    at: now,
    actor: `contact:${contact.id}`,
    action: 'contact.join',
    subject: `person:${owner.id}`,
    detail: { fromContact: code.contactId, ...(other ? { mergedPerson: other.id } : {}) },
  })
  turn.hasDeclined = false
  for (const live of turn.sessions) if (live.loaded.flow.id === 'welcome' && live.status !== 'ended') await setStatus(turn, live, 'ended')
  const year = vietnamTime(now).year
  const own = await findNomination(tx, { communeId: owner.communeId, year, title: 'CDHT', subjectId: owner.id })
  if (other && own) await refreshFamily(turn, own, turn.person)
  say(turn, 'link.joined', { name: owner.name })
}

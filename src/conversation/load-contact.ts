import { and, asc, desc, eq, inArray, isNull, notInArray } from 'drizzle-orm'
import type { Channel } from '../channels/channel.ts'
import type { Tx } from '../db/connect.ts'
import {
  account as accountTable,
  consent,
  contact as contactTable,
  inboundEvent,
  NO_COMMUNE,
  outboundMessage,
  person as personTable,
} from '../db/schema.ts'
import { REPORT_KINDS } from '../model/inbound.ts'
import { rolesOf } from '../registry/roles.ts'
import type { PlatformAnswers } from './ask-platform.ts'
import type { Deps } from './deps.ts'
import { loadShown, type Shown } from './seen.ts'
import { loadSessions } from './sessions.ts'
import { TALK_CAUSES } from './started.ts'
import type { ContactRow, Turn } from './turn.ts'

export type EventRow = typeof inboundEvent.$inferSelect
/** A message that waits to be sent, or is being sent. */
export type WaitingMessage = Pick<
  typeof outboundMessage.$inferSelect,
  'id' | 'cause' | 'createdAt' | 'claimedBy' | 'notBefore' | 'bodyEnc' | 'attempts'
>

/** A contact, locked, with all that waits for it and all a turn stands on. */
export type LoadedContact = Pick<Turn, 'deps' | 'tx' | 'now' | 'contact' | 'account' | 'channel' | 'sessions' | 'person' | 'roles'> & {
  /** In the order they are answered in; at most one more than was asked for. Reports are none (absorb-reports.ts). */
  events: EventRow[]
  /** In their order. */
  messages: WaitingMessage[]
  shown: Shown
}

/** Locks a contact for this transaction and loads it, with `most` events and one; undefined while its account cannot be used. */
export async function loadContact(
  deps: Deps,
  tx: Tx,
  { contactId, most }: { contactId: number; most: number },
): Promise<LoadedContact | undefined> {
  const [locked] = await tx
    .select({ contact: contactTable, account: accountTable })
    .from(contactTable)
    .innerJoin(accountTable, eq(accountTable.id, contactTable.accountId))
    .where(eq(contactTable.id, contactId))
    .for('update', { of: contactTable })
  const channel = locked && (await deps.channelOf(locked.account.id))
  if (!channel) return undefined
  const now = deps.now()
  const { orders } = channel.abilities
  const [events, sessions, messages, shown, person, roles] = await Promise.all([
    loadEvents(tx, { contactId, most, orders }),
    loadSessions(tx, deps, contactId),
    loadMessages(tx, contactId),
    loadShown(tx, contactId, orders),
    loadPerson(tx, locked.contact),
    rolesOf(tx, contactId),
  ])
  return { deps, tx, now, ...locked, channel, events, sessions, messages, shown, person, roles }
}

/** A turn of this contact, in which nothing is decided yet. */
export async function beginTurn(loaded: LoadedContact, answers: PlatformAnswers): Promise<Turn> {
  const { deps, tx, now, contact, account, channel, person, roles, sessions } = loaded
  return {
    deps,
    tx,
    now,
    contact,
    account,
    channel,
    commune: contact.communeId === NO_COMMUNE ? undefined : await deps.communes.get(contact.communeId),
    person,
    roles,
    hasDeclined: person === undefined && (await hasDeclined(tx, contact)),
    sessions,
    nominations: new Map(),
    tallies: [],
    saidAtMs: 0,
    heard: '',
    said: [],
    answers,
    wake: new Set(),
  }
}

async function loadEvents(
  tx: Tx,
  { contactId, most, orders }: { contactId: number; most: number; orders: Channel['abilities']['orders'] },
): Promise<EventRow[]> {
  return (
    tx
      .select()
      .from(inboundEvent)
      .where(and(eq(inboundEvent.contactId, contactId), isNull(inboundEvent.handledAt), notInArray(inboundEvent.kind, [...REPORT_KINDS])))
      // A tap on an old message has an old place: where places count, the order of arrival is the order of what was done
      .orderBy(...(orders === 'clock' ? [asc(inboundEvent.order)] : []), asc(inboundEvent.id))
      .limit(most + 1)
  )
}

async function loadMessages(tx: Tx, contactId: number): Promise<WaitingMessage[]> {
  return tx
    .select({
      id: outboundMessage.id,
      cause: outboundMessage.cause,
      createdAt: outboundMessage.createdAt,
      claimedBy: outboundMessage.claimedBy,
      notBefore: outboundMessage.notBefore,
      bodyEnc: outboundMessage.bodyEnc,
      attempts: outboundMessage.attempts,
    })
    .from(outboundMessage)
    .where(
      and(eq(outboundMessage.contactId, contactId), eq(outboundMessage.status, 'waiting'), inArray(outboundMessage.cause, TALK_CAUSES)),
    )
    .orderBy(asc(outboundMessage.id))
}

async function loadPerson(tx: Tx, contact: ContactRow) {
  if (contact.personId === null) return undefined
  const [row] = await tx
    .select()
    .from(personTable)
    .where(and(eq(personTable.communeId, contact.communeId), eq(personTable.id, contact.personId)))
  return row
}

async function hasDeclined(tx: Tx, contact: ContactRow): Promise<boolean> {
  const [last] = await tx
    .select({ decision: consent.decision })
    .from(consent)
    .where(and(eq(consent.communeId, contact.communeId), eq(consent.contactId, contact.id)))
    .orderBy(desc(consent.id))
    .limit(1)
  return last?.decision === 'declined'
}

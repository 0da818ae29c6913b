import { and, eq, isNull, sql } from 'drizzle-orm'
import { z } from 'zod'
import rolesFile from '../../flows/roles.json' with { type: 'json' }
import type { DbOrTx, Tx } from '../db/connect.ts'
import { audit, contact, invitation, NO_COMMUNE, roleGrant, unit } from '../db/schema.ts'
import type { Sealer } from '../lib/crypto.ts'
import { createInvitationCode, parseInvitationCode, type RandomInt } from './codes.ts'
import { findUnitByCode, type Unit, type UnitLevel } from './units.ts'

/** Who a contact may be for a unit. What each may do is data: flows/roles.json. */
export const Role = z.enum([
  'citizen',
  'household_head',
  'helper',
  'village_lead',
  'chapter_lead',
  'commune_reviewer',
  'commune_approver',
  'culture_officer',
  'unit_officer',
  'clc_officer',
  'province_reader',
  'data_protection_contact',
  'technician',
])
export type Role = z.infer<typeof Role>

/** What needs a role. `tickets`: requests for a human's answer; `data_requests`: rights over personal data; `alarms`: is told what breaks. */
export const Action = z.enum([
  'statistics',
  'not_done',
  'tickets',
  'data_requests',
  'broadcast',
  'campaigns',
  'reminders',
  'invite',
  'alarms',
])
export type Action = z.infer<typeof Action>

const RoleDefinition = z
  .object({
    /** Levels of units the role is held for. */
    levels: z.array(z.enum(['tinh', 'xa', 'thon_ban'])).min(1),
    /** `false`: everybody is or becomes it by what they do; nobody is invited. */
    invited: z.boolean(),
    may: z.array(Action),
    /** Roles it may invite others to, at its unit or below. */
    invites: z.array(Role),
  })
  .strict()

export const ROLES = z.record(Role, RoleDefinition).parse(rolesFile.roles)

/** A role with the unit it is held for. */
export type RoleHeld = { role: Role; unitId: number; unitCode: string; level: UnitLevel; communeId: number }

/** Roles granted to a contact and not revoked. */
export async function rolesOf(db: DbOrTx, contactId: number): Promise<RoleHeld[]> {
  const rows = await db
    .select({ role: roleGrant.role, unitId: unit.id, unitCode: unit.code, level: unit.level, communeId: unit.communeId })
    .from(roleGrant)
    .innerJoin(unit, eq(unit.id, roleGrant.unitId))
    .where(and(eq(roleGrant.contactId, contactId), isNull(roleGrant.revokedAt)))
    .orderBy(roleGrant.id)
  return rows.map((row) => ({ ...row, role: Role.parse(row.role) }))
}

/** The roles that allow the action: for whose units, and all below them, it may be done. Empty: not at all. */
export function rolesThatMay(held: readonly RoleHeld[], action: Action): RoleHeld[] {
  return held.filter(({ role }) => ROLES[role].may.includes(action))
}

/** Whether the action is allowed at a unit; `path` is the unit and all above it (`unitPath`). The one mechanism: nobody acts beside or above the unit of the role. */
export function mayDo(held: readonly RoleHeld[], action: Action, path: readonly { id: number }[]): boolean {
  return rolesThatMay(held, action).some((role) => covers(role, path))
}

export function mayInvite(held: readonly RoleHeld[], role: Role, path: readonly { id: number }[]): boolean {
  return rolesThatMay(held, 'invite').some((own) => ROLES[own.role].invites.includes(role) && covers(own, path))
}

function covers(held: RoleHeld, path: readonly { id: number }[]): boolean {
  return path.some(({ id }) => id === held.unitId)
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const INVITATION_LIFE_MS = 7 * DAY_MS
const MAX_WRONG_CODES = 5

type InvitationDeps = { db: DbOrTx; sealer: Sealer; randomInt: RandomInt }

export type CreateInvitationArgs = {
  role: string
  unitCode: string
  /** The officer's contact; null on the command line. */
  invitedBy: number | null
  now: Date
}

export type CreateInvitationOutcome =
  | { type: 'created'; code: string; role: Role; unit: Unit; expiresAt: Date }
  | { type: 'unknown_role' }
  | { type: 'not_by_invitation'; role: Role }
  | { type: 'unknown_unit' }
  | { type: 'wrong_level'; role: Role; levels: readonly UnitLevel[] }

/** A single-use code, valid 7 days. Only its keyed hash is stored: whoever loses the code asks for another. Who may invite is asked before. */
export async function createInvitation(deps: InvitationDeps, args: CreateInvitationArgs): Promise<CreateInvitationOutcome> {
  const { data: role } = Role.safeParse(args.role)
  if (!role) return { type: 'unknown_role' }
  if (!ROLES[role].invited) return { type: 'not_by_invitation', role }
  const found = await findUnitByCode(deps.db, args.unitCode)
  if (!found) return { type: 'unknown_unit' }
  if (!ROLES[role].levels.includes(found.level)) return { type: 'wrong_level', role, levels: ROLES[role].levels }

  const code = createInvitationCode(deps.randomInt)
  const expiresAt = new Date(args.now.getTime() + INVITATION_LIFE_MS)
  await deps.db.transaction(async (tx) => {
    const [created] = await tx
      .insert(invitation)
      .values({
        communeId: found.communeId,
        unitId: found.id,
        role,
        codeHash: hashCode(deps.sealer, code),
        invitedByContactId: args.invitedBy,
        createdAt: args.now,
        expiresAt,
      })
      .returning({ id: invitation.id })
    await tx.insert(audit).values({
      communeId: found.communeId,
      at: args.now,
      actor: args.invitedBy === null ? 'cli' : `contact:${args.invitedBy}`,
      action: 'invitation.create',
      subject: `invitation:${created!.id}`,
      detail: { role, unit: found.code },
    })
  })
  return { type: 'created', code, role, unit: found, expiresAt }
}

export type TakeUpArgs = { contact: { id: number; communeId: number }; code: string; now: Date }

export type TakeUpOutcome =
  | { type: 'granted'; role: Role; unit: Unit }
  | { type: 'unknown' }
  | { type: 'used' }
  | { type: 'expired' }
  | { type: 'too_many_tries' }

/** Whether a code of this contact counts: the guard against guessing is one for all kinds of codes. */
export async function mayTryCode(tx: Tx, contactId: number, now: Date): Promise<boolean> {
  return (await countWrongCodes(tx, contactId, now)) < MAX_WRONG_CODES
}

async function countWrongCodes(tx: Tx, contactId: number, now: Date): Promise<number> {
  const [tries] = await tx
    .select({ wrongCodes: contact.wrongCodes, wrongCodeAt: contact.wrongCodeAt })
    .from(contact)
    .where(eq(contact.id, contactId))
    .for('update')
  if (!tries) throw new Error(`there is no contact ${contactId}`)
  return tries.wrongCodeAt && now.getTime() - tries.wrongCodeAt.getTime() < HOUR_MS ? tries.wrongCodes : 0
}

/** Gives the contact the role of the invitation. After 5 wrong codes none counts until an hour after the last of them, a right one neither. */
export async function takeUpInvitation(tx: Tx, sealer: Sealer, args: TakeUpArgs): Promise<TakeUpOutcome> {
  const { now } = args
  const wrongCodes = await countWrongCodes(tx, args.contact.id, now)
  if (wrongCodes >= MAX_WRONG_CODES) return { type: 'too_many_tries' }

  const code = parseInvitationCode(args.code)
  const [found] = code
    ? await tx
        .select({ invitation, unit })
        .from(invitation)
        .innerJoin(unit, eq(unit.id, invitation.unitId))
        .where(eq(invitation.codeHash, hashCode(sealer, code)))
        .for('update', { of: invitation })
    : []
  // A code of another commune is none here: nobody learns that it exists
  if (!found || isForeign(found.invitation.communeId, args.contact.communeId)) {
    await tx
      .update(contact)
      .set({ wrongCodes: wrongCodes + 1, wrongCodeAt: now })
      .where(eq(contact.id, args.contact.id))
    return { type: 'unknown' }
  }
  if (found.invitation.usedAt) return { type: 'used' }
  if (found.invitation.expiresAt <= now) return { type: 'expired' }

  const role = Role.parse(found.invitation.role)
  await tx.update(invitation).set({ usedAt: now, usedByContactId: args.contact.id }).where(eq(invitation.id, found.invitation.id))
  await tx
    .insert(roleGrant)
    .values({ communeId: found.invitation.communeId, unitId: found.unit.id, contactId: args.contact.id, role, grantedAt: now })
    .onConflictDoUpdate({
      target: [roleGrant.contactId, roleGrant.role, roleGrant.unitId],
      set: { grantedAt: sql`excluded.granted_at`, revokedAt: null },
    })
  await tx.update(contact).set({ wrongCodes: 0, wrongCodeAt: null }).where(eq(contact.id, args.contact.id))
  await tx.insert(audit).values({
    communeId: found.invitation.communeId,
    at: now,
    actor: `contact:${args.contact.id}`,
    action: 'invitation.take_up',
    subject: `invitation:${found.invitation.id}`,
    detail: { role, unit: found.unit.code },
  })
  return { type: 'granted', role, unit: found.unit }
}

const isForeign = (invited: number, own: number) => invited !== NO_COMMUNE && invited !== own

function hashCode(sealer: Sealer, code: string): string {
  return sealer.hash('invitation', parseInvitationCode(code) ?? '')
}

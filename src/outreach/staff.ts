import { and, eq, inArray, isNull } from 'drizzle-orm'
import type { DbOrTx } from '../db/connect.ts'
import { roleGrant } from '../db/schema.ts'
import { type Action, ROLES, Role } from '../registry/roles.ts'

/** A role somebody holds, with the contact that holds it. */
export type StaffMember = { contactId: number; role: Role; unitId: number }

/** Contacts whose role allows an action for one of these units: a village and what stands above it. */
export async function staffFor(db: DbOrTx, action: Action, unitIds: readonly number[]): Promise<StaffMember[]> {
  const roles = Role.options.filter((role) => ROLES[role].may.includes(action))
  if (roles.length === 0 || unitIds.length === 0) return []
  const rows = await db
    .select({ contactId: roleGrant.contactId, role: roleGrant.role, unitId: roleGrant.unitId })
    .from(roleGrant)
    .where(and(inArray(roleGrant.unitId, [...unitIds]), inArray(roleGrant.role, roles), isNull(roleGrant.revokedAt)))
    .orderBy(roleGrant.id)
  const seen = new Set<number>()
  return rows.flatMap((row) => {
    if (seen.has(row.contactId)) return []
    seen.add(row.contactId)
    return [{ ...row, role: Role.parse(row.role) }]
  })
}

/** How an officer is named to others: the role, and the name where it is known. */
export async function rolesHeldBy(db: DbOrTx, contactId: number): Promise<Role | undefined> {
  const [row] = await db
    .select({ role: roleGrant.role })
    .from(roleGrant)
    .where(and(eq(roleGrant.contactId, contactId), isNull(roleGrant.revokedAt)))
    .orderBy(roleGrant.id)
    .limit(1)
  return row && Role.parse(row.role)
}

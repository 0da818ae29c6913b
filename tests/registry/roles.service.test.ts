import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDb, type Database } from '../../src/db/connect.ts'
import { contact } from '../../src/db/schema.ts'
import { createSealer } from '../../src/lib/crypto.ts'
import { createInvitation, mayDo, mayInvite, rolesOf, rolesThatMay, takeUpInvitation } from '../../src/registry/roles.ts'
import { unitPath } from '../../src/registry/units.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { seeded } from './seeded.ts'
import { importTestUnits } from './test-units.ts'

const sealer = createSealer(randomBytes(32))
const randomInt = seeded(11)
const start = new Date('2026-11-21T02:00:00Z')
const minutesLater = (minutes: number) => new Date(start.getTime() + minutes * 60_000)
const DAY = 24 * 60
let database: Database
let units: Record<string, number>
beforeAll(async () => {
  database = createDb(await createTestDatabase())
  units = await importTestUnits(database.db)
})
afterAll(() => database.close())

let people = 0
async function createContact(communeCode = 'c') {
  people += 1
  const row = { communeId: units[communeCode]!, accountId: 1, channelUserId: `u${people}`, firstSeenAt: start, lastInboundAt: start }
  const [created] = await database.db.insert(contact).values(row).returning({ id: contact.id, communeId: contact.communeId })
  return created!
}

const invite = (role: string, unitCode: string) =>
  createInvitation({ db: database.db, sealer, randomInt }, { role, unitCode, invitedBy: null, now: start })

async function codeFor(role: string, unitCode: string): Promise<string> {
  const outcome = await invite(role, unitCode)
  if (outcome.type !== 'created') throw new Error(outcome.type)
  return outcome.code
}

const takeUp = (of: { id: number; communeId: number }, code: string, now = start) =>
  database.db.transaction((tx) => takeUpInvitation(tx, sealer, { contact: of, code, now }))

describe('an invitation', () => {
  test.each([
    ['mayor', 'c', { type: 'unknown_role' }],
    ['citizen', 'c', { type: 'not_by_invitation', role: 'citizen' }],
    ['village_lead', 'nowhere', { type: 'unknown_unit' }],
    ['village_lead', 'c', { type: 'wrong_level', role: 'village_lead', levels: ['thon_ban'] }],
    ['commune_approver', 'v1', { type: 'wrong_level', role: 'commune_approver', levels: ['xa'] }],
  ])('for %s at %s is not made', async (role, unitCode, outcome) => {
    expect(await invite(role, unitCode)).toEqual(outcome)
  })

  test('gives its role once', async () => {
    const [first, second] = [await createContact(), await createContact()]
    const code = await codeFor('village_lead', 'v1')
    expect(await takeUp(first, ` ${code.toLowerCase()}`)).toMatchObject({ type: 'granted', role: 'village_lead', unit: { code: 'v1' } })
    expect(await takeUp(second, code)).toEqual({ type: 'used' })
    expect(await rolesOf(database.db, second.id)).toEqual([])
    expect(await rolesOf(database.db, first.id)).toEqual([
      { role: 'village_lead', unitId: units.v1, unitCode: 'v1', level: 'thon_ban', communeId: units.c },
    ])
  })

  test('taken up by two at once is given to one', async () => {
    const contacts = [await createContact(), await createContact(), await createContact()]
    const code = await codeFor('technician', 'c')
    const outcomes = await Promise.all(contacts.map((one) => takeUp(one, code)))
    expect(outcomes.map(({ type }) => type).sort()).toEqual(['granted', 'used', 'used'])
  })

  test('lives seven days', async () => {
    const code = await codeFor('commune_reviewer', 'c')
    expect(await takeUp(await createContact(), code, minutesLater(7 * DAY))).toEqual({ type: 'expired' })
    expect(await takeUp(await createContact(), code, minutesLater(7 * DAY - 1))).toMatchObject({ type: 'granted' })
  })

  test('of another commune does not exist here', async () => {
    const code = await codeFor('commune_reviewer', 'd')
    expect(await takeUp(await createContact('c'), code)).toEqual({ type: 'unknown' })
    expect(await takeUp(await createContact('d'), code)).toMatchObject({ type: 'granted' })
  })

  test('is not guessed: five wrong codes, then an hour without any', async () => {
    const guesser = await createContact()
    const code = await codeFor('commune_approver', 'c')
    for (const minute of [0, 10, 20, 30, 40])
      expect(await takeUp(guesser, 'BBB-BBB-BBB', minutesLater(minute))).toEqual({ type: 'unknown' })
    expect(await takeUp(guesser, code, minutesLater(41))).toEqual({ type: 'too_many_tries' })
    expect(await takeUp(guesser, code, minutesLater(99))).toEqual({ type: 'too_many_tries' })
    expect(await takeUp(guesser, code, minutesLater(100))).toMatchObject({ type: 'granted' })
  })

  test('leaves no code behind, only who did what', async () => {
    const code = await codeFor('clc_officer', 'c')
    await takeUp(await createContact(), code)
    const rows =
      await database.sql`SELECT row_to_json(i)::text AS text FROM invitation i UNION ALL SELECT row_to_json(a)::text FROM audit a`
    const text = rows.map((row) => row.text).join('\n')
    expect(text).not.toContain(code)
    expect(text).not.toContain(code.replaceAll('-', ''))
    expect(text).toContain('invitation.take_up')
  })
})

test('an officer acts at the unit of the role and below, nowhere else', async () => {
  const officer = await createContact()
  await takeUp(officer, await codeFor('commune_reviewer', 'c'))
  const leader = await createContact()
  await takeUp(leader, await codeFor('village_lead', 'v1'))
  const [officerRoles, leaderRoles] = [await rolesOf(database.db, officer.id), await rolesOf(database.db, leader.id)]
  const may = async (roles: typeof officerRoles, action: 'statistics' | 'broadcast') => {
    const allowed: string[] = []
    for (const code of ['t', 'c', 'v1', 'v2', 'd', 'w1']) {
      if (mayDo(roles, action, await unitPath(database.db, units[code]!))) allowed.push(code)
    }
    return allowed
  }
  expect(await may(officerRoles, 'statistics')).toEqual(['c', 'v1', 'v2'])
  expect(await may(officerRoles, 'broadcast')).toEqual(['c', 'v1', 'v2'])
  expect(await may(leaderRoles, 'statistics')).toEqual(['v1'])
  expect(await may(leaderRoles, 'broadcast')).toEqual([])
  expect(rolesThatMay(leaderRoles, 'statistics')).toHaveLength(1)

  const village = await unitPath(database.db, units.v2!)
  expect(mayInvite(officerRoles, 'village_lead', village)).toBe(true)
  expect(mayInvite(officerRoles, 'technician', village)).toBe(false)
  expect(mayInvite(leaderRoles, 'village_lead', village)).toBe(false)
  expect(mayInvite(officerRoles, 'village_lead', await unitPath(database.db, units.w1!))).toBe(false)
})

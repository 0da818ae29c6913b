import { createInvitation } from '../../src/registry/roles.ts'
import { type Bot, REGISTRATION } from '../support/bot.ts'

/** A clock a test moves by hand; it never stands still, so that messages have an order. */
export function createClock(start: string) {
  let offset = new Date(start).getTime() - Date.now()
  return {
    now: () => Date.now() + offset,
    date: () => new Date(Date.now() + offset),
    set(at: string) {
      offset = new Date(at).getTime() - Date.now()
    },
    add(hours: number) {
      offset += hours * 3_600_000
    },
  }
}

/** Somebody who took up a role by its code. */
export async function withRole(bot: Bot, name: string, role: string, unitCode: string) {
  const { database, sealer, randomInt, now } = bot.app.deps
  const outcome = await createInvitation({ db: database.db, sealer, randomInt }, { role, unitCode, invitedBy: null, now: now() })
  if (outcome.type !== 'created') throw new Error(outcome.type)
  const person = await bot.person(name)
  await person.say(`MÃ ${outcome.code}`)
  return person
}

/** Somebody registered in the first village, standing at the first question. */
export async function registered(bot: Bot, name: string, { village = 'Nà Đa' } = {}) {
  const person = await bot.person(name)
  await person.talk(...REGISTRATION.map((text) => (text === 'Lò Văn Pâng' ? name : text === 'Nà Đa' ? village : text)))
  return person
}

/** Takes the account's pace out of the way: a test that moves its clock by days lives through them in seconds. */
export async function withoutPace(bot: Bot): Promise<void> {
  await bot.sql`UPDATE account SET traits = traits || '{"perMinute": 1000000}'::jsonb`
  await bot.sql`INSERT INTO setting (unit_id, key, value) VALUES (0, 'account.per_minute.app', '1000000'::jsonb) ON CONFLICT DO NOTHING`
}

import { and, eq, isNull } from 'drizzle-orm'
import type { Command } from '../channels/channel.ts'
import type { Texts } from '../content/texts.ts'
import { contact as contactTable } from '../db/schema.ts'
import type { WordTable, WordUser } from '../lib/understand.ts'
import { rolesOf } from '../registry/roles.ts'
import type { Deps } from './deps.ts'
import { type Turn, wordUsers } from './turn.ts'
import { hasWord } from './words.ts'

/** The words somebody may use, as a platform lists them: by the first of their slash commands. */
export function commandsFor(table: WordTable, texts: Texts, users: readonly WordUser[]): Command[] {
  return table.words
    .filter(({ word, users: allowed }) => hasWord(word) && allowed.some((user) => users.includes(user)))
    .map(({ word, commands }) => ({ name: commands[0] ?? word, says: texts.format({ key: `telegram.command.${word}` }, {}) }))
}

/** Every slash command and the word it stands for; roles are asked when the word is used. */
export function slashWords(table: WordTable): Record<string, string> {
  return Object.fromEntries(table.words.flatMap(({ title, commands }) => commands.map((command) => [command, title])))
}

/** What one contact is shown: a list of its own for those with a role, else nothing, and everybody's list stands. */
export async function commandsOfContact(
  { database, content }: Pick<Deps, 'database' | 'content'>,
  table: WordTable,
  contactId: number,
): Promise<Command[]> {
  const [contact] = await database.db
    .select({ language: contactTable.language })
    .from(contactTable)
    .where(and(eq(contactTable.id, contactId), isNull(contactTable.erasedAt)))
  const users = wordUsers({ roles: await rolesOf(database.db, contactId) })
  return contact && isLeader(users) ? commandsFor(table, content.texts[contact.language], users) : []
}

/** Changes whenever a contact's list does. */
export function listOf(turn: Pick<Turn, 'roles' | 'contact'>): string {
  const users = wordUsers(turn)
  return isLeader(users) ? [turn.contact.language, ...users].join(' ') : ''
}

const isLeader = (users: readonly WordUser[]) => users.includes('village_lead') || users.includes('officer')

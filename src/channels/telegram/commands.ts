import type { Command } from '../channel.ts'
import type { TelegramClient } from './client.ts'

/** The list behind the "/" button in one language. */
export type CommandMenu = {
  /** ISO 639-1; absent for everyone whose language has no list of its own. */
  language?: string
  /** Only in this chat: what an officer may say is not shown to everyone. */
  channelUserId?: string
  /** None: the chat has everybody's list again. */
  commands: readonly Command[]
}

/** Writes the lists of slash commands, each replacing the one before it. Safe to repeat. Throws `TelegramCallError`. */
export async function registerCommands(telegram: TelegramClient, menus: readonly CommandMenu[]): Promise<void> {
  for (const { language, channelUserId, commands } of menus) {
    const where = {
      ...(language !== undefined && { language_code: language }),
      ...(channelUserId !== undefined && { scope: { type: 'chat' as const, chat_id: Number(channelUserId) } }),
    }
    if (commands.length === 0) await telegram.call('deleteMyCommands', where)
    else
      await telegram.call('setMyCommands', { commands: commands.map(({ name, says }) => ({ command: name, description: says })), ...where })
  }
}

import { AccountSettings } from './account.ts'
import type { TokenBook } from './platform/tokens.ts'
import type { Random } from './random.ts'
import type { Store } from './store.ts'
import type { Outcome } from './webhook/client.ts'
import type { WebhookSender } from './webhook/sender.ts'
import type { Account, Thread, Tokens } from './world.ts'

/** What an account's administrator does in Zalo's consoles, and what a test wants to see of it. */
export interface AccountControls {
  settings(): AccountSettings
  /** Changes some settings at once: package, switches, buttons … */
  change(settings: Partial<AccountSettings>): void
  /** The first token pair, as the console's API Explorer gives it. */
  mintTokens(): { access_token: string; refresh_token: string; expires_in: string }
  revokeTokens(what: 'access' | 'refresh' | 'both'): void
  /** Saves the webhook address; the probe `{}` must be answered with 200 unless `unchecked`. */
  saveWebhook(url: string, options?: { unchecked?: boolean }): Promise<Outcome & { saved: boolean }>
  enableWebhook(): void
  setEvent(name: string, on: boolean): void
  addGroup(group: { name: string; members?: string[] }): string
  setGroupDisabled(groupId: string, disabled: boolean): void
  threads(): Thread[]
}

export function createAccountControls(
  account: Account,
  deps: { store: Store; random: Random; tokens: TokenBook; webhook: WebhookSender },
): AccountControls {
  const { store, random, tokens, webhook } = deps
  const { oaId } = account.settings

  function change(settings: Partial<AccountSettings>) {
    store.commit({ t: 'account', settings: AccountSettings.parse({ ...account.settings, ...settings, oaId }) })
  }

  return {
    settings: () => account.settings,
    change,
    mintTokens: () => tokensView(tokens.mint(oaId)),
    revokeTokens: (what) => tokens.revoke(oaId, what),
    saveWebhook: (url, options) => webhook.saveUrl(account, url, options),
    enableWebhook: () => webhook.setEnabled(account, true),
    setEvent(name, on) {
      const others = account.settings.eventsOff.filter((event) => event !== name)
      change({ eventsOff: on ? others : [...others, name] })
    },
    addGroup({ name, members = [] }) {
      const id = random.hex(24)
      store.commit({ t: 'group', oaId, group: { id, name, members, disabled: false } })
      return id
    },
    setGroupDisabled(groupId, disabled) {
      const group = account.groups.get(groupId)
      if (!group) throw new Error(`The account ${oaId} has no group ${groupId}.`)
      store.commit({ t: 'group', oaId, group: { id: group.id, name: group.name, members: group.members, disabled } })
    },
    threads: () => [...account.threadsByUser.values()],
  }
}

function tokensView({ access, refresh }: Tokens) {
  return { access_token: access, refresh_token: refresh, expires_in: '90000' }
}

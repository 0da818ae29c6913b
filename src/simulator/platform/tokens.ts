import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import { Refusal } from '../refusal.ts'
import type { Store } from '../store.ts'
import type { Tokens } from '../world.ts'

export const ACCESS_LIFE_MS = 90_000 * 1_000
const REFRESH_LIFE_MS = 90 * 24 * 3_600_000

/** Access and refresh tokens of accounts. A refresh token works once. */
export interface TokenBook {
  mint(oaId: string): Tokens
  /** Spends the refresh token and gives the next pair. */
  refresh(refreshToken: string, appId: string): Tokens
  /** The account an access token speaks for. */
  find(accessToken: string): { oaId: string; expired: boolean } | undefined
  /** Makes tokens of an account unknown, as after a change of the app's permissions. */
  revoke(oaId: string, what: 'access' | 'refresh' | 'both'): void
}

export function createTokenBook({ store, clock, random }: { store: Store; clock: Clock; random: Random }): TokenBook {
  const { world } = store

  function mint(oaId: string): Tokens {
    const tokens = { oaId, access: random.token(180), refresh: random.token(220), at: clock.now() }
    store.commit({ t: 'tokens', tokens })
    return tokens
  }

  return {
    mint,
    refresh(refreshToken, appId) {
      const pair = world.refresh.get(refreshToken)
      if (!pair || world.accounts.get(pair.tokens.oaId)?.settings.appId !== appId) throw new Refusal(-14014)
      if (pair.spent || clock.now() - pair.tokens.at >= REFRESH_LIFE_MS) throw new Refusal(-14020)
      store.commit({ t: 'spent', refresh: refreshToken })
      return mint(pair.tokens.oaId)
    },
    find(accessToken) {
      const tokens = world.access.get(accessToken)
      return tokens && { oaId: tokens.oaId, expired: clock.now() - tokens.at >= ACCESS_LIFE_MS }
    },
    revoke: (oaId, what) => store.commit({ t: 'revoked', oaId, what }),
  }
}

import type { GrantedTokens } from './oauth.ts'

/** The tokens of one account, as stored. */
export type TokenPair = {
  /** Empty until the first refresh, where a host only had a refresh token to begin with. */
  accessToken: string
  refreshToken: string
  /** ms since 1970, when `accessToken` was granted. */
  obtainedAtMs: number
  /** ms since 1970; 0 means: refresh before the first use. */
  expiresAtMs: number
  /** What this pair replaced, for a human who must find out what happened. */
  previous?: { accessToken: string; refreshToken: string }
  /** Set by `markDead`: no refresh is tried with this refresh token any more. */
  deadReason?: string
}

/**
 * Where the pair of ONE account lives. The host supplies it, shared by all processes that use the account.
 */
export type TokenStore = {
  /** The pair as stored now, never from a cache. */
  read(): Promise<TokenPair | undefined>
  /**
   * Runs `fn` while no other process runs one for this account. The lock must outlive a slow refresh (30 s by default) and end with the process.
   * `read`, `write` and `markDead` are called inside.
   */
  withLock<T>(fn: () => Promise<T>): Promise<T>
  /** Resolves when the pair survives a power cut (committed, fsynced). A written pair is alive: it replaces an earlier `markDead`. */
  write(pair: TokenPair): Promise<void>
  /** Remembers that the stored grant is dead: `read` returns it with `deadReason` from now on. A human must consent anew. */
  markDead(reason: string): Promise<void>
}

/** A pair to begin with when only a refresh token is known: the first use refreshes it. */
export function pairFromRefreshToken(refreshToken: string): TokenPair {
  return { accessToken: '', refreshToken, obtainedAtMs: 0, expiresAtMs: 0 }
}

/** The pair to store for tokens granted at `nowMs`, e.g. after `exchangeCode`. */
export function pairFromGrant(tokens: GrantedTokens, nowMs: number): TokenPair {
  const { accessToken, refreshToken, expiresInMs } = tokens
  return { accessToken, refreshToken, obtainedAtMs: nowMs, expiresAtMs: nowMs + expiresInMs }
}

/** A store in memory with a lock for this process only: for tests and trials. Tokens are lost with the process, and so is the grant. */
export function createMemoryTokenStore(initial?: TokenPair): TokenStore {
  let stored = initial
  let queue: Promise<unknown> = Promise.resolve()
  return {
    async read() {
      return stored && structuredClone(stored)
    },
    withLock(fn) {
      const turn = queue.then(fn)
      queue = turn.catch(() => undefined)
      return turn
    },
    async write(pair) {
      stored = structuredClone(pair)
    },
    async markDead(reason) {
      if (stored) stored = { ...stored, deadReason: reason }
    },
  }
}

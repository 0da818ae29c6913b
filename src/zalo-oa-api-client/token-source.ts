import { notify } from './notify.ts'
import type { OAuth } from './oauth.ts'
import { pairFromGrant, type TokenPair, type TokenStore } from './token-store.ts'
import { isGrantDead, ZaloError } from './zalo-error.ts'

export type TokenSource = {
  /**
   * A usable access token. Refreshes ahead of time; while the old token still lives, a refresh that fails for want of an answer is put off.
   * Throws ZaloError `pause_account` when the grant is dead or there is none. Call it at least every few weeks: the refresh token lives 3 months.
   */
  get(): Promise<string>
  /** A token other than the one the platform just refused. Refreshes unless another process already has. Throws as `get` does. */
  refresh(refused: string): Promise<string>
}

export type TokenSourceOptions = {
  store: TokenStore
  oauth: Pick<OAuth, 'refresh'>
  /** Age at which a token is replaced; default 20 h of its 25 h, and never later than four fifths of the lifetime the platform named. */
  refreshAfterMs?: number
  /** Pause after a failed refresh ahead of time; default 10 minutes, thirty tries before the old token dies. */
  retryAfterMs?: number
  /** Called when a refresh ahead of time failed and the old token goes on being used: log it, there are hours left. */
  onPutOff?: (error: unknown) => unknown
  /** ms since 1970; default the system clock. */
  now?: () => number
}

const HOUR_MS = 3_600_000

/**
 * Access tokens of one account. Spends each refresh token at most once, across all processes that share the store's lock:
 * under the lock it reads the stored pair again, refreshes only if nobody else has, and stores the new pair before anybody uses it.
 *
 * What cannot be closed: the process dies between the platform's answer and the end of `store.write`. The old refresh token is then spent,
 * the new one lost, and the next refresh finds a dead grant. Nothing stands between the two here but one function call.
 * If `write` throws, the pair stays in memory, unused, and is written at the next refresh. Let a pending `get` finish before the process exits.
 */
export function createTokenSource({
  store,
  oauth,
  refreshAfterMs = 20 * HOUR_MS,
  retryAfterMs = 600_000,
  onPutOff,
  now = Date.now,
}: TokenSourceOptions): TokenSource {
  let current: TokenPair | undefined
  let renewing: Promise<TokenPair> | undefined
  /** Granted, but the store failed to keep it. */
  let unsaved: TokenPair | undefined
  /** For hosts whose store forgets `markDead`: no second request with this refresh token. */
  let deadRefreshToken: string | undefined
  let putOffUntilMs = 0

  function isDue({ obtainedAtMs, expiresAtMs }: TokenPair): boolean {
    return now() >= obtainedAtMs + Math.min(refreshAfterMs, (expiresAtMs - obtainedAtMs) * 0.8)
  }

  function renew(refused?: string): Promise<TokenPair> {
    renewing ??= store
      .withLock(() => renewLocked(refused))
      .then((pair) => {
        current = pair
        return pair
      })
      .finally(() => {
        renewing = undefined
      })
    return renewing
  }

  async function renewLocked(refused?: string): Promise<TokenPair> {
    const stored = await store.read()
    if (!stored) throw noGrant('no_grant', 'there are no tokens for this account yet')
    // Another pair in the store: our write had succeeded after all, or a human brought a new grant; either way ours is settled
    if (unsaved && stored.refreshToken !== unsaved.previous?.refreshToken) unsaved = undefined
    if (unsaved) return save(unsaved)
    if (stored.deadReason !== undefined || stored.refreshToken === deadRefreshToken) {
      throw noGrant('grant_dead', 'the grant is dead, a human must consent anew')
    }
    if (stored.accessToken !== refused && !isDue(stored)) return stored
    return spend(stored)
  }

  async function spend(stored: TokenPair): Promise<TokenPair> {
    try {
      unsaved = {
        ...pairFromGrant(await oauth.refresh(stored.refreshToken), now()),
        previous: { accessToken: stored.accessToken, refreshToken: stored.refreshToken },
      }
    } catch (error) {
      if (!isGrantDead(error)) throw error
      deadRefreshToken = stored.refreshToken
      await store.markDead(error instanceof Error ? error.message : 'grant_dead')
      throw error
    }
    // Between the answer and this line nothing may be added: a crash here loses the grant
    return save(unsaved)
  }

  async function save(pair: TokenPair): Promise<TokenPair> {
    await store.write(pair)
    unsaved = undefined
    return pair
  }

  return {
    async get() {
      const held = current
      if (held && !isDue(held)) return held.accessToken
      // One caller waits for the refresh; the others need not, the old token is good until it is refused
      if (held && now() < held.expiresAtMs && (renewing || (now() < putOffUntilMs && !unsaved))) return held.accessToken
      try {
        return (await renew()).accessToken
      } catch (error) {
        if (isGrantDead(error)) {
          current = undefined
          throw error
        }
        const usable = held ?? (await store.read())
        if (!usable || now() >= usable.expiresAtMs) throw error
        current = usable
        putOffUntilMs = now() + retryAfterMs
        notify(onPutOff, error)
        return usable.accessToken
      }
    },
    async refresh(refused) {
      const pair = await renew(refused)
      // Joined a renewal that had begun before this refusal was known
      return pair.accessToken === refused ? (await renew(refused)).accessToken : pair.accessToken
    },
  }
}

function noGrant(reason: string, meaning: string): ZaloError {
  return new ZaloError({ action: 'pause_account', reason, meaning, request: 'stored tokens' })
}

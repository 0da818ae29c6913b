import { z } from 'zod'
import { isKnown } from './errors.ts'
import { NumberLike } from './json.ts'
import { challengeOf } from './pkce.ts'
import { statusError } from './status-error.ts'
import { type Answer, describeRequest, exchange } from './transport.ts'
import { refusal, ZaloError } from './zalo-error.ts'

/** Tokens as granted, with the lifetime as the platform named it. */
export type GrantedTokens = { accessToken: string; refreshToken: string; expiresInMs: number }

export type OAuth = {
  /**
   * The address an administrator of the account opens to consent. `redirectUri` must have a verified domain and no query string (else -14003);
   * what must come back goes into `state`. The callback receives `code` (10 minutes, single use), `oa_id` and `state`.
   * `verifier`: PKCE with this verifier; without it no challenge is sent. Some apps have one fixed verifier registered in the console.
   */
  permissionUrl(args: { redirectUri: string; state: string; verifier?: string }): string
  /** The first tokens for a code; `verifier` where the permission URL had one. Throws ZaloError; after a time-out the code may be spent. */
  exchangeCode(args: { code: string; verifier?: string }): Promise<GrantedTokens>
  /**
   * New tokens for a refresh token, which is dead from then on. Throws ZaloError: `isGrantDead` (a human must consent anew),
   * `pause_account` (set-up mistake), or `retry` (no answer; the token may be spent all the same, only another try can tell).
   * Use `createTokenSource`, which locks and stores, rather than this.
   */
  refresh(refreshToken: string): Promise<GrantedTokens>
}

export type OAuthOptions = {
  appId: string
  appSecret: string
  /** Default `https://oauth.zaloapp.com`. */
  oauthUrl?: string
  /** Per request; default 30 s: giving up early on a refresh is the surest way to lose a grant. */
  timeoutMs?: number
  /** ms since 1970; default the system clock. */
  now?: () => number
}

const Tokens = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  // A string "90000" (25 h) in reality, a number in some documents
  expires_in: NumberLike,
})

const Failure = z.object({
  error: NumberLike.optional().catch(undefined),
  error_name: z.string().optional().catch(undefined),
  error_description: z.string().optional().catch(undefined),
})

/** OAuth v4 of Zalo Official Accounts. */
export function createOAuth({
  appId,
  appSecret,
  oauthUrl = 'https://oauth.zaloapp.com',
  timeoutMs = 30_000,
  now = Date.now,
}: OAuthOptions): OAuth {
  const tokenUrl = new URL(`${oauthUrl}/v4/oa/access_token`)

  async function grant(fields: Record<string, string>): Promise<GrantedTokens> {
    const answer = await exchange({
      method: 'POST',
      url: tokenUrl,
      headers: { secret_key: appSecret, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...fields, app_id: appId }).toString(),
      timeoutMs,
      // A second try with the same token either works or shows that it is spent; it can lose nothing more
      repeatable: true,
    })
    const tokens = Tokens.safeParse(answer.body)
    if (tokens.success) {
      const { access_token, refresh_token, expires_in } = tokens.data
      return { accessToken: access_token, refreshToken: refresh_token, expiresInMs: expires_in * 1000 }
    }
    throw grantError(answer)
  }

  function grantError({ status, body, rateLimit }: Answer): ZaloError {
    const request = describeRequest('POST', tokenUrl)
    const facts = { request, nowMs: now(), rateLimit, repeatable: true }
    const failure = Failure.safeParse(body).data
    const code = failure?.error
    if (code !== undefined && isKnown('oauth', code)) {
      return refusal({ ...facts, host: 'oauth', code, platformText: failure?.error_description ?? failure?.error_name })
    }
    if (!body || status !== 200) return statusError({ ...facts, status, code })
    // The platform did answer and gave no token: whatever the number, this grant will not give one
    return new ZaloError({ action: 'pause_account', reason: 'grant_dead', meaning: 'no access token in the answer', request, code })
  }

  return {
    permissionUrl({ redirectUri, state, verifier }) {
      const url = new URL(`${oauthUrl}/v4/oa/permission`)
      url.searchParams.set('app_id', appId)
      url.searchParams.set('redirect_uri', redirectUri)
      if (verifier !== undefined) url.searchParams.set('code_challenge', challengeOf(verifier))
      url.searchParams.set('state', state)
      return url.href
    },
    exchangeCode({ code, verifier }) {
      return grant({ code, grant_type: 'authorization_code', ...(verifier === undefined ? {} : { code_verifier: verifier }) })
    },
    refresh(refreshToken) {
      return grant({ refresh_token: refreshToken, grant_type: 'refresh_token' })
    },
  }
}

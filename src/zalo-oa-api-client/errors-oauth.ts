import type { ErrorTable } from './errors.ts'

/** Codes of `oauth.zaloapp.com`. `grant_dead` means: this refresh token (or code) will never work again, a human must consent anew. */
export const oauthErrors: ErrorTable = {
  [-32]: { action: 'wait_until', wait: 'next_minute', reason: 'rate_limit_app', meaning: 'too many requests this minute' },
  [-118]: { action: 'pause_account', reason: 'grant_dead', meaning: 'invalid grant' },
  [-14002]: { action: 'pause_account', reason: 'app_not_active', meaning: 'invalid app id, or the app is not active' },
  [-14003]: {
    action: 'pause_account',
    reason: 'redirect_refused',
    meaning: 'invalid redirect uri: its domain must be verified, without a query string',
  },
  [-14014]: { action: 'pause_account', reason: 'grant_dead', meaning: 'invalid refresh token' },
  [-14020]: { action: 'pause_account', reason: 'grant_dead', meaning: 'the refresh token was used before or has expired' },
}

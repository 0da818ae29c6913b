import type { RateLimit } from './rate-limit.ts'
import { endOfWait } from './vietnam-time.ts'
import { ZaloError } from './zalo-error.ts'

type StatusArgs = {
  status: number
  request: string
  repeatable: boolean
  nowMs: number
  rateLimit: RateLimit | undefined
  /** A code was there, but in no table. */
  code?: number | undefined
}

/** The error where the body says nothing usable (an HTML page of a gateway, an unknown code) and only the HTTP status is left to go by. */
export function statusError({ status, request, repeatable, nowMs, rateLimit, code }: StatusArgs): ZaloError {
  const facts = { request, rateLimit, code, meaning: `HTTP ${status} without a known error code` }
  if (status === 401) return new ZaloError({ ...facts, action: 'refresh', reason: 'token_refused' })
  if (status === 429)
    return new ZaloError({ ...facts, action: 'wait_until', until: endOfWait('next_minute', nowMs), reason: 'rate_limit_app' })
  // Redirects and 4xx are a gateway's refusal: what stands behind it never saw the request
  if (status >= 300 && status < 500) return new ZaloError({ ...facts, action: 'retry', reason: 'http_refused' })
  return new ZaloError({ ...facts, action: repeatable ? 'retry' : 'ambiguous', reason: 'unreadable_answer' })
}

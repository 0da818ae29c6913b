import { type ErrorAction, errorActions } from './error-action.ts'
import { classify, type ErrorEntry, type ErrorHost } from './errors.ts'
import type { RateLimit } from './rate-limit.ts'
import { endOfWait } from './vietnam-time.ts'

type Details = {
  action: ErrorAction
  reason: string
  meaning: string
  /** What was asked, e.g. `POST /v3.0/oa/message/cs`, without query. */
  request: string
  code?: number | undefined
  until?: number | undefined
  rateLimit?: RateLimit | undefined
  platformText?: string | undefined
  cause?: unknown
}

/**
 * A call that did not succeed. `message` holds neither tokens nor message text and may be logged.
 * Decide by `action` (see `errorActions`), count by `reason`.
 */
export class ZaloError extends Error {
  override readonly name = 'ZaloError'
  /** The number in the answer's `error`; absent when no readable answer came (time-out, refused connection, HTML page). */
  readonly code: number | undefined
  readonly action: ErrorAction
  /** A stable word: `window_closed`, `timeout`, `grant_dead`, … */
  readonly reason: string
  /** The same request may be sent again later (for `wait_until`: at `until`) without risk of a second copy. */
  readonly retryable: boolean
  /** Only with `wait_until`: ms since 1970, the first moment worth trying. */
  readonly until: number | undefined
  readonly request: string
  readonly rateLimit: RateLimit | undefined
  /** The platform's own sentence, cut to 200 characters. Not enumerable: it may repeat what was sent, so keep it out of logs. */
  declare readonly platformText: string | undefined

  constructor(details: Details) {
    const { action, reason, meaning, request, code, until, rateLimit, platformText, cause } = details
    const answer = code === undefined ? 'no usable answer' : `error ${code}`
    super(`${request}: ${answer}, ${meaning} (${reason}); ${errorActions[action].meaning}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.action = action
    this.reason = reason
    this.retryable = errorActions[action].retryable
    this.until = until
    this.request = request
    this.rateLimit = rateLimit
    Object.defineProperty(this, 'platformText', { value: platformText?.slice(0, 200), enumerable: false })
  }
}

type Refusal = {
  host: ErrorHost
  code: number
  request: string
  nowMs: number
  platformText?: string | undefined
  rateLimit?: RateLimit | undefined
  /** Repeating the request does no harm (a read, an upload): an ambiguous failure is then a plain `retry`. */
  repeatable?: boolean | undefined
}

/** The error for a code the platform answered with. */
export function refusal({ host, code, request, nowMs, platformText, rateLimit, repeatable = false }: Refusal): ZaloError {
  const entry: ErrorEntry = classify(host, code, platformText)
  return new ZaloError({
    action: entry.action === 'ambiguous' && repeatable ? 'retry' : entry.action,
    reason: entry.reason,
    meaning: entry.meaning,
    code,
    request,
    until: entry.action === 'wait_until' && entry.wait ? endOfWait(entry.wait, nowMs) : undefined,
    rateLimit,
    platformText,
  })
}

/** The same failure with another thing left to do: what the client could do itself is done. */
export function withAction(error: ZaloError, action: ErrorAction, reason = error.reason): ZaloError {
  const { code, request, rateLimit, platformText } = error
  return new ZaloError({
    action,
    reason,
    meaning: 'still refused after the client did what it could',
    code,
    request,
    rateLimit,
    platformText,
    cause: error.cause,
  })
}

/** True when the grant (refresh token or code) will never work again and a human must consent anew. */
export function isGrantDead(error: unknown): boolean {
  return error instanceof ZaloError && error.reason === 'grant_dead'
}

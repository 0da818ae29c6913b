import { parseJson } from './json.ts'
import { type RateLimit, readRateLimit } from './rate-limit.ts'
import { trackedFetch } from './request-progress.ts'
import { ZaloError } from './zalo-error.ts'

type Request = {
  method: 'GET' | 'POST'
  url: URL
  headers: Record<string, string>
  body?: string | FormData | undefined
  timeoutMs: number
  /** Repeating does no harm (a read, an upload, a refresh): every failure without an answer is then `retry`, never `ambiguous`. */
  repeatable: boolean
}

/** An answer, complete. `body` is undefined where it is not a JSON object, e.g. the HTML page of a gateway. */
export type Answer = { status: number; body: Record<string, unknown> | undefined; rateLimit: RateLimit | undefined }

/** The words for a request in errors: no host, no query, no token. */
export function describeRequest(method: string, url: URL): string {
  return `${method} ${url.pathname}`
}

/**
 * What the platform answered. The HTTP status decides nothing while there is a readable body: most failures come with 200.
 * Throws a ZaloError without `code` when no answer came: time-out or connection trouble.
 */
export async function exchange(request: Request): Promise<Answer> {
  const { method, url, headers, body, timeoutMs } = request
  const attempt = trackedFetch(url, {
    method,
    headers,
    body: body ?? null,
    signal: AbortSignal.timeout(timeoutMs),
    // A redirect would carry the access_token header to another host
    redirect: 'manual',
  })
  let response: Response
  let text: string
  try {
    response = await attempt.response
    text = await response.text()
  } catch (error) {
    throw connectionError(error, attempt.isUnwritten(), request)
  }
  return { status: response.status, body: readObject(text), rateLimit: readRateLimit(response.headers) }
}

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function connectionError(error: unknown, isUnwritten: boolean, { method, url, timeoutMs, repeatable }: Request): ZaloError {
  const request = describeRequest(method, url)
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined
  const isTimeout = error instanceof Error && error.name === 'TimeoutError'
  if (!isTimeout && !cause) {
    // fetch refused to build the request (a line break in a token, a broken address). Its sentence quotes the value: do not keep it
    return new ZaloError({ action: 'pause_account', reason: 'invalid_set_up', meaning: 'the request cannot be built', request })
  }
  if (isUnwritten || (cause && isBeforeWriting(cause))) {
    return new ZaloError({ action: 'retry', reason: 'not_connected', meaning: 'no connection', request, cause })
  }
  const action = repeatable ? 'retry' : 'ambiguous'
  if (isTimeout) return new ZaloError({ action, reason: 'timeout', meaning: `no answer within ${timeoutMs} ms`, request })
  return new ZaloError({ action, reason: 'connection_lost', meaning: 'the connection broke', request, cause })
}

// For runtimes that do not tell how far a request came: what Node reports only before its first byte is written
const BEFORE_WRITING = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

function isBeforeWriting(error: Error): boolean {
  // Node tries IPv4 and IPv6 and reports both
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.every((one) => one instanceof Error && isBeforeWriting(one))
  if ('syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo')) return true
  return 'code' in error && typeof error.code === 'string' && BEFORE_WRITING.has(error.code)
}

import type { IncomingHttpHeaders } from 'node:http'

/** What the answer's headers said about requests a minute. */
export type RateLimit = {
  /** `X-RateLimit-Limit` */
  limit: number
  /** `X-RateLimit-Remain` */
  remain: number
}

/** The limits in the headers; undefined unless both are there and whole numbers. */
export function readRateLimit(headers: IncomingHttpHeaders): RateLimit | undefined {
  const { 'x-ratelimit-limit': limit, 'x-ratelimit-remain': remain } = headers
  if (typeof limit !== 'string' || typeof remain !== 'string' || !/^\d+$/.test(limit) || !/^\d+$/.test(remain)) return undefined
  return { limit: Number(limit), remain: Number(remain) }
}

/** What the answer's headers said about requests a minute. */
export type RateLimit = {
  /** `X-RateLimit-Limit` */
  limit: number
  /** `X-RateLimit-Remain` */
  remain: number
}

/** The limits in the headers; undefined unless both are there and whole numbers. */
export function readRateLimit(headers: Headers): RateLimit | undefined {
  const limit = headers.get('x-ratelimit-limit')
  const remain = headers.get('x-ratelimit-remain')
  if (limit === null || remain === null || !/^\d+$/.test(limit) || !/^\d+$/.test(remain)) return undefined
  return { limit: Number(limit), remain: Number(remain) }
}

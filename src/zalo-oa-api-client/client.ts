import { type Accounts, createAccounts } from './account.ts'
import { type Articles, createArticles } from './articles.ts'
import { createCall } from './call.ts'
import { type Conversations, createConversations } from './conversations.ts'
import { createQuotas, type Quotas } from './quota.ts'
import type { RateLimit } from './rate-limit.ts'
import { createSending, type Endpoint, type Sending } from './send.ts'
import { createTags, type Tags } from './tags.ts'
import type { TokenSource } from './token-source.ts'
import { createMemoryUploadCache, createUploads, type UploadCache, type Uploads } from './uploads.ts'
import { createUsers, type Users } from './users.ts'
import { createTemplateSending, type TemplateSending } from './zbs.ts'

export type ZaloClientOptions = {
  /** See `createTokenSource`. */
  tokens: TokenSource
  /** Where consultation messages are tried first; default `v3.0`. Take what `onEndpoint` said last, else `endpointFor(await getAccount())`. */
  endpoint?: Endpoint
  /** Called when another endpoint turned out to be this account's: store it and pass it as `endpoint` next time. Not waited for. */
  onEndpoint?: (endpoint: Endpoint) => unknown
  /** Set to send the header `appsecret_proof` with every call. */
  appSecretForProof?: string
  uploadCache?: UploadCache
  /** Called with the limits of each answer that names them. */
  onRateLimit?: (limit: RateLimit) => unknown
  /** Per request, default 10 s. */
  timeoutMs?: number
  /** Default `https://openapi.zalo.me`. */
  apiUrl?: string
  /** Template messages by phone; default `https://business.openapi.zalo.me`. */
  zbsUrl?: string
  /** ms since 1970; default the system clock. */
  now?: () => number
}

export type ZaloClient = Sending & Uploads & Users & Conversations & Tags & Quotas & Accounts & Articles & TemplateSending

// A platform that answers at all answers within a second or two; ten leave room for a slow line
const TIMEOUT_MS = 10_000

/**
 * A client for ONE Official Account. A call that does not succeed throws ZaloError. What the host's own token store or upload cache throws
 * passes through, and then nothing was sent. Throws TypeError for a broken address.
 */
export function createZaloClient(options: ZaloClientOptions): ZaloClient {
  const {
    tokens,
    endpoint = 'v3.0',
    onEndpoint,
    appSecretForProof,
    uploadCache = createMemoryUploadCache(),
    onRateLimit,
    timeoutMs = TIMEOUT_MS,
    apiUrl = 'https://openapi.zalo.me',
    zbsUrl = 'https://business.openapi.zalo.me',
    now = Date.now,
  } = options
  const call = createCall({ tokens, apiUrl, zbsUrl, proofSecret: appSecretForProof, timeoutMs, now, onRateLimit })
  return {
    ...createSending({ call, endpoint, onEndpoint }),
    ...createUploads({ call, cache: uploadCache, now }),
    ...createUsers(call),
    ...createConversations(call),
    ...createTags(call),
    ...createQuotas(call),
    ...createAccounts(call),
    ...createArticles(call),
    ...createTemplateSending(call),
  }
}

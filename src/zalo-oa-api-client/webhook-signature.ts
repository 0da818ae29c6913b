import { createHash, timingSafeEqual } from 'node:crypto'
import { parseJson } from './json.ts'

export type WebhookKeys = {
  appId: string
  /** The "OA Secret Key" of the app's webhook page. It is not the app secret. */
  oaSecretKey: string
}

/**
 * Whether the platform signed exactly these bytes: hex SHA-256 (no HMAC) of app id, body, the body's `timestamp` and the OA secret key,
 * compared in constant time with the header `X-ZEvent-Signature: mac=<hex>`. False as well for a body that is no JSON object,
 * has no timestamp or names another app. Pass the bytes as received: a re-serialised body has another digest.
 */
export function verifySignature(rawBody: Uint8Array, header: string | string[] | undefined, keys: WebhookKeys): boolean {
  if (typeof header !== 'string') return false
  const given = /^mac=([0-9a-f]{64})$/i.exec(header.trim())?.[1]
  if (!given) return false
  const facts = readFacts(rawBody)
  if (facts?.timestamp === undefined || (facts.appId !== undefined && facts.appId !== keys.appId)) return false
  return timingSafeEqual(Buffer.from(given, 'hex'), digest(rawBody, facts.timestamp, keys))
}

/** The header value the platform would send with this body: for simulators and tests. Throws where the body has no timestamp. */
export function signWebhook(rawBody: Uint8Array, keys: WebhookKeys): string {
  const timestamp = readFacts(rawBody)?.timestamp
  if (timestamp === undefined) throw new Error('Only a JSON object with a timestamp can be signed')
  return `mac=${digest(rawBody, timestamp, keys).toString('hex')}`
}

function digest(rawBody: Uint8Array, timestamp: string, { appId, oaSecretKey }: WebhookKeys): Buffer {
  return createHash('sha256').update(appId).update(rawBody).update(timestamp).update(oaSecretKey).digest()
}

function readFacts(rawBody: Uint8Array): { timestamp: string | undefined; appId: string | undefined } | undefined {
  let body: unknown
  try {
    body = parseJson(Buffer.from(rawBody.buffer, rawBody.byteOffset, rawBody.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
  if (typeof body !== 'object' || body === null) return undefined
  return { timestamp: 'timestamp' in body ? textOf(body.timestamp) : undefined, appId: 'app_id' in body ? textOf(body.app_id) : undefined }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value
  return typeof value === 'number' ? String(value) : undefined
}

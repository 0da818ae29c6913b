import { createHash } from 'node:crypto'

/**
 * The value of `X-ZEvent-Signature`: a plain SHA-256 over app id, the exact body, the body's timestamp and the OA secret key.
 * Not an HMAC, and not the app secret.
 */
export function signatureOf(event: { appId: string; body: string; timestamp: string; oaSecretKey: string }): string {
  const mac = createHash('sha256').update(event.appId + event.body + event.timestamp + event.oaSecretKey)
  return `mac=${mac.digest('hex')}`
}

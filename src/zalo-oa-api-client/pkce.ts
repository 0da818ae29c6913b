import { createHash, randomBytes } from 'node:crypto'

/** A fresh PKCE verifier: 32 random bytes as base64url, 43 characters. Keep it with the `state` until the code comes back. */
export function createVerifier(): string {
  return randomBytes(32).toString('base64url')
}

/** The challenge of a verifier: base64url of its SHA-256, no padding. The platform takes no `code_challenge_method`. */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url')
}

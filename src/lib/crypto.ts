import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 1

/** Encrypts columns, looks them up by keyed hash and signs links, all from one secret; the previous secret still opens while a rotation runs. */
export type Sealer = {
  seal(plain: string): Buffer
  /** Throws where neither key opens it: the row was written under another key. */
  open(sealed: Uint8Array): string
  sealJson(value: unknown): Buffer
  openJson<T>(sealed: Uint8Array): T
  /** The same for the same text, hex; `purpose` keeps hashes of different columns apart. */
  hash(purpose: string, text: string): string
  /** URL-safe signature of a text. */
  sign(purpose: string, text: string): string
  verify(purpose: string, text: string, signature: string): boolean
  /** Tells one key from another without revealing it. */
  fingerprint: string
  previousFingerprint: string | undefined
}

/** `secretKey` and `previous` are 32 bytes each. */
export function createSealer(secretKey: Uint8Array, previous?: Uint8Array): Sealer {
  const keys = deriveKeys(secretKey)
  const openers = previous ? [keys, deriveKeys(previous)] : [keys]

  const seal = (plain: string): Buffer => {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', keys.encrypt, nonce)
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body])
  }
  const open = (sealed: Uint8Array): string => {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
    let failure: unknown
    for (const opener of openers) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', opener.encrypt, bytes.subarray(1, 1 + NONCE_BYTES))
        decipher.setAuthTag(bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES))
        return decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        failure = error
      }
    }
    throw new Error('a stored value does not open with this SECRET_KEY', { cause: failure })
  }
  const hmac = (purpose: string, text: string) => createHmac('sha256', keys.hash).update(`${purpose}\0${text}`)
  const sign = (purpose: string, text: string) => hmac(`sign:${purpose}`, text).digest('base64url')
  return {
    seal,
    open,
    sealJson: (value) => seal(JSON.stringify(value)),
    openJson: <T>(sealed: Uint8Array) => JSON.parse(open(sealed)) as T,
    hash: (purpose, text) => hmac(`hash:${purpose}`, text).digest('hex'),
    sign,
    verify: (purpose, text, signature) => equalSecret(sign(purpose, text), signature),
    fingerprint: fingerprintOf(keys),
    previousFingerprint: openers[1] && fingerprintOf(openers[1]),
  }
}

/** Compares secrets without telling by its time where they differ. */
export function equalSecret(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}

const fingerprintOf = (keys: ReturnType<typeof deriveKeys>) => createHash('sha256').update(keys.fingerprint).digest('hex').slice(0, 16)

function deriveKeys(secret: Uint8Array) {
  const derive = (info: string) => Buffer.from(hkdfSync('sha256', secret, 'hoc-tap-bot', info, KEY_BYTES))
  return { encrypt: derive('encrypt'), hash: derive('hash'), fingerprint: derive('fingerprint') }
}

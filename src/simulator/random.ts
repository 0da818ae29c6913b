import { randomBytes } from 'node:crypto'

/** Ids and chances. With a seed the same run gives the same ids. */
export interface Random {
  /** 0 ≤ chance < 1 */
  chance(): number
  /** Decimal digits without a leading zero; 19 of them lie above 2^53 and below 2^63. */
  digits(length?: number): string
  hex(length: number): string
  token(length: number): string
}

const TOKEN_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_'
const HEX = '0123456789abcdef'

export function createRandom(seed?: number): Random {
  const next = sfc32(seed === undefined ? randomBytes(16) : seedBytes(seed))
  const pick = (letters: string) => letters[Math.floor(next() * letters.length)]
  const many = (letters: string, length: number) => Array.from({ length }, () => pick(letters)).join('')
  return {
    chance: next,
    // the first digit stays below 9 so that the number fits a signed 64-bit integer
    digits: (length = 19) => pick('12345678') + many('0123456789', length - 1),
    hex: (length) => {
      let text = ''
      for (let i = 0; i < length; i++) text += HEX[(next() * 16) | 0]
      return text
    },
    token: (length) => many(TOKEN_LETTERS, length),
  }
}

function seedBytes(seed: number): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32LE(seed >>> 0, 0)
  bytes.writeUInt32LE(0x9e3779b9, 4)
  bytes.writeUInt32LE(0x243f6a88, 8)
  bytes.writeUInt32LE(0xb7e15162, 12)
  return bytes
}

/** Small fast counter generator of Chris Doty-Humphrey; nothing here is secret. */
function sfc32(bytes: Buffer): () => number {
  let a = bytes.readInt32LE(0)
  let b = bytes.readInt32LE(4)
  let c = bytes.readInt32LE(8)
  let d = bytes.readInt32LE(12)
  const next = () => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4_294_967_296
  }
  for (let i = 0; i < 15; i++) next()
  return next
}

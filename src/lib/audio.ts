/** What a sound file is by its content, and how long it lasts where that can be read. */
export type Sound = { type: 'mp3' | 'm4a' | 'ogg' | 'aac'; contentType: string; durationMs?: number }

const CONTENT_TYPES = { mp3: 'audio/mpeg', m4a: 'audio/mp4', ogg: 'audio/ogg', aac: 'audio/aac' } as const

/** Undefined for what is none of the four; the name of a file says nothing here. */
export function probeSound(bytes: Buffer): Sound | undefined {
  const type = typeOf(bytes)
  if (!type) return undefined
  const durationMs = { mp3: mp3Duration, m4a: m4aDuration, ogg: oggDuration, aac: aacDuration }[type](bytes)
  return { type, contentType: CONTENT_TYPES[type], ...(durationMs === undefined ? {} : { durationMs: Math.round(durationMs) }) }
}

function typeOf(bytes: Buffer): Sound['type'] | undefined {
  if (bytes.length < 16) return undefined
  const ascii = (start: number, length: number) => bytes.toString('latin1', start, start + length)
  if (ascii(0, 4) === 'OggS') return 'ogg'
  if (ascii(4, 4) === 'ftyp') return 'm4a'
  if (ascii(0, 3) === 'ID3') return 'mp3'
  if (bytes[0] !== 0xff || ((bytes[1] ?? 0) & 0xe0) !== 0xe0) return undefined
  // Layer bits 00 are ADTS, the others MPEG audio
  if (((bytes[1] ?? 0) & 0x06) === 0) return 'aac'
  return mp3Frame(bytes, 0) ? 'mp3' : undefined
}

// kbit/s by index: MPEG 1 and MPEG 2/2.5, layer III
const MP3_RATES = [
  [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
]
const MP3_HERTZ = [44_100, 48_000, 32_000]

function mp3Frame(bytes: Buffer, at: number): { length: number; ms: number } | undefined {
  const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3)
  if (a !== 0xff || (b & 0xe0) !== 0xe0 || ((b >> 1) & 3) !== 1) return undefined
  const version = (b >> 3) & 3
  const rate = MP3_RATES[version === 3 ? 0 : 1]?.[c >> 4]
  const base = MP3_HERTZ[(c >> 2) & 3]
  if (!rate || !base || version === 1) return undefined
  const hertz = base / (version === 3 ? 1 : version === 2 ? 2 : 4)
  const samples = version === 3 ? 1152 : 576
  return { length: Math.floor(((samples / 8) * rate * 1000) / hertz) + ((c >> 1) & 1), ms: (samples / hertz) * 1000 }
}

function mp3Duration(bytes: Buffer): number | undefined {
  let at = 0
  if (bytes.toString('latin1', 0, 3) === 'ID3') {
    const size = [6, 7, 8, 9].reduce((sum, index) => (sum << 7) | ((bytes[index] ?? 0) & 0x7f), 0)
    at = 10 + size
  }
  let ms = 0
  for (let frame = mp3Frame(bytes, at); frame; frame = mp3Frame(bytes, at)) {
    ms += frame.ms
    at += frame.length
  }
  return ms > 0 ? ms : undefined
}

const AAC_HERTZ = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350]
const AAC_SAMPLES = 1024

function aacDuration(bytes: Buffer): number | undefined {
  let ms = 0
  for (let at = 0; at + 7 <= bytes.length && bytes[at] === 0xff; ) {
    const hertz = AAC_HERTZ[((bytes[at + 2] ?? 0) >> 2) & 15]
    const length = (((bytes[at + 3] ?? 0) & 3) << 11) | ((bytes[at + 4] ?? 0) << 3) | ((bytes[at + 5] ?? 0) >> 5)
    if (!hertz || length < 7) break
    ms += (AAC_SAMPLES / hertz) * 1000
    at += length
  }
  return ms > 0 ? ms : undefined
}

/** The place of the last page, in samples; Opus always counts 48,000 a second. */
function oggDuration(bytes: Buffer): number | undefined {
  const last = bytes.lastIndexOf('OggS')
  const vorbis = bytes.indexOf('\x01vorbis', 0, 'latin1')
  const hertz = bytes.includes('OpusHead') ? 48_000 : vorbis >= 0 && vorbis + 16 <= bytes.length ? bytes.readUInt32LE(vorbis + 12) : 0
  if (last < 0 || last + 14 > bytes.length || hertz === 0) return undefined
  return (Number(bytes.readBigUInt64LE(last + 6)) / hertz) * 1000
}

/** Time scale and duration of the movie header. */
function m4aDuration(bytes: Buffer): number | undefined {
  const at = bytes.indexOf('mvhd', 0, 'latin1')
  if (at < 0 || at + 32 > bytes.length) return undefined
  const long = bytes[at + 4] === 1
  const scale = bytes.readUInt32BE(at + (long ? 24 : 16))
  const length = long ? Number(bytes.readBigUInt64BE(at + 28)) : bytes.readUInt32BE(at + 20)
  return scale > 0 && length > 0 ? (length / scale) * 1000 : undefined
}

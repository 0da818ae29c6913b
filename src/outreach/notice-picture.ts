import { createRequire } from 'node:module'
import { create } from 'qrcode'

/** What stands on a village's notice, in the order of the paper. */
export type NoticeWords = {
  /** "Hội Khuyến học xã Bình Lư" */
  from: string
  /** "THÔNG BÁO" */
  title: string
  /** "Bản Nà Đa" */
  village: string
  text: string
  /** What to do with the code, and what to do without a camera. */
  scan: string
  code: string
}

// A5 at 210 dots an inch: sharp in print, and readable on a phone without zooming
const WIDTH = 1_240
const HEIGHT = 1_754
const MARGIN = 96
const QR_SIZE = 560
const QR_TOP = HEIGHT - MARGIN - 150 - QR_SIZE
const TEXT_TOP = 480
const TEXT_BOTTOM = QR_TOP - 40
// Larger for a few words, smaller for many; below the last one a wall is not read any more
const TEXT_SIZES = [52, 46, 40, 34, 30]
const LINE = 1.45
const INK = '#1a1a1a'
const RED = '#a3121f'
const FAMILY = 'Be Vietnam Pro'

const require = createRequire(import.meta.url)
const FONTS = [
  require.resolve('@expo-google-fonts/be-vietnam-pro/400Regular/BeVietnamPro_400Regular.ttf'),
  require.resolve('@expo-google-fonts/be-vietnam-pro/600SemiBold/BeVietnamPro_600SemiBold.ttf'),
  require.resolve('@expo-google-fonts/be-vietnam-pro/700Bold/BeVietnamPro_700Bold.ttf'),
]

/** The notice as a PNG to pass on and to print: who says it, to whom, the words, and a code that leads to `target`. */
export async function drawNotice(words: NoticeWords, target: string): Promise<Buffer> {
  // Loaded with the first notice: an idle commune does not carry it
  const { Resvg } = await import('@resvg/resvg-js')
  const font = { fontFiles: FONTS, loadSystemFonts: false, defaultFontFamily: FAMILY }
  const known = new Map<string, number>()
  const measure = (text: string) => new Resvg(svg(label(text, { y: 100, size: 100, weight: 400 })), { font }).getBBox()?.width ?? 0
  const between = measure('nn')
  // Between two letters, so that the white at both ends of a word counts too
  const width = (text: string, size: number): number => {
    const measured = known.get(text) ?? measure(`n${text}n`) - between
    known.set(text, measured)
    return (measured * size) / 100
  }
  const { size, lines } = fitText(words.text, width)
  const centre = (text: string, y: number, size: number, weight: number, fill = INK) =>
    label(text, { y, size: Math.min(size, size * ((WIDTH - 2 * MARGIN) / (width(text, size) * 1.1))), weight, fill, centred: true })
  const drawn = svg(`
    <rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
    <rect x="40" y="40" width="${WIDTH - 80}" height="${HEIGHT - 80}" rx="28" fill="none" stroke="${RED}" stroke-width="6"/>
    ${centre(words.from, MARGIN + 46, 40, 600)}
    ${centre(words.title, MARGIN + 190, 104, 700, RED)}
    ${centre(words.village, MARGIN + 280, 60, 700)}
    <rect x="${WIDTH / 2 - 120}" y="${MARGIN + 316}" width="240" height="6" fill="${RED}"/>
    ${lines.map((line, index) => label(line, { y: TEXT_TOP + (index + 1) * size * LINE - size * 0.4, size, weight: 400 })).join('')}
    ${qr(target)}
    ${centre(words.scan, HEIGHT - MARGIN - 84, 42, 700)}
    ${centre(words.code, HEIGHT - MARGIN - 24, 34, 400)}`)
  return new Resvg(drawn, { font }).render().asPng()
}

const svg = (inside: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">${inside}</svg>`

type Label = { y: number; size: number; weight: number; fill?: string; centred?: boolean }

function label(text: string, { y, size, weight, fill = INK, centred = false }: Label): string {
  const at = centred ? `x="${WIDTH / 2}" text-anchor="middle"` : `x="${MARGIN}"`
  return `<text ${at} y="${y}" font-family="${FAMILY}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(text)}</text>`
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** The largest letters in which the words have room; what has none in the smallest is cut, and the message beside the picture has it all. */
function fitText(text: string, width: (text: string, size: number) => number): { size: number; lines: string[] } {
  // The font has no emoji, and a wall needs none
  const clean = text.replaceAll(/\p{Extended_Pictographic}|\u200d|\ufe0f/gu, '')
  const room = (size: number) => Math.floor((TEXT_BOTTOM - TEXT_TOP) / (size * LINE))
  for (const size of TEXT_SIZES) {
    const lines = wrap(clean, size, width)
    if (lines.length <= room(size)) return { size, lines }
  }
  const size = TEXT_SIZES.at(-1) ?? 0
  const lines = wrap(clean, size, width).slice(0, room(size))
  return { size, lines: [...lines.slice(0, -1), `${lines.at(-1) ?? ''} …`] }
}

function wrap(text: string, size: number, width: (text: string, size: number) => number): string[] {
  const space = size * 0.27
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    let used = 0
    for (const word of paragraph.split(/\s+/).filter((part) => part !== '')) {
      const wide = width(word, size)
      if (line !== '' && used + space + wide > WIDTH - 2 * MARGIN) {
        lines.push(line)
        line = ''
        used = 0
      }
      used += (line === '' ? 0 : space) + wide
      line = line === '' ? word : `${line} ${word}`
    }
    if (line !== '') lines.push(line)
  }
  return lines
}

/** A code that is read from a sheet on a wall, across a room. */
function qr(target: string): string {
  const { modules } = create(target, { errorCorrectionLevel: 'M' })
  const cell = QR_SIZE / modules.size
  let path = ''
  for (let row = 0; row < modules.size; row++)
    for (let column = 0; column < modules.size; column++) if (modules.get(row, column)) path += `M${column} ${row}h1v1h-1z`
  return `<g transform="translate(${(WIDTH - QR_SIZE) / 2} ${QR_TOP}) scale(${cell})"><path d="${path}" fill="#000000" shape-rendering="crispEdges"/></g>`
}

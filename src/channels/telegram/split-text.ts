// Where a reader would pause, the best first
const BREAKS = ['\n\n', '\n', '. ', '! ', '? ', '; ', ', ', ' ']
// A part shorter than this share of the limit looks torn; then a lesser break is better
const MIN_SHARE = 0.5

/** Cuts a text into parts of at most `maxChars` UTF-16 units. What stands at the cut but white space is kept. */
export function splitText(text: string, maxChars: number): string[] {
  const parts: string[] = []
  // Composed letters are one unit each, so no cut parts a letter from its accent
  let rest = text.normalize('NFC').trim()
  while (rest.length > maxChars) {
    const end = findCut(rest, maxChars)
    parts.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end).trimStart()
  }
  return rest ? [...parts, rest] : parts
}

function findCut(text: string, maxChars: number): number {
  for (const mark of BREAKS) {
    const at = text.lastIndexOf(mark, maxChars - mark.length)
    if (at >= maxChars * MIN_SHARE) return at + mark.length
  }
  // Never between the two halves of an emoji
  const code = text.charCodeAt(maxChars - 1)
  return code >= 0xd800 && code <= 0xdbff ? maxChars - 1 : maxChars
}

// The platform takes 2,000 characters; senders in production cut at 1,900 and have room for what they add
const DEFAULT_MAX_CHARS = 1900

// Best place first. Each finds where the next part may begin: after the break, whatever blank space follows
const BREAKS = [/\n[^\S\n]*\n\s*/g, /\n\s*/g, /[.!?…][)"'”’»]*\s+/g, /\s+/g]

const graphemes = new Intl.Segmenter('vi', { granularity: 'grapheme' })

/**
 * The text in NFC, cut into parts of at most `maxChars` UTF-16 units (default 1900): at the end of a paragraph, else a line, else a sentence,
 * else a word, else between two graphemes. A better kind of break is taken only where it leaves the part at least half full. Blank space at a cut is
 * dropped, nothing else; a blank text gives no part.
 */
export function splitText(text: string, { maxChars = DEFAULT_MAX_CHARS }: { maxChars?: number } = {}): string[] {
  if (!Number.isInteger(maxChars) || maxChars < 2) throw new RangeError('maxChars must be a whole number above 1')
  const parts: string[] = []
  let rest = text.normalize('NFC').trim()
  while (rest.length > maxChars) {
    const cut = findCut(rest, maxChars)
    parts.push(rest.slice(0, cut).trimEnd())
    rest = rest.slice(cut).trimStart()
  }
  if (rest !== '') parts.push(rest)
  return parts
}

/** 0 < result <= maxChars + blank space that is dropped. */
function findCut(text: string, maxChars: number): number {
  // One unit more, so that a break right behind the last allowed character is seen
  const window = text.slice(0, maxChars + 1)
  for (const pattern of BREAKS) {
    let best = 0
    for (const match of window.matchAll(pattern)) {
      const end = match.index + match[0].trimEnd().length
      if (end <= maxChars) best = end
    }
    if (best > 0 && best >= maxChars / 2) return best
  }
  const lastSpace = window.trimEnd().search(/\s\S*$/)
  if (lastSpace > 0) return lastSpace
  return graphemeCut(text, maxChars)
}

function graphemeCut(text: string, maxChars: number): number {
  const start = graphemes.segment(text).containing(maxChars)?.index ?? maxChars
  if (start > 0) return start
  // A single grapheme longer than a part (a stack of marks): only a surrogate pair is kept whole
  const isInsidePair = /[\uD800-\uDBFF]/.test(text[maxChars - 1] ?? '')
  return isInsidePair ? maxChars - 1 : maxChars
}

import { canon } from './letters.ts'
import type { Offered } from './types.ts'

const MIN_PART_WORDS = 2

/**
 * An option's text and those parts of it that stand between commas, have two words and more, and occur in no other option:
 * "Tự gọi, nhắn tin, xem tin" is also meant by "nhắn tin".
 */
export function partsOf(text: string, offered: Offered, villageBefore: readonly string[] = []): string[] {
  const clean = bare(text)
  const results = [clean.replaceAll(',', ' ')]
  const others = offered.options.filter((option) => option.text !== text).map((option) => ` ${key(bare(option.text))} `)
  for (const part of clean.split(/,| hoặc | rồi mới /)) {
    const words = key(part)
    if (words.split(' ').length >= MIN_PART_WORDS && !others.some((other) => other.includes(` ${words} `))) results.push(part)
  }
  if (offered.kind === 'village') {
    // "Nà Tăm" for "Bản Nà Tăm 1" and "Bản Nà Tăm 2": both, so it is asked which
    const stem = /^(.*\S\s+\S+)\s+\d+\s*$/.exec(clean)?.[1]
    if (stem !== undefined) results.push(...partsOf(stem, { ...offered, options: [] }, villageBefore))
    for (const before of villageBefore) {
      if (key(clean).startsWith(`${key(before)} `)) results.push(clean.trim().split(/\s+/).slice(key(before).split(' ').length).join(' '))
    }
  }
  return results
}

/** Signs that mean something in phrases are none in an option's text. */
function bare(text: string): string {
  return text.normalize('NFC').replace(/[()[\]<>{}=|]/g, ' ')
}

function key(text: string): string {
  return (text.match(/[\p{L}\p{M}]+|\d+/gu) ?? []).map((word) => canon(word)).join(' ')
}

/**
 * Vietnamese letters apart from their marks. A word is kept as its letters with their shape (ă â ê ô ơ ư đ) and, at the end, the tone as a
 * figure (1 sắc, 2 huyền, 3 hỏi, 4 ngã, 5 nặng): "hoà", "hòa" and both Unicode forms all become "hoa2".
 */
const TONES: Record<string, string> = { '\u0301': '1', '\u0300': '2', '\u0309': '3', '\u0303': '4', '\u0323': '5' }
const SHAPES: Record<string, string> = { 'a\u0302': 'â', 'e\u0302': 'ê', 'o\u0302': 'ô', 'a\u0306': 'ă', 'o\u031b': 'ơ', 'u\u031b': 'ư' }
const BARE: Record<string, string> = { â: 'a', ă: 'a', ê: 'e', ô: 'o', ơ: 'o', ư: 'u', đ: 'd' }
const MARKED = /[âăêôơưđ1-5]/

/** The form all comparisons use. `word` is one token of letters in any Unicode form and case. */
export function canon(word: string): string {
  if (/^[a-z]+$/.test(word)) return sameY(word)
  let letters = ''
  let tone = ''
  for (const part of word.toLowerCase().replaceAll('ð', 'đ').normalize('NFD')) {
    const mark = TONES[part]
    if (mark !== undefined) tone ||= mark
    else if (part >= '\u0300' && part <= '\u036f') letters = letters.slice(0, -1) + (SHAPES[letters.slice(-1) + part] ?? letters.slice(-1))
    else letters += part
  }
  return sameY(letters) + tone
}

/** "kỹ" and "kĩ", "lý" and "lí" are one word; "quý" and "thúy" are not touched. */
function sameY(letters: string): string {
  return /^[bcdđhklmnrstvx]+y$/.test(letters) ? `${letters.slice(0, -1)}i` : letters
}

/** Letters only: "đúng", "dùng" and "dừng" are all "dung". */
export function plain(canonical: string): string {
  return MARKED.test(canonical) ? canonical.replace(/[1-5]/g, '').replace(/[âăêôơưđ]/g, (letter) => BARE[letter] ?? letter) : canonical
}

export function isMarked(canonical: string): boolean {
  return MARKED.test(canonical)
}

/**
 * How the marks of what was typed agree with those of a word with the same plain letters. `missing`: fewer marks, none contrary;
 * `soft`: only hỏi and ngã exchanged, which half the country says alike; `contrary`: another word was written.
 */
export function compareMarks(typed: string, word: string): 'same' | 'missing' | 'soft' | 'contrary' {
  if (typed === word) return 'same'
  let result: 'missing' | 'soft' | 'same' = 'same'
  const [typedLetters, typedTone] = splitTone(typed)
  const [letters, tone] = splitTone(word)
  for (let i = 0; i < letters.length; i++) {
    const a = typedLetters[i] ?? ''
    const b = letters[i] ?? ''
    if (a === b) continue
    if ((BARE[b] ?? b) !== a) return 'contrary'
    result = 'missing'
  }
  if (typedTone === tone) return result
  if (typedTone === '') return 'missing'
  if ((typedTone === '3' && tone === '4') || (typedTone === '4' && tone === '3')) return 'soft'
  return 'contrary'
}

function splitTone(canonical: string): [letters: string, tone: string] {
  const last = canonical.at(-1) ?? ''
  return last >= '1' && last <= '5' ? [canonical.slice(0, -1), last] : [canonical, '']
}

/**
 * Sounds that whole regions exchange, folded: l/n, ch/tr, s/x, r/d/gi/v at the beginning, n/ng and c/t at the end. Marks stay, so that
 * "dồi" meets "rồi" but not "dôi".
 */
export function regional(canonical: string): string {
  const [letters, tone] = splitTone(canonical)
  const folded = letters
    .replace(/^n(?![gh])/, 'l')
    .replace(/^tr/, 'ch')
    .replace(/^x/, 's')
    .replace(/^(gi(?=[aeouyâăêôơư])|r|v)/, 'd')
    .replace(/^gi$/, 'di')
    .replace(/ng$/, 'n')
    .replace(/t$/, 'c')
  return folded + tone
}

const TELEX_TONES: Record<string, string> = { s: '1', f: '2', r: '3', x: '4', j: '5' }
const DOUBLED: [RegExp, string][] = [
  [/aa/, 'â'],
  [/ee/, 'ê'],
  [/oo/, 'ô'],
]

/** "khoong" → không, "ddang" → đang, "hocj" and "hojc" → học. Nothing when the word holds no Telex keys. */
export function fromTelex(word: string): string | undefined {
  if (!/^\p{L}+$/u.test(word)) return undefined
  let letters = word
  let tone = ''
  if (/^dd/.test(letters)) letters = `đ${letters.slice(2)}`
  else if (/^d.*[aeiouyw].*d/.test(letters)) letters = `đ${letters.slice(1).replace('d', '')}`
  const firstVowel = letters.search(/[aeiouyâăêôơư]/)
  if (firstVowel < 0 && !letters.includes('w')) return undefined
  const from = firstVowel < 0 ? 0 : firstVowel + 1
  const keys = letters.slice(from).match(/[sfrxj]/g)
  if (keys !== null && keys.length > 1) return undefined
  if (keys?.[0] !== undefined) {
    tone = TELEX_TONES[keys[0]] ?? ''
    const at = letters.indexOf(keys[0], from)
    letters = letters.slice(0, at) + letters.slice(at + 1)
  }
  letters = shaped(letters)
  const result = letters + tone
  return result === word ? undefined : canon(letters) + tone
}

function shaped(letters: string): string {
  let result = letters
  for (const [keys, letter] of DOUBLED) result = result.replace(keys, letter)
  if (!result.includes('w')) return result
  const bare = result.replaceAll('w', '')
  if (/uo/.test(bare)) return bare.replace('uo', 'ươ')
  if (/ua/.test(bare)) return bare.replace('ua', 'ưa')
  if (/[uoa]/.test(bare)) return bare.replace(/^(.*?)([uoa])/, (_all, before: string, vowel: string) => before + horned(vowel))
  return result.replace('w', 'ư')
}

function horned(vowel: string): string {
  return vowel === 'u' ? 'ư' : vowel === 'o' ? 'ơ' : 'ă'
}

/** "kho6ng" → không, "d9u7o7c5" → được. Nothing when the word holds no VNI figures after its first letter. */
export function fromVni(word: string): string | undefined {
  if (!/^[a-z]+[a-z1-9]*[1-9][a-z1-9]*$/.test(word)) return undefined
  let letters = word.replace(/[1-9]/g, '')
  const figures = word.replace(/[^1-9]/g, '')
  let tone = ''
  for (const figure of new Set(figures)) {
    if (figure <= '5') {
      if (tone !== '') return undefined
      tone = figure
    } else if (figure === '6') letters = letters.replace(/[aeo]/, (vowel) => (vowel === 'a' ? 'â' : vowel === 'e' ? 'ê' : 'ô'))
    else if (figure === '7') letters = letters.includes('uo') ? letters.replace('uo', 'ươ') : letters.replace(/[uo]/, horned)
    else if (figure === '8') letters = letters.replace('a', 'ă')
    else if (letters.startsWith('d')) letters = `đ${letters.slice(1)}`
    else return undefined
  }
  return canon(letters) + tone
}

const SYLLABLE = /^(b|ch|c|d|gh|gi|g|h|kh|k|l|m|ngh|ng|nh|n|ph|p|qu|r|s|th|tr|t|v|x)?[aeiouy]{1,3}(ch|c|m|ng|nh|n|p|t)?$/

/** Could be a Vietnamese word as it is written, known or not. */
export function isSyllable(canonical: string): boolean {
  return SYLLABLE.test(plain(canonical))
}

/** First letters as chats write them. */
const CHAT_BEGINNINGS: Readonly<Record<string, readonly string[]>> = { z: ['d', 'gi', 'v', 'r'], f: ['ph'], w: ['qu'], j: ['gi', 'ch'] }

/** "zự" → dự, giự, …; "fải" → phải; "íts" → ít, a Telex key pressed once too often. */
export function respellings(canonical: string): string[] {
  const begins = CHAT_BEGINNINGS[canonical[0] ?? '']?.map((letters) => letters + canonical.slice(1)) ?? []
  const tone = /[1-5]$/.exec(canonical)?.[0] ?? ''
  const letters = tone === '' ? canonical : canonical.slice(0, -1)
  const doubled = isMarked(canonical) && /[sfrxj]$/.test(letters) ? [letters.slice(0, -1) + tone] : []
  return [...begins, ...doubled]
}

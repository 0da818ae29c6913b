/** A whole number from 0 up to, not including, `below`. In operation `randomInt` of node:crypto; seeded in tests and for the sample. */
export type RandomInt = (below: number) => number

// No look-alikes (0 O 1 I L), and nothing a Vietnamese keyboard rewrites while typing: without vowels no tone key (s f r x j, 1–5)
// has anything to act on, and D (dd, d9 → đ) and W (w → ư) are left out
const LETTERS = 'BCFGHJKMNPQRSTVXZ'
const DIGITS = '23456789'
const ALPHABET = LETTERS + DIGITS

// 25⁴ less what is all letters or all digits leaves 303,008 codes, three times the villages of the whole country
const JOIN_PAYLOAD = 4
// Weights and their differences share no factor with 25: one wrong character or two neighbours swapped never pass
const JOIN_WEIGHTS = [1, 2, 3, 4]

// 25⁹ is 41.8 bits; with 5 wrong codes an hour per contact (roles.ts) guessing is hopeless within the 7 days a code lives
const INVITATION_LENGTH = 9

/** A village's code: four characters and a check character, at least one of them a letter and one a digit, so that it is no answer's number and no word. */
export function createJoinCode(randomInt: RandomInt): string {
  for (;;) {
    const payload = randomText(randomInt, JOIN_PAYLOAD)
    if (hasAny(payload, LETTERS) && hasAny(payload, DIGITS)) return payload + checkCharacter(payload)
  }
}

/** The code as it is stored, from what a person typed (case, spaces, dashes and dots do not matter); undefined where the check character says it is mistyped. */
export function parseJoinCode(text: string): string | undefined {
  const code = normalise(text)
  if (code.length !== JOIN_PAYLOAD + 1 || !consistsOf(code, ALPHABET)) return undefined
  const payload = code.slice(0, JOIN_PAYLOAD)
  if (!hasAny(payload, LETTERS) || !hasAny(payload, DIGITS)) return undefined
  return checkCharacter(payload) === code.slice(JOIN_PAYLOAD) ? code : undefined
}

/** A single-use code, shown in groups of three: `BK7-QX4-T9M`. */
export function createInvitationCode(randomInt: RandomInt): string {
  const code = randomText(randomInt, INVITATION_LENGTH)
  return `${code.slice(0, 3)}-${code.slice(3, 6)}-${code.slice(6)}`
}

/** The code without its dashes, as it is hashed; undefined for what cannot be one. */
export function parseInvitationCode(text: string): string | undefined {
  const code = normalise(text)
  return code.length === INVITATION_LENGTH && consistsOf(code, ALPHABET) ? code : undefined
}

function randomText(randomInt: RandomInt, length: number): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}

function checkCharacter(payload: string): string {
  const sum = JOIN_WEIGHTS.reduce((total, weight, place) => total + weight * ALPHABET.indexOf(payload.charAt(place)), 0)
  return ALPHABET.charAt((ALPHABET.length - (sum % ALPHABET.length)) % ALPHABET.length)
}

function normalise(text: string): string {
  return text
    .normalize('NFKC')
    .toUpperCase()
    .replaceAll(/[\s.\-–—_]/g, '')
}

const consistsOf = (text: string, alphabet: string) => [...text].every((character) => alphabet.includes(character))
const hasAny = (text: string, alphabet: string) => [...text].some((character) => alphabet.includes(character))

/**
 * Taps come back as ordinary text, so a tap is told from words by its first character. Anyone can type one: a payload names a
 * session, a prompt and an option, and is checked against what this person was really asked.
 */
const TAP_MARK = '#'

export const isTap = (text: string): boolean => text.startsWith(TAP_MARK) && /^#[0-9a-z_.~-]+$/i.test(text)

export const toTap = (payload: string): string => (payload.startsWith(TAP_MARK) ? payload : TAP_MARK + payload)

export const fromTap = (text: string): string => text.slice(TAP_MARK.length)

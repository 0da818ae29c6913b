import { z } from 'zod'

// Sixteen digits outside quotes: the shortest whole number that may be above 2^53
const MAY_HOLD_BIG_INTEGER = /[^"\d]\d{16,}/

/**
 * Parsed JSON in which a whole number above 2^53 is a string of its digits, so that an id the platform forgot to quote keeps them all.
 * Throws a SyntaxError on anything that is not JSON.
 */
export function parseJson(text: string): unknown {
  // The slow way costs a call per value; nearly no body needs it
  return MAY_HOLD_BIG_INTEGER.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text)
}

function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && /^-?\d+$/.test(source) ? source : value
}

/** An id: a decimal string, also where the platform sent a number. */
export const Id = z.union([z.string(), z.number()]).transform(String)

/** A number that may come as a string of digits ("90000"), as the platform does with times, sizes and counts. */
export const NumberLike = z.union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/)]).transform(Number)

import { invalid, tooMuch } from '../refusal.ts'

// Small strict readers of request bodies. Everything that is not exactly as documented is refused with -201, everything too long with -210.

export type Fields = Record<string, unknown>

/** An object with no other keys than the allowed ones. */
export function readObject(value: unknown, name: string, allowed: readonly string[]): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name)
  for (const key of Object.keys(value)) if (!allowed.includes(key)) throw invalid(`${name}.${key}`)
  return value as Fields
}

/** A text of 1 … `max` characters, counted in UTF-16 units as the platform's Java does. */
export function readText(value: unknown, name: string, max: number): string {
  if (typeof value !== 'string' || value.trim() === '') throw invalid(name)
  if (value.length > max) throw tooMuch(name)
  return value
}

export function readOptionalText(value: unknown, name: string, max: number): string | undefined {
  return value === undefined ? undefined : readText(value, name, max)
}

/** An id: a string of decimal digits. A JSON number has already lost its last digits and is refused. */
export function readId(value: unknown, name: string): string {
  if (typeof value !== 'string' || !/^[0-9]{1,20}$/.test(value)) throw invalid(name)
  return value
}

export function readUrl(value: unknown, name: string): string {
  if (typeof value !== 'string' || !/^https?:\/\/[^\s/]+/.test(value) || !URL.canParse(value)) throw invalid(name)
  return value
}

export function readArray(value: unknown, name: string, limits: { min: number; max: number }): unknown[] {
  if (!Array.isArray(value) || value.length < limits.min) throw invalid(name)
  if (value.length > limits.max) throw tooMuch(name)
  return value
}

export function readInteger(value: unknown, name: string, limits: { min: number; max: number }): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < limits.min) throw invalid(name)
  if (value > limits.max) throw tooMuch(name)
  return value
}

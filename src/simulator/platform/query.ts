import { invalid } from '../refusal.ts'
import type { OaCall } from './gateway.ts'
import { type Fields, readInteger, readObject } from './shape.ts'

/** The parameters of a GET call: one JSON text in `?data=…`. */
export function readQuery(call: OaCall, allowed: readonly string[]): Fields {
  const { data } = call.query
  if (data === undefined) throw invalid('data')
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw invalid('data')
  }
  return readObject(value, 'data', allowed)
}

/** `offset` and `count` of a list; both may also come as strings. */
export function readPage(fields: Fields, limits: { maxOffset: number; maxCount: number }): { offset: number; count: number } {
  const number = (value: unknown, fallback: number) =>
    value === undefined ? fallback : typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : value
  return {
    offset: readInteger(number(fields.offset, 0), 'offset', { min: 0, max: limits.maxOffset }),
    count: readInteger(number(fields.count, limits.maxCount), 'count', { min: 1, max: limits.maxCount }),
  }
}

import type { ErrorAction } from './error-action.ts'
import { oaErrors } from './errors-oa.ts'
import { oauthErrors } from './errors-oauth.ts'
import { zbsErrors } from './errors-zbs.ts'
import type { Wait } from './vietnam-time.ts'

/** What a code means and calls for. */
export type ErrorEntry = {
  action: ErrorAction
  /** A stable word for ledgers and metrics; several codes may share one. */
  reason: string
  meaning: string
  /** Only with `wait_until`. */
  wait?: Wait
  /** Where the vendor gave one code two meanings: the first whose `contains` stands in the platform's text (any case) overrides. */
  texts?: readonly ({ contains: string } & Partial<Omit<ErrorEntry, 'texts'>>)[]
}

export type ErrorTable = Readonly<Record<number, ErrorEntry>>

/** The hosts number their errors apart: -100 is an expired attachment on `oa` and an unknown error on `zbs`. */
export type ErrorHost = 'oa' | 'zbs' | 'oauth'

/** Every known code of the three hosts. */
export const errors: Readonly<Record<ErrorHost, ErrorTable>> = { oa: oaErrors, zbs: zbsErrors, oauth: oauthErrors }

// A refusal by a number nobody listed: the platform did answer and did not accept, so it is final; the ledger shows it by its reason
const UNKNOWN: ErrorEntry = { action: 'drop', reason: 'unknown_code', meaning: 'refused with a code this client does not know' }

/** True for a code that stands in the host's table. */
export function isKnown(host: ErrorHost, code: number): boolean {
  return errors[host][code] !== undefined
}

/** What a code calls for; a code in no table is final with reason `unknown_code`. */
export function classify(host: ErrorHost, code: number, platformText = ''): ErrorEntry {
  const entry = errors[host][code] ?? UNKNOWN
  const text = platformText.toLowerCase()
  const special = entry.texts?.find(({ contains }) => text.includes(contains))
  if (!special) return entry
  const { contains: _, ...override } = special
  return { ...entry, ...override }
}

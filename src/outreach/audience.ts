import type { recipient } from '../db/schema.ts'

/** The way a person is reached, decided from data when the audience is frozen (outreach/freeze.ts). */
export type Route = (typeof recipient.$inferSelect)['route']

/** Whom a rule reaches and whom not, before anything is stored. */
export type AudiencePreview = {
  /** Rows the ledger will have. */
  people: number
  /** Messages that go out at once. */
  now: number
  routes: Partial<Record<Route, number>>
  /** Why people are not written to. */
  reasons: { reason: string; n: number }[]
  villages: {
    villageId: number | null
    code: string
    /** "bản Nà Đa"; empty for chats of people who are not registered. */
    title: string
    people: number
    routes: Partial<Record<Route, number>>
    reasons: { reason: string; n: number }[]
  }[]
  /** Of `now`: beyond the free part of the window. */
  billed: number
  accounts: { accountId: number; messages: number }[]
}

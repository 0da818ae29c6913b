import { z } from 'zod'

const decimalId = z.string().regex(/^[0-9]{6,20}$/, 'an id is a string of decimal digits')

/** A message template (ZBS); `<name>` in the text stands for a parameter. */
export const Template = z.object({
  id: z.string(),
  text: z.string(),
  approved: z.boolean().default(true),
  byUserId: z.boolean().default(true),
})
export type Template = z.infer<typeof Template>

/** What an Official Account and its app are. The required part is what a test must say; the rest is an account in good order. */
export const AccountSettings = z.object({
  oaId: decimalId,
  name: z.string().min(1),
  appId: decimalId,
  appSecret: z.string().min(1),
  oaSecretKey: z.string().min(1),
  /** 2 = enterprise, 4 = state agency, as `getoa` answers */
  oaType: z.union([z.literal(2), z.literal(4)]),
  verified: z.boolean(),
  package: z.enum(['basic', 'growth', 'comprehensive']),
  /** whether messages may carry buttons: undocumented on v3.0, so both worlds exist */
  buttons: z.enum(['accepted', 'refused']),
  buttonsRefusal: z.union([z.literal(-233), z.literal(-201)]).default(-233),
  lists: z.enum(['accepted', 'refused']).default('accepted'),
  /** requests a minute; without it the package's own */
  perMinute: z.number().int().positive().optional(),
  webhookUrl: z.url({ protocol: /^https?$/ }).optional(),
  webhookEnabled: z.boolean().default(true),
  /** the console's switch "Enable Webhook Retry" */
  webhookRetry: z.boolean().default(true),
  /** switched-off event names; everything else is sent */
  eventsOff: z.array(z.string()).default([]),
  /** where the permission page may lead; empty: anywhere */
  callbackUrls: z.array(z.string()).default([]),
  pkce: z.enum(['optional', 'required']).default('optional'),
  /** the console's switch that makes `appsecret_proof` mandatory */
  proofRequired: z.boolean().default(false),
  appActive: z.boolean().default(true),
  appRemoved: z.boolean().default(false),
  /** the app registered for the Official Account API product */
  apiRegistered: z.boolean().default(true),
  /** the OA granted the app its permissions */
  granted: z.boolean().default(true),
  oaEnabled: z.boolean().default(true),
  /** sources differ on what an expired access token answers */
  expiredTokenCode: z.union([z.literal(-216), z.literal(-220)]).default(-216),
  /** seen on real events, and seen missing */
  userIdByApp: z.boolean().default(true),
  /** two shapes of `info` in user_submit_info are known */
  submitInfo: z.enum(['old', 'new']).default('old'),
  zaloCloud: z.enum(['linked', 'none', 'empty']).default('linked'),
  /** billed consultation messages a month contained in the package, see the price list of 2026-06-01 */
  monthlyQuota: z.number().int().nonnegative().default(500),
  templates: z.array(Template).default([]),
  /** whether a state agency may use templates at all is an open question: both worlds exist */
  templatesRefused: z.boolean().default(false),
  /** phones of OA and app administrators: only they receive messages of mode "development" */
  adminPhones: z.array(z.string()).default([]),
})
export type AccountSettings = z.infer<typeof AccountSettings>
/** The same before defaults, as callers write it. */
export type AccountInput = z.input<typeof AccountSettings>

// requests a minute per package (price list 59356998526); `basic` has no API at all
const PACKAGE_PER_MINUTE = { basic: 0, growth: 100, comprehensive: 2_000 }

export function perMinute(account: AccountSettings): number {
  return account.perMinute ?? PACKAGE_PER_MINUTE[account.package]
}

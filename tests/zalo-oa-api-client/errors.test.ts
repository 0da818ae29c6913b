import { expect, test } from 'vitest'
import { classify, type ErrorAction, errorActions, errors } from '../../src/zalo-oa-api-client/index.ts'
import { endOfWait } from '../../src/zalo-oa-api-client/vietnam-time.ts'

const oa: [ErrorAction, number[]][] = [
  ['wait_until', [-32, -211, -218, -234]],
  ['reupload', [-100]],
  ['ambiguous', [-200]],
  ['drop', [-201, -217, -237, -238, -241, -248, -249, -403, -1340, -1341]],
  ['split', [-210]],
  ['unreachable', [-213, -227]],
  ['retry', [-214]],
  ['refresh', [-216, -220, 216, 401, -401]],
  ['outside_window', [-230, -232]],
  ['change_shape', [-233]],
  ['switch_endpoint', [-235, -240]],
  ['muted', [-244]],
  ['pause_paid', [-320, -321]],
  ['pause_account', [-105, 112, -204, -205, -209, -212, -219, -221, -223, -224, -242]],
]

const zbs: [ErrorAction, number[]][] = [
  ['refresh', [-124]],
  ['retry', [-100]],
  ['pause_account', [-101, -102, -103, -104, -105, -117, -120, -1201, -1202, -125, -135, -1351, -145, -146, -1241]],
  ['pause_paid', [-126, -136, -137, -138, -1381]],
  ['wait_until', [-32, -115, -133, -144, -1441, -147, -1471, -1472]],
  ['unreachable', [-108, -110, -114, -118, -119]],
  ['muted', [-139, -140, -141]],
  ['drop', [-106, -107, -109, -1091, -111, -112, -1121, -1122, -1123, -1124, -113, -1131, -1132, -116, -121, -122, -127, -130, -131, -132]],
  ['drop', [-123, -128, -129, -142, -143, -148, -149, -150, -151, -152, -153, -158, -159, -160, -161, -162]],
]

test.each([
  ...oa.map(([action, codes]) => ['oa' as const, action, codes] as const),
  ...zbs.map(([action, codes]) => ['zbs' as const, action, codes] as const),
  ['oauth' as const, 'pause_account' as const, [-118, -14002, -14003, -14014, -14020]] as const,
])('%s: %s for %j', (host, action, codes) => {
  expect(codes.map((code) => [code, classify(host, code).action])).toEqual(codes.map((code) => [code, action]))
})

test('both texts of -32 and of -223 are told apart', () => {
  expect(classify('oa', -32, 'Your application reached limit call api').reason).toBe('rate_limit_app')
  expect(classify('oa', -32, 'Your OA reached limit call api').reason).toBe('rate_limit_account')
  expect(classify('oa', -223, 'Official Account has not authorized this API')).toMatchObject({
    action: 'pause_account',
    reason: 'not_authorised',
  })
  const quota = classify('oa', -223, 'Your OA has reach the limit quota create article')
  expect(quota).toMatchObject({ action: 'wait_until', wait: 'next_day', reason: 'article_quota' })
})

test('the same number means something else on another host', () => {
  expect(classify('oa', -118).reason).toBe('unknown_code')
  expect(classify('zbs', -118).action).toBe('unreachable')
  expect(classify('oauth', -118).reason).toBe('grant_dead')
})

test('an unknown code is final and says so', () => {
  expect(classify('oa', -987654)).toMatchObject({ action: 'drop', reason: 'unknown_code' })
})

test('every entry has a wait exactly when it waits, and a reason in one style', () => {
  for (const entry of Object.values(errors).flatMap((table) => Object.values(table))) {
    expect(entry.wait !== undefined).toBe(entry.action === 'wait_until')
    expect(entry.reason).toMatch(/^[a-z][a-z0-9_]+$/)
  }
})

test('only what is certainly undelivered is retryable', () => {
  for (const facts of Object.values(errorActions)) if (facts.retryable) expect(facts.delivered).toBe('no')
  expect(errorActions.ambiguous.delivered).toBe('unknown')
})

const at = (iso: string) => Date.parse(iso)

test.each([
  ['next_minute', '2026-11-22T10:00:30+07:00', '2026-11-22T10:01:00+07:00'],
  ['next_minute', '2026-11-22T10:00:00+07:00', '2026-11-22T10:01:00+07:00'],
  ['six_in_the_morning', '2026-11-22T22:15:00+07:00', '2026-11-23T06:00:00+07:00'],
  ['six_in_the_morning', '2026-11-23T03:00:00+07:00', '2026-11-23T06:00:00+07:00'],
  ['six_in_the_morning', '2026-11-23T06:00:00+07:00', '2026-11-24T06:00:00+07:00'],
  ['next_day', '2026-12-31T23:59:59+07:00', '2027-01-01T00:00:00+07:00'],
  ['next_day', '2027-01-01T00:00:00+07:00', '2027-01-02T00:00:00+07:00'],
] as const)('%s after %s is %s', (wait, now, until) => {
  expect(endOfWait(wait, at(now))).toBe(at(until))
})

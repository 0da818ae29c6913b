import { afterEach, beforeEach, expect, test } from 'vitest'
import { challengeOf } from '../../src/zalo-oa-api-client/index.ts'
import { errorOf, type FakeZalo, oauthTo, startFakeZalo } from './fake-zalo.ts'

let zalo: FakeZalo
beforeEach(async () => {
  zalo = await startFakeZalo()
})
afterEach(() => zalo.stop())

test('the permission URL carries app, redirect and state, and a challenge only with a verifier', () => {
  const oauth = oauthTo(zalo)
  const args = { redirectUri: 'https://example.vn/zalo/callback', state: 'made up & secret' }
  const plain = new URL(oauth.permissionUrl(args))
  expect(plain.pathname).toBe('/v4/oa/permission')
  expect(Object.fromEntries(plain.searchParams)).toEqual({
    app_id: '1234567890123456789',
    redirect_uri: args.redirectUri,
    state: args.state,
  })
  const guarded = new URL(oauth.permissionUrl({ ...args, verifier: 'v'.repeat(43) }))
  expect(guarded.searchParams.get('code_challenge')).toBe(challengeOf('v'.repeat(43)))
  expect(guarded.searchParams.has('code_challenge_method')).toBe(false)
})

test('a code is exchanged with secret in the header, and the verifier where there was a challenge', async () => {
  const oauth = oauthTo(zalo)
  expect(await oauth.exchangeCode({ code: 'CODE_1', verifier: 'made_up' })).toEqual({
    accessToken: 'AT_2',
    refreshToken: 'RT_2',
    expiresInMs: 90_000_000,
  })
  await oauth.exchangeCode({ code: 'CODE_1' })
  const [guarded, plain] = zalo.seen.map((one) => Object.fromEntries(new URLSearchParams(one.body.toString())))
  const fields = { code: 'CODE_1', grant_type: 'authorization_code', app_id: '1234567890123456789' }
  expect(guarded).toEqual({ ...fields, code_verifier: 'made_up' })
  expect(plain).toEqual(fields)
})

test.each(['90000', 90000])('expires_in %j is 25 hours', async (expires_in) => {
  zalo.next('/v4/oa/access_token', { access_token: 'A', refresh_token: 'R', expires_in })
  expect((await oauthTo(zalo).refresh('RT_1')).expiresInMs).toBe(25 * 3_600_000)
})

test('refusals tell set-up mistakes from dead grants, and errors hold no token', async () => {
  zalo.next('/v4/oa/access_token', { error: -14003, error_description: 'made up' }, { error: -14020 })
  const oauth = oauthTo(zalo)
  const redirect = await errorOf(oauth.exchangeCode({ code: 'CODE_1' }))
  expect(redirect).toMatchObject({ code: -14003, reason: 'redirect_refused', action: 'pause_account' })
  const used = await errorOf(oauth.refresh('RT_secret'))
  expect(used).toMatchObject({ code: -14020, reason: 'grant_dead' })
  expect(`${used} ${JSON.stringify(used)}`).not.toContain('RT_secret')
})

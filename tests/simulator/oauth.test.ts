import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { accountInput, call, DAY_MS, meet, OA, startSimulator, text } from './start.ts'

const APP = { app_id: '1234567890123456789' }
const CALLBACK = 'https://bot.example.vn/zalo/callback'
// RFC 7636, appendix B
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

async function token(simulator: Simulator, form: Record<string, string>, secret = 'APP_SECRET_made_up') {
  const response = await simulator.platform.inject({
    method: 'POST',
    url: '/v4/oa/access_token',
    headers: { secret_key: secret, 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ ...APP, ...form }).toString(),
  })
  expect(response.statusCode).toBe(200)
  return response.json()
}

const refresh = (simulator: Simulator, refreshToken: string, secret?: string) =>
  token(simulator, { grant_type: 'refresh_token', refresh_token: refreshToken }, secret)

async function consent(simulator: Simulator, query: Record<string, string> = {}) {
  const url = `/v4/oa/permission?${new URLSearchParams({ ...APP, redirect_uri: CALLBACK, ...query })}`
  const response = await simulator.platform.inject({ method: 'GET', url })
  const { location } = response.headers
  return typeof location === 'string' ? new URL(location).searchParams : response.json()
}

describe('a refresh token', () => {
  test('works once and gives the next pair; the life of the access token is a text', async () => {
    const simulator = await startSimulator()
    const first = simulator.account(OA).mintTokens()
    const second = await refresh(simulator, first.refresh_token)
    expect(second).toEqual({ access_token: expect.any(String), refresh_token: expect.any(String), expires_in: '90000' })
    expect(second.refresh_token).not.toBe(first.refresh_token)
    const again = await refresh(simulator, first.refresh_token)
    expect(again).toMatchObject({
      error: -14020,
      error_name: expect.any(String),
      error_reason: expect.any(String),
      ref_doc: expect.any(String),
    })
    expect(again.access_token).toBeUndefined()
    expect((await refresh(simulator, second.refresh_token)).expires_in).toBe('90000')
  })

  test('of two refreshes at once one wins', async () => {
    const simulator = await startSimulator()
    const { refresh_token } = simulator.account(OA).mintTokens()
    const answers = await Promise.all([refresh(simulator, refresh_token), refresh(simulator, refresh_token)])
    expect(answers.map((answer) => answer.error ?? 0).sort()).toEqual([-14020, 0])
  })

  test('is refused when unknown, of another app, with a wrong secret, after three months', async () => {
    const simulator = await startSimulator()
    const { refresh_token } = simulator.account(OA).mintTokens()
    expect((await refresh(simulator, 'nothing')).error).toBe(-14014)
    expect((await refresh(simulator, refresh_token, 'OA_SECRET_made_up_0001')).error).toBe(-14002)
    expect((await token(simulator, { app_id: '999999', grant_type: 'refresh_token', refresh_token })).error).toBe(-14002)
    await simulator.clock.advance(90 * DAY_MS)
    expect((await refresh(simulator, refresh_token)).error).toBe(-14020)
  })
})

describe('an access token', () => {
  test('is good for 25 hours, in the header only', async () => {
    const simulator = await startSimulator()
    const { userId } = await meet(simulator)
    const { access_token } = simulator.account(OA).mintTokens()
    const send = (url = '/v3.0/oa/message/cs', given = access_token) => call(simulator, url, text(userId), { token: given })
    expect((await send()).body.error).toBe(0)
    expect((await send(`/v3.0/oa/message/cs?access_token=${access_token}`)).body.error).toBe(-216)
    expect((await send(undefined, 'nothing')).body.error).toBe(-216)
    await simulator.clock.advance(90_000_000 - 1)
    expect((await send()).body.error).toBe(0)
    await simulator.clock.advance(1)
    expect((await send()).body.error).toBe(-216)
    simulator.account(OA).change({ expiredTokenCode: -220 })
    expect((await send()).body.error).toBe(-220)
  })

  test('stays good when its refresh token is spent, until it is revoked', async () => {
    const simulator = await startSimulator()
    const first = simulator.account(OA).mintTokens()
    await refresh(simulator, first.refresh_token)
    expect((await call(simulator, '/v2.0/oa/getoa', undefined, { token: first.access_token })).body.error).toBe(0)
    simulator.account(OA).revokeTokens('access')
    expect((await call(simulator, '/v2.0/oa/getoa', undefined, { token: first.access_token })).body.error).toBe(-216)
  })
})

describe('the permission page', () => {
  test('consents by itself; its code works once within ten minutes', async () => {
    const simulator = await startSimulator()
    const answer = await consent(simulator, { state: 'abc' })
    expect([answer.get('oa_id'), answer.get('state')]).toEqual([OA, 'abc'])
    const form = { grant_type: 'authorization_code', code: answer.get('code') }
    const pair = await token(simulator, form)
    expect((await call(simulator, '/v2.0/oa/getoa', undefined, { token: pair.access_token })).body.error).toBe(0)
    expect((await token(simulator, form)).error).toBe(-118)
    const late = await consent(simulator)
    await simulator.clock.advance(10 * 60_000)
    expect((await token(simulator, { grant_type: 'authorization_code', code: late.get('code') })).error).toBe(-118)
  })

  test('checks the verifier of a challenge', async () => {
    expect(createHash('sha256').update(VERIFIER).digest('base64url')).toBe(CHALLENGE)
    const simulator = await startSimulator()
    const exchange = async (verifier: string) => {
      const code = (await consent(simulator, { code_challenge: CHALLENGE })).get('code')
      return token(simulator, { grant_type: 'authorization_code', code, code_verifier: verifier })
    }
    expect((await exchange(`${VERIFIER}x`)).error).toBe(-118)
    expect((await exchange(VERIFIER)).expires_in).toBe('90000')
  })

  test.each([
    ['unknown app', { app_id: '999999' }, -14002],
    ['address with a query', { redirect_uri: `${CALLBACK}?unit=1` }, -14003],
    ['address not in the console', { redirect_uri: 'https://other.example.vn/' }, -14003],
    ['no challenge where one is required', {}, -14003],
  ])('refuses: %s', async (_name, query, error) => {
    const simulator = await startSimulator({ accounts: [accountInput({ callbackUrls: [CALLBACK], pkce: 'required' })] })
    expect((await consent(simulator, query)).error).toBe(error)
  })
})

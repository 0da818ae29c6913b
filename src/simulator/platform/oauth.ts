import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { CallFaults } from '../faults.ts'
import type { Random } from '../random.ts'
import { Refusal } from '../refusal.ts'
import type { Store } from '../store.ts'
import type { Account, Tokens } from '../world.ts'
import { misbehave } from './gateway.ts'
import { ACCESS_LIFE_MS, type TokenBook } from './tokens.ts'

const CODE_LIFE_MS = 10 * 60_000
const TOKEN_PATH = '/v4/oa/access_token'

export interface OauthDeps {
  store: Store
  clock: Clock
  random: Random
  tokens: TokenBook
  faults: CallFaults
  counters: Counters
}

interface Code {
  oaId: string
  at: number
  challenge: string | undefined
}

type Form = Record<string, string | undefined>

/** The permission page, which consents by itself, and the token endpoint. Errors come with HTTP 200. */
export function registerOauth(platform: FastifyInstance, deps: OauthDeps): void {
  const { store, clock, random, tokens, faults, counters } = deps
  // codes live ten minutes, so a restart may forget them
  const codes = new Map<string, Code>()

  function accountsOf(appId: string | undefined): Account[] {
    return [...store.world.accounts.values()].filter(
      ({ settings }) => settings.appId === appId && settings.appActive && !settings.appRemoved,
    )
  }

  platform.get('/v4/oa/permission', async (request, reply) => {
    counters.request('/v4/oa/permission')
    const query = request.query as Form
    const account = accountsOf(query.app_id).find(({ settings }) => query.oa_id === undefined || settings.oaId === query.oa_id)
    if (!account) return refuse(reply, new Refusal(-14002))
    const { redirect_uri: redirect, code_challenge: challenge, state } = query
    const { callbackUrls, pkce } = account.settings
    if (!redirect || !URL.canParse(redirect) || redirect.includes('?') || (callbackUrls.length > 0 && !callbackUrls.includes(redirect)))
      return refuse(reply, new Refusal(-14003))
    if (pkce === 'required' && !challenge) return refuse(reply, new Refusal(-14003, 'Invalid code challenge'))
    const code = random.token(64)
    codes.set(code, { oaId: account.settings.oaId, at: clock.now(), challenge })
    const target = new URL(redirect)
    target.searchParams.set('oa_id', account.settings.oaId)
    target.searchParams.set('code', code)
    if (state !== undefined) target.searchParams.set('state', state)
    return reply.redirect(target.href)
  })

  function exchange(form: Form, secret: unknown): Tokens {
    const app = accountsOf(form.app_id)[0]
    if (!app) throw new Refusal(-14002)
    // no number is known for a wrong secret; the app's own is the nearest
    if (secret !== app.settings.appSecret) throw new Refusal(-14002, 'Invalid secret key')
    if (form.grant_type === 'refresh_token') return tokens.refresh(form.refresh_token ?? '', app.settings.appId)
    if (form.grant_type !== 'authorization_code') throw new Refusal(-118, 'Invalid grant type')
    const code = codes.get(form.code ?? '')
    codes.delete(form.code ?? '')
    if (!code || clock.now() - code.at >= CODE_LIFE_MS || store.world.accounts.get(code.oaId)?.settings.appId !== form.app_id)
      throw new Refusal(-118, 'Invalid authorization code')
    if (code.challenge !== undefined && challengeOf(form.code_verifier) !== code.challenge) throw new Refusal(-118, 'Invalid code verifier')
    return tokens.mint(code.oaId)
  }

  platform.post(TOKEN_PATH, async (request, reply) => {
    counters.request(TOKEN_PATH)
    const fault = faults.match({ endpoint: TOKEN_PATH })
    if (fault) counters.fault(Object.keys(fault.answer)[0]!)
    if (fault?.when === 'before' && !('slow_ms' in fault.answer)) return misbehave(fault, reply)
    if (fault && 'slow_ms' in fault.answer) await delay(fault.answer.slow_ms)
    try {
      const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ? (request.body as Form) : {}
      const pair = exchange(form, request.headers.secret_key)
      await store.written()
      counters.answer(TOKEN_PATH, 0)
      if (fault?.when === 'after' && !('slow_ms' in fault.answer)) return misbehave(fault, reply)
      return { access_token: pair.access, refresh_token: pair.refresh, expires_in: String(ACCESS_LIFE_MS / 1_000) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      counters.answer(TOKEN_PATH, error.code)
      return refuse(reply, error)
    }
  })
}

function challengeOf(verifier: string | undefined): string | undefined {
  return verifier === undefined ? undefined : createHash('sha256').update(verifier, 'ascii').digest('base64url')
}

function refuse(reply: FastifyReply, { code, message }: Refusal) {
  return reply.send({
    error: code,
    error_name: message,
    error_reason: message,
    error_description: message,
    ref_doc: 'https://developers.zalo.me/docs/official-account',
  })
}

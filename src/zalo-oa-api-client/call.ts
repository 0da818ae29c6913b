import { z } from 'zod'
import { appSecretProof } from './appsecret-proof.ts'
import { isKnown } from './errors.ts'
import { NumberLike } from './json.ts'
import { notify } from './notify.ts'
import type { RateLimit } from './rate-limit.ts'
import { statusError } from './status-error.ts'
import type { TokenSource } from './token-source.ts'
import { type Answer, describeRequest, exchange } from './transport.ts'
import { refusal, withAction, ZaloError } from './zalo-error.ts'

export type CallArgs = {
  method: 'GET' | 'POST'
  /** `oa`: openapi.zalo.me; `zbs`: business.openapi.zalo.me. They number their errors apart. */
  host: 'oa' | 'zbs'
  path: string
  /** GET parameters: they travel as one JSON text in the query parameter `data`. */
  query?: Record<string, unknown>
  json?: unknown
  form?: FormData
  /** Repeating the call does no harm. */
  repeatable: boolean
}

export type CallResult = { data: unknown; rateLimit: RateLimit | undefined }

/** One call with the account's token: refreshed once and tried once more when the platform refuses it. Throws ZaloError. */
export type Call = (args: CallArgs) => Promise<CallResult>

type CallOptions = {
  tokens: TokenSource
  apiUrl: string
  zbsUrl: string
  /** Set to send `appsecret_proof`. */
  proofSecret: string | undefined
  timeoutMs: number
  now: () => number
  onRateLimit: ((limit: RateLimit) => unknown) | undefined
}

const Envelope = z.object({
  error: NumberLike.nullish().transform((code) => code ?? undefined),
  message: z.string().optional().catch(undefined),
  data: z.unknown().optional(),
})

// A token that is refused right after a refresh is not refreshed again for this long: each refresh costs a refresh token
const REFUSED_TWICE_PAUSE_MS = 60_000

export function createCall({ tokens, apiUrl, zbsUrl, proofSecret, timeoutMs, now, onRateLimit }: CallOptions): Call {
  // A broken address fails here, not at the first message
  const bases = { oa: new URL(apiUrl), zbs: new URL(zbsUrl) }
  let refusedTwice: { token: string; untilMs: number } | undefined

  async function once(args: CallArgs, token: string): Promise<CallResult> {
    const { method, host, path, query, json, form, repeatable } = args
    const url = new URL(bases[host].href.replace(/\/$/, '') + path)
    if (query) url.searchParams.set('data', JSON.stringify(query))
    const answer = await exchange({
      method,
      url,
      headers: {
        access_token: token,
        ...(proofSecret === undefined ? {} : { appsecret_proof: appSecretProof(token, proofSecret) }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: json === undefined ? form : JSON.stringify(json),
      timeoutMs,
      repeatable,
    })
    if (answer.rateLimit) notify(onRateLimit, answer.rateLimit)
    return { data: open(answer, args, describeRequest(method, url)), rateLimit: answer.rateLimit }
  }

  function open({ status, body, rateLimit }: Answer, { host, repeatable }: CallArgs, request: string): unknown {
    const facts = { request, nowMs: now(), rateLimit, repeatable }
    const envelope = Envelope.safeParse(body).data
    if (!envelope) throw statusError({ ...facts, status })
    const { error: code, message: platformText, data } = envelope
    if (code === 0 || (code === undefined && status === 200)) return data
    if (code === undefined || (status !== 200 && !isKnown(host, code))) throw statusError({ ...facts, status, code })
    throw refusal({ ...facts, host, code, platformText })
  }

  return async (args) => {
    const first = await tokens.get()
    try {
      return await once(args, first)
    } catch (error) {
      if (!isTokenRefused(error)) throw error
      if (refusedTwice?.token === first && now() < refusedTwice.untilMs) throw withAction(error, 'pause_account', 'token_refused_twice')
    }
    const second = await tokens.refresh(first)
    try {
      return await once(args, second)
    } catch (error) {
      if (!isTokenRefused(error)) throw error
      refusedTwice = { token: second, untilMs: now() + REFUSED_TWICE_PAUSE_MS }
      throw withAction(error, 'pause_account', 'token_refused_twice')
    }
  }
}

function isTokenRefused(error: unknown): error is ZaloError {
  return error instanceof ZaloError && error.action === 'refresh'
}

import { createHmac } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import type { Counters } from '../counters.ts'
import type { CallFault, CallFaults } from '../faults.ts'
import { Refusal, refusalText } from '../refusal.ts'
import type { Store } from '../store.ts'
import { type Account, getAccount } from '../world.ts'
import type { RateLimiter } from './rate.ts'
import type { TokenBook } from './tokens.ts'

/** A call that passed the gate: it has a token, and the account may call at all. */
export interface OaCall {
  account: Account
  /** the JSON body; undefined when there is none or it is not JSON */
  body: unknown
  query: Record<string, string>
  at: number
  request: FastifyRequest
}

export interface GatewayDeps {
  store: Store
  clock: Clock
  tokens: TokenBook
  rate: RateLimiter
  faults: CallFaults
  counters: Counters
}

type OaHandler = (call: OaCall) => unknown
/** Registers one endpoint. What the handler returns is `data`; a thrown Refusal is the answer `{ error, message }`. */
export type OaRoute = (method: 'GET' | 'POST', path: string, handler: OaHandler) => void

// the business host has its own numbers for what every call can be refused for
const BUSINESS_CODES: Record<number, number> = { [-216]: -124, [-220]: -124, [-242]: -1241, [-224]: -135, [-201]: -132 }

/** `host` decides which numbers a refusal carries: openapi.zalo.me or business.openapi.zalo.me. */
export function createGateway(platform: FastifyInstance, deps: GatewayDeps, host: 'oa' | 'business' = 'oa'): OaRoute {
  const { store, clock, tokens, rate, counters } = deps
  const codes = host === 'business' ? BUSINESS_CODES : {}

  function admit(request: FastifyRequest, reply: FastifyReply): Account {
    const query = request.query as Record<string, string>
    const token = request.headers.access_token
    if (query.access_token !== undefined || typeof token !== 'string') throw new Refusal(-216)
    const found = tokens.find(token)
    if (!found) throw new Refusal(-216)
    const account = getAccount(store.world, found.oaId)
    const { settings } = account
    if (found.expired) throw new Refusal(settings.expiredTokenCode)
    checkProof(request, token, settings)
    checkCondition(settings)
    const taken = rate.take(settings, clock.now())
    reply.header('X-RateLimit-Limit', taken.limit).header('X-RateLimit-Remain', taken.remain)
    if (taken.refusal) throw taken.refusal
    return account
  }

  return (method, path, handler) => {
    platform.route({
      method,
      url: path,
      handler: async (request, reply) => {
        counters.request(path)
        const fault = deps.faults.match({ endpoint: path, ...subjectOf(request, tokens) })
        if (fault) counters.fault(Object.keys(fault.answer)[0]!)
        reply.raw.once('close', () => {
          const torn = fault !== undefined && 'reset' in fault.answer
          if (!reply.raw.writableFinished && !torn) counters.abandoned(path)
        })
        if (fault?.when === 'before' && !('slow_ms' in fault.answer)) return misbehave(fault, reply)
        if (fault?.when === 'before' && 'slow_ms' in fault.answer) await delay(fault.answer.slow_ms)
        const answer = await answerOf(codes, async () => {
          const account = admit(request, reply)
          return handler({ account, body: request.body, query: request.query as Record<string, string>, at: clock.now(), request })
        })
        counters.answer(path, answer.error)
        await store.written()
        if (fault?.when === 'after' && 'slow_ms' in fault.answer) await delay(fault.answer.slow_ms)
        else if (fault?.when === 'after') return misbehave(fault, reply)
        return answer
      },
    })
  }
}

async function answerOf(
  codes: Record<number, number>,
  work: () => Promise<unknown>,
): Promise<{ data?: unknown; error: number; message: string }> {
  try {
    return { data: await work(), error: 0, message: 'Success' }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const code = codes[error.code]
    return code === undefined ? { error: error.code, message: error.message } : { error: code, message: refusalText(code) }
  }
}

/** Answers wrongly, whatever happened before. */
export function misbehave({ answer }: CallFault, reply: FastifyReply): unknown {
  if ('html' in answer) {
    const page = `<html>\r\n<head><title>${answer.html} Bad Gateway</title></head>\r\n<body>\r\n<center><h1>${answer.html} Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n`
    return reply.code(answer.html).type('text/html').send(page)
  }
  if ('reset' in answer) {
    reply.hijack()
    reply.raw.socket?.resetAndDestroy()
    return reply
  }
  if ('code' in answer)
    return reply.code(answer.status ?? 200).send({ error: answer.code, message: answer.message ?? refusalText(answer.code) })
  return reply
}

/** Whom a call is about, as far as it can be told before it is checked. */
function subjectOf(request: FastifyRequest, tokens: TokenBook) {
  const token = request.headers.access_token
  const body = request.body as { user_id?: unknown; phone?: unknown; recipient?: { user_id?: unknown } } | undefined | null
  const userId = body?.recipient?.user_id ?? body?.user_id ?? body?.phone
  return {
    oaId: typeof token === 'string' ? tokens.find(token)?.oaId : undefined,
    userId: typeof userId === 'string' ? userId : undefined,
  }
}

function checkProof(request: FastifyRequest, token: string, settings: Account['settings']) {
  const proof = request.headers.appsecret_proof
  if (proof === undefined && !settings.proofRequired) return
  if (proof !== createHmac('sha256', settings.appSecret).update(token).digest('hex')) throw new Refusal(-242)
}

function checkCondition(settings: Account['settings']) {
  if (!settings.oaEnabled) throw new Refusal(-204)
  if (settings.appRemoved) throw new Refusal(-219)
  if (!settings.appActive) throw new Refusal(-209)
  if (!settings.apiRegistered) throw new Refusal(-212)
  if (!settings.granted) throw new Refusal(-223)
  if (settings.package === 'basic') throw new Refusal(-224)
}

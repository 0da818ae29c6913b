import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { AccountSettings } from '../account.ts'
import { CallFault, WebhookFault } from '../faults.ts'
import { messageView } from '../message-view.ts'
import type { SimulatorControls } from '../simulator.ts'
import type { Store } from '../store.ts'
import type { WebhookSender } from '../webhook/sender.ts'
import { PhoneError } from './phones.ts'

export interface ControlDeps {
  controls: SimulatorControls
  store: Store
  webhook: WebhookSender
}

const People = z.strictObject({
  oa_id: z.string(),
  count: z.number().int().min(1).max(100_000),
  name: z.string().default('Người dân'),
  follow: z.boolean().default(true),
  /** they have opened the chat, following or not: what may be written to */
  met: z.boolean().default(false),
  /** telephone numbers of the first ones */
  phones: z.array(z.string()).default([]),
})
const Webhook = z.strictObject({
  oa_id: z.string(),
  url: z.url({ protocol: /^https?$/ }).optional(),
  unchecked: z.boolean().default(false),
  enable: z.boolean().optional(),
  events: z.record(z.string(), z.boolean()).default({}),
})
const ClockChange = z.union([z.strictObject({ offset_ms: z.number() }), z.strictObject({ advance_ms: z.number().nonnegative() })])

/** The controls for tests and load drivers in other processes, see the README. */
export function registerControl(door: FastifyInstance, { controls, store, webhook }: ControlDeps): void {
  function accountOf(oaId: string) {
    if (!store.world.accounts.has(oaId)) throw new PhoneError(`There is no Official Account ${oaId}.`)
    return controls.account(oaId)
  }
  const clockView = () => ({ now: controls.clock.now(), offset_ms: controls.clock.offset() })

  door.get('/control/clock', clockView)
  door.put('/control/clock', async ({ body }) => {
    const change = ClockChange.parse(body)
    if ('advance_ms' in change) await controls.clock.advance(change.advance_ms)
    else {
      controls.clock.setOffset(change.offset_ms)
      await controls.clock.runDue()
    }
    return clockView()
  })

  door.get('/control/faults', () => controls.faults.list())
  door.post('/control/faults', ({ body }, reply) => {
    const { call, webhook: onWebhook } = z.strictObject({ call: CallFault.optional(), webhook: WebhookFault.optional() }).parse(body)
    const ids = [call && controls.faults.addCall(call), onWebhook && controls.faults.addWebhook(onWebhook)].filter((id) => id !== undefined)
    return reply.code(201).send({ ids })
  })
  door.delete<{ Querystring: { id?: string } }>('/control/faults', ({ query }) => {
    if (query.id === undefined) controls.faults.clear()
    else controls.faults.remove(query.id)
    return controls.faults.list()
  })

  door.put('/control/webhook', async ({ body }) => {
    const change = Webhook.parse(body)
    const account = accountOf(change.oa_id)
    const probe = change.url === undefined ? undefined : await account.saveWebhook(change.url, { unchecked: change.unchecked })
    if (change.enable) account.enableWebhook()
    for (const [name, on] of Object.entries(change.events)) account.setEvent(name, on)
    await store.written()
    const { webhookUrl, webhookEnabled, eventsOff } = account.settings()
    return { ...(probe && { probe }), url: webhookUrl, enabled: webhookEnabled, events_off: eventsOff, waiting: webhook.waiting() }
  })

  door.post('/control/tokens', async ({ body }) => {
    const { oa_id } = z.strictObject({ oa_id: z.string() }).parse(body)
    const tokens = accountOf(oa_id).mintTokens()
    await store.written()
    return tokens
  })
  door.delete<{ Querystring: { oa_id: string; what?: 'access' | 'refresh' | 'both' } }>('/control/tokens', async ({ query }) => {
    accountOf(query.oa_id).revokeTokens(query.what ?? 'both')
    await store.written()
    return {}
  })

  door.get<{ Querystring: { oa_id: string } }>('/control/account', ({ query }) => accountOf(query.oa_id).settings())
  door.patch<{ Querystring: { oa_id: string } }>('/control/account', async ({ query, body }) => {
    const account = accountOf(query.oa_id)
    account.change(z.partialRecord(z.keyof(AccountSettings), z.unknown()).parse(body) as Partial<AccountSettings>)
    await store.written()
    return account.settings()
  })

  door.post('/control/people', async ({ body }, reply) => {
    const { oa_id, count, name, follow, met, phones } = People.parse(body)
    accountOf(oa_id)
    const people = Array.from({ length: count }, (_, index) => {
      const person = controls.people.create({ name: `${name} ${index + 1}`, phone: phones[index] })
      const thread = follow ? controls.people.follow(person.id, oa_id, { quiet: true }) : controls.people.thread(person.id, oa_id)
      if (met) controls.people.clickChatNow(person.id, oa_id)
      return { id: person.id, user_id: thread.userId }
    })
    await store.written()
    return reply.code(201).send(people)
  })
  door.put<{ Params: { id: string } }>('/control/people/:id', async ({ params, body }) => {
    const { banned } = z.strictObject({ banned: z.boolean() }).parse(body)
    controls.people.setBanned(params.id, banned)
    await store.written()
    return {}
  })

  door.get('/control/counters', () => ({ ...controls.counters(), waiting: webhook.waiting() }))
  door.delete('/control/counters', () => {
    controls.resetCounters()
    return {}
  })
  door.post('/control/flush', async () => {
    await controls.flush()
    return { waiting: webhook.waiting() }
  })

  door.get<{ Querystring: { oa_id: string; after?: string } }>('/control/transcript', ({ query }, reply) => {
    const after = Number(query.after ?? 0)
    const messages = accountOf(query.oa_id)
      .threads()
      .flatMap((thread) =>
        thread.messages
          .filter((message) => message.at > after)
          .map((message) => ({ user_id: thread.userId, person_id: thread.personId, message })),
      )
      .sort((a, b) => a.message.at - b.message.at || a.message.seq - b.message.seq)
    const lines = messages.map(({ message, ...who }) => JSON.stringify({ ...who, ...messageView(message, `${door.prefix}/files`) }))
    return reply.type('application/x-ndjson').send(lines.length === 0 ? '' : `${lines.join('\n')}\n`)
  })
}

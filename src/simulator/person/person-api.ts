import type { FastifyError, FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { FileStore } from '../file-store.ts'
import { messageView } from '../message-view.ts'
import type { Store } from '../store.ts'
import type { Streams } from '../streams.ts'
import type { Person } from '../world.ts'
import { PhoneError, type Phones } from './phones.ts'

export interface PersonApiDeps {
  store: Store
  phones: Phones
  streams: Streams
  files: FileStore
}

const Kind = z.enum(['text', 'image', 'gif', 'location', 'sticker', 'voice', 'file', 'card'])
const NewPerson = z.strictObject({ name: z.string().min(1).max(100), label: z.string().optional(), phone: z.string().optional() })
const WithAccount = z.strictObject({ oa_id: z.string() })
const Say = z.strictObject({
  oa_id: z.string(),
  kind: Kind,
  text: z.string().max(2_000).optional(),
  name: z.string().optional(),
  /** base64 */
  data: z.string().optional(),
  latitude: z.string().optional(),
  longitude: z.string().optional(),
  phone: z.string().optional(),
  quote: z.string().optional(),
})
const Tap = z.strictObject({
  oa_id: z.string(),
  msg_id: z.string(),
  button: z.number().int().nonnegative().optional(),
  element: z.number().int().nonnegative().optional(),
})
const Info = z.strictObject({
  oa_id: z.string(),
  name: z.string(),
  phone: z.string(),
  address: z.string().optional(),
  district: z.string().optional(),
  city: z.string().optional(),
})
const Staff = z.strictObject({ oa_id: z.string(), user_id: z.string(), text: z.string().min(1), admin_id: z.string() })

/** The person door, see the README. */
export function registerPersonApi(door: FastifyInstance, deps: PersonApiDeps): void {
  const { store, phones, streams, files } = deps
  const { world } = store
  const filesPath = `${door.prefix}/files`

  function personView(person: Person) {
    return {
      id: person.id,
      name: person.name,
      following: person.threads.filter((thread) => thread.follows).map((thread) => thread.oaId),
      online: person.online,
      ...(person.label !== undefined && { label: person.label }),
      ...(person.phone !== undefined && { phone: person.phone }),
      user_ids: Object.fromEntries(person.threads.map((thread) => [thread.oaId, thread.userId])),
    }
  }

  function findPerson(id: string): Person {
    const person = world.people.get(id)
    if (!person) throw new PhoneError(`There is no person ${id}.`)
    return person
  }

  door.get('/api/accounts', () =>
    [...world.accounts.values()].map(({ settings }) => ({
      oa_id: settings.oaId,
      name: settings.name,
      oa_type: settings.oaType,
      buttons: settings.buttons === 'accepted',
    })),
  )

  door.get('/api/people', () => [...world.people.values()].map(personView))
  door.get<{ Params: { id: string } }>('/api/people/:id', ({ params }) => personView(findPerson(params.id)))

  door.post('/api/people', async (request, reply) => {
    const person = phones.create(NewPerson.parse(request.body))
    await store.written()
    return reply.code(201).send(personView(person))
  })

  door.get<{ Params: { id: string }; Querystring: { oa_id?: string; after?: string } }>('/api/people/:id/messages', ({ params, query }) => {
    const after = Number(query.after ?? 0)
    return findPerson(params.id)
      .threads.filter((thread) => query.oa_id === undefined || thread.oaId === query.oa_id)
      .flatMap((thread) => thread.messages.filter((message) => message.seq > after))
      .sort((a, b) => a.seq - b.seq)
      .map((message) => ({ ...(query.oa_id === undefined && { oa_id: message.oaId }), ...messageView(message, filesPath) }))
  })

  door.get<{ Params: { id: string } }>('/api/people/:id/stream', ({ params }, reply) => {
    const person = findPerson(params.id)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', connection: 'keep-alive' })
    reply.raw.write(': open\n\n')
    streams.open(person.id, reply.raw)
  })

  door.post<{ Params: { id: string } }>('/api/people/:id/messages', async ({ params, body }) => {
    const { oa_id, data, ...said } = Say.parse(body)
    const message = await phones.say(params.id, oa_id, { ...said, ...(data !== undefined && { bytes: Buffer.from(data, 'base64') }) })
    await store.written()
    return { msg_id: message.id, at: message.at }
  })

  door.post<{ Params: { id: string } }>('/api/people/:id/tap', async ({ params, body }) => {
    const { oa_id, msg_id, button, element } = Tap.parse(body)
    const { message, opens } = phones.tap(params.id, { oaId: oa_id, messageId: msg_id, button, element })
    await store.written()
    return { ...(message && { msg_id: message.id, at: message.at }), ...(opens && { opens }) }
  })

  const act = (path: string, work: (personId: string, body: unknown) => void) =>
    door.post<{ Params: { id: string } }>(`/api/people/:id/${path}`, async ({ params, body }) => {
      work(findPerson(params.id).id, body)
      await store.written()
      return personView(findPerson(params.id))
    })

  act('follow', (id, body) => phones.follow(id, WithAccount.parse(body).oa_id))
  act('unfollow', (id, body) => phones.unfollow(id, WithAccount.parse(body).oa_id))
  act('chat-now', (id, body) => phones.clickChatNow(id, WithAccount.parse(body).oa_id))
  act('withdraw', (id, body) => phones.withdraw(id, WithAccount.parse(body).oa_id))
  act('seen', (id, body) => phones.see(id, WithAccount.parse(body).oa_id))
  act('online', (id, body) => phones.setOnline(id, z.strictObject({ online: z.boolean() }).parse(body).online))
  act('block', (id, body) => {
    const { oa_id, blocked } = z.strictObject({ oa_id: z.string(), blocked: z.boolean() }).parse(body)
    phones.setBlocked(id, oa_id, blocked)
  })
  act('mute', (id, body) => {
    const { oa_id, muted } = z.strictObject({ oa_id: z.string(), muted: z.boolean() }).parse(body)
    phones.setMuted(id, oa_id, muted)
  })
  act('react', (id, body) => {
    const { msg_id, icon } = z.strictObject({ msg_id: z.string(), icon: z.string().min(1) }).parse(body)
    phones.react(id, msg_id, icon)
  })
  act('submit-info', (id, body) => {
    const { oa_id, ...info } = Info.parse(body)
    phones.submitInfo(id, oa_id, info)
  })

  door.post('/api/staff', async ({ body }) => {
    const { oa_id, user_id, text, admin_id } = Staff.parse(body)
    const message = phones.staffSays(oa_id, user_id, { text, adminId: admin_id })
    await store.written()
    return { msg_id: message.id, at: message.at }
  })

  door.get<{ Params: { id: string } }>('/files/:id', async ({ params }, reply) => {
    const found = await files.read(params.id)
    if (!found) return reply.code(404).send({ error: 'There is no such file.' })
    return reply.type(found.file.type).header('x-content-type-options', 'nosniff').send(found.bytes)
  })
}

/** Every mistake of the caller becomes one sentence. */
export function answerMistakes(door: FastifyInstance): void {
  door.setErrorHandler((error: FastifyError, _request, reply) => {
    if (error instanceof z.ZodError) {
      const [first] = error.issues
      return reply.code(400).send({ error: `${first?.path.join('.') || 'body'}: ${first?.message ?? 'invalid'}.` })
    }
    if (error instanceof PhoneError) return reply.code(404).send({ error: error.message })
    return reply.code(error.statusCode ?? 500).send({ error: error.message })
  })
}

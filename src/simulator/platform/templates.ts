import type { Template } from '../account.ts'
import type { Chats } from '../chats.ts'
import { localDay } from '../local-time.ts'
import { invalid, Refusal } from '../refusal.ts'
import type { Store } from '../store.ts'
import { type Account, getPerson, type Message } from '../world.ts'
import type { OaCall, OaRoute } from './gateway.ts'
import { readId, readObject } from './shape.ts'
import { checkReachable } from './window.ts'

// zalo.md 4.6: 500 a day up to 10,000 followers, then 5 % of the followers
const DAILY_QUOTA = 500
const DAILY_SHARE = 0.05
const MAX_TRACKING_ID = 48

/** Message templates (ZBS): by the person's id on the OA host, by phone number on the business host. */
export function registerTemplates(routes: { oa: OaRoute; business: OaRoute }, { store, chats }: { store: Store; chats: Chats }): void {
  const sentToday = new Map<string, number>()

  /** Counts one message against the day and says what is left. */
  function spend(account: Account, at: number) {
    const followers = [...account.threadsByUser.values()].filter((thread) => thread.follows).length
    const daily = Math.max(DAILY_QUOTA, Math.floor(followers * DAILY_SHARE))
    const key = `${account.settings.oaId} ${localDay(at)}`
    const count = sentToday.get(key) ?? 0
    if (count >= daily) throw new Refusal(-144)
    sentToday.set(key, count + 1)
    return { dailyQuota: String(daily), remainingQuota: String(daily - count - 1) }
  }

  routes.oa('POST', '/v3.0/oa/message/template', (call) => {
    const { account, at } = call
    if (!account.settings.verified) throw new Refusal(-221)
    if (account.settings.templatesRefused) throw new Refusal(-235)
    const body = readObject(call.body, 'body', ['user_id', 'template_id', 'template_data'])
    const thread = account.threadsByUser.get(readId(body.user_id, 'user_id'))
    if (!thread) throw invalid('user_id')
    const template = findTemplate(account, body.template_id)
    if (!template) throw invalid('template_id')
    if (!template.byUserId) throw new Refusal(-249)
    const text = fill(template, body.template_data, () => invalid('template_data'))
    checkReachable(getPerson(store.world, thread.personId), thread)
    if (thread.muted) throw new Refusal(-244)
    if (thread.lastInteraction === undefined) throw new Refusal(-232)
    checkMoney(account, { none: -320, empty: -321 })
    spend(account, at)
    const message = chats.fromOa(thread, { kind: 'text', text, template: { id: template.id } })
    return { message_id: message.id, user_id: thread.userId, sent_time: String(message.at) }
  })

  routes.business('POST', '/message/template', (call) => {
    const { account, at } = call
    if (!account.settings.verified || account.settings.templatesRefused) throw new Refusal(-135)
    const body = readPhoneBody(call)
    const template = findTemplate(account, body.template_id)
    if (!template) throw new Refusal(-109)
    const development = body.mode === 'development'
    if (!template.approved && !development) throw new Refusal(-131)
    const text = fill(template, body.template_data, () => new Refusal(-112))
    if (development && !account.settings.adminPhones.includes(body.phone)) throw new Refusal(-127)
    const person = [...store.world.people.values()].find(({ phone }) => phone === body.phone)
    if (!person) throw new Refusal(-118)
    const thread = chats.meet(account.settings.oaId, person.id)
    if (thread.blocked) throw new Refusal(-139)
    checkMoney(account, { none: -136, empty: -115 })
    const quota = spend(account, at)
    const message = chats.fromOa(
      thread,
      { kind: 'text', text, template: { id: template.id, trackingId: body.tracking_id } },
      { phone: body.phone },
    )
    return phoneAnswer(message, quota)
  })
}

function phoneAnswer(message: Message, quota: { dailyQuota: string; remainingQuota: string }) {
  return { msg_id: message.id, sent_time: String(message.at), sending_mode: '1', quota }
}

function readPhoneBody({ body }: OaCall) {
  const fields = readObject(body, 'body', ['phone', 'template_id', 'template_data', 'tracking_id', 'sending_mode', 'mode'])
  const { phone, template_id, template_data, tracking_id, mode, sending_mode } = fields
  if (typeof phone !== 'string' || !/^84[0-9]{9}$/.test(phone)) throw new Refusal(-108)
  if (typeof tracking_id !== 'string' || tracking_id === '' || tracking_id.length > MAX_TRACKING_ID) throw new Refusal(-132)
  if (mode !== undefined && mode !== 'development') throw new Refusal(-132)
  if (sending_mode !== undefined && sending_mode !== '1' && sending_mode !== '3') throw new Refusal(-132)
  return { phone, template_id, template_data, tracking_id, mode }
}

function findTemplate(account: Account, id: unknown): Template | undefined {
  return account.settings.templates.find((template) => template.id === id)
}

/** Puts the parameters into the text; every one must be there as text, and no other. */
function fill(template: Template, data: unknown, refusal: () => Refusal): string {
  if (typeof data !== 'object' || data === null) throw refusal()
  const values = data as Record<string, unknown>
  const names = new Set([...template.text.matchAll(/<([a-z0-9_]+)>/gi)].map((match) => match[1]!))
  for (const name of Object.keys(values)) if (!names.has(name)) throw refusal()
  for (const name of names) if (typeof values[name] !== 'string' || values[name] === '') throw refusal()
  return template.text.replace(/<([a-z0-9_]+)>/gi, (_match, name) => values[name] as string)
}

function checkMoney({ settings }: Account, codes: { none: number; empty: number }) {
  if (settings.zaloCloud === 'none') throw new Refusal(codes.none)
  if (settings.zaloCloud === 'empty') throw new Refusal(codes.empty)
}

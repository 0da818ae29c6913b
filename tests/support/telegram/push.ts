import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { BotState, Update, Webhook } from './state.ts'

/** Delivers updates to the webhook: one of each chat at a time, chats side by side, again and again until the answer is 2xx. */
export type Pusher = { close(): void; attempts(): number }

// How long Telegram waits for the answer (tdlib/telegram-bot-api #341)
const ANSWER_TIMEOUT_MS = 60_000

type Options = { nowMs: () => number; retryDelayMs: number; front: (url: string) => string }

export function createPusher(bot: BotState, { nowMs, retryDelayMs, front }: Options): Pusher {
  const lanes = new Map<number, Update[]>()
  const waiting: number[] = []
  const busy = new Set<number>()
  const timers = new Set<NodeJS.Timeout>()
  const agents = { http: new HttpAgent({ keepAlive: true }), https: new HttpsAgent({ keepAlive: true }) }
  let attempts = 0
  let closed = false

  const enqueue = (update: Update) => {
    if (!bot.webhook) return
    const lane = lanes.get(update.chatId)
    if (lane) lane.push(update)
    else {
      lanes.set(update.chatId, [update])
      waiting.push(update.chatId)
    }
    pump()
  }
  const pump = () => {
    while (bot.webhook && !closed && waiting.length > 0 && busy.size < bot.webhook.max_connections) {
      const chatId = waiting.shift()
      if (chatId !== undefined) void deliverNext(chatId, bot.webhook)
    }
  }
  const deliverNext = async (chatId: number, webhook: Webhook) => {
    busy.add(chatId)
    const lane = lanes.get(chatId) ?? []
    const update = lane[0] && isDue(bot, lane[0]) ? lane[0] : undefined
    if (update) attempts++
    const failure = update && (await post({ ...webhook, url: front(webhook.url) }, JSON.stringify(update.body), agents))
    busy.delete(chatId)
    if (closed || !bot.webhook) return
    if (failure) {
      bot.lastError = { date: Math.floor(nowMs() / 1_000), message: failure }
      const timer = setTimeout(() => {
        timers.delete(timer)
        waiting.push(chatId)
        pump()
      }, retryDelayMs)
      timers.add(timer)
    } else {
      const done = lane.shift()
      if (done && !bot.pending.delete(done.update_id)) bot.copies = bot.copies.filter((copy) => copy !== done)
      if (lane.length > 0) waiting.push(chatId)
      else lanes.delete(chatId)
      if (bot.pending.size === 0) bot.events.emit('all_delivered')
    }
    pump()
  }
  const restart = () => {
    lanes.clear()
    waiting.length = 0
    for (const timer of timers) clearTimeout(timer)
    timers.clear()
    for (const update of bot.pending.values()) enqueue(update)
  }
  bot.events.on('update', enqueue).on('webhook', restart)

  return {
    attempts: () => attempts,
    close() {
      closed = true
      bot.events.off('update', enqueue).off('webhook', restart)
      for (const timer of timers) clearTimeout(timer)
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

const isDue = (bot: BotState, update: Update) => bot.pending.has(update.update_id) || bot.copies.includes(update)

/** Resolves with Telegram's description of what went wrong, or undefined. */
function post(webhook: Webhook, body: string, agents: { http: HttpAgent; https: HttpsAgent }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const secure = webhook.url.startsWith('https:')
    const options = {
      method: 'POST',
      agent: secure ? agents.https : agents.http,
      timeout: ANSWER_TIMEOUT_MS,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...(webhook.secret_token !== undefined && { 'X-Telegram-Bot-Api-Secret-Token': webhook.secret_token }),
      },
    }
    const call = (secure ? httpsRequest : httpRequest)(webhook.url, options, (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      const wrong = `Wrong response from the webhook: ${status} ${response.statusMessage}`
      response.on('close', () => resolve(status >= 200 && status < 300 ? undefined : wrong))
    })
    call.on('timeout', () => call.destroy(new Error('Read timeout expired')))
    call.on('error', (error) => resolve(error.message === 'Read timeout expired' ? error.message : 'Connection refused'))
    call.end(body)
  })
}

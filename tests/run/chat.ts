import { setTimeout as sleep } from 'node:timers/promises'
import type { Incoming, Phone } from './phone.ts'

/**
 * One person's chat, with an exact account of what the bot owes.
 *
 * An **expected reply** is a message that arrives while the bot owes one. The bot owes one reply for each thing the person sends: a text,
 * a tap, a picture, the first arrival. For the second of two equal taps or texts in one breath (a pure double) it owes nothing, and says
 * nothing. Several different things in one breath may be answered together: once the bot has answered and then been silent for `quietMs`,
 * what it still owed is forgiven.
 *
 * Everything else that arrives is an **extra reply**: a message nobody asked for, the same question twice for one answer, a reminder in the
 * middle of a talk. When one extra came before the true reply they cannot be told apart, but their number is right all the same.
 *
 * While the bot is being killed (`killing`) one thing is allowed beside: what the person had just read may come once more, word by word,
 * because a reply in flight at the kill is sent again. Such a **repeat** answers nothing and is counted apart.
 *
 * **Lost** is a thing sent that nothing answered within `timeoutMs`; a person who sees the bot being killed then sends it again, up to
 * `tries` times in all (**typed again**), and only then calls it lost.
 */
export type Chat = {
  /** Does all of this in one breath and waits for what is owed: the messages that came, none if nothing did. */
  send(acts: readonly Act[], options?: { owed?: number; silenceAllowed?: boolean }): Promise<Incoming[]>
  account: ChatAccount
}

export type Act = { words: string; do: () => Promise<number> }

export type ChatAccount = {
  sent: number
  replies: number
  extras: Incoming[]
  repeats: number
  typedAgain: number
  lost: string[]
  /** From the platform taking the person's message to the platform taking the reply, for single messages answered at once. */
  latenciesMs: number[]
  transcript: string[]
}

export type ChatOptions = { timeoutMs: number; quietMs: number; killing: boolean; tries: number }

// So long a repeat may be followed by the true answer: a restart and the webhook's next try lie between
const HELD_MS = 6_000
const DOUBLE_SETTLE_MS = 400
// A repeat is one of the last things said
const REPEAT_MEMORY = 4

export function createChat(phone: Phone, options: ChatOptions): Chat {
  const account: ChatAccount = {
    sent: 0,
    replies: 0,
    extras: [],
    repeats: 0,
    typedAgain: 0,
    lost: [],
    latenciesMs: [],
    transcript: [],
  }
  let owed = 0
  let came: Incoming[] = []
  let wake = () => {}
  const recent: string[] = []
  // Said word by word before: sent again, or the true answer (the result of a form, asked for by KẾT QUẢ at once)
  let held: Incoming | undefined

  phone.onMessage((message) => {
    account.replies++
    if (options.killing && recent.includes(message.text)) {
      account.repeats++
      account.transcript.push(`  (again) ${message.text}`)
      held = message
      wake()
      return
    }
    recent.unshift(message.text)
    recent.length = Math.min(recent.length, REPEAT_MEMORY)
    if (owed > 0) {
      take(message)
      wake()
    } else {
      account.extras.push(message)
      account.transcript.push(`← EXTRA ${message.text}`)
    }
  })

  function take(message: Incoming): void {
    owed--
    account.transcript.push(`← ${message.text}`)
    came.push(message)
  }

  async function act(one: Act): Promise<number> {
    account.sent++
    account.transcript.push(`→ ${one.words}`)
    return one.do()
  }

  let read = 0

  /** Waits for a message not yet waited for, but no longer than that. */
  async function waitMs(ms: number): Promise<boolean> {
    if (came.length > read) return took()
    const gone = new AbortController()
    await Promise.race([
      new Promise<void>((resolve) => {
        wake = resolve
      }),
      sleep(ms, undefined, { signal: gone.signal }).catch(() => {}),
    ])
    gone.abort()
    wake = () => {}
    return came.length > read && took()
  }

  function took(): true {
    read = came.length
    return true
  }

  return {
    account,
    async send(acts, { owed: owes = acts.length, silenceAllowed = false } = {}) {
      came = []
      read = 0
      // What is still owed for things typed again may come at any time
      owed = options.killing ? owed + owes : owes
      let sentAt = 0
      for (const one of acts) sentAt = await act(one)
      held = undefined
      for (let tries = 1; came.length === 0; tries++) {
        if (await waitMs(silenceAllowed ? options.quietMs : options.timeoutMs)) break
        if (held && (await waitMs(HELD_MS))) break
        if (held) {
          account.repeats--
          take(held)
          break
        }
        if (silenceAllowed) return []
        if (!options.killing || tries >= options.tries) {
          account.lost.push(acts.map((one) => one.words).join(' + '))
          account.transcript.push('  LOST')
          owed = 0
          return []
        }
        account.typedAgain++
        owed++
        sentAt = 0
        await act(acts.at(-1)!)
      }
      while (acts.length > 1 && owed > 0 && (await waitMs(options.quietMs))) {}
      // After a double a second answer would come at once; seen here it is not taken for the answer to what is said next
      if (owes < acts.length) await sleep(DOUBLE_SETTLE_MS)
      if (sentAt > 0 && acts.length === 1) account.latenciesMs.push(Math.max(0, came[0]!.at - sentAt))
      if (!options.killing) owed = 0
      return came
    },
  }
}

import { addMessage, addUpdate, type BotState, type ChatMessage, type Person, toApiMessage, toBotUser, toChat, toUser } from './state.ts'

/** What people do with their phones. Each call resolves nothing and waits for nothing: the update is on its way when it returns. */
export type PersonApi = ReturnType<typeof createPersonApi>

export function createPersonApi(bot: BotState, nowMs: () => number) {
  const seconds = () => Math.floor(nowMs() / 1_000)
  let callbackCount = 0

  /** Gets to know a person, who by default has pressed START long ago. */
  const meet = (id: number, facts: Partial<Person> = {}): Person => {
    const known = bot.people.get(id)
    if (known) return Object.assign(known, facts)
    const person: Person = {
      id,
      first_name: `Người ${id}`,
      language_code: 'vi',
      started: true,
      blocked: false,
      deactivated: false,
      transcript: [],
      ...facts,
    }
    bot.people.set(id, person)
    return person
  }

  const write = (id: number, content: Partial<ChatMessage>, extra: Record<string, unknown> = {}): number => {
    const person = meet(id)
    if (person.blocked) throw new Error(`person ${id} has blocked the bot and cannot write`)
    person.started = true
    const message = addMessage(bot, person, { from: 'person', date: seconds(), ...content })
    addUpdate(bot, id, 'message', { ...toApiMessage(bot, person, message), ...extra })
    return message.message_id
  }

  const asCommand = (command: string) => ({ entities: [{ type: 'bot_command', offset: 0, length: command.length }] })

  const changeMember = (id: number, blocked: boolean): void => {
    const person = meet(id, { blocked })
    const member = (status: string) => ({ user: toBotUser(bot), status, ...(status === 'kicked' && { until_date: 0 }) })
    addUpdate(bot, id, 'my_chat_member', {
      chat: toChat(person),
      from: toUser(person),
      date: seconds(),
      old_chat_member: member(blocked ? 'member' : 'kicked'),
      new_chat_member: member(blocked ? 'kicked' : 'member'),
    })
  }

  return {
    meet,
    text(id: number, text: string): number {
      const command = /^\/\w+/.exec(text)?.[0]
      return write(id, { text }, command ? asCommand(command) : {})
    },
    /** Opens `t.me/<bot>?start=<payload>` and presses START. */
    start(id: number, payload?: string): number {
      return write(id, { text: payload === undefined ? '/start' : `/start ${payload}` }, asCommand('/start'))
    },
    /** Taps a button by its label or its callback data, on the newest message that has it, or on the one named. */
    tap(id: number, labelOrData: string, messageId?: number): void {
      const person = meet(id)
      const has = (message: ChatMessage) => message.keyboard?.flat().find((b) => b.text === labelOrData || b.callback_data === labelOrData)
      const isMeant = (each: ChatMessage) => messageId === undefined || each.message_id === messageId
      const message = person.transcript.findLast((each) => isMeant(each) && has(each)?.callback_data !== undefined)
      const data = message && has(message)?.callback_data
      if (!message || data === undefined) throw new Error(`person ${id} sees no button "${labelOrData}"`)
      const callbackId = `${id}${String(++callbackCount).padStart(9, '0')}`
      bot.openTaps.add(callbackId)
      addUpdate(bot, id, 'callback_query', {
        id: callbackId,
        from: toUser(person),
        message: toApiMessage(bot, person, message),
        chat_instance: '-11',
        data,
      })
    },
    block: (id: number) => changeMember(id, true),
    unblock: (id: number) => changeMember(id, false),
    /** Sends a picture or a document with its bytes; the bot can fetch it. */
    file: (id: number, kind: 'photo' | 'document', file: { name: string; bytes: Buffer }) =>
      write(id, { file: { kind, name: file.name, size: file.bytes.length, bytes: file.bytes } }),
    /** Sends anything Telegram has a field for, e.g. `{ voice: { … } }`. */
    media: (id: number, fields: Record<string, unknown>) => write(id, {}, fields),
    edit(id: number, messageId: number, text: string): void {
      const person = meet(id)
      const message = person.transcript.find(({ message_id }) => message_id === messageId)
      if (!message) throw new Error(`person ${id} has no message ${messageId}`)
      message.text = text
      addUpdate(bot, id, 'edited_message', { ...toApiMessage(bot, person, message), edit_date: seconds() })
    },
    /** Any update, as a whole: for what has no word here. */
    raw: (id: number, kind: string, content: unknown) => addUpdate(bot, id, kind, content)?.update_id,
    transcript: (id: number): ChatMessage[] => meet(id).transcript,
    /** What the bot has written to this person, oldest first. */
    outbox: (id: number): ChatMessage[] => meet(id).transcript.filter(({ from }) => from === 'bot'),
    /** The next thing the bot writes to this person after this call. */
    nextMessage(id: number): Promise<ChatMessage> {
      return new Promise((resolve) => {
        const onMessage = (message: ChatMessage, chatId: number) => {
          if (chatId !== id) return
          bot.events.off('bot_message', onMessage)
          resolve(message)
        }
        bot.events.on('bot_message', onMessage)
      })
    },
  }
}

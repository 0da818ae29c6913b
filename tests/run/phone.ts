/** What somebody sees arrive in a chat. */
export type Incoming = {
  id: string
  /** When the platform took it, ms by the platform's clock. */
  at: number
  text: string
  /** Labels of the buttons under it, in order. */
  buttons: string[]
}

/** One person's phone with one chat on it. All that a virtual person can do and see; nothing of the bot behind it. */
export type Phone = {
  /** The person as `export answers` names them: channel and channel_user_id. */
  channel: string
  userId: string
  /** Each resolves when the platform has taken it, with the time by the platform's clock. */
  say(text: string): Promise<number>
  sendMedia(kind: 'sticker' | 'voice' | 'image'): Promise<number>
  tap(message: Incoming, button: number): Promise<number>
  /** Opens the chat the way the channel offers it: follows the account, presses START. */
  arrive(): Promise<number>
  onMessage(listener: (message: Incoming) => void): void
  close(): void
}

/** A shop of phones on one channel. `name` is what the platform shows, not what the person tells the bot. */
export type Phones = { open(name: string): Promise<Phone> }

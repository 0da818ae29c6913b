// What a phone knows of one conversation, without any page: messages from the server, own messages on their way, what is unread.

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./api.js').Draft} Draft */
/** @typedef {import('./bubble.js').Shown} Shown */
/** @typedef {import('./bubble.js').State} State */
/** @typedef {{ key: string, draft: Draft, at: number, state: 'sending' | 'failed', msgId?: string }} Pending */
/** @typedef {{ type: 'day', key: string, at: number } | ({ type: 'message' } & Shown)} Item */

// Zalo writes the time once under messages that follow each other closely
const TOGETHER_MS = 5 * 60_000

/** @param {number} at */
export const dayOf = (at) => new Date(at).toLocaleDateString('sv-SE', { timeZone: 'Asia/Ho_Chi_Minh' })

export function createConversation() {
  /** @type {Map<string, Message>} */
  const messages = new Map()
  /** @type {Pending[]} */
  let pending = []
  let counter = 0
  let lastSeq = 0
  let seenSeq = 0

  // what waited on the phone gets the time at which it left
  const sorted = () => [...messages.values()].filter(onPhone).sort((a, b) => a.at - b.at || a.seq - b.seq)

  const unread = () =>
    sorted().filter(
      (message) => message.from !== 'person' && message.kind !== 'event' && message.status !== 'seen' && message.seq > seenSeq,
    )

  /** @param {Message} message */
  function dropPending(message) {
    const index = pending.findIndex((item) =>
      item.msgId === undefined
        ? item.state === 'sending' && item.draft.kind === message.kind && (item.draft.text ?? '') === (message.text ?? '')
        : item.msgId === message.msg_id,
    )
    if (index >= 0) pending.splice(index, 1)
  }

  return {
    get lastSeq() {
      return lastSeq
    },

    /**
     * Takes what the server knows; says whether anything is different now.
     * @param {Message[]} incoming
     */
    merge(incoming) {
      let changed = false
      for (const message of incoming) {
        const known = messages.get(message.msg_id)
        // an answer may be older than what the stream has told meanwhile
        if (known && rank(known.status) > rank(message.status)) continue
        if (known && JSON.stringify(known) === JSON.stringify(message)) continue
        if (!known && message.from === 'person') dropPending(message)
        messages.set(message.msg_id, message)
        lastSeq = Math.max(lastSeq, message.seq)
        changed = true
      }
      return changed
    },

    /**
     * @param {string} msgId
     * @param {{ status: string, at?: number }} change
     */
    setStatus(msgId, { status, at }) {
      const known = messages.get(msgId)
      if (known) messages.set(msgId, { ...known, status, at: at ?? known.at })
      return known !== undefined
    },

    /**
     * An own message on its way to the server.
     * @param {Draft} draft
     * @param {number} at
     * @returns {Pending}
     */
    add(draft, at) {
      counter += 1
      /** @type {Pending} */
      const item = { key: `pending-${counter}`, draft, at, state: 'sending' }
      pending.push(item)
      return item
    },

    /**
     * The server has it under this id; it leaves the list when the server's own copy is here.
     * @param {Pending} item
     * @param {string} msgId
     */
    settle(item, msgId) {
      item.msgId = msgId
      if (messages.has(msgId)) pending = pending.filter((other) => other !== item)
    },

    /** @param {string} key */
    findPending(key) {
      return pending.find((item) => item.key === key)
    },

    /** The highest number among what the person has not seen, 0 when there is nothing. */
    lastUnseen: () => unread().reduce((highest, message) => Math.max(highest, message.seq), 0),

    countUnread: () => unread().filter((message) => !message.hidden).length,

    /** @param {number} seq */
    seenUpTo(seq) {
      seenSeq = Math.max(seenSeq, seq)
    },

    /**
     * What stands on the screen, oldest first.
     * @param {number} limit
     * @returns {{ items: Item[], older: number }}
     */
    layout(limit) {
      const known = sorted().filter((message) => !message.hidden)
      const visible = known.slice(-limit)
      /** @type {{ key: string, message: Message, state?: State }[]} */
      const rows = visible.map((message) =>
        message.from === 'person' ? { key: message.msg_id, message, state: toState(message.status) } : { key: message.msg_id, message },
      )
      for (const item of pending) {
        const message = {
          seq: Number.MAX_SAFE_INTEGER,
          msg_id: item.key,
          from: /** @type {const} */ ('person'),
          at: item.at,
          ...item.draft,
        }
        rows.push({ key: item.key, message, state: item.state })
      }
      const lastOwn = rows.findLastIndex((row) => row.message.from === 'person' && row.message.kind !== 'event')
      /** @type {Item[]} */
      const items = []
      rows.forEach((row, index) => {
        const before = rows[index - 1]
        const after = rows[index + 1]
        if (!before || dayOf(before.message.at) !== dayOf(row.message.at)) {
          items.push({ type: 'day', key: `day-${dayOf(row.message.at)}-${row.key}`, at: row.message.at })
        }
        const loud = row.state === 'waiting' || row.state === 'failed'
        items.push({
          type: 'message',
          ...row,
          ...(row.message.quote !== undefined && { quoted: messages.get(row.message.quote)?.text ?? '…' }),
          first: !before || !belong(before.message, row.message),
          last: !after || !belong(row.message, after.message),
          stateShown: loud || index === lastOwn,
        })
      })
      return { items, older: known.length - visible.length }
    },
  }
}

/**
 * @param {Message} a
 * @param {Message} b
 */
function belong(a, b) {
  const sameSide = (a.from === 'person') === (b.from === 'person')
  return sameSide && a.kind !== 'event' && b.kind !== 'event' && b.at - a.at < TOGETHER_MS && dayOf(a.at) === dayOf(b.at)
}

/**
 * @param {string | undefined} status
 * @returns {State}
 */
function toState(status) {
  return status === 'waiting' || status === 'received' || status === 'seen' ? status : 'sent'
}

/** @param {string | undefined} status */
function rank(status) {
  return ['waiting', 'sent', 'received', 'seen'].indexOf(status ?? 'sent')
}

/**
 * What the account sent while the phone had no signal is not there yet.
 * @param {Message} message
 */
function onPhone(message) {
  return message.from === 'person' || message.kind === 'event' || message.status !== 'sent'
}

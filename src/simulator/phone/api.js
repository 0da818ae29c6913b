// The person API of the simulator and, where the bot offers them, the sample's own routes.

/** @typedef {{ oa_id: string, name: string, oa_type?: number, buttons?: boolean, verified?: boolean }} Account */
/** @typedef {{ id: string, name: string, following?: string[], online?: boolean, label?: string }} Person */
/** @typedef {{ title: string, type: string, payload?: any }} Button */
/** @typedef {{ title?: string, subtitle?: string, image_url?: string, default_action?: { type: string, url?: string, payload?: any } }} Element */
/**
 * @typedef {object} Message
 * @property {number} seq
 * @property {string} msg_id
 * @property {'person' | 'oa' | 'staff'} from
 * @property {number} at
 * @property {string} kind
 * @property {string} [text]
 * @property {Button[]} [buttons]
 * @property {Element[]} [elements]
 * @property {string} [url]
 * @property {string} [name]
 * @property {string} [status]
 * @property {boolean} [hidden]
 * @property {string} [quote] the message this one answers
 * @property {string} [phone] on a contact card
 * @property {boolean} [asks_info] the account asks for name and phone number
 */
/** @typedef {'text' | 'image' | 'location' | 'sticker' | 'voice' | 'file' | 'card'} SendKind */
/** @typedef {{ kind: SendKind, text?: string, name?: string, data?: string }} Draft `data`: own bytes in base64 */
/** @typedef {{ label: string, role: string | null, unit: string | null, name: string, hint: string }} PhoneHint */
/** @typedef {{ commune?: string, villages?: { code: string, name: string }[], phones?: PhoneHint[] }} Hints */

/** What the server answered when it did not do what was asked. `status` 0: it did not answer. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/**
 * @param {string} path
 * @param {unknown} [body] makes it a POST
 * @returns {Promise<any>}
 */
async function call(path, body) {
  const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(path, init).catch((cause) => {
    throw new ApiError(0, String(cause.message))
  })
  const value = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new ApiError(answer.status, typeof value?.error === 'string' ? value.error : `HTTP ${answer.status}`)
  return value
}

/** @param {string} id */
const person = (id) => `/phone/api/people/${encodeURIComponent(id)}`

/** @returns {Promise<Account[]>} */
export const getAccounts = () => call('/phone/api/accounts')

/** @returns {Promise<Person[]>} */
export const getPeople = () => call('/phone/api/people')

/**
 * @param {string} name
 * @param {string} label
 * @returns {Promise<Person>}
 */
export const createPerson = (name, label) => call('/phone/api/people', { name, label })

/**
 * @param {string} id
 * @param {string} oaId
 * @param {number} after
 * @returns {Promise<Message[]>}
 */
export const getMessages = (id, oaId, after) => call(`${person(id)}/messages?oa_id=${encodeURIComponent(oaId)}&after=${after}`)

/**
 * @param {string} id
 * @param {string} oaId
 * @param {Draft} draft
 * @returns {Promise<{ msg_id: string, at: number }>}
 */
export const sendMessage = (id, oaId, draft) => call(`${person(id)}/messages`, { oa_id: oaId, ...draft })

/**
 * Taps a button of a message or an element of its list, both counted from 0.
 * @param {string} id
 * @param {string} oaId
 * @param {string} msgId
 * @param {{ button: number } | { element: number }} target
 */
export const tap = (id, oaId, msgId, target) => call(`${person(id)}/tap`, { oa_id: oaId, msg_id: msgId, ...target })

/**
 * @param {string} id
 * @param {string} oaId
 * @param {boolean} following
 */
export const setFollowing = (id, oaId, following) => call(`${person(id)}/${following ? 'follow' : 'unfollow'}`, { oa_id: oaId })

/**
 * Answers the account's question for contact data.
 * @param {string} id
 * @param {string} oaId
 * @param {{ name: string, phone: string }} info
 */
export const submitInfo = (id, oaId, info) => call(`${person(id)}/submit-info`, { oa_id: oaId, ...info })

/**
 * @param {string} id
 * @param {boolean} online
 */
export const setOnline = (id, online) => call(`${person(id)}/online`, { online })

/**
 * @param {string} id
 * @param {string} oaId
 */
export const markSeen = (id, oaId) => call(`${person(id)}/seen`, { oa_id: oaId })

/**
 * @param {string} id
 * @returns {string}
 */
export const streamUrl = (id) => `${person(id)}/stream`

/**
 * What the sample proposes to try, or nothing where the page runs without the bot's sample.
 * @returns {Promise<Hints | undefined>}
 */
export async function findHints() {
  try {
    return await call('/sample/hints')
  } catch (error) {
    if (error instanceof ApiError && error.status !== 0) return undefined
    throw error
  }
}

/**
 * @param {string} role
 * @param {string | null} unit
 * @returns {Promise<{ code: string, text?: string }>}
 */
export const createInvitation = (role, unit) => call('/sample/invitations', { role, unit })

/** What a button says when it is tapped: session, prompt, option. Fits 64 bytes with any key the flows may use. */
export type Tap = { sessionId: number; ref: string; key: string }

export const payloadOf = ({ sessionId, ref, key }: Tap): string => `${sessionId.toString(36)}.${ref}.${key}`

/** The session of taps that belong to none: they stand for an act on a thing, and are checked against who taps. */
export const STANDING = 0
/** What such a message opens, in the place of a prompt. */
export const STANDING_PROMPT = 'standing'

const PAYLOAD = /^([0-9a-z]{1,13})\.([a-z][a-z0-9_]{0,23})\.([a-z][a-z0-9_]{0,23}|0)$/

/** A tap, or nothing when it is none of ours. Whether the session is this person's is for the caller to see. */
export function parseTap(payload: string): Tap | undefined {
  const match = PAYLOAD.exec(payload)
  if (!match) return undefined
  const [, session = '', ref = '', key = ''] = match
  return { sessionId: Number.parseInt(session, 36), ref, key }
}

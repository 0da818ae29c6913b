/** What is left to do about a failure. The table below says what each means for a ledger of sends. */
export type ErrorAction =
  | 'retry'
  | 'wait_until'
  | 'refresh'
  | 'switch_endpoint'
  | 'reupload'
  | 'split'
  | 'change_shape'
  | 'unreachable'
  | 'outside_window'
  | 'muted'
  | 'drop'
  | 'pause_account'
  | 'pause_paid'
  | 'ambiguous'

type ActionFacts = {
  /** `no`: certainly not delivered. `unknown`: the person may have it, so a repeat may be a second copy. */
  delivered: 'no' | 'unknown'
  /** The very same request may succeed later and cannot be a second copy. */
  retryable: boolean
  /** The client has already done it once where it could; it reaches a caller only where the client could not. */
  byClient: boolean
  meaning: string
}

/** Every action with what it says about the message. */
export const errorActions: Readonly<Record<ErrorAction, ActionFacts>> = {
  retry: { delivered: 'no', retryable: true, byClient: false, meaning: 'send again later with growing pauses' },
  wait_until: { delivered: 'no', retryable: true, byClient: false, meaning: 'send again, not before `until` (add a jitter)' },
  refresh: {
    delivered: 'no',
    retryable: false,
    byClient: true,
    meaning: 'the access token is no longer good: refresh once, send once more',
  },
  switch_endpoint: {
    delivered: 'no',
    retryable: false,
    byClient: true,
    meaning: 'this kind of account sends through the other endpoint: switch once, remember it',
  },
  reupload: { delivered: 'no', retryable: false, byClient: true, meaning: 'the uploaded file has expired: upload and send once more' },
  split: { delivered: 'no', retryable: false, byClient: false, meaning: 'too long or too large: cut it and send the parts' },
  change_shape: {
    delivered: 'no',
    retryable: false,
    byClient: false,
    meaning: 'this kind of message is refused: send the content as text',
  },
  unreachable: { delivered: 'no', retryable: false, byClient: false, meaning: 'this person cannot be reached this way: take another' },
  outside_window: { delivered: 'no', retryable: false, byClient: false, meaning: 'the person must write first, or take another way' },
  muted: { delivered: 'no', retryable: false, byClient: false, meaning: 'the person does not want this kind: remember it' },
  drop: { delivered: 'no', retryable: false, byClient: false, meaning: 'refused for good' },
  pause_account: {
    delivered: 'no',
    retryable: false,
    byClient: false,
    meaning: 'nothing goes out until a human acts: keep the queue and call one',
  },
  pause_paid: {
    delivered: 'no',
    retryable: false,
    byClient: false,
    meaning: 'nothing that costs money goes out until a human acts; free replies may go on',
  },
  ambiguous: { delivered: 'unknown', retryable: false, byClient: false, meaning: 'may have been delivered: never repeat blindly' },
}

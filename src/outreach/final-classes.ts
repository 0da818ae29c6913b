/** Final words of a platform about a person: nothing reaches them until they write again. */
export const DEAD_CLASSES: ReadonlySet<string> = new Set([
  'not_a_follower',
  'recipient_inactive',
  'muted_by_recipient',
  'blocked',
  'account_deleted',
  'chat_not_found',
  'not_started',
  'is_a_bot',
])

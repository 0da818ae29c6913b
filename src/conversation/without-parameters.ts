/** A failed statement carries its parameters, and with them people's words: the log gets its kind and place only. */
export function withoutParameters(error: unknown): { message: string; stack?: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return { message: 'unknown' }
  const message = error === cause ? cause.message : `query failed: ${cause.message}`
  return { message: message.split('\nparams:')[0] ?? '', ...(cause.stack ? { stack: cause.stack.split('\n').slice(1, 8).join('\n') } : {}) }
}

/**
 * Tells the host something. What its hook throws is the host's to handle there: it must not turn a message that went out into a failure.
 */
export function notify<T>(hook: ((value: T) => unknown) | undefined, value: T): void {
  try {
    const result = hook?.(value)
    if (result instanceof Promise) result.catch(() => undefined)
  } catch {
    // see above
  }
}

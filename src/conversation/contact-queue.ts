/** Runs work for one contact at a time, contacts side by side up to a limit. */
export type ContactQueue = {
  /** Asks for this contact to be handled; a request that finds one waiting is the same request. */
  push(contactId: number): void
  /** Resolves when nothing is running or waiting. */
  idle(): Promise<void>
  /** Takes no more, lets what runs finish. */
  close(): Promise<void>
}

// Below the size of the pool, so that handling never takes the last connection from storing
const CONCURRENCY = 12

/** `handle` returns how long to wait before the contact should be looked at again, ms, or nothing when all is done. It must not throw. */
export function createContactQueue(handle: (contactId: number) => Promise<number | undefined>, concurrency = CONCURRENCY): ContactQueue {
  const waiting = new Set<number>()
  const running = new Set<number>()
  const timers = new Set<NodeJS.Timeout>()
  let closed = false
  let whenIdle: (() => void)[] = []

  function next(): void {
    for (const id of waiting) {
      if (running.size >= concurrency) return
      if (running.has(id)) continue
      waiting.delete(id)
      running.add(id)
      void run(id)
    }
    if (running.size === 0 && waiting.size === 0) {
      for (const resolve of whenIdle) resolve()
      whenIdle = []
    }
  }

  async function run(id: number): Promise<void> {
    const againMs = await handle(id)
    running.delete(id)
    if (againMs !== undefined && !closed) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        push(id)
      }, againMs)
      timers.add(timer)
    }
    next()
  }

  function push(id: number): void {
    if (closed) return
    waiting.add(id)
    next()
  }

  const idle = () => new Promise<void>((resolve) => (running.size === 0 && waiting.size === 0 ? resolve() : whenIdle.push(resolve)))
  return {
    push,
    idle,
    async close() {
      closed = true
      waiting.clear()
      for (const timer of timers) clearTimeout(timer)
      await idle()
    },
  }
}

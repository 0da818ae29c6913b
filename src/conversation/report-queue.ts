/** Has the reports of many contacts kept together. */
export type ReportQueue = {
  /** Asks for this contact's reports to be kept; what must wait is looked at again and again for a second, then left to the sweep. */
  push(contactId: number): void
  /** The same for what the sweep has found, and finds again: it is looked at once. */
  pushLeft(contactId: number): void
  /** Resolves when nothing is running or waiting. */
  idle(): Promise<void>
  /** Takes no more, lets what runs finish; what waits is found in the tables. */
  close(): Promise<void>
}

// What one transaction takes at most
const MOST = 200
// So many transactions a second go at once; beyond that they are kept apart: the database pays per transaction, not per row
const AT_ONCE = 40
const APART_MS = 50
// A report may be faster than the record of its message; after these waits it is left to the sweep
const AGAIN_MS = [20, 100, 300, 1_000]

/** A few go at once, many together. `absorb` returns the contacts that should be looked at again. It must not throw. */
export function createReportQueue(absorb: (contactIds: readonly number[]) => Promise<number[]>): ReportQueue {
  const waiting = new Map<number, number>()
  const timers = new Set<NodeJS.Timeout>()
  let whenIdle: (() => void)[] = []
  let running: Promise<void> | undefined
  let closed = false
  let second = 0
  let taken = 0

  function push(contactId: number, tries = 0): void {
    if (closed) return
    waiting.set(contactId, Math.min(tries, waiting.get(contactId) ?? tries))
    running ??= run().finally(() => {
      running = undefined
      rest()
    })
  }

  async function run(): Promise<void> {
    while (waiting.size > 0 && !closed) {
      const some = [...waiting].slice(0, MOST)
      for (const [id] of some) waiting.delete(id)
      await take(some)
      await keepApart()
    }
  }

  async function keepApart(): Promise<void> {
    const now = performance.now()
    if (now - second >= 1_000) {
      second = now
      taken = 0
    }
    taken++
    if (taken > AT_ONCE) await new Promise<void>((resolve) => later(resolve, APART_MS))
  }

  async function take(some: readonly (readonly [number, number])[]): Promise<void> {
    const tries = new Map(some)
    for (const id of await absorb(some.map(([contactId]) => contactId))) {
      const tried = tries.get(id) ?? 0
      const wait = AGAIN_MS[tried]
      if (wait !== undefined) later(() => push(id, tried + 1), wait)
    }
  }

  function later(work: () => void, ms: number): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
      rest()
    }, ms)
    timers.add(timer)
  }

  function rest(): void {
    if (running || waiting.size > 0 || timers.size > 0) return
    for (const resolve of whenIdle) resolve()
    whenIdle = []
  }

  return {
    push: (contactId) => push(contactId),
    pushLeft: (contactId) => push(contactId, AGAIN_MS.length),
    idle: () => new Promise((resolve) => (running || waiting.size > 0 || timers.size > 0 ? whenIdle.push(resolve) : resolve())),
    async close() {
      closed = true
      waiting.clear()
      await running
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      rest()
    },
  }
}

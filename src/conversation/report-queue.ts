/** Has the reports of many contacts kept together. */
export type ReportQueue = {
  /** Asks for this contact's reports to be kept. */
  push(contactId: number): void
  /** Resolves when nothing is running or waiting. */
  idle(): Promise<void>
  /** Takes no more, lets what runs finish; what waits is found in the tables. */
  close(): Promise<void>
}

export type ReportQueueDeps = {
  /** See absorb-reports.ts. */
  absorb(contactIds: readonly number[]): Promise<{ turn: number[]; again: number[] }>
  /** Has a contact answered in a turn of its own. */
  toTurn(contactId: number): void
}

// What one transaction takes at most
const MOST = 200
// So many transactions a second go at once; beyond that they are kept apart: the database pays per transaction, not per row
const AT_ONCE = 40
const APART_MS = 50
// A receipt may be faster than the record of its message; after these waits it is left to a turn, which closes it whatever it is of
const AGAIN_MS = [50, 300, 1_000]

/** A few go at once, many together. A failure leaves its contacts to turns of their own. */
export function createReportQueue({ absorb, toTurn }: ReportQueueDeps): ReportQueue {
  const waiting = new Map<number, number>()
  const timers = new Set<NodeJS.Timeout>()
  let whenIdle: (() => void)[] = []
  let running: Promise<void> | undefined
  let closed = false
  let second = 0
  let taken = 0

  function push(contactId: number, tries = 0): void {
    if (closed) return
    waiting.set(contactId, Math.max(tries, waiting.get(contactId) ?? 0))
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
    const ids = some.map(([id]) => id)
    const tries = new Map(some)
    try {
      const { turn, again } = await absorb(ids)
      for (const id of turn) toTurn(id)
      for (const id of again) {
        const tried = tries.get(id) ?? 0
        const wait = AGAIN_MS[tried]
        if (wait === undefined) toTurn(id)
        else later(() => push(id, tried + 1), wait)
      }
    } catch {
      // A turn says what is wrong, and tries again
      for (const id of ids) toTurn(id)
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

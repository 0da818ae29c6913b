/** The platform's clock: the given one (or the machine's) plus an offset that tests and the demo can move. */
export interface Clock {
  now(): number
  offset(): number
  setOffset(ms: number): void
}

export function createClock(base: { now(): number } = Date): Clock {
  let offsetMs = 0
  return {
    now: () => base.now() + offsetMs,
    offset: () => offsetMs,
    setOffset: (ms) => {
      offsetMs = ms
    },
  }
}

interface Due {
  at: number
  order: number
  run(): void
}

/** Things that happen later on the platform's clock. */
export interface Schedule {
  at(due: number, run: () => void): void
  /** Time of the next thing, if any. */
  next(): number | undefined
  /** Runs everything whose time has come and says how many there were. */
  runDue(): number
  close(): void
}

// setTimeout holds 31 bits; a later thing is simply armed again
const LONGEST_TIMER_MS = 2_000_000_000

export function createSchedule(clock: Clock): Schedule {
  const heap: Due[] = []
  let order = 0
  let timer: NodeJS.Timeout | undefined
  let armedFor = Number.POSITIVE_INFINITY

  function arm() {
    const first = heap[0]
    if (!first || first.at >= armedFor) return
    clearTimeout(timer)
    armedFor = first.at
    const wait = Math.min(Math.max(first.at - clock.now(), 1), LONGEST_TIMER_MS)
    timer = setTimeout(() => {
      runDue()
    }, wait)
    timer.unref()
  }

  function runDue() {
    let count = 0
    const now = clock.now()
    for (let first = heap[0]; first && first.at <= now; first = heap[0]) {
      removeFirst(heap)
      first.run()
      count++
    }
    armedFor = Number.POSITIVE_INFINITY
    arm()
    return count
  }

  return {
    at(due, run) {
      insert(heap, { at: due, order: order++, run })
      arm()
    },
    next: () => heap[0]?.at,
    runDue,
    close() {
      clearTimeout(timer)
      heap.length = 0
    },
  }
}

function before(a: Due, b: Due) {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function insert(heap: Due[], item: Due) {
  let i = heap.push(item) - 1
  while (i > 0) {
    const parent = (i - 1) >> 1
    if (!before(item, heap[parent]!)) break
    heap[i] = heap[parent]!
    i = parent
  }
  heap[i] = item
}

function removeFirst(heap: Due[]) {
  const last = heap.pop()!
  if (heap.length === 0) return
  let i = 0
  for (;;) {
    let child = 2 * i + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, last)) break
    heap[i] = heap[child]!
    i = child
  }
  heap[i] = last
}

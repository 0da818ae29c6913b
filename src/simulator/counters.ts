/** What happened on the platform, counted; for tests and load drivers. */
export interface Counters {
  request(endpoint: string): void
  /** Answer code of an API call: 0 is success. */
  answer(endpoint: string, code: number | string): void
  fault(kind: string): void
  /** The caller was gone before the answer: it died, or gave up. */
  abandoned(endpoint: string): void
  event(name: string): void
  webhook(outcome: 'delivered' | 'dropped'): void
  webhookAnswer(status: string): void
  read(): CountersView
  reset(): void
}

export interface CountersView {
  requests: Record<string, number>
  answers: Record<string, Record<string, number>>
  faults: Record<string, number>
  abandoned: Record<string, number>
  events: Record<string, number>
  webhooks: { delivered: number; dropped: number; answers: Record<string, number> }
}

export function createCounters(): Counters {
  let counts = emptyView()
  return {
    request: (endpoint) => add(counts.requests, endpoint),
    answer(endpoint, code) {
      counts.answers[endpoint] ??= {}
      add(counts.answers[endpoint], String(code))
    },
    fault: (kind) => add(counts.faults, kind),
    abandoned: (endpoint) => add(counts.abandoned, endpoint),
    event: (name) => add(counts.events, name),
    webhook: (outcome) => counts.webhooks[outcome]++,
    webhookAnswer: (status) => add(counts.webhooks.answers, status),
    read: () => structuredClone(counts),
    reset() {
      counts = emptyView()
    },
  }
}

function emptyView(): CountersView {
  return { requests: {}, answers: {}, faults: {}, abandoned: {}, events: {}, webhooks: { delivered: 0, dropped: 0, answers: {} } }
}

function add(table: Record<string, number>, key: string) {
  table[key] = (table[key] ?? 0) + 1
}

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { residentKb, startFleet } from './fleet.ts'
import { describeMachine, processorSeconds, watchOthers } from './machine.ts'

// npm run bench -- broadcast [--people 18075] [--runs 3]
// One worker process as `npm start` runs it, PostgreSQL and a platform that answers at once beside it, every result recorded

// What a process holds when nothing has happened for so long counts as idle
const IDLE_MS = 5_000
const END_MS = 180_000
// Further apart than an officer and a worker are: nothing waits for a timer
const FIRST_WITHIN_MS = 1_000

export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: { people: { type: 'string', default: '18075' }, runs: { type: 'string', default: '3' } },
    allowPositionals: true,
  })
  const figures: Figures[] = []
  for (let run = 0; run < Number(values.runs); run++) {
    console.error(`run ${run + 1}`)
    figures.push(await measure(Number(values.people)))
  }
  const rows = figures.map(
    (one) =>
      `| ${one.sent} | ${(one.ms / 1_000).toFixed(2)} | **${Math.round(one.sent / (one.ms / 1_000))}** | ${one.firstMs}${one.firstMs > FIRST_WITHIN_MS ? ' LATE' : ''} | ${one.workerSeconds.toFixed(1)} | ${one.othersCores.toFixed(1)} | ${mb(one.idleKb)} | ${mb(one.mostKb)} | **${mb(one.mostKb - one.idleKb)}** | ${one.exact ? 'yes' : 'NO'} |`,
  )
  return `## Broadcast, unthrottled

${describeMachine()}

From the commit of the start to the last result in the ledger.

| recipients | seconds | messages a second, recorded | first message after the commit, ms | processor time of the worker, s | cores busy with others | worker idle, MB | its most, MB | over idle, MB | exact |
|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}`
}

const mb = (kb: number) => (kb / 1_024).toFixed(0)

type Figures = {
  sent: number
  ms: number
  firstMs: number
  workerSeconds: number
  othersCores: number
  idleKb: number
  mostKb: number
  exact: boolean
}

async function measure(people: number): Promise<Figures> {
  const fleet = await startFleet({ workers: 1, communes: 1, people, perMinute: 1_000_000 })
  try {
    const pid = fleet.bots[0]!.pid
    await sleep(IDLE_MS)
    const { now: idleKb } = residentKb(pid)
    let mostKb = idleKb
    const watch = setInterval(() => {
      mostKb = Math.max(mostKb, residentKb(pid).now)
    }, 100)
    const beforeSeconds = processorSeconds([pid])
    const others = watchOthers()
    const [begun] = await fleet.begin()
    if (!begun) throw new Error('there is no commune')
    const through = await fleet.finish(END_MS)
    const ms = Date.now() - begun.committedAtMs
    const othersCores = others()
    const workerSeconds = processorSeconds([pid]) - beforeSeconds
    clearInterval(watch)
    const { arrived } = await fleet.report()
    const moments = arrived[begun.oaId] ?? []
    const [row] = await fleet.database.sql<{ sent: number }[]>`SELECT count(*)::int AS sent FROM recipient WHERE status = 'sent'`
    const sent = row?.sent ?? 0
    const firstMs = (moments[0] ?? Number.POSITIVE_INFINITY) - begun.committedAtMs
    return { sent, ms, firstMs, workerSeconds, othersCores, idleKb, mostKb, exact: through && sent === people && moments.length === people }
  } finally {
    await fleet.close()
  }
}

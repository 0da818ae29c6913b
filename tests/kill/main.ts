import { parseArgs } from 'node:util'
import type { Checked } from './check-ledger.ts'
import type { Arrangement } from './installation.ts'
import { runTrial, type TrialResult } from './trial.ts'

// npm run test:kill -- --seeds 20 [--seed 7] [--recipients 3000] [--open 60] [--rate 300] [--every 3] [--arrangement one|four|both] [--all]
// --all: also the faults that take a minute and those for which an officer has to resume, as many as there are
// npm run test:outreach: the whole commune without kills, with every fault; the same flags

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    // Of each of the two campaigns
    recipients: { type: 'string', default: '3000' },
    open: { type: 'string', default: '60' },
    rate: { type: 'string', default: '300' },
    writes: { type: 'string', default: '30' },
    every: { type: 'string', default: '3' },
    arrangement: { type: 'string', default: 'both' },
    calm: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
  },
})
const arrangements: Arrangement[] = values.arrangement === 'both' ? ['one', 'four'] : [values.arrangement as Arrangement]
const first = Number(values.seed)
const every = values.calm || values.all
const results: TrialResult[] = []

// What the driver of PostgreSQL throws on a connection that was lost inside a transaction (src/main.ts), beside what its caller hears; anything
// else ends the run
process.on('uncaughtException', (error) => {
  if (error instanceof TypeError && /postgres\/src\/connection/.test(error.stack ?? '')) return
  if ('code' in error && error.code === 'ECONNREFUSED') return
  console.error(error)
  process.exit(1)
})

// Nothing that was started here outlives a run that is broken off
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

for (let seed = first; seed < first + Number(values.seeds); seed++) {
  for (const arrangement of arrangements) {
    console.error(`seed ${seed}, ${arrangement}`)
    const result = await runTrial({
      seed,
      arrangement,
      recipients: Number(values.recipients),
      openPercent: Number(values.open),
      perSecond: Number(values.rate),
      writesPerSecond: Number(values.writes),
      ...(!values.calm && { killEveryMs: Number(values.every) * 1_000 }),
      long: every,
      untilSettled: true,
      mostPauses: every ? 100 : 2,
      say: (line) => console.error(`  ${line}`),
    })
    results.push(result)
    for (const problem of result.problems) console.error(`  PROBLEM ${problem}`)
  }
}
if (values.calm) for (const result of results) result.last.forEach(printKinds)
printTable(results)
const failed = results.filter((one) => !holds(one))
console.log(
  failed.length === 0
    ? '\nall seeds hold'
    : `\n${failed.length} runs do not hold: ${failed.map((one) => `--seed ${one.seed} --arrangement ${one.arrangement}`).join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

/** What was promised of the ledger, of the time it takes to come back, and of two campaigns at once: pauses cost the first one a little. */
function holds({ problems, readySeconds, sendSeconds, databaseSeconds, share }: TrialResult): boolean {
  return problems.length === 0 && readySeconds <= 5 && sendSeconds <= 5 && databaseSeconds <= 5 && Math.abs(share - 50) <= 20
}

function printTable(results: readonly TrialResult[]): void {
  const columns: [string, (one: TrialResult) => string | number][] = [
    ['seed', (one) => one.seed],
    ['arrangement', (one) => one.arrangement],
    ['recipients of both campaigns', (one) => one.recipients],
    ['messages a second', (one) => one.perSecond.toFixed(0)],
    ['of them the first campaign’s, %', (one) => one.share.toFixed(0)],
    ['ledgers checked', (one) => one.samples + 1],
    ['kills', (one) => one.kills],
    ['with a send in flight', (one) => `${one.inFlightKills} (${one.inFlight} calls open)`],
    ['lost', (one) => one.lost],
    ['doubled', (one) => one.doubled],
    ['receipts kept', (one) => `${one.receipts.kept} of ${one.receipts.of}`],
    ['uncertain, of at most', (one) => `${one.uncertain} of ${one.uncertainBound}`],
    ['settled', (one) => one.settled],
    ['listed', (one) => one.open],
    ['kill to ready, s', (one) => one.readySeconds.toFixed(1)],
    ['longest silence after a kill, s', (one) => one.sendSeconds.toFixed(1)],
    ['after PostgreSQL was stopped, s', (one) => one.databaseSeconds.toFixed(1)],
    ['seconds in all', (one) => one.seconds.toFixed(0)],
    ['holds', (one) => (holds(one) ? 'yes' : 'NO')],
  ]
  const line = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  console.log(line(columns.map(([name]) => name)))
  console.log(line(columns.map(() => '---')))
  for (const result of results) console.log(line(columns.map(([, of]) => of(result))))
  const kills = results.reduce((sum, one) => sum + one.kills, 0)
  const inFlight = results.reduce((sum, one) => sum + one.inFlightKills, 0)
  if (kills > 0) console.log(`\n${inFlight} of ${kills} kills (${((inFlight * 100) / kills).toFixed(0)} %) with a send in flight`)
}

/** What became of whom, by kind of person and fault. */
function printKinds({ kinds, statuses, deliveries, articles }: Checked, place: number): void {
  console.log(`Campaign ${place + 1}\n`)
  console.log('| person or fault | rows | ended |\n|---|---|---|')
  for (const [kind, ends] of Object.entries(kinds).sort()) {
    const rows = Object.values(ends).reduce((sum, n) => sum + n, 0)
    console.log(
      `| ${kind} | ${rows} | ${Object.entries(ends)
        .map(([end, n]) => `${end.trim()} ${n}`)
        .join(', ')} |`,
    )
  }
  const sum = Object.values(statuses).reduce((all, n) => all + n, 0)
  console.log(
    `\n${Object.entries(statuses)
      .map(([status, n]) => `${status} ${n}`)
      .join(' + ')} = ${sum}; ${deliveries} messages on phones${articles > 0 ? `, ${articles} of them the article` : ''}\n`,
  )
}

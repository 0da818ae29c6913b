import { parseArgs } from 'node:util'
import { type KillResult, runKillTrial } from './trial.ts'

// npm run test:kill -- --seeds 20 [--seed 7] [--people 1800] [--rate 300] [--open 30] [--every 3]

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    people: { type: 'string', default: '6000' },
    rate: { type: 'string', default: '300' },
    open: { type: 'string', default: '60' },
    every: { type: 'string', default: '3' },
  },
})
const first = Number(values.seed)
const results: KillResult[] = []
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  console.error(`seed ${seed}`)
  const result = await runKillTrial({
    seed,
    people: Number(values.people),
    perSecond: Number(values.rate),
    openPercent: Number(values.open),
    killEveryMs: Number(values.every) * 1_000,
    say: (line) => console.error(`  ${line}`),
  })
  results.push(result)
  for (const problem of result.problems) console.error(`  PROBLEM ${problem}`)
}
console.log(`| seed | recipients | kills | with a send in flight | lost | doubled | uncertain, of at most | settled | left open | seconds to recover, at most | after PostgreSQL | seconds |
|---|---|---|---|---|---|---|---|---|---|---|---|
${results.map((one) => `| ${one.seed} | ${one.recipients} | ${one.kills} | ${one.inFlightKills} | ${one.lost} | ${one.doubled} | ${one.uncertain} of ${one.uncertainBound} | ${one.settled} | ${one.open} | ${one.recoverSeconds.toFixed(1)} | ${one.databaseSeconds.toFixed(1)} | ${one.seconds.toFixed(0)} |`).join('\n')}`)
const failed = results.filter((one) => one.problems.length > 0)
console.log(
  failed.length === 0
    ? '\nall seeds hold'
    : `\n${failed.length} seeds do not hold: ${failed.map((one) => `--seed ${one.seed}`).join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1

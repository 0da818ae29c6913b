import { parseArgs } from 'node:util'
import { digestLog } from './log.ts'
import { runTrial, type TrialOptions, type TrialResult, violations } from './trial.ts'

// node tests/run/run.ts --people 200 --concurrency 50 --seed 1 --duplicates 0.05 --late 0.01 [--kill 3-5] [--buttons off] [--state-agency] [--telegram poll|webhook]
// With --only 17 (or 17,31) those people of the same seed alone, and what they saw.

const { values } = parseArgs({
  options: {
    people: { type: 'string', default: '200' },
    concurrency: { type: 'string', default: '50' },
    seed: { type: 'string' },
    duplicates: { type: 'string', default: '0.05' },
    late: { type: 'string', default: '0.01' },
    kill: { type: 'string' },
    think: { type: 'string', default: '0' },
    buttons: { type: 'string', default: 'on' },
    'state-agency': { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
    only: { type: 'string' },
    transcripts: { type: 'string', default: '2' },
    log: { type: 'boolean', default: false },
    telegram: { type: 'string' },
  },
})

const { telegram } = values
if (telegram !== undefined && telegram !== 'poll' && telegram !== 'webhook') throw new Error('--telegram is followed by poll or webhook')
const kill = values.kill?.split('-').map(Number)
const options: TrialOptions = {
  people: Number(values.people),
  concurrency: Number(values.concurrency),
  seed: values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed),
  duplicates: Number(values.duplicates),
  late: Number(values.late),
  buttons: values.buttons !== 'off',
  stateAgency: values['state-agency'],
  ...(telegram && { telegram }),
  plain: values.plain,
  thinkMs: Number(values.think),
  ...(kill && { killEverySeconds: [kill[0]!, kill[1] ?? kill[0]!] as [number, number] }),
  ...(values.only !== undefined && { only: values.only.split(',').map(Number) }),
  onProgress: (line) => console.error(line),
}

console.log(`seed ${options.seed}`)
const result = await runTrial(options)
const bad = violations(result)
print(result)
if (values.log) for (const line of digestLog(result.botLog)) console.log(line)
process.exitCode = bad.length > 0 ? 1 : 0

function print(result: TrialResult): void {
  const readyAgain = result.readyMs.slice(1).map((ms) => (ms / 1_000).toFixed(1))
  const rows: [string, string | number][] = [
    ['people finished', `${result.finished} of ${result.people}`],
    ['wrong answers', `${result.wrong.length} (of ${result.expectedAnswers})`],
    ['extra replies', result.extras.length],
    ['lost', result.lost.length],
    ['stuck', result.stuck.length],
    ['figures of the tally that differ', result.miscounted.length],
    ['duplicates injected', result.duplicatesInjected],
    ['late injected', result.lateInjected],
    ['messages of people, replies', `${result.personMessages}, ${result.replies}`],
    ['option words not understood', result.notUnderstood.length],
    ['first start to ready', `${(result.readyMs[0]! / 1_000).toFixed(1)} s`],
    ['kills', result.kills],
    ...(result.kills > 0
      ? ([
          ['seconds to ready after each kill', readyAgain.join(' ')],
          ['typed again', result.typedAgain],
          ['replies sent once more word by word', result.repeats],
        ] as [string, string | number][])
      : []),
    ['webhook → send, ms', `p50 ${result.latenciesMs.p50}, p99 ${result.latenciesMs.p99}, max ${result.latenciesMs.max}`],
    ['seconds in all', result.secondsTaken.toFixed(0)],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, value] of rows) console.log(`${name.padEnd(width)}  ${value}`)
  for (const notice of result.notices) console.log(`note: ${notice}`)
  for (const one of result.notUnderstood.slice(0, 20)) console.log(`not understood: ${one}`)
  for (const one of bad.slice(0, 60)) console.log(one)
  if (bad.length > 60) console.log(`… and ${bad.length - 60} more`)

  const named = new Set(bad.flatMap((one) => /person (\d+)/.exec(one)?.[1] ?? []))
  const shown = options.only
    ? result.lives
    : result.lives.filter(({ plan }) => named.has(String(plan.index))).slice(0, Number(values.transcripts))
  for (const life of shown) {
    console.log(`\n── person ${life.plan.index}, seed ${result.seed}: ${life.end}${life.trouble === undefined ? '' : `, ${life.trouble}`}`)
    console.log(life.account.transcript.join('\n'))
  }
}

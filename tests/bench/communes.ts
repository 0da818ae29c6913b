import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type FleetCommune, residentKb, startFleet } from './fleet.ts'
import { describeMachine, watchOthers } from './machine.ts'

// npm run bench -- communes [--communes 38] [--people 18075] [--per-minute 600] [--seconds 90] [--workers 1]
// Every commune's account sends to everybody at once, and one account's platform answers late: each at its own pace, for so long

const SLOW_MS = 2_000
const IDLE_MS = 5_000
// Begun one after the other: what is judged begins when all have, and after the first second in which each catches up
const SETTLE_MS = 5_000
const RESERVE = 20

export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: {
      communes: { type: 'string', default: '38' },
      people: { type: 'string', default: '18075' },
      'per-minute': { type: 'string', default: '600' },
      seconds: { type: 'string', default: '90' },
      workers: { type: 'string', default: '1' },
    },
    allowPositionals: true,
  })
  const [communes, people, perMinute, seconds] = [values.communes, values.people, values['per-minute'], values.seconds].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  const fleet = await startFleet({ workers: Number(values.workers), communes, people, perMinute, reserve: RESERVE })
  try {
    await sleep(IDLE_MS)
    const memory = () => fleet.bots.map((bot) => residentKb(bot.pid).now)
    const idleKb = memory()
    const mostKb = [...idleKb]
    const watch = setInterval(() => {
      for (const [place, kb] of memory().entries()) mostKb[place] = Math.max(mostKb[place] ?? 0, kb)
    }, 250)
    const others = watchOthers()
    console.error(`${communes} campaigns to ${people} people each begin`)
    const slowOa = 'oa-0'
    fleet.slowDown(slowOa, SLOW_MS)
    const begun = await fleet.begin()
    const fromMs = Date.now() + SETTLE_MS
    await sleep(SETTLE_MS + seconds * 1_000)
    const untilMs = fromMs + seconds * 1_000
    clearInterval(watch)
    const othersCores = others()
    const { arrived } = await fleet.report()
    const share = (perMinute * (100 - RESERVE)) / 100
    const used = (one: FleetCommune) =>
      (100 * (arrived[one.oaId] ?? []).filter((at) => at >= fromMs && at < untilMs).length) / ((share * seconds) / 60)
    const shares = begun.filter((one) => one.oaId !== slowOa).map(used)
    const slow = begun.filter((one) => one.oaId === slowOa).map(used)
    const firsts = begun.map((one) => (arrived[one.oaId]?.[0] ?? Number.POSITIVE_INFINITY) - one.committedAtMs)
    const mb = (kb: number) => (kb / 1_024).toFixed(0)
    return `## ${communes} communes at once, one account slow

${describeMachine()}; ${othersCores.toFixed(1)} cores busy with others

| | |
|---|---|
| rows of the ledger | ${communes * people} |
| worker processes | ${fleet.bots.length} |
| each account may, a minute; of this campaigns | ${perMinute}; ${share} |
| seconds judged | ${seconds} |
| of its share, the account that used least of those whose platform is quick | **${Math.min(...shares).toFixed(1)} %** |
| the one that used most | ${Math.max(...shares).toFixed(1)} % |
| the account whose platform takes ${SLOW_MS} ms for an answer | ${slow.map((one) => one.toFixed(1)).join()} % |
| first message after the commit, the latest of all accounts | ${Math.max(...firsts)} ms |
| memory of a worker idle, at most, MB | ${idleKb.map(mb).join(', ')} → ${mostKb.map(mb).join(', ')} |`
  } finally {
    await fleet.close()
  }
}

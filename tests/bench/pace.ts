import { parseArgs } from 'node:util'
import { startFleet } from './fleet.ts'
import { describeMachine, watchOthers } from './machine.ts'

// npm run bench -- pace [--workers 1,4] [--per-minute 6000] [--reserve 20] [--minutes 2]
// True minutes: a campaign under a limit that lasts so long. Judged by the moments its requests reached the platform, nothing else

const WINDOW_MS = 60_000
const SLACK_MS = 60_000

export async function bench(args: string[]): Promise<string> {
  const { values } = parseArgs({
    args,
    options: {
      workers: { type: 'string', default: '1,4' },
      'per-minute': { type: 'string', default: '6000' },
      reserve: { type: 'string', default: '20' },
      minutes: { type: 'string', default: '2' },
    },
    allowPositionals: true,
  })
  const [perMinute, reserve, minutes] = [Number(values['per-minute']), Number(values.reserve), Number(values.minutes)]
  const rows: string[] = []
  for (const workers of values.workers.split(',').map(Number)) {
    console.error(`${workers} worker processes, ${minutes} minutes`)
    const { moments, people, through, othersCores } = await measure({ workers, perMinute, reserve, minutes })
    const most = mostInAnyWindow(moments, WINDOW_MS)
    const share = (perMinute * (100 - reserve)) / 100
    const lasted = ((moments.at(-1) ?? 0) - (moments[0] ?? 0)) / WINDOW_MS
    const used = (100 * (moments.length - 1)) / (share * lasted)
    const exact = through && moments.length === people
    rows.push(
      `| ${workers} | ${perMinute} | **${most}**${most > perMinute ? ' TOO MANY' : ''} | ${share} | ${lasted.toFixed(2)} | **${used.toFixed(1)} %**${used < 98 ? ' TOO FEW' : ''} | ${exact ? 'yes' : 'NO'} | ${othersCores.toFixed(1)} |`,
    )
  }
  return `## Pace

${describeMachine()}

${reserve} % of the limit is kept for replies, and nobody writes.

| worker processes | limit a minute | most in any 60 s | campaign's share a minute | minutes from first to last | of the share used | exact | cores busy with others |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}`
}

async function measure({ workers, perMinute, reserve, minutes }: { workers: number; perMinute: number; reserve: number; minutes: number }) {
  const people = Math.round((perMinute * minutes * (100 - reserve)) / 100)
  const fleet = await startFleet({ workers, communes: 1, people, perMinute, reserve })
  try {
    const others = watchOthers()
    const [begun] = await fleet.begin()
    const through = await fleet.finish(minutes * WINDOW_MS + SLACK_MS)
    const { arrived } = await fleet.report()
    return { moments: arrived[begun?.oaId ?? ''] ?? [], people, through, othersCores: others() }
  } finally {
    await fleet.close()
  }
}

/** Of moments in order, the most that lie in one window, wherever it begins. */
export function mostInAnyWindow(moments: readonly number[], windowMs: number): number {
  let most = 0
  let from = 0
  for (const [to, moment] of moments.entries()) {
    while (moment - (moments[from] ?? moment) >= windowMs) from++
    most = Math.max(most, to - from + 1)
  }
  return most
}
